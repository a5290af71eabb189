"""Times of layers as a table beside what the layers are, and the roles of layers that explain a gap between two networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from convlab import units
from convlab.views.measurements import significant
from convlab.views.tables import Cell, Column, Table, bar, words

if TYPE_CHECKING:
    from convlab.measurement.by_layer.gaps import Gap, Role
    from convlab.measurement.by_layer.times import LayerTime, LayerTimes

BETWEEN = "between layers"

OUTSIDE = "what a step takes beyond its layers: the loss, calls of the framework; noise may make it negative"

MOST_PATHS = 3
"""So many layers of a role are named; the others are counted."""


def layer_table(found: LayerTimes) -> Table:
    """A row a layer under its path in the layer table, then what a step takes outside of layers."""
    labels = _labels(found)
    trained = "backward" in found.parts
    columns = [
        Column("path", "path"),
        Column("layer", "layer", least=14, rank=2),
        Column("count", "count", right=True),
        Column("macs", "MACs", right=True, rank=4),
        Column("forward_ms", "forward ms" if trained else "ms", right=True),
        *([Column("backward_ms", "backward ms", right=True)] if trained else []),
        Column("share", "of the step", rank=1),
        Column("flops_per_second", "FLOP/s", right=True, rank=3),
    ]
    rows = [
        _row(found, layer, labels.get(layer.path, layer.kind), trained)
        for layer in found.layers
        if layer.kind != BETWEEN
    ]
    rows.append(_between(found, trained))
    rows += [_outside(found, name, seconds, trained) for name, seconds in found.outside.items()]
    return Table(tuple(columns), tuple(rows))


def step_words(found: LayerTimes) -> str:
    """The step that the layers are of."""
    parts = ", ".join(f"{name} {significant(1e3 * part.median)} ms" for name, part in found.parts.items())
    split = f" ({parts})" if len(found.parts) > 1 else ""
    rounds = min(part.n for part in found.parts.values())
    return f"{found.subject.name}: a step takes {significant(1e3 * found.step_s)} ms{split}; {rounds} rounds"


def gap_words(found: Gap) -> str:
    """The gap in a sentence or two."""
    by = f"{significant(1e3 * found.seconds)} ms a step more"
    told = f"{found.slower.name} takes {found.ratio:.2f}x as long as {found.faster.name}, {by}."
    if not found.certain:
        return f"{told} But the intervals of the two overlap: there may be no gap."
    if found.explained > 1:
        return f"{told} More than all of it lies in these; others give some back:"
    return f"{told} {100 * found.explained:.0f} % of it lies in:"


def gap_table(found: Gap) -> Table:
    """The roles that explain the gap: what they take in the one and in the other, and which layers they are."""
    columns = (
        Column("role", "layers"),
        Column("slower_ms", f"{found.slower.name} ms", right=True, rank=1),
        Column("faster_ms", f"{found.faster.name} ms", right=True, rank=1),
        Column("difference_ms", "more ms", right=True),
        Column("share", "of the gap", right=True),
        Column("paths", "which", least=24, rank=2),
    )
    return Table(columns, tuple(_role(found, role) for role in found.roles[: found.explaining]))


def plain_layers(found: LayerTimes) -> dict[str, Any]:
    """The times of layers as JSON holds them."""
    return {
        "subject": found.subject.name,
        "step_s": found.step_s,
        "parts_s": {name: asdict(part) for name, part in found.parts.items()},
        "outside_s": found.outside,
        "mark_s": found.mark_s,
        "stopped": found.stopped,
        "layers": [asdict(layer) | {"share": found.share(layer)} for layer in found.layers],
    }


def plain_gap(found: Gap) -> dict[str, Any]:
    """A gap as JSON holds it."""
    return {
        "slower": found.slower.name,
        "faster": found.faster.name,
        "seconds": found.seconds,
        "ratio": found.ratio,
        "certain": found.certain,
        "explained": found.explained,
        "explaining": found.explaining,
        "roles": [asdict(role) | {"difference": role.difference} for role in found.roles],
    }


def _labels(found: LayerTimes) -> dict[str, str]:
    """What the layer table calls each layer."""
    from convlab.costs import profile

    if found.subject.design is None:
        return {}
    return {row.path: row.layer.label() for row in profile(found.subject.design, folded=found.subject.folded).rows}


def _row(found: LayerTimes, layer: LayerTime, label: str, trained: bool) -> tuple[Cell, ...]:
    speed = found.flops_per_second(layer)
    return (
        words(layer.path),
        words(label),
        words(layer.count),
        Cell(layer.macs, units.count(layer.macs) if layer.macs else ""),
        _ms(layer.forward.median),
        *([_ms(layer.backward.median if layer.backward else None)] if trained else []),
        _share(found.share(layer)),
        Cell(speed, units.count(speed) if speed else ""),
    )


def _between(found: LayerTimes, trained: bool) -> tuple[Cell, ...]:
    """What containers do, all together: sums of branches, layer scale, reshaping."""
    layers = [layer for layer in found.layers if layer.kind == BETWEEN]
    forward = sum(layer.forward.median for layer in layers)
    backward = sum(layer.backward.median for layer in layers if layer.backward is not None)
    times = [_ms(forward), _ms(backward)] if trained else [_ms(forward)]
    share = (forward + backward) / found.step_s
    return (
        words(BETWEEN),
        words("sums, scales, shapes"),
        words(""),
        Cell(None, ""),
        *times,
        _share(share),
        Cell(None, ""),
    )


def _outside(found: LayerTimes, name: str, seconds: float, trained: bool) -> tuple[Cell, ...]:
    path = "optimizer" if name == "optimizer" else f"outside layers, {name}"
    times = [_ms(None), _ms(seconds)] if trained and name == "backward" else [_ms(seconds)] + [_ms(None)] * trained
    return (words(path), words(""), words(""), Cell(None, ""), *times, _share(seconds / found.step_s), Cell(None, ""))


def _ms(seconds: float | None) -> Cell:
    return Cell(None, "") if seconds is None else Cell(1e3 * seconds, f"{1e3 * seconds:.3f}")


def _share(share: float) -> Cell:
    return Cell(share, f"{bar(share)} {100 * share:4.1f} %")


def _role(found: Gap, role: Role) -> tuple[Cell, ...]:
    from convlab.measurement.by_layer.gaps import in_words

    return (
        Cell(in_words(role), in_words(role)),
        _ms(role.seconds),
        _ms(role.other_seconds),
        Cell(1e3 * role.difference, f"{1e3 * role.difference:+.3f}"),
        Cell(role.difference / found.seconds, f"{100 * role.difference / found.seconds:.0f} %"),
        words(_which(role.paths)),
    )


def _which(paths: Sequence[str]) -> str:
    more = len(paths) - MOST_PATHS
    return ", ".join(paths[:MOST_PATHS]) + (f", {more} more" if more > 0 else "")
