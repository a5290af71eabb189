"""Learning curves averaged over seeds, with the interval of the mean, of trainings at hand or of a stored run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from convlab.views.learning import FIGURES, Series, learning_curves

if TYPE_CHECKING:
    from convlab.runs.records import Row
    from convlab.training.keeping.trained import Trained

LEVEL = 0.95


@final
@dataclass(frozen=True, slots=True)
class Band:
    """A design's mean curve over seeds with the 95 % interval of the mean (Student's t); bounds are None for a single seed."""

    name: str
    figure: str
    unit: str
    samples: tuple[int, ...]
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    seeds: tuple[int, ...]


def bands(curves: Sequence[Series]) -> tuple[Band, ...]:
    """A band a design, over those of its seeds that came furthest."""
    found = []
    for name in dict.fromkeys(curve.name for curve in curves):
        of_name = [curve for curve in curves if curve.name == name]
        longest = max(curve.samples[-1:] for curve in of_name)
        found.append(_band([curve for curve in of_name if curve.samples[-1:] == longest]))
    return tuple(found)


def bands_of_trained(trained: Sequence[Trained], figure: str = "validation_accuracy") -> tuple[Band, ...]:
    """The bands of trainings; ``figure`` is one of ``views.learning.FIGURES``."""
    return bands(learning_curves(trained, figure))


def series_of_rows(rows: Sequence[Row], figure: str = "validation_accuracy") -> tuple[Series, ...]:
    """The curves of a stored run, one for each design and seed; rows that are no trainings are passed over."""
    found = []
    for row in rows:
        if row.kind != "training":
            continue
        points = row.details.get("curve") or ()
        factor = 100.0 if FIGURES[figure][1] == "%" else 1.0
        values = tuple(None if point.get(figure) is None else factor * point[figure] for point in points)
        samples = tuple(int(point["samples"]) for point in points)
        seed = int(row.details.get("seed") or 0)
        found.append(Series(row.subject, figure, FIGURES[figure][1], samples, values, (seed,)))
    return tuple(found)


def _band(curves: Sequence[Series]) -> Band:
    first = curves[0]
    tables = [dict(zip(curve.samples, curve.values, strict=True)) for curve in curves]
    places = [place for place in first.samples if all(place in table for table in tables)]
    rows = [_interval([table[place] for table in tables]) for place in places]
    means, lows, highs = zip(*rows, strict=True) if rows else ((), (), ())
    seeds = tuple(seed for curve in curves for seed in curve.seeds)
    return Band(first.name, first.figure, first.unit, tuple(places), means, lows, highs, seeds)


def _interval(values: Sequence[float | None]) -> tuple[float | None, float | None, float | None]:
    """The mean and its bounds; None where a value is not finite."""
    from convlab.training.verdicts.student import quantile

    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None, None, None
    count = len(known)
    mean = math.fsum(known) / count
    if count == 1:
        return mean, None, None
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (count - 1))
    half = quantile(LEVEL, count - 1) * deviation / math.sqrt(count)
    return mean, mean - half, mean + half
