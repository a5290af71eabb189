"""The roadmap as a guided walk: each step replaces the design; what it is compared with stays what a person chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convlab.costs import profile
from convlab.session import Session
from convlab.session.walking import at_step, next_step, order_of, previous_step, start_of, step_of, steps
from convlab.views.grid import grid

if TYPE_CHECKING:
    from convlab.tui.lab import Lab


def following(lab: Lab) -> None:
    """The next step; the first one where the design is beside the walk. Raises ConvlabError."""
    here = step_of(lab.session.design)
    if here is not None and here.order == len(steps()):
        lab.say(f"{here.published.step} is the last step of the walk; W goes back, the tab Walk to any step.")
        lab.walking = True
        lab.show_figures(lab.shown())
        return
    _go(lab, next_step(lab.session))


def preceding(lab: Lab) -> None:
    """The step before. Raises ConvlabError at the first one, and beside the walk."""
    _go(lab, previous_step(lab.session))


def to(lab: Lab, preset: str) -> None:
    """A step by its preset. Raises ConvlabError."""
    _go(lab, at_step(lab.session, order_of(preset)))


def _go(lab: Lab, session: Session) -> None:
    """See a step, with the cursor on the first knob that it turned."""
    lab.walking = True
    lab.go(session)
    rows = grid(profile(session.design), start_of(session.design) or session.design).rows
    turned = (cell.path for row in rows for cell in row.cells.values() if cell.changed)
    lab.grid.select(next(turned, "stages.0.depth"))
