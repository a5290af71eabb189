"""Costs of whole populations, by the same lines that cost one design: members of one structure are stacked into arrays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, final

import numpy as np

from convlab import display
from convlab.costs import peak_elements
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language.design import Design, Network, Part, lower_population
from convlab.language.validation import stride_faults, structural_faults
from convlab.layers import Attention, Row, Shape
from convlab.layers.layer import Copies
from convlab.metrics import METRICS
from convlab.spaces.drawing import LARGE, draw
from convlab.spaces.limits import LIMITED
from convlab.spaces.space import Space, put
from convlab.spaces.stacking import Array, Column, columns_of, groups_of, sizes_of, values_of, with_sizes

CHUNK = 65_536

HOPELESS = 1_000_000
"""After so many draws without a member a sample is given up."""
USUAL = ("params", "macs", "activations")

LARGEST = 2**63 - 1
"""What int64 holds."""

SAFE = 2**56
"""Where the layers of the largest member cost less than this together, no sum or product on the way leaves int64."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Population:
    """Members of a space with their costs: ``costs[metric][i]`` is that of ``space[indices[i]]``.

    ``fault[i]`` is the code of what is wrong with a member, and its costs are 0; it is empty for a valid one.
    """

    space: Space
    indices: tuple[int, ...]
    costs: Mapping[str, Array]
    fault: Array

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return f"<Population of {len(self):,} members of {self.space.name}: {', '.join(self.costs)}>"


@final
@dataclass(frozen=True, eq=False)
class Sample:
    """Members drawn uniformly among those that are valid and within the limits, and how many were rejected for what."""

    population: Population
    seed: int
    drawn: int
    rejections: Mapping[str, int]
    complete: bool

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    @property
    def acceptance(self) -> float:
        """The share of drawn members that were taken."""
        return len(self.population) / self.drawn if self.drawn else 0.0


def cost_population(space: Space, indices: Sequence[int], *, metrics: Sequence[str] = USUAL) -> Population:
    """The costs of members by index, as int64 arrays; one image a member, at its design's size.

    Raises ConvlabError for a metric that there is not, IndexError for an index that there is not.
    """
    metrics, indices = _known(metrics), tuple(map(int, indices))
    if indices and not 0 <= min(indices) <= max(indices) < space.size:
        raise IndexError(f"the space has {space.size} members, from 0")
    costs = {metric: np.zeros(len(indices), np.int64) for metric in metrics}
    fault = np.full(len(indices), "", dtype=object)
    for start in range(0, len(indices), CHUNK):
        chunk = indices[start : start + CHUNK]
        columns = columns_of(space, chunk)
        for members in groups_of(space.base, columns, len(chunk)):
            _cost_group(space.base, columns, members, _Slots(costs, fault, start))
    return Population(space, indices, costs, fault)


def sample(space: Space, count: int, seed: int = 0, *, metrics: Sequence[str] = USUAL, tries: int = 0) -> Sample:
    """``count`` members drawn uniformly, without repetition, among the valid ones within the limits.

    The same seed gives the same members on any machine, and a smaller sample is the beginning of a larger one. Stops after
    ``tries`` draws (default: 10,000 a member and 100,000 more), or where none of the first million was taken; ``complete`` says
    whether ``count`` were found. Raises ConvlabError for a count below 0 or a metric that there is not.
    """
    if count < 0:
        raise ConvlabError(
            Problem("usage", f"a sample cannot have {count} members", help="ask for 0 or more"), exit_code=2
        )
    tries = tries or 10_000 * count + 100_000
    metrics = _known(metrics)
    wanted = _known((*metrics, *(limit.metric for limit in space.limits)))
    drawing = draw(space.size, seed)
    taken: list[int] = []
    parts: list[Mapping[str, Array]] = []
    rejections: Counter[str] = Counter()
    drawn = 0
    while len(taken) < count and drawn < (tries if taken else min(tries, HOPELESS)):
        missing = count - len(taken)
        chunk = list(islice(drawing, min(max(256, 2 * missing, drawn), CHUNK, tries - drawn)))
        if not chunk:
            break
        known = set(taken) if space.size > LARGE else ()
        chunk = [index for index in dict.fromkeys(chunk) if index not in known]
        population = cost_population(space, chunk, metrics=wanted)
        reasons = _reasons(space, population)
        accepted = np.flatnonzero(reasons == "")[:missing]
        looked_at = int(accepted[-1]) + 1 if len(accepted) == missing else len(chunk)
        drawn += looked_at
        rejections.update(reason for reason in reasons[:looked_at].tolist() if reason)
        taken += [chunk[place] for place in accepted]
        parts.append({metric: population.costs[metric][accepted] for metric in wanted})
    none = np.zeros(0, np.int64)
    costs = {metric: np.concatenate([none, *(part[metric] for part in parts)]) for metric in metrics}
    population = Population(space, tuple(taken), costs, np.full(len(taken), "", dtype=object))
    return Sample(population, seed, drawn, dict(sorted(rejections.items())), len(taken) == count)


def _known(metrics: Sequence[str]) -> tuple[str, ...]:
    metrics = (metrics,) if isinstance(metrics, str) else metrics
    for metric in metrics:
        if metric not in LIMITED:
            help = f"metrics: {', '.join(LIMITED)}"
            problem = Problem(
                "unknown-key", f"there is no metric {quote(metric)}", None, did_you_mean(metric, LIMITED), help
            )
            raise ConvlabError(problem)
    return tuple(dict.fromkeys(metrics))


