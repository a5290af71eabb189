"""What the first line and the cards say of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from convlab.language.design import Design
from convlab.tui.panels.panel import Shown
from convlab.views.cards import Card, cards
from convlab.views.live_learning import rates
from convlab.views.predictions import speed_cards

if TYPE_CHECKING:
    from convlab.prediction import Calibration


def headline(shown: Shown) -> Text:
    """The design's name, a mark where it is not saved, what it is, its image, and what it is compared with."""
    session, image = shown.session, shown.profile.image
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(" convlab ", "bold reverse")
    text.append(f" {session.design.name or session.origin}", "bold")
    text.append(" ● not saved" if session.unsaved else "", "bold")
    text.append(f"  {image.height} x {image.width} px")
    text.append(f"  against {baseline_name(shown)}")
    text.append(f"  {len(session.pinned)} pinned" if session.pinned else "")
    text.append(f"  {session.design.summary}", "dim")
    return text


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
