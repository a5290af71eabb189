"""The walk as it was trained: its steps beside the published accuracies, ConvNeXt-T without each, and how well both agree."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from convlab import units
from convlab.views.rankings import estimate_text, finite, share_text
from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.training.verdicts.correlations import Agreement
    from convlab.training.verdicts.ranking import Pair, Placed
    from convlab.training.walks import Fidelity, LeftOut, Walk, WalkStep

NONE = Cell(None, "-")

STEPS = (
    Column("order", "#", right=True),
    Column("step", "step", least=20),
    Column("accuracy", "proxy %", right=True),
    Column("gain", "change", right=True),
    Column("top1", "top-1 %", right=True),
    Column("published_gain", "change", right=True),
    Column("macs", "proxy MACs", right=True, rank=3),
    Column("params", "proxy params", right=True, rank=4),
    Column("loss", "proxy loss", right=True, rank=5),
    Column("judged", "can this proxy judge it", least=16, rank=1),
)

LEFT_OUT = (
    Column("step", "ConvNeXt-T without", least=20),
    Column("accuracy", "proxy %", right=True),
    Column("gain", "the step brings", right=True),
    Column("published_gain", "in the paper's walk", right=True),
)


def walk_table(found: Walk) -> Table:
    """A row a step: accuracy on this proxy and what it changed from the step before, both in points, beside the published ones.

    MACs and parameters are those of the small network that was trained.
    """
    top1 = {step.name: step.published.top1 for step in found.steps}
    return Table(STEPS, tuple(_step(step, top1.get(step.base)) for step in found.steps))


def left_out_table(found: Walk) -> Table | None:
    """A row a step that was undone; None where none was."""
    return Table(LEFT_OUT, tuple(_without(each) for each in found.left_out)) if found.left_out else None


def fidelity_texts(found: Walk) -> list[str]:
    """How well this proxy's order agrees with that of the published accuracies, beside what sizes alone would say."""
    whole = all(step.placed is not None for step in found.steps)
    told = [_fidelity(found.fidelity, "all steps" if whole else "the steps that have a result")]
    if any(not step.judged for step in found.steps):
        told.append(_fidelity(found.judged_fidelity, "the steps that it can judge"))
    return told


def plain_walk(found: Walk) -> dict[str, Any]:
    """The walk as JSON holds it."""
    return {
        "source": "arXiv:2201.03545, Table 10",
        "steps": [_plain_step(step) for step in found.steps],
        "left_out": [finite(asdict(each)) for each in found.left_out],
        "refused": dict(found.refused),
        "fidelity": finite(asdict(found.fidelity)),
        "judged_fidelity": finite(asdict(found.judged_fidelity)),
    }


def _step(step: WalkStep, before: float | None) -> tuple[Cell, ...]:
    published = step.published
    gain = None if before is None else published.top1 - before
    return (
        words(published.order),
        words(published.step),
        _accuracy(step.placed),
        _gain(step.gain),
        Cell(published.top1, f"{published.top1:.2f}"),
        NONE if gain is None else Cell(gain, f"{gain:+.2f}"),
        Cell(step.macs, units.count(step.macs)),
        Cell(step.params, units.count(step.params)),
        NONE if step.placed is None else Cell(step.placed.loss.mean, estimate_text(step.placed.loss)),
        Cell(step.judged, _verdict(step)),
    )


def _verdict(step: WalkStep) -> str:
    if not step.base:
        return NONE.text
    if step.same:
        return f"no: at this size the same network as {step.same}"
    decisive = [doubt.topic for doubt in step.doubts if doubt.decisive]
    if decisive:
        return f"no: {', '.join(decisive)}"
    if step.placed is None:
        return "no result"
    return "yes" + f", but {', '.join(doubt.topic for doubt in step.doubts)}" * bool(step.doubts)


def _without(each: LeftOut) -> tuple[Cell, ...]:
    published = Cell(each.published_gain, f"{each.published_gain:+.2f}")
    return (words(each.step), _accuracy(each.placed), _gain(each.gain), published)


def _accuracy(placed: Placed | None) -> Cell:
    return NONE if placed is None else Cell(100 * placed.accuracy.mean, share_text(placed.accuracy))


def _gain(pair: Pair | None) -> Cell:
    """Points of percent, with a sign."""
    if pair is None:
        return NONE
    return Cell(100 * pair.accuracy.mean, estimate_text(pair.accuracy, factor=100, digits=2, signed=True))


def _fidelity(found: Fidelity, over: str) -> str:
    parts = [
        f"{name} {_agreement(each)}"
        for name, each in (
            ("this proxy's loss", found.proxy),
            ("parameters", found.params),
            ("multiply-adds", found.macs),
        )
    ]
    return f"Kendall's tau with the published top-1, over {over} (n = {found.proxy.n}): {', '.join(parts)}"


def _agreement(found: Agreement) -> str:
    if not math.isfinite(found.tau):
        return "not known"
    ends = f" ({found.low:.2f} to {found.high:.2f})" if math.isfinite(found.low) else ""
    return f"{found.tau:.2f}{ends}"


def _plain_step(step: WalkStep) -> dict[str, Any]:
    return {
        "name": step.name,
        "base": step.base,
        "published": asdict(step.published),
        "key": step.design.key,
        "trained_params": step.params,
        "trained_macs": step.macs,
        "placed": None if step.placed is None else finite(asdict(step.placed)),
        "gain": None if step.gain is None else finite(asdict(step.gain)),
        "judged": step.judged,
        "same": step.same,
        "doubts": [asdict(doubt) for doubt in step.doubts],
    }
