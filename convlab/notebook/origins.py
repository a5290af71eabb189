"""What an explorer begins with. A design that began from a preset says what differs from it, and then has no published summary."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from convlab.language.design import Design
from convlab.presets import preset_path
from convlab.session import Session, begun, opened
from convlab.session.history import History, State
from convlab.session.summaries import with_own_summary
from convlab.spaces.space import Space

NAME = "design"
"""What stands for the file of a text that is in none."""


def session_of(source: str | os.PathLike[str] | Design | Session | Space, members: Sequence[int] = ()) -> Session:
    """A session of whatever is given; of a space the first of ``members``. Raises ConvlabError where there is no such design."""
    match source:
        case Session():
            return source
        case Design():
            return begun(source)
        case Space():
            return begun(source[members[0]] if members else source.base, source.name)
    return opened(source)


def as_own(session: Session) -> Session:
    """The session as one's own work on the preset that it began from; the same where it began from a file, or from no preset.

    Its text has the preset as its base, as long as nobody wrote one. The summary of the preset is that of a published network: a design
    that differs has it no longer. A summary that somebody wrote stays.
    """
    preset = session.origin.removesuffix(".toml")
    if preset_path(preset) is None:
        return session
    return _without_summary(session if session.path is not None else _on_base(session, preset), preset)


def _on_base(session: Session, preset: str) -> Session:
    history, base = session.history, f'base = "{preset}"\n'
    source = (*history.past, history.present)[0].source
    if source == base:
        return session

    def based(state: State) -> State:
        return replace(state, source=base, name=NAME) if state.source == source else state

    present, stored = based(history.present), session.stored and based(session.stored)
    moved = History(present, tuple(map(based, history.past)), tuple(map(based, history.future)))
    return replace(session, history=moved, stored=stored)


def _without_summary(session: Session, preset: str) -> Session:
    history = session.history
    design = history.present.design
    own = with_own_summary(design, (preset,))
    return (
        session
        if own is design
        else replace(session, history=replace(history, present=replace(history.present, design=own)))
    )
