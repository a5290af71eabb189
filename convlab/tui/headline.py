"""What the first lines and the cards say of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from convlab.language.design import Design
from convlab.session import Broken
from convlab.session.walking import Step
from convlab.tui.panels.panel import Shown
from convlab.views.cards import Card, cards
from convlab.views.guided import step_text
from convlab.views.live_learning import rates
from convlab.views.predictions import speed_cards

if TYPE_CHECKING:
    from convlab.prediction import Calibration


REST = "what the rest of the file says"


def headline(shown: Shown, step: Step | None) -> Text:
    """What is shown, a mark where that is in no file, its image, what it is compared with, and what it is; ``step`` is that of a walk."""
    session, image = shown.session, shown.profile.image
    broken = session.broken
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(" convlab ", "bold reverse")
    text.append(f" {_what(shown, step)}", "bold")
    mark = "● no design yet" if broken else "● not saved" if session.unsaved else ""
    text.append(f" {mark}" if mark else "", "bold")
    text.append(f"  figures of {_figures_of(broken, shown)}" if broken else "", "italic")
    text.append(f"  {image.height} x {image.width} px")
    text.append(f"  against {baseline_name(shown)}")
    text.append(f"  {len(session.pinned)} pinned" if session.pinned else "")
    text.append(f"  {session.design.summary}" if broken is None else "", "dim")
    return text


def banner(shown: Shown, step: Step | None) -> str:
    """What has to be known beside the figures: that they stand in for those of a broken file, or where the walk is; mostly nothing."""
    broken = shown.session.broken
    if broken is not None:
        stands = "Grid and figures are meanwhile of"
        where = "the tab Source says where; ^s is refused until it is one"
        return f"{shown.session.origin} is no design yet: {where}. {stands} {_figures_of(broken, shown)}."
    return "" if step is None else step_text(step, shown.profile)


def _figures_of(broken: Broken, shown: Shown) -> str:
    """What stands in for the design of a broken file."""
    return (broken.instead or REST) + (", edited" if shown.session.can_undo else "")


def _what(shown: Shown, step: Step | None) -> str:
    """What is shown: a step of the walk in a design's place is not called by the design's name."""
    session = shown.session
    name = session.design.name or session.origin
    if step is None:
        return name
    here = f"walk step {step.order}"
    return f"{here} in place of {name}" if session.unsaved else f"{name}, {here}"


def baseline_name(shown: Shown) -> str:
    """What the baseline is called: its name, or that it is an earlier state of the design."""
    session = shown.session
    name = session.baseline.name
    same = name == session.design.name
    return "itself" if session.baseline == session.design else f"{name} as it was" if same else name


def card_row(shown: Shown, calibration: Calibration | None, measured: Mapping[str, Design]) -> tuple[Card, ...]:
    """The cards: costs, predicted speed where the device was calibrated, measured speed where a job of now measured the design."""
    found = cards(shown.profile, shown.baseline)
    if calibration is not None:
        found += speed_cards((shown.baseline, shown.profile), calibration)[1]
    jobs = (job for job in reversed(shown.jobs) if measured.get(job.id) == shown.session.design)
    rate = next((each for job in jobs for each in rates(job.result or {}) if each.median is not None), None)
    return (
        found if rate is None else (*found, Card("measured", rate.median, f"{rate.median:.4g} img/s", rate.conditions))
    )
