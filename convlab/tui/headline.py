"""What the first lines and the cards say of a session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from convlab.language.design import Design
from convlab.language.knobs import changed
from convlab.session import Broken, Session
from convlab.session.walking import Step, step_of
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
    session, image, other = shown.session, shown.profile.image, shown.baseline.image
    broken = session.broken
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(" convlab ", "bold reverse")
    text.append(f" {_what(shown, step)}", "bold")
    mark = "● no design yet" if broken else "● not saved" if session.unsaved else ""
    text.append(f" {mark}" if mark else "", "bold")
    text.append(f"  figures of {_figures_of(broken, session, step)}" if broken else "", "italic")
    text.append(f"  {image.height} x {image.width} px")
    text.append(f"  against {baseline_name(shown)}")
    differ = (other.height, other.width) != (image.height, image.width)
    text.append(f" at {other.height} x {other.width} px: images differ" if differ else "", "bold")
    text.append(f"  {len(session.pinned)} pinned" if session.pinned else "")
    text.append(f"  {session.summary}" if broken is None else "", "dim")
    return text


def banner(shown: Shown, step: Step | None, *, save: str) -> str:
    """What has to be known beside the figures: that they stand in for those of a broken file, or where the walk is; mostly nothing.

    ``save`` is the key that saves.
    """
    session = shown.session
    if session.broken is not None:
        stands = f"Grid and figures are meanwhile of {_figures_of(session.broken, session, step)}"
        stands += "" if step is None else f", {step.published.step}"
        where = f"the tab Source says where; {save} is refused until it is one"
        return f"{session.origin} is no design yet: {where}. {stands}."
    return "" if step is None else step_text(step, shown.profile)


def _figures_of(broken: Broken, session: Session, step: Step | None) -> str:
    """What stands in for the design of a broken file."""
    if step is not None:
        return f"walk step {step.order}"
    return (broken.instead or REST) + (", edited" if session.design != session.history.beginning else "")


def _what(shown: Shown, step: Step | None) -> str:
    """What is shown: a step of the walk in a design's place is not called by the design's name."""
    session = shown.session
    name = session.design.name or session.origin
    if step is None or session.broken:
        return name
    here = f"walk step {step.order}"
    return f"{here} in place of {name}" if session.unsaved else f"{name}, {here}"


def baseline_name(shown: Shown) -> str:
    """What the baseline is called: its name, or what it is of the design: as it was opened, a step of the walk, one's own choice."""
    session, baseline = shown.session, shown.session.baseline
    name = baseline.name
    if baseline == session.design:
        return "itself"
    opened = (*session.history.past, session.history.present)[0].design
    opened_name = Path(session.origin).name.removesuffix(".toml")
    given = name not in (session.design.name, opened_name)
    if given or session.chosen is None or _same(baseline, opened):
        return f"{name} as it was" if name == session.design.name else name
    step = step_of(baseline)
    return "your baseline" if step is None or step == step_of(opened) else f"walk step {step.order}"


def _same(one: Design, other: Design) -> bool:
    """Whether two are one design, for whatever image and by whatever name."""
    return changed(one, {"image": other.image, "name": other.name, "summary": other.summary}) == other


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
