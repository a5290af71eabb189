"""Costs of whole populations, by the same lines that cost one design: members of one structure are stacked into arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from convlab.addresses import STAGE_SECTIONS
from convlab.costs import peak_elements, profile
from convlab.design import Design, Network, Part, lower_population
from convlab.drawing import draw
from convlab.errors import ConvlabError, Problem
from convlab.layers import Row, Shape, walk
from convlab.metrics import METRICS
from convlab.space import Space, nested
from convlab.turning import assign

Array = Any
"""A numpy array of one value a member."""

SIZES = {
    *(
        "stages.depth",
        "stages.width",
        "block.kernel_size",
        "block.expansion_ratio",
        "block.groups",
        "block.group_width",
    ),
    *(
        "block.squeeze_ratio",
        "stem.width",
        "stem.kernel_size",
        "head.hidden",
        "head.classes",
        "image.size",
        "image.channels",
    ),
}
"""The knobs that are sizes, not structure: they are stacked. All others, and whether a size is 0, are the key of a group."""

CHUNK = 65_536
LARGEST = 2**62


@dataclass(frozen=True)
class Population:
    """Members of a space with their costs: ``costs[metric][i]`` is that of ``space[indices[i]]``; ``fault[i]`` is why it is none."""

    space: Space
    indices: tuple[int, ...]
    costs: Mapping[str, Array]
    fault: Array

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True)
class Sample:
    """Members drawn uniformly among those that are valid and within the limits, and how many were rejected for what."""

    population: Population
    seed: int
    drawn: int
    rejections: Mapping[str, int]
    complete: bool

    @property
    def acceptance(self) -> float:
        """The share of drawn members that were taken."""
        return len(self.population) / self.drawn if self.drawn else 0.0


def cost_population(
    space: Space, indices: Sequence[int], *, metrics: Sequence[str] = ("params", "macs", "activations")
) -> Population:
    """The costs of members by index, as int64 arrays; one image a member, at its design's size. Raises ConvlabError."""
    _refuse_overflow(space)
    metrics = tuple(dict.fromkeys(metrics))
    costs = {metric: np.zeros(len(indices), np.int64) for metric in metrics}
    fault = np.full(len(indices), "", dtype=object)
    for start in range(0, len(indices), CHUNK):
        chunk = slice(start, min(start + CHUNK, len(indices)))
        columns = _columns(space, indices[chunk])
        for members in _groups(space.base, columns):
            found, faults = _cost_group(space.base, columns, members, metrics)
            for metric in metrics:
                costs[metric][chunk][members] = found[metric]
            fault[chunk][members] = faults
    return Population(space, tuple(indices), costs, fault)


def sample(
    space: Space,
    count: int,
    seed: int = 0,
    *,
    metrics: Sequence[str] = ("params", "macs", "activations"),
    tries: int = 0,
) -> Sample:
    """``count`` members drawn uniformly, without repetition, among the valid ones within the limits.

    The same seed gives the same members on any machine, and a smaller sample is the beginning of a larger one. Stops after
    ``tries`` draws (default: 10,000 a member and 100,000 more); ``complete`` says whether ``count`` were found.
    """
    tries = tries or 10_000 * count + 100_000
    wanted = (*metrics, *(limit.metric for limit in space.limits))
    drawing = draw(space.size, seed)
    taken: list[int] = []
    parts: list[dict[str, Array]] = []
    rejections: dict[str, int] = {}
    drawn = 0
    while len(taken) < count and drawn < tries:
        chunk = list(islice(drawing, min(max(256, 2 * (count - len(taken))), CHUNK, tries - drawn)))
        if not chunk:
            break
        population = cost_population(space, chunk, metrics=wanted)
        reasons = _reasons(space, population)
        accepted = np.flatnonzero(reasons == "")[: count - len(taken)]
        last = accepted[-1] + 1 if len(taken) + len(accepted) == count else len(chunk)
        drawn += int(last)
        for reason in reasons[:last][reasons[:last] != ""]:
            rejections[reason] = rejections.get(reason, 0) + 1
        taken += [chunk[index] for index in accepted]
        parts.append({metric: population.costs[metric][accepted] for metric in metrics})
    costs = {
        metric: np.concatenate([part[metric] for part in parts]) if parts else np.zeros(0, np.int64)
        for metric in metrics
    }
    population = Population(space, tuple(taken), costs, np.full(len(taken), "", dtype=object))
    return Sample(population, seed, drawn, dict(sorted(rejections.items())), len(taken) == count)


