"""Points in the plane of two figures with their Pareto front: members of a population, or designs with what they came to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from convlab.costs import Profile
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.views.cards import FIGURES
from convlab.views.spaces import title_of

if TYPE_CHECKING:
    from convlab.runs.records import Row
    from convlab.spaces.populations import Population

UNITS = {"peak_bytes": "bytes", "saved_bytes": "bytes", "receptive_field": "px"}
HIGHER_IS_BETTER = frozenset({"receptive_field", "validation_accuracy", "images_per_second"})


@final
@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, its unit, and whether more of it is better."""

    name: str
    title: str
    unit: str
    higher: bool = False


@final
@dataclass(frozen=True, slots=True)
class Scatter:
    """Points: what each is called, its number among its kind, and where it lies; and the numbers of those that nothing dominates."""

    x: Axis
    y: Axis
    names: tuple[str, ...]
    indices: tuple[int, ...]
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    front: tuple[int, ...]
    """Places of the points of the front in the other fields, along x."""


def axis_of(metric: str) -> Axis:
    """The axis of a metric of designs."""
    unit = UNITS.get(metric, FIGURES[metric].unit if metric in FIGURES else "")
    return Axis(metric, title_of(metric), unit, metric in HIGHER_IS_BETTER)


def front(xs: Sequence[float], ys: Sequence[float], *, higher: tuple[bool, bool] = (False, False)) -> tuple[int, ...]:
    """The places of the points that no other point dominates, along x from the best on.

    One point dominates another where it is no worse in both figures and better in one; equal points are all on the front. What is not
    finite is not.
    """
    signs = tuple(-1.0 if each else 1.0 for each in higher)
    points = [(signs[0] * x, signs[1] * y, place) for place, (x, y) in enumerate(zip(xs, ys, strict=True))]
    found: list[tuple[float, float, int]] = []
    for point in sorted(point for point in points if math.isfinite(point[0]) and math.isfinite(point[1])):
        if not found or point[1] < found[-1][1] or point[:2] == found[-1][:2]:
            found.append(point)
    return tuple(place for *_, place in found)


def scatter_of(x: Axis, y: Axis, points: Sequence[tuple[str, int, float, float]]) -> Scatter:
    """Points as (name, index, x, y) with their front; those that are not finite are left out."""
    kept = [point for point in points if math.isfinite(point[2]) and math.isfinite(point[3])]
    names, indices, xs, ys = zip(*kept, strict=True) if kept else ((), (), (), ())
    return Scatter(x, y, names, indices, xs, ys, front(xs, ys, higher=(x.higher, y.higher)))


def population_scatter(found: Population, x: str, y: str) -> Scatter:
    """The valid members of a population by two of its metrics. Raises ConvlabError for a metric that it was not costed by."""
    for metric in (x, y):
        if metric not in found.costs:
            help = did_you_mean(metric, found.costs) or f"the population has {', '.join(found.costs)}"
            raise ConvlabError(
                Problem("out-of-range", f"the population has no figure {quote(metric)}", help=help), exit_code=2
            )
    points = [
        (f"{found.space.name}[{index}]", index, float(found.costs[x][place]), float(found.costs[y][place]))
        for place, index in enumerate(found.indices)
        if not found.fault[place]
    ]
    return scatter_of(axis_of(x), axis_of(y), points)


def profile_scatter(profiles: Sequence[Profile], x: str = "macs", y: str = "params") -> Scatter:
    """Designs by two of their metrics."""
    points = [
        (each.design.name, place, float(_figure(each, x)), float(_figure(each, y)))
        for place, each in enumerate(profiles)
    ]
    return scatter_of(axis_of(x), axis_of(y), points)


def result_scatter(rows: Sequence[Row], x: str = "macs") -> Scatter:
    """Stored trainings: mean validation accuracy over the seeds of a design in percent, against a metric of the design."""
    from convlab.costs import profile

    together: dict[str, list[Row]] = {}
    for row in rows:
        if row.kind == "training" and row.median is not None and row.design is not None:
            together.setdefault(row.subject, []).append(row)
    points = []
    for place, (name, same) in enumerate(together.items()):
        design = same[0].design
        assert design is not None
        accuracy = math.fsum(row.median or 0.0 for row in same) / len(same)
        points.append((name, place, float(_figure(profile(design.load(name)), x)), accuracy))
    return scatter_of(axis_of(x), Axis("validation_accuracy", "validation accuracy", "%", True), points)


def _figure(found: Profile, metric: str) -> float:
    if metric == "peak_bytes":
        return found.peak_bytes()
    if metric == "saved_bytes":
        return found.saved_bytes()
    if metric == "receptive_field":
        widest = found.receptive_field.widest
        return math.nan if widest is None else widest.size
    return found.total(metric)
