"""Learning curves of trainings that run, and throughputs of measurements that are done, as plain series and bars."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from convlab.views.learning import Series

LivePoint = tuple[float, float, float]
"""Step, training loss in nats, validation accuracy from 0 to 1 (NaN where nobody looked)."""

Curves = Mapping[tuple[str, int], Sequence[LivePoint]]
"""By design and seed."""

DONE = "done"
"""The status of a job that came to its end."""

SIZES = ("depths", "widths")
"""The knobs that make a proxy of a network: where one of them is smaller, another network is trained."""

FIGURES: Mapping[str, tuple[str, str]] = {
    "loss": ("training loss", "nats"),
    "accuracy": ("validation accuracy", "%"),
}


@final
@dataclass(frozen=True, slots=True)
class JobCurves:
    """What a job tells of its trainings: their curves, its name for people where another has such curves too, and its result."""

    curves: Curves
    name: str = ""
    result: Mapping[str, Any] | None = None


@final
@dataclass(frozen=True, slots=True)
class LiveCurve:
    """One training: whose, its series of every figure of ``FIGURES``, and at its end the accuracy on the test split, in %."""

    name: str
    figures: Mapping[str, Series]
    test: float | None = None


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


def live_series(curves: Curves, figure: str) -> tuple[Series, ...]:
    """A series for each design and seed, over steps; ``figure`` is one of ``FIGURES``."""
    return tuple(_series(name, seed, points, figure) for (name, seed), points in curves.items())


def live_curves(told: Sequence[JobCurves]) -> tuple[LiveCurve, ...]:
    """For each training of some jobs its series; a design and seed that several jobs have are told apart by the jobs' names."""
    often = Counter(key for job in told for key in job.curves)
    return tuple(_live(job, key, apart=often[key] > 1) for job in told for key in job.curves)


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


def outcome(result: Mapping[str, Any], status: str = DONE) -> str:
    """What came of a job in a sentence: images a second of networks, or what trainings reached on the test split.

    The status comes first where it is not ``DONE``, so that what was stopped does not read as what is done, and alone where that is all.
    """
    speeds = [f"{rate.name} {rate.median:,.4g} img/s" for rate in rates(result) if rate.median]
    tests = _tests(result)
    reached = {(name, seed): value for (name, seed), value in tests.items() if value is not None}
    several = len({seed for _, seed in reached}) > 1
    shown = [f"{name}{f', seed {seed}' * several} {value:.1f} %" for (name, seed), value in reached.items()]
    smaller = any(each["path"] in SIZES for changes in result.get("overrides", {}).values() for each in changes)
    proxy = (", as a proxy" if len(shown) == 1 else ", as proxies") * smaller
    without = f"; {len(tests) - len(shown)} of {len(tests)} without one" * (len(tests) > len(shown))
    told = ", ".join(speeds) or (f"{', '.join(shown)} test accuracy{proxy}{without}" if shown else "")
    return told if told and status == DONE else "; ".join(filter(None, (status, told)))


def _live(job: JobCurves, key: tuple[str, int], *, apart: bool) -> LiveCurve:
    name, seed = key
    series = {figure: _series(name, seed, job.curves[key], figure) for figure in FIGURES}
    whose = f", {job.name}" if apart and job.name else ""
    return LiveCurve(f"{name}, seed {seed}{whose}", series, _tests(job.result or {}).get(key))


def _tests(result: Mapping[str, Any]) -> dict[tuple[str, int], float | None]:
    """The accuracies on the test split of what ``convlab train --json`` printed, in %."""
    found = {(each["name"], each["seed"]): each["test_accuracy"] for each in result.get("trained", ())}
    return {key: None if share is None else 100 * share for key, share in found.items()}


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