def _reasons(space: Space, population: Population) -> Array:
    """Why each member is rejected; empty where it is not."""
    reasons = population.fault.copy()
    for limit in space.limits:
        costs = population.costs[limit.metric]
        for outside, word, bound in ((limit.low, "below", limit.low), (limit.high, "above", limit.high)):
            if outside is not None:
                beyond = costs < bound if word == "below" else costs > bound
                reasons[(reasons == "") & beyond] = f"{limit.metric} {word} {bound:g}"
    return reasons


def _columns(space: Space, indices: Sequence[int]) -> dict[str, Array]:
    """The values of every varied knob, a column each."""
    columns: dict[str, Array] = {}
    for factor, numbers in zip(space.factors, _numbers(space, indices), strict=True):
        used, where = np.unique(numbers, return_inverse=True)
        rows = [factor.values(int(number)) for number in used]
        for place, path in enumerate(factor.paths):
            columns[path] = _array([row[place] for row in rows])[where]
    return columns


def _numbers(space: Space, indices: Sequence[int]) -> list[Array]:
    """The way of every factor for every index; in int64 where the indices fit, else in Python's ints."""
    left: Array = np.array(indices, dtype=np.int64 if space.size < LARGEST else object)
    found = []
    for factor in reversed(space.factors):
        found.append((left % factor.size).astype(np.int64))
        left = left // factor.size
    return found[::-1]


def _array(values: list[Any]) -> Array:
    if all(type(value) is int for value in values):
        return np.array(values, dtype=np.int64)
    if all(type(value) is float for value in values):
        return np.array(values, dtype=np.float64)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _expanded(base: Design, columns: Mapping[str, Array]) -> dict[str, Array]:
    """The columns by single stages: a knob for all stages stands in each of them."""
    found: dict[str, Array] = {}
    for path, column in columns.items():
        if path.split(".")[0] in STAGE_SECTIONS:
            found.update({f"stages.{index}.{path}": column for index in range(len(base.stages))})
        else:
            found[path] = column
    return found


def _is_size(path: str) -> bool:
    parts = [part for part in path.split(".") if not part.isdigit()]
    return ".".join(parts[-2:]) in SIZES


