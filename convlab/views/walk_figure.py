"""The walk from ResNet-50 to ConvNeXt-T as the paper's Figure 2 shows it, a bar a step, with this laboratory's own proxies beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from convlab import facts
from convlab.facts import RoadmapStep
from convlab.language.files import load
from convlab.presets import preset_names

if TYPE_CHECKING:
    from convlab.runs.records import Row
    from convlab.training.verdicts.ranking import Placed
    from convlab.training.walks import Walk

FOLDER = "roadmap"
SOURCE = "Liu et al., 2022, arXiv:2201.03545, Table 10 and Figure 2"


@final
@dataclass(frozen=True, slots=True)
class Proxy:
    """What a short training of a step came to: validation accuracy in percent, with its interval where seeds give one."""

    accuracy: float
    low: float | None
    high: float | None
    seeds: int
    judged: bool | None
    """Whether this proxy can judge what the step changes; None where that is not known."""


@final
@dataclass(frozen=True, slots=True)
class WalkBar:
    """One step as it was published: accuracy in percent, multiply-adds in G; and as it was trained here, where it was."""

    order: int
    group: str
    step: str
    preset: str
    """The preset of the design; "" for the original recipe and for Swin-T, which are no steps of the walk."""
    adopted: bool
    """Whether later steps build on it."""
    top1: float
    top1_std: float | None
    gmacs: float
    printed_gmacs: float
    agrees: bool
    """Whether the printed multiply-adds are those of the network."""
    in_figure: bool
    """Whether Figure 2 shows it."""
    proxy: Proxy | None


def walk_bars(proxies: Mapping[str, Proxy] | None = None) -> tuple[WalkBar, ...]:
    """A bar for every published row in order; ``proxies`` by the presets' names, as the functions below give them."""
    presets = {int(name.rpartition("/")[2].partition("_")[0]): name for name in preset_names(FOLDER)}
    return tuple(_bar(row, presets.get(row.order, ""), proxies or {}) for row in facts.roadmap())


def proxies_of_walk(found: Walk) -> dict[str, Proxy]:
    """The proxies of a walk that was trained, by the presets' names."""
    return {
        _bare(step.name): _proxy(step.placed, judged=step.judged) for step in found.steps if step.placed is not None
    }


def proxies_of_rows(rows: Sequence[Row]) -> dict[str, Proxy]:
    """The proxies of a stored run of trainings: of those of its rows that are steps of the walk and came to a result."""
    from convlab.training.verdicts.ranking import Score, ranked

    steps = {_bare(name) for name in preset_names(FOLDER)}
    scores = []
    for row in rows:
        loss, accuracy = (row.details.get(name) for name in ("validation_loss", "validation_accuracy"))
        if row.kind == "training" and _bare(row.subject) in steps and loss is not None and accuracy is not None:
            scores.append(Score(_bare(row.subject), int(row.details.get("seed") or 0), loss, accuracy))
    if not scores:
        return {}
    return {placed.name: _proxy(placed, judged=None) for placed in ranked(scores).places}


def design_path(bar: WalkBar) -> str:
    """What the design of a bar is, for people: its depths and widths."""
    if not bar.preset:
        return ""
    design = load(bar.preset)
    return f"depths {', '.join(map(str, design.depths))}; widths {', '.join(map(str, design.widths))}"


def _bar(row: RoadmapStep, preset: str, proxies: Mapping[str, Proxy]) -> WalkBar:
    return WalkBar(
        row.order,
        row.group,
        row.step,
        preset,
        row.adopted != "no",
        row.top1,
        row.top1_std,
        row.gmacs,
        row.printed_gmacs,
        row.agrees_with_print is not False,
        row.figure_gmacs is not None,
        proxies.get(_bare(preset)),
    )


def _proxy(placed: Placed, *, judged: bool | None) -> Proxy:
    found = placed.accuracy
    ends = [100 * end if math.isfinite(end) else None for end in (found.low, found.high)]
    return Proxy(100 * found.mean, ends[0], ends[1], placed.seeds, judged)


def _bare(name: str) -> str:
    return name.rpartition("/")[2]
