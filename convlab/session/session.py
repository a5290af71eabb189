"""A session: the state of one exploration, as frozen data. Every edit gives a new session, or is refused and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from convlab.documents.literals import literal
from convlab.errors import ConvlabError, Place, Problem, quote
from convlab.language.addresses import get
from convlab.language.design import Design
from convlab.language.files import load_text, write_whole
from convlab.language.knobs import changed
from convlab.language.turning import turn
from convlab.language.validation import faults
from convlab.session import stages
from convlab.session.files import is_same, text_there
from convlab.session.history import WRITTEN, Broken, History, State
from convlab.session.summaries import presets_behind, with_own_summary

MOST_PINNED = 32


@final
@dataclass(frozen=True, repr=False)
class Session:
    """A design that is being edited, what it is compared with, and where it is saved. Refused edits raise ConvlabError."""

    history: History
    origin: str
    """The preset or the file that it began from."""
    chosen: Design | None
    """The baseline: first the design as it was opened; None as long as there was none that a file held or that a person chose."""
    stored: State | None
    """The state that lies in the file, or in the preset that it began from; None where it lies nowhere."""
    path: Path | None = None
    """The file that it is saved in; None for a design of a preset, or a new one."""
    on_disk: str = field(default="", repr=False)
    """The text of the file when it was read or written last."""
    pinned: tuple[Design, ...] = ()
    """Designs that were set aside to compare with."""

    def __repr__(self) -> str:
        return f"<Session of {self.origin}: {self.design!r}{', not saved' if self.unsaved else ''}>"

    @property
    def design(self) -> Design:
        """The design: always one that is valid."""
        return self.history.present.design

    @property
    def baseline(self) -> Design:
        """What the design is compared with; nobody chose to be compared with what stands in for a broken file."""
        return self.history.beginning if self.chosen is None else self.chosen

    @property
    def summary(self) -> str:
        """What the design is, in a line; "" where that is what a preset says of another network, which is not saved either."""
        return with_own_summary(self.design, presets_behind(self.origin, self.history)).summary

    @property
    def text(self) -> str:
        """The design as TOML, with the comments of the file that it began from."""
        return self.history.present.text

    @property
    def keeps_comments(self) -> bool:
        """Whether the text is an edit of the one that was opened; False where it had to be written anew."""
        return self.history.present.revision.kept

    @property
    def broken(self) -> Broken | None:
        """What was in the file, as long as that is no design and nobody has mended it; ``written`` does."""
        return self.history.present.broken

    @property
    def unsaved(self) -> bool:
        """Whether there are edits that no file holds."""
        return self.stored is None or not self.history.present.says_the_same(self.stored)

    @property
    def changed_on_disk(self) -> bool:
        """Whether somebody else has written or removed the file since it was opened or saved."""
        return self.path is not None and text_there(self.path) != self.on_disk

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self.history.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to make again."""
        return bool(self.history.future)

    @property
    def last(self) -> str:
        """What the last edit was: "stages.2.depth 9 -> 12"; empty where there was none."""
        return self.history.present.what

    def turned(self, path: str, value: Any) -> Session:
        """One knob turned, by its path ("stages.2.depth", "stages.*.block.kind", "widths"); refused as ``--set`` would be."""
        design = self._turned(path, value)
        return self._with(design, _words(path, self.design, design))

    def written(self, text: str) -> Session:
        """The source edited as a whole."""
        if text == self.text and self.broken is None:
            return self
        present = self.history.present
        try:
            design = changed(load_text(text, name=present.name), {"name": self.design.name})
        except ConvlabError as error:
            raise ConvlabError(*map(self._in_own_text, error.problems)) from None
        return replace(self, history=self.history.then(State(design, text, present.name, WRITTEN)))

    def replaced(self, design: Design, what: str) -> Session:
        """Another design as one step; it keeps the name of the one before."""
        return self._with(_valid(changed(design, {"name": self.design.name})), what)

    def stage_added(self, index: int) -> Session:
        """A stage put in before the one of an index, or at the end: one block, like the stage before it."""
        return self._with(_valid(stages.added(self.design, index)), f"stage {index} added")

    def stage_removed(self, index: int) -> Session:
        """A stage taken out."""
        return self._with(_valid(stages.removed(self.design, index)), f"stage {index} removed")

    def stage_duplicated(self, index: int) -> Session:
        """A stage twice, one after the other."""
        return self._with(_valid(stages.duplicated(self.design, index)), f"stage {index} duplicated")

    def undone(self) -> Session:
        """The last edit taken back; the same where there is none."""
        return replace(self, history=self.history.undone())

    def redone(self) -> Session:
        """The edit that was taken back last made again; the same where there is none."""
        return replace(self, history=self.history.redone())

    def with_baseline(self, design: Design | None = None) -> Session:
        """Compared with another design, or with the present one."""
        return replace(self, chosen=self.design if design is None else design)

    def pinned_now(self) -> Session:
        """The present design set aside; the same where it is already, refused where there are ``MOST_PINNED``."""
        if self.design in self.pinned:
            return self
        if len(self.pinned) == MOST_PINNED:
            message = f"{MOST_PINNED} designs are pinned, which is as many as can be"
            raise ConvlabError(Problem("usage", message, help="unpin one of them"), exit_code=2)
        return replace(self, pinned=(*self.pinned, self.design))

    def unpinned(self, index: int) -> Session:
        """Without one of the pinned designs."""
        if not 0 <= index < len(self.pinned):
            raise ConvlabError(Problem("usage", f"there is no pinned design {index}"), exit_code=2)
        return replace(self, pinned=self.pinned[:index] + self.pinned[index + 1 :])

    def saved(self, path: str | Path | None = None) -> Session:
        """Written to a file, its own or another, whole or not at all, over what is there; the file is then its own."""
        target = self.path if path is None else Path(path)
        if target is None:
            help = "name a file, such as designs/mine.toml"
            raise ConvlabError(Problem("usage", "the design has no file yet", help=help), exit_code=2)
        history = self.history
        if self.path is None or not is_same(target, self.path):
            history = history.of_file(target)
        elif self.broken is not None:
            help = "mend its text, or save in another file"
            raise ConvlabError(Problem("usage", f"the source of {target} is no design yet", help=help), exit_code=2)
        else:
            target = self.path  # bases are found from where the path is, whatever other names the file has
        own = partial(with_own_summary, presets=tuple(presets_behind(self.origin, history)))
        history = history.each(lambda state: replace(state, design=own(state.design)))
        text = history.present.text
        write_whole(target, text.encode())
        kept = replace(self, chosen=own(self.baseline), pinned=tuple(map(own, self.pinned)))
        return replace(kept, history=history, stored=history.present, path=target, on_disk=text)

    def _turned(self, path: str, value: Any) -> Design:
        """A knob turned to a plain value or a list, or refused with the problems that ``--set`` gives."""
        try:
            return _valid(turn(self.design, path, value))
        except ConvlabError as error:
            told = self._told_of_set(path, value) or error
        raise told from None

    def _told_of_set(self, path: str, value: Any) -> ConvlabError | None:
        """What the shell says of a knob turned in this text; None where it has no words for the value."""
        if not path or not _is_plain(value):
            return None
        try:
            load_text(self.text, name=self.history.present.name, sets=(f"{path}={literal(value)}",))
        except ConvlabError as error:
            return error
        except ValueError:  # a number of more digits than Python writes
            pass
        return None

    def is_in_text(self, place: Place) -> bool:
        """Whether a mistake that was told stands in this text, not in a file that is its base."""
        return place.file == self._name_of_text

    @property
    def _name_of_text(self) -> str:
        """What mistakes in the text are told to be in: what began from a preset is not in the preset's file."""
        return f"the text of {self.origin}" if self.path is None else self.history.present.name

    def _in_own_text(self, problem: Problem) -> Problem:
        """A mistake in the text, told as one of the text."""
        place = problem.place
        if place is None or place.file != self.history.present.name:
            return problem
        return replace(problem, place=replace(place, file=self._name_of_text))

    def _with(self, design: Design, what: str) -> Session:
        present = self.history.present
        if design == present.design:
            return self
        return replace(self, history=self.history.then(replace(present, design=design, what=what)))


def _valid(design: Design) -> Design:
    if problems := faults(design):
        raise ConvlabError(*problems)
    return design


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return type(value) in (bool, int, float, str)


def _words(path: str, before: Design, after: Design) -> str:
    """What turning a knob did: "stages.2.depth 9 -> 12"."""
    try:
        values = get(before, path), get(after, path)
    except ConvlabError:  # what is no knob of a design, but turns some of them, as scale.width does
        return path
    if not all(map(_is_plain, values)):
        return path
    return f"{path} {quote(values[0])} -> {quote(values[1])}"