def _groups(base: Design, columns: Mapping[str, Array]) -> Iterator[Array]:
    """The members that share a structure: every choice that is not a size, which sizes are 0, and which widths are equal."""
    length = len(next(iter(columns.values()))) if columns else 1
    codes = np.zeros(length, np.int64)
    expanded = _expanded(base, columns)
    for path, column in expanded.items():
        if column.dtype == object or not _is_size(path):
            plain = np.array([repr(value) for value in column])
            codes = _combined(
                codes,
                plain if not _is_size(path) else np.array([repr(v) if isinstance(v, str) else v == 0 for v in column]),
            )
        elif not path.endswith(("depth", "kernel_size")):
            codes = _combined(codes, column == 0)
    widths = [expanded.get(f"stages.{index}.width", stage.width) for index, stage in enumerate(base.stages)]
    stem = expanded.get("stem.width", base.stem.width)
    before = np.where(np.equal(stem, 0), widths[0], stem)
    for width in widths:
        if isinstance(before, np.ndarray) or isinstance(width, np.ndarray):
            codes = _combined(codes, np.broadcast_to(before == width, codes.shape))
        before = width
    order = np.argsort(codes, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _combined(codes: Array, column: Array) -> Array:
    """Codes that are equal where both the codes and the column are."""
    if column.dtype == bool and codes.max(initial=0) < 2**61:
        return 2 * codes + column if column.any() else codes
    values, places = np.unique(column, return_inverse=True)
    if codes.max(initial=0) > 2**31:
        _, codes = np.unique(codes, return_inverse=True)  # small again, so that no product overflows
    return codes * len(values) + places


def _cost_group(
    base: Design, columns: Mapping[str, Array], members: Array, metrics: Sequence[str]
) -> tuple[dict[str, Array], Array]:
    """The costs of members of one structure, and why each is no valid design (empty where it is)."""
    first = int(members[0])
    faults = np.full(len(members), "", dtype=object)
    turned = assign(base, nested({path: _plain(column[first]) for path, column in columns.items()}))
    if turned.faults:
        faults[:] = turned.faults[0].problem.code
        return {metric: np.zeros(len(members), np.int64) for metric in metrics}, faults
    stacked = {path: column[members] for path, column in _expanded(base, columns).items() if _is_size(path)}
    design = _stacked(turned.design, {path: column for path, column in stacked.items() if column.dtype != object})
    network = lower_population(design)
    image = _image(design)
    for check in network.checks:
        broken = np.broadcast_to(np.logical_not(check.holds), faults.shape)
        faults[(faults == "") & broken] = check.code
    totals, smallest = _totals(network, image, metrics)
    faults[(faults == "") & np.broadcast_to(np.less(smallest, 1), faults.shape)] = "map-vanishes"
    return totals, faults


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _stacked(design: Design, columns: Mapping[str, Array]) -> Design:
    """The design with arrays in the places of its sizes; a column of one value stays a plain number."""
    for path, column in columns.items():
        value = _plain(column[0]) if (column == column[0]).all() else column
        design = _put(design, path.split("."), value)
    return design


def _put(noun: Any, parts: list[str], value: Any) -> Any:
    head, *rest = parts
    if head.isdigit():
        return tuple(_put(item, rest, value) if index == int(head) else item for index, item in enumerate(noun))
    return dataclasses.replace(noun, **{head: _put(getattr(noun, head), rest, value) if rest else value})


def _image(design: Design) -> Shape:
    size = design.image.size
    return Shape(design.image.channels, *(size if isinstance(size, tuple) else (size, size)))


def _totals(network: Network, image: Shape, metrics: Sequence[str]) -> tuple[dict[str, Array], Array]:
    """The totals of a stacked network, by the functions that cost a single design, and the smallest side of its maps."""
    of_rows = {metric: METRICS[metric].of_row for metric in metrics if metric in METRICS}
    totals: dict[str, Array] = dict.fromkeys(of_rows, 0)
    parts = _walked(network, image)
    rows = [row for _, _, part_rows in parts for row in part_rows]
    for metric, of_row in of_rows.items():
        for row in rows:
            totals[metric] = totals[metric] + of_row(row) * row.count
    if "training_macs" in metrics:
        first = next(row for row in rows if row.layer.multiplies)
        totals["training_macs"] = 3 * sum(METRICS["macs"].of_row(row) * row.count for row in rows) - first.layer.macs(
            first.input
        )
    if "peak_bytes" in metrics:
        totals["peak_bytes"] = 4 * peak_elements(image, [part.tree.live(x) for part, x, _ in parts])
    smallest: Any = 1
    for side in {id(side): side for row in rows for side in row.output[1:]}.values():
        smallest = np.minimum(smallest, side)
    return {metric: totals[metric] for metric in metrics}, smallest


def _walked(network: Network, x: Shape) -> list[tuple[Part, Shape, list[Row]]]:
    """Every part with the shape that comes in and its rows."""
    found = []
    for part in network.parts:
        found.append((part, x, walk(part.tree, x, part.path)))
        x = part.tree.output(x)
    return found


def _refuse_overflow(space: Space) -> None:
    """Refuse a space whose dearest corner does not fit 64-bit integers: arrays would wrap around silently."""
    design = space.base
    values = {}
    for factor in space.factors:
        rows = [factor.values(number) for number in {0, factor.size - 1}]
        for place, path in enumerate(factor.paths):
            found = [row[place] for row in rows]
            if (
                _is_size(path)
                and not path.endswith(("groups", "group_width"))
                and all(type(item) in (int, float) for item in found)
            ):
                values[path] = max(found)
    turned = assign(design, nested(values))
    if not turned.faults and max(profile(turned.design).training_macs, profile(turned.design).params) >= LARGEST:
        raise ConvlabError(
            Problem("bad-space", "costs of the largest members do not fit 64-bit integers", help="smaller sizes")
        )
