"""The roadmap as a guided walk: each step replaces the design; what it is compared with stays what a person chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convlab.costs import profile
from convlab.session import Session
from convlab.session.walking import at_step, next_step, order_of, place_of, previous_step, start_of, step_of, steps
from convlab.views.grid import grid

if TYPE_CHECKING:
    from convlab.tui.lab import Lab


def following(lab: Lab) -> None:
    """The next step, of the last one that the design was; the first one where it was none. Raises ConvlabError."""
    here = place_of(lab.session)
    if here is not None and here.order == len(steps()):
        lab.say(f"{here.published.step} is the last step of the walk; W goes back, the tab Walk to any step.")
        lab.walking = True
        lab.show_figures(lab.shown())
        return
    _go(lab, next_step(lab.session))


def preceding(lab: Lab) -> None:
    """The step before the last one that the design was. Raises ConvlabError at the first one, and where it was none."""
    _go(lab, previous_step(lab.session))


def to(lab: Lab, preset: str) -> None:
    """A step by its preset. Raises ConvlabError."""
    _go(lab, at_step(lab.session, order_of(preset)))


def _go(lab: Lab, session: Session) -> None:
    """See a step, with the cursor on the first knob that it turned, and where it goes on from where the design was edited."""
    left = None if step_of(lab.session.design) else place_of(lab.session)
    lab.walking = True
    lab.go(session)
    rows = grid(profile(session.design), start_of(session.design) or session.design).rows
    turned = (cell.path for row in rows for cell in row.cells.values() if cell.changed)
    lab.grid.select(next(turned, "stages.0.depth"))
    if left is not None:
        back = lab.app.key_of("undo")
        lab.say(f"The walk goes on from step {left.order}, without your edits of it; {back} brings them back.")
