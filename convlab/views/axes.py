"""Parallel coordinates: the members of a population as lines across an axis a knob that varies and an axis a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from convlab.views.spaces import title_of
from convlab.views.tables import value_text

if TYPE_CHECKING:
    from convlab.spaces.populations import Population

MOST_LINES = 2000
"""More lines than these show no more."""


@final
@dataclass(frozen=True, slots=True)
class Coordinate:
    """One axis: where each line crosses it; ``choices`` names the places 0, 1, ... of values that are no numbers."""

    name: str
    title: str
    values: tuple[float, ...]
    choices: tuple[str, ...] = ()
    metric: bool = False


@final
@dataclass(frozen=True, slots=True)
class Coordinates:
    """The axes, and the member that each line is."""

    axes: tuple[Coordinate, ...]
    indices: tuple[int, ...]


def coordinates(found: Population) -> Coordinates:
    """The first ``MOST_LINES`` valid members: knobs whose values differ among them, then metrics. Knobs equal in all stages are one axis."""
    places = [place for place in range(len(found)) if not found.fault[place]][:MOST_LINES]
    members = [_shared(found.space.values(found.indices[place])) for place in places]
    knobs = tuple(dict.fromkeys(path for member in members for path in member))
    axes = [_axis(path, [member.get(path) for member in members]) for path in knobs]
    axes = [axis for axis in axes if len(set(axis.values)) > 1]
    metrics = [
        Coordinate(name, title_of(name), tuple(float(costs[place]) for place in places), metric=True)
        for name, costs in found.costs.items()
    ]
    return Coordinates((*axes, *metrics), tuple(found.indices[place] for place in places))


def _axis(path: str, values: list[Any]) -> Coordinate:
    if all(type(value) in (int, float) for value in values):
        return Coordinate(path, path, tuple(map(float, values)))
    texts = list(map(value_text, values))
    choices = tuple(sorted(set(texts)))
    return Coordinate(path, path, tuple(float(choices.index(text)) for text in texts), choices)


def _shared(member: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs of a member; those of all stages that have one value are told as one."""
    together: dict[str, list[Any]] = {}
    for path, value in member.items():
        together.setdefault(_of_all(path), []).append(value)
    found: dict[str, Any] = {}
    for path, value in member.items():
        same = together[_of_all(path)]
        alike = len(same) > 1 and all(each == value for each in same)
        found[_of_all(path) if alike else path] = value
    return found


def _of_all(path: str) -> str:
    head, _, rest = path.partition(".")
    return f"stages.*.{rest.partition('.')[2]}" if head == "stages" else path
