"""Throughput against the batch, a line a network, with the knee: from measured sweeps or from the rows of a stored run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

if TYPE_CHECKING:
    from convlab.measurement.rows import Measurement
    from convlab.runs.records import Row

NEAR_BEST = 0.95
"""The knee is the smallest batch with this share of the best throughput, as ``measurement.batches`` has it."""


class Speed(NamedTuple):
    """Images a second at one batch, with the interval."""

    batch: int
    median: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True)
class BatchLine:
    """A network's throughputs, from the smallest batch up, its knee (None where there are no figures), and what they were taken under."""

    name: str
    speeds: tuple[Speed, ...]
    knee: int | None
    conditions: str


def lines_of_measurements(rows: Mapping[str, Sequence[Measurement]]) -> tuple[BatchLine, ...]:
    """The lines of measured networks by name; rows without figures are left out."""
    found = []
    for name, measured in rows.items():
        known = [(row, row.images_per_second) for row in measured]
        speeds = [Speed(row.conditions.batch, at.median, at.low, at.high) for row, at in known if at is not None]
        told = measured[0].conditions if measured else None
        conditions = "" if told is None else f"{told.task}, {told.device}, {told.dtype}, {told.mode}"
        found.append(_line(name, speeds, conditions))
    return tuple(found)


def lines_of_rows(rows: Sequence[Row]) -> tuple[BatchLine, ...]:
    """The lines of a stored run, one for each network and set of conditions that it was measured under."""
    together: dict[tuple[str, str], list[Speed]] = {}
    for row in rows:
        if row.kind == "throughput" and row.median is not None and row.batch is not None:
            conditions = ", ".join(filter(None, (row.task, row.device, row.dtype, row.layout, row.mode)))
            low = row.median if row.low is None else row.low
            endless = row.median if row.low is None else math.inf  # a store keeps no infinity
            high = endless if row.high is None else row.high
            together.setdefault((row.subject, conditions), []).append(Speed(row.batch, row.median, low, high))
    return tuple(_line(name, speeds, conditions) for (name, conditions), speeds in together.items())


def _line(name: str, speeds: Sequence[Speed], conditions: str) -> BatchLine:
    ordered = tuple(sorted(speeds))
    best = max((speed.median for speed in ordered), default=0.0)
    knee = next((speed.batch for speed in ordered if speed.median >= NEAR_BEST * best), None)
    return BatchLine(name, ordered, knee, conditions)
