"""Parallel coordinates: the members of a population as lines across an axis a knob that varies and an axis a metric."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from convlab.views.spaces import title_of
from convlab.views.tables import value_text

if TYPE_CHECKING:
    from convlab.spaces.populations import Population

MOST_LINES = 2000
"""More lines than these show no more."""
MOST_KNOBS = 8
"""As many axes of knobs have room beside each other."""


@final
@dataclass(frozen=True, slots=True)
class Coordinate:
    """One axis: where each line crosses it; ``choices`` names the places 0, 1, ... of values that are no numbers.

    ``explained`` is the share, from 0 to 1, of a metric's variance that lies between the knob's values (the correlation ratio).
    """

    name: str
    title: str
    values: tuple[float, ...]
    choices: tuple[str, ...] = ()
    metric: bool = False
    explained: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class Coordinates:
    """The axes, the member that each line is, and how many knobs vary in all."""

    axes: tuple[Coordinate, ...]
    indices: tuple[int, ...]
    knobs: int


def coordinates(found: Population, metric: str) -> Coordinates:
    """The first ``MOST_LINES`` valid members: the knobs that explain most of a metric, in their order, then all metrics.

    A knob that every member has alike in all stages is one axis. Knobs that are the same in all members are none.
    """
    places = [place for place in range(len(found)) if not found.fault[place]][:MOST_LINES]
    members = _shared([found.space.values(found.indices[place]) for place in places])
    target = [float(found.costs[metric][place]) for place in places]
    paths = tuple(dict.fromkeys(path for member in members for path in member))
    axes = [_axis(path, [member.get(path) for member in members], target) for path in paths]
    varying = [axis for axis in axes if len(set(axis.values)) > 1]
    most = sorted(varying, key=lambda axis: -axis.explained)[:MOST_KNOBS]
    metrics = [
        Coordinate(name, title_of(name), tuple(float(costs[place]) for place in places), metric=True)
        for name, costs in found.costs.items()
    ]
    shown = [axis for axis in varying if axis in most]
    return Coordinates((*shown, *metrics), tuple(found.indices[place] for place in places), len(varying))


def explained(values: Sequence[float], target: Sequence[float]) -> float:
    """The correlation ratio: the variance of the target's means over equal values, over all of its variance; 0 where that is 0."""
    if not target:
        return 0.0
    mean = math.fsum(target) / len(target)
    together: dict[float, list[float]] = defaultdict(list)
    for value, aim in zip(values, target, strict=True):
        together[value].append(aim)
    between = math.fsum(len(same) * (math.fsum(same) / len(same) - mean) ** 2 for same in together.values())
    whole = math.fsum((aim - mean) ** 2 for aim in target)
    return between / whole if whole else 0.0


def _axis(path: str, values: Sequence[Any], target: Sequence[float]) -> Coordinate:
    if all(type(value) in (int, float) for value in values):
        numbers = tuple(map(float, values))
        return Coordinate(path, path, numbers, explained=explained(numbers, target))
    texts = list(map(value_text, values))
    choices = tuple(sorted(set(texts)))
    numbers = tuple(float(choices.index(text)) for text in texts)
    return Coordinate(path, path, numbers, choices, explained=explained(numbers, target))


def _shared(members: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Members with one value for a knob of all stages, where every member has it alike in all of them."""
    uneven = {
        _of_all(path)
        for member in members
        for path, value in member.items()
        if any(value != other for same, other in member.items() if _of_all(same) == _of_all(path))
    }
    return [
        {path if _of_all(path) in uneven else _of_all(path): value for path, value in member.items()}
        for member in members
    ]


def _of_all(path: str) -> str:
    head, _, rest = path.partition(".")
    return f"stages.*.{rest.partition('.')[2]}" if head == "stages" else path
