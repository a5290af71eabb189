"""The states that a design went through, so that each edit can be taken back and made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import takewhile
from pathlib import Path
from typing import final

from convlab.errors import Problem
from convlab.language.design import Design
from convlab.language.editing import Revision, revision
from convlab.language.knobs import changed
from convlab.session.files import moved

LONGEST = 1000
"""So many edits can be taken back. Designs share their stages, so that a state takes some hundred bytes."""


WRITTEN = "the source"
"""The edit that is a text written as a whole."""

WALKED = "walk, step"
"""How the words of an edit begin that is a step of the walk."""


@final
@dataclass(frozen=True)
class Broken:
    """A source that means no design, and what is wrong with it."""

    text: str = field(repr=False)
    problems: tuple[Problem, ...]
    instead: str = ""
    """The preset that stands in for the design; empty where that is what the rest of the text says."""


@final
@dataclass(frozen=True)
class State:
    """A design, and the text that it is an edit of: what was opened, or written as a whole last.

    All texts since then are edits of that one, so that a knob turned forth and back gives the text from before.
    """

    design: Design
    source: str = field(repr=False)
    name: str
    """What stands for the file: bases are found from its folder."""
    what: str = ""
    """The edit that led here, in words."""
    broken: Broken | None = None
    """What was in the file, where that is no design, nobody has mended it yet, and the design only stands in for it."""

    @cached_property
    def revision(self) -> Revision:
        """The text, made when it is asked for: a knob is turned faster than a text is edited."""
        return revision(self.source, self.design, name=self.name)

    @property
    def text(self) -> str:
        """The design as TOML."""
        return self.revision.text

    def of_file(self, path: Path, sources: dict[str, str]) -> State:
        """The state as that of another file, which is not broken; ``sources`` remembers texts that were moved before."""
        if self.source not in sources:
            sources[self.source] = moved(self.source, self.name, str(path))
        name = path.name.removesuffix(".toml")
        design = changed(self.design, {"name": name})
        return replace(self, design=design, source=sources[self.source], name=str(path), broken=None)

    def says_the_same(self, other: State) -> bool:
        """Whether both have the same text."""
        return self is other or (
            self.design == other.design and (self.source == other.source or self.text == other.text)
        )


@final
@dataclass(frozen=True)
class History:
    """The present state, those before it and those that were taken back, the next one last."""

    present: State
    past: tuple[State, ...] = ()
    future: tuple[State, ...] = ()

    @property
    def beginning(self) -> Design:
        """What edits of a broken file are compared with: the design that stands in for it, and what it was mended to from then on."""
        states = (*self.past, self.present)
        if self.present.broken is not None:
            return states[0].design
        whole = [state for state in states if state.broken is None]
        # While a person types, the first text that is a design is seldom the one that was meant.
        written = list(takewhile(lambda state: state.what == WRITTEN, whole))
        return (written or whole[:1])[-1].design

    def then(self, state: State) -> History:
        """A new state; what was taken back is forgotten."""
        return History(state, (*self.past, self.present)[-LONGEST:])

    def undone(self) -> History:
        """The state before; the same history where there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.future, self.present))

    def redone(self) -> History:
        """The state that was taken back last; the same history where there is none."""
        if not self.future:
            return self
        return History(self.future[-1], (*self.past, self.present), self.future[:-1])

    def of_file(self, path: Path) -> History:
        """The same states as those of another file."""
        return self.each(partial(State.of_file, path=path, sources={}))

    def each(self, change: Callable[[State], State]) -> History:
        """The same edits with every state changed."""
        return History(change(self.present), tuple(map(change, self.past)), tuple(map(change, self.future)))
