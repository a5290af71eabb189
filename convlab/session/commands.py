"""The shell command that does the same: the preset or the whole path that a session began from, and ``--set`` for knobs that differ."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from convlab.documents.literals import literal
from convlab.errors import ConvlabError, Problem
from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, UNUSED
from convlab.language.assigning import assign
from convlab.language.design import Design, Stage
from convlab.language.files import load
from convlab.language.knobs import Knob, knobs_of
from convlab.presets import preset_names, preset_path
from convlab.session.session import Session
from convlab.session.walking import step_of

_BARE = re.compile(r"(?!(?:true|false|inf|nan)$)[A-Za-z_]\w*")
_WHOLE = ("choices", "layers")


def command(session: Session, verb: str, *options: str) -> tuple[str, ...]:
    """The words of the command: ("convlab", "profile", "convnext_t", "--set", "stages.2.depth=12"); ``shlex.join`` quotes them.

    ``verb`` may be of several words; ``options`` come last. Raises ConvlabError where only a file can say the design: it has to be saved.
    """
    found = words_of(session.design, sources_of(session))
    if not found:
        raise unsayable("this design: it")
    return ("convlab", *verb.split(), *found, *options)


def unsayable(whose: str) -> ConvlabError:
    """That only a file can say a design, or several."""
    message = f"no command line says {whose} has to be saved first"
    return ConvlabError(Problem("usage", message, help="save in a file, then ask again"), exit_code=2)


def sources_of(session: Session) -> tuple[str, ...]:
    """What a session's designs can be said to be edits of: the preset that it began from, or its file."""
    return (session.origin if session.path is None else os.fspath(session.path),)


def words_of(design: Design, sources: Sequence[str]) -> tuple[str, ...]:
    """The fewest words that say a design in a command line: a preset or a file by its whole path, with ``--set``.

    ``sources`` are presets and files that it may be an edit of; where it is of none, its namesake among the presets is tried.
    Empty where only a file can say it.
    """
    step = step_of(design)
    tried = dict.fromkeys((*filter(None, sources), *((step.preset,) if step else ())))
    said = [words for source in tried if (words := _said(source, design))]
    if not said and design.name in preset_names():
        return _said(design.name, design)
    return min(said, key=lambda words: len(" ".join(words)), default=())


def _said(source: str, design: Design) -> tuple[str, ...]:
    """The design as a file or preset with ``--set``; empty where it cannot be said so."""
    try:
        source = _anywhere(source)
        sets = assignments(load(source), design)
        if load(source, sets=sets) == design:
            return (source, *(word for each in sets for word in ("--set", each)))
    except ConvlabError:  # a file that is gone or broken, or a design that was in none
        pass
    return ()


def _anywhere(source: str) -> str:
    """A preset by its name, a file by its whole path: commands are pasted into shells that stand elsewhere."""
    is_preset = not source.endswith(".toml") and preset_path(source) is not None
    return source if is_preset else str(Path(source).expanduser().absolute())


def assignments(start: Design, design: Design) -> list[str]:
    """What ``--set`` has to say, in order, to make a design of another: kinds before the knobs that they bring."""
    sets: list[str] = []
    for make in (_of_stage_count, _of_nouns, _of_kinds, _of_stages):
        for path, value in list(make(start, design)):
            sets.append(f"{path}={_text(value)}")
            start = _put_in(start, path, value)
        if make is _of_stage_count and sets:
            start = assign(start, {plural: getattr(design, plural) for plural in ("depths", "widths")}).design
    return sets


def _put_in(design: Design, path: str, value: Any) -> Design:
    table: Any = value
    for part in reversed(path.split(".")):
        table = {part: table}
    return assign(design, table).design


def _text(value: Any) -> str:
    return value if isinstance(value, str) and _BARE.fullmatch(value) else literal(value)


def _of_stage_count(start: Design, design: Design) -> Iterator[tuple[str, Any]]:
    if len(start.stages) != len(design.stages):
        yield "depths", design.depths
        yield "widths", design.widths


def _of_nouns(start: Design, design: Design) -> Iterator[tuple[str, Any]]:
    """Knobs of the design itself and of the sections that it has once."""
    for name in knobs_of(Design):
        if getattr(start, name) != getattr(design, name):
            yield name, getattr(design, name)
    for section, noun in SECTIONS.items():
        if section in STAGE_SECTIONS:
            continue
        before, after = getattr(start, section), getattr(design, section)
        kind = getattr(after, "kind", "")
        if getattr(before, "kind", "") != kind:
            yield f"{section}.kind", kind
            before = type(after).of(kind)
        for name in knobs_of(noun):
            if getattr(before, name) != getattr(after, name) and _is_used(section, name, after):
                yield f"{section}.{name}", getattr(after, name)


def _of_kinds(start: Design, design: Design) -> Iterator[tuple[str, Any]]:
    for section in STAGE_SECTIONS:
        yield from _of_knob(start, design, section, knobs_of(SECTIONS[section])["kind"])


def _of_stages(start: Design, design: Design) -> Iterator[tuple[str, Any]]:
    for knob in knobs_of(Stage).values():
        yield from _of_knob(start, design, "", knob)
    for section in STAGE_SECTIONS:
        for name, knob in knobs_of(SECTIONS[section]).items():
            if name != "kind":
                yield from _of_knob(start, design, section, knob)


def _of_knob(start: Design, design: Design, section: str, knob: Knob) -> Iterator[tuple[str, Any]]:
    """One knob of the stages: for all of them, as a list, or for single ones, whichever is said in fewest words."""
    nouns = [getattr(stage, section) if section else stage for stage in design.stages]
    before = [getattr(stage, section) if section else stage for stage in start.stages]
    used = [not section or _is_used(section, knob.name, noun) for noun in nouns]
    values = [getattr(noun, knob.name) for noun in nouns]
    wrong = [index for index, value in enumerate(values) if used[index] and getattr(before[index], knob.name) != value]
    if not wrong:
        return
    plural = next(plural for plural, name in PLURALS.items() if name == knob.name) if not section else ""
    path = plural or f"{section}.{knob.name}"
    wanted = [value for value, is_used in zip(values, used, strict=True) if is_used]
    if all(value == wanted[0] for value in wanted) and (knob.name != "kind" or len(wrong) == len(values)):
        yield path, values[wrong[0]]
    elif len(wrong) > 1 and knob.kind not in _WHOLE and knob.name != "kind":
        yield path, tuple(values)
    else:
        inner = f"{section}.{knob.name}" if section else knob.name
        for index in wrong:
            yield f"stages.{index}.{inner}", values[index]


def _is_used(section: str, name: str, noun: Any) -> bool:
    return name not in UNUSED.get((section, getattr(noun, "kind", "")), ())