def _reasons(space: Space, population: Population) -> Array:
    """Why each member is rejected; empty where it is not."""
    reasons = population.fault.copy()
    left = reasons == ""
    for limit in space.limits:
        for reason, beyond in limit.broken(population.costs[limit.metric]):
            reasons[left & beyond] = reason
            left &= ~beyond
    return reasons


@final
@dataclass(frozen=True)
class _Slots:
    """Where the costs and faults of a chunk's members go."""

    costs: Mapping[str, Array]
    fault: Array
    start: int

    def put(self, members: Array, totals: Mapping[str, Array]) -> None:
        """The costs of members."""
        for metric, total in totals.items():
            self.costs[metric][self.start + members] = total

    def refuse(self, members: Array, code: str) -> None:
        """What is wrong with members; they cost nothing."""
        self.put(members, dict.fromkeys(self.costs, 0))
        self.fault[self.start + members] = code


def _cost_group(base: Design, columns: Sequence[Column], members: Array, slots: _Slots) -> None:
    """Cost members of one structure."""
    turned = put(base, values_of(columns, members[0]))
    problems = [fault.problem for fault in turned.faults] or structural_faults(turned.design)
    if problems:
        slots.refuse(members, problems[0].code)
        return
    sizes = sizes_of(base, columns, members)
    design = with_sizes(turned.design, sizes)
    network = lower_population(design)
    valid = np.ones(len(members), bool)
    for check in network.checks:
        if not np.all(check.holds):
            slots.refuse(members[valid & np.logical_not(check.holds)], check.code)
            valid &= check.holds
    unreachable = stride_faults(design)
    if unreachable:
        slots.refuse(members[valid], unreachable[0].code)
        return
    if not valid.all():  # sizes that do not fit have no costs: the others are stacked without them
        if valid.any():
            _cost_group(base, columns, members[valid], slots)
        return
    walked = _walked(network, design.image.shape)
    if not _is_safe(walked.rows):
        _cost_exactly(turned.design, sizes, members, slots)
        return
    slots.put(members, {metric: _total(walked, metric) for metric in slots.costs})
    slots.refuse(members[np.broadcast_to(_smallest(walked.rows) < 1, members.shape)], "map-vanishes")


def _cost_exactly(design: Design, sizes: Mapping[str, Any], members: Array, slots: _Slots) -> None:
    """Cost members one by one, in whole numbers of any size; those whose costs do not fit int64 are refused."""
    for place in range(len(members)):
        own = {path: size[place].item() if isinstance(size, np.ndarray) else size for path, size in sizes.items()}
        single = with_sizes(design, own)
        walked = _walked(lower_population(single), single.image.shape)
        totals = {metric: _total(walked, metric) for metric in slots.costs}
        if _smallest(walked.rows) < 1:
            slots.refuse(members[[place]], "map-vanishes")
        elif max(totals.values(), default=0) > LARGEST:
            slots.refuse(members[[place]], "too-big")
        else:
            slots.put(members[[place]], totals)


class _Walked(NamedTuple):
    """A network whose sizes may be arrays, and its image: every part with the shape that comes in, and all rows."""

    image: Shape
    parts: list[tuple[Part, Shape]]
    rows: list[Row]


def _walked(network: Network, image: Shape) -> _Walked:
    found = _Walked(image, [], [])
    x = image
    for part in network.parts:
        found.parts.append((part, x))
        x = part.tree.trace(part.path, x, Copies(), found.rows)
    return found


def _total(walked: _Walked, metric: str) -> Any:
    """The total of a metric, by the functions that cost a single design."""
    if metric == "peak_bytes":
        return 4 * peak_elements(walked.image, [part.tree.live(x) for part, x in walked.parts])
    if metric == "training_macs":
        first = next(row for row in walked.rows if row.layer.multiplies)
        return 3 * _total(walked, "macs") - first.layer.macs(first.input)
    of_row = METRICS[metric].of_row
    return sum(of_row(row) * row.count for row in walked.rows)


def _smallest(rows: list[Row]) -> Any:
    """The smallest side of any map."""
    smallest: Any = 1
    for side in {id(side): side for row in rows for side in row.output[1:]}.values():
        smallest = np.minimum(smallest, side)
    return smallest


def _is_safe(rows: list[Row]) -> bool:
    """Whether int64 holds all costs.

    A layer has to do with each number that comes in or goes out at most once for every input channel and tap of its kernel, or for
    every pixel; attention four times, and padding to whole windows at most doubles each side of a map. Its table of relative
    positions is as large as the window says, however small the map is.
    """
    known: dict[int, float] = {}

    def most(size: Any) -> float:
        if id(size) not in known:
            known[id(size)] = float(np.max(size))
        return known[id(size)]

    bound = 0.0
    for row in rows:
        channels, height, width = map(most, row.input)
        elements = max(channels * height * width, math.prod(map(most, row.output)))
        taps = most(getattr(row.layer, "kernel_size", 1)) ** 2
        times, table = 1.0, 0.0
        if isinstance(row.layer, Attention):
            times, table = 64.0, (2 * most(row.layer.window)) ** 2 * most(row.layer.heads)
        bound += most(row.count) * (times * elements * (channels * taps + height * width) + table)
    return bound < SAFE
