"""Learning curves of trainings that run, and throughputs of measurements that are done, as plain series and bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from convlab.views.learning import Series

LivePoint = tuple[float, float, float]
"""Step, training loss in nats, validation accuracy from 0 to 1 (NaN where nobody looked)."""

FIGURES: Mapping[str, tuple[str, str]] = {
    "loss": ("training loss", "nats"),
    "accuracy": ("validation accuracy", "%"),
}

Both = Mapping[str, Series]
"""The series of one training by figure, one of each of ``FIGURES``."""


@final
@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a network was measured: images a second with their interval, and how it was asked."""

    name: str
    conditions: str
    median: float | None
    low: float | None
    high: float | None
    failure: str = ""


def live_series(curves: Mapping[tuple[str, int], Sequence[LivePoint]], figure: str) -> tuple[Series, ...]:
    """A series for each design and seed, over steps; ``figure`` is one of ``FIGURES``."""
    return tuple(_series(name, seed, points, figure) for (name, seed), points in curves.items())


def live_curves(curves: Mapping[tuple[str, int], Sequence[LivePoint]]) -> tuple[Both, ...]:
    """For each design and seed its series of every figure."""
    return tuple({figure: _series(*key, points, figure) for figure in FIGURES} for key, points in curves.items())


def last(series: Series) -> float | None:
    """The last value that is known."""
    return next((value for value in reversed(series.values) if value is not None), None)


def best(series: Series) -> float | None:
    """The greatest accuracy or the least loss so far."""
    known = [value for value in series.values if value is not None]
    if not known:
        return None
    return max(known) if series.figure == "accuracy" else min(known)


def rates(result: Mapping[str, Any]) -> tuple[Rate, ...]:
    """The throughputs of what ``convlab bench --json`` printed, each with its conditions."""
    rows = ({**each["conditions"], **row} for each in result.get("benchmarks", ()) for row in each["rows"])
    return tuple(_rate(row) for row in rows if "images_per_second" in row)


def _series(name: str, seed: int, points: Sequence[LivePoint], figure: str) -> Series:
    found: list[tuple[float, float | None]]
    if figure == "accuracy":  # what is told of a step is the last look at it, which may be of a step before
        looks = [(step, 100 * accuracy) for step, _, accuracy in points if math.isfinite(accuracy)]
        found = [
            look for before, look in zip((None, *looks), looks, strict=False) if before is None or before[1] != look[1]
        ]
    else:
        found = [(step, loss if math.isfinite(loss) else None) for step, loss, _ in points]
    steps, values = tuple(int(step) for step, _ in found), tuple(value for _, value in found)
    return Series(name, figure, FIGURES[figure][1], steps, values, (seed,))


def _rate(row: Mapping[str, Any]) -> Rate:
    speed = row["images_per_second"] or {}
    asked = [row.get(name) for name in ("task", "device", "dtype", "mode")]
    batch = f"batch {row['batch']}" if row.get("batch") else ""
    conditions = ", ".join(str(word) for word in (*asked, batch) if word)
    return Rate(
        row["subject"],
        conditions,
        speed.get("median"),
        speed.get("low"),
        speed.get("high"),
        row.get("failure") or "",
    )
