"""Stages added, duplicated and removed at the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlab.tui.lab import Lab


def add(lab: Lab) -> None:
    """A stage after the one under the cursor, or the last one. Raises ConvlabError."""
    at = _stage(lab)
    lab.go(lab.session.stage_added(at + 1))
    lab.grid.select(f"stages.{at + 1}.depth")
    lab.say(lab.session.last)


def duplicate(lab: Lab) -> None:
    """The stage under the cursor once more. Raises ConvlabError."""
    at = _stage(lab)
    lab.go(lab.session.stage_duplicated(at))
    lab.grid.select(f"stages.{at + 1}.depth")
    lab.say(lab.session.last)


def remove(lab: Lab) -> None:
    """The stage under the cursor goes. Raises ConvlabError."""
    stage = lab.grid.here.stage
    if stage is None:
        lab.say("Stand on a stage to remove it.")
        return
    lab.go(lab.session.stage_removed(stage))
    lab.say(lab.session.last)


def _stage(lab: Lab) -> int:
    stage = lab.grid.here.stage
    return len(lab.session.design.stages) - 1 if stage is None else stage
