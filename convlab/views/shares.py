"""Where one figure of a design lies: its stages, blocks or layers with their shares, in the order of the network or by size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import final

from convlab import units
from convlab.costs import Profile
from convlab.layers import Row
from convlab.metrics import METRICS
from convlab.prediction.calibration import Calibration
from convlab.prediction.predicting import layer_seconds
from convlab.views.costs import Group, groups
from convlab.views.predictions import seconds_text
from convlab.views.saved_memory import IMAGE, saved_by_layer

BETWEEN = "between layers"


@final
@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that can be shared out: its title, its unit, and how it is written."""

    title: str
    unit: str
    text: Callable[[float], str]


MEASURES: Mapping[str, Measure] = {
    "macs": Measure("MACs", "multiply-adds", units.count),
    "params": Measure("params", "parameters", units.count),
    "activations": Measure("activations", "elements", units.count),
    "saved_bytes": Measure("saved memory", "bytes, float32, batch 1", units.size),
    "seconds": Measure("predicted time", "inference, of a calibration", seconds_text),
}
"""The measures in the order in which a face goes through them; "seconds" only where the device was calibrated."""


@final
@dataclass(frozen=True, slots=True)
class Share:
    """A stage, a block or a layer with all its repetitions: its part of the whole, from 0 to 1."""

    path: str
    name: str
    """The path with the range of its repetitions."""
    label: str
    count: int
    value: float
    share: float
    text: str
    members: tuple[str, ...] = ()
    """The paths of all repetitions, which have equal parts of the value."""


def shares(
    profile: Profile, measure: str, *, by: str = "stage", calibration: Calibration | None = None
) -> tuple[Share, ...]:
    """Where a measure lies by "stage", "block" or "layer", in order of execution; what is no layer's stands last."""
    of_row, rest = _of_row(profile, measure, calibration)
    found = [(group, sum(map(of_row, group.rows))) for group in groups(profile, by)]
    total = sum(value for _, value in found) + sum(rest.values())
    about = MEASURES[measure]
    made = [_share(group, value, total, about) for group, value in found]
    made += [Share("", name, "", 1, value, value / total, about.text(value)) for name, value in rest.items() if value]
    return tuple(made)


def values_before(rows: Iterable[Share], baseline: Iterable[Share]) -> tuple[float | None, ...]:
    """What the members of each row had in a baseline, however blocks or layers are grouped there; None where none of them was there."""
    found: dict[str, float] = {}
    for share in baseline:
        members = share.members or (share.name,)
        found |= dict.fromkeys(members, share.value / len(members))
    kept = ([found[each] for each in row.members or (row.name,) if each in found] for row in rows)
    return tuple(sum(values) if values else None for values in kept)


def by_size(found: tuple[Share, ...]) -> tuple[Share, ...]:
    """The greatest first; equal ones in the order of the network."""
    return tuple(sorted(found, key=lambda share: -share.value))


def _of_row(
    profile: Profile, measure: str, calibration: Calibration | None
) -> tuple[Callable[[Row], float], dict[str, float]]:
    """A row's part of the measure, all its repetitions together, and what belongs to no row."""
    if measure == "saved_bytes":
        kept = saved_by_layer(profile)
        return (lambda row: kept.get(row.path, 0)), {IMAGE: kept.get(IMAGE, 0)}
    if measure == "seconds":
        seconds = (layer_seconds(profile, calibration) if calibration is not None else None) or {}
        return (lambda row: seconds.get(row.path, 0.0)), {BETWEEN: seconds.get("", 0.0)}
    of_row = METRICS[measure].of_row
    return (lambda row: of_row(row) * row.count), {}


def _share(group: Group, value: float, total: float, about: Measure) -> Share:
    first, _, _ = group.path.partition("-")
    share = value / total if total else 0.0
    return Share(first, group.path, group.layers, group.count, value, share, about.text(value), group.members)
