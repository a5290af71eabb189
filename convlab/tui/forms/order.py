"""An order for a worker: a command line whose designs are words, or are written into files when it begins."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final

from convlab.language.files import load
from convlab.language.writing import text_of
from convlab.presets import preset_names
from convlab.session.commands import words_of

if TYPE_CHECKING:
    from convlab.language.design import Design

_NOT_IN_NAMES = re.compile(r"[^\w-]+")


@final
@dataclass(frozen=True, slots=True)
class Written:
    """A design that is in no file, or not so: its text in full, and the name of the file that it will be in."""

    name: str
    text: str

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.toml"


Word: TypeAlias = str | Written


@final
@dataclass(frozen=True, slots=True)
class Subject:
    """A design that work can be about: what it is to the person ("as it is now", "baseline", "pinned"), and its word in a command line."""

    title: str
    name: str
    word: Word
    said: tuple[str, ...] = ()
    """What says it in any shell: a preset or a whole path, with ``--set``; () where only a file can."""


@final
@dataclass(frozen=True, slots=True)
class Order:
    """Work to be begun: its kind (the command's name), a title, its command line, and the form's values for the next time."""

    kind: str
    title: str
    words: tuple[Word, ...]
    values: Mapping[str, Any]
    said: tuple[str, ...] = ()
    """The command line that does the same in any shell; () where only files can say the designs."""

    @property
    def shown(self) -> str:
        """The command line for people; where only files can say its designs, the names of those that they will be in."""
        return shlex.join(self.said or (word if isinstance(word, str) else word.file for word in self.words))

    def argv(self, folder: Path) -> tuple[str, ...]:
        """The command line for a worker, designs written into files of the folder. Raises OSError."""
        for word in self.words:
            if isinstance(word, Written):
                (folder / word.file).write_text(word.text, encoding="utf-8")
        return tuple(word if isinstance(word, str) else str(folder / word.file) for word in self.words)


def subjects(
    design: Design,
    *,
    saved: Path | None = None,
    baseline: Design | None = None,
    pinned: Sequence[Design] = (),
    sources: Sequence[str] = (),
) -> tuple[Subject, ...]:
    """The design as it is, the baseline and pinned ones, each once and by a name of its own.

    ``saved`` is the file that holds the first; ``sources`` are presets and files that they may be edits of.
    """
    offered = [("as it is now", design), *([("baseline", baseline)] if baseline else [])]
    offered += [(f"pinned {number}", each) for number, each in enumerate(pinned, 1)]
    found: list[Subject] = []
    seen: list[Design] = []
    for title, each in offered:
        if each in seen:
            continue
        seen.append(each)
        taken = [other.name for other in found]
        if each is design and saved is not None:
            path = str(saved.absolute())
            found.append(Subject(title, saved.stem, path, (path,)))
        elif _is_preset(each) and each.name not in taken:
            found.append(Subject(title, each.name, each.name, (each.name,)))
        else:
            said = words_of(each, sources)
            name = _own_name(each.name, taken, turned=len(said) > 1 or (not said and each.name in preset_names()))
            found.append(Subject(title, name, Written(name, text_of(each)), said))
    return tuple(found)


def said_together(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """What says several designs at a time: ``--set`` is of all but those of ``--against``; () where only files can say them."""
    turned = [each for each in subjects if len(each.said) > 1]
    plain = [each for each in subjects if len(each.said) == 1]
    if len(turned) + len(plain) < len(subjects) or len({each.said[1:] for each in turned}) > 1:
        return ()
    if not turned:
        return tuple(each.said[0] for each in plain)
    beside = (word for each in plain for word in ("--against", each.said[0]))
    return (*(each.said[0] for each in turned), *turned[0].said[1:], *beside)


def _is_preset(design: Design) -> bool:
    return design.name in preset_names() and load(design.name) == design


def _own_name(name: str, taken: Sequence[str], *, turned: bool) -> str:
    """A name for a file: of what was turned "turned", as the shell calls it, and with a number where another design has it."""
    name = _NOT_IN_NAMES.sub("_", name) or "design"
    name = f"{name}-turned" if turned else name
    numbered = (f"{name}-{number}" if number > 1 else name for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)
