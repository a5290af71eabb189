"""Gaps: why one network takes longer than another, by the role that layers play: what they are, and at which resolution."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import final

from convlab.errors import ConvlabError, Problem
from convlab.measurement.by_layer.times import LayerTimes
from convlab.measurement.running.subjects import Subject

OUTSIDE_LAYERS = "outside layers"

EXPLAINED = 0.8


@final
@dataclass(frozen=True, slots=True)
class Role:
    """What a kind of layer takes at one resolution in the one network and in the other, in seconds a step, and which layers they are.

    ``stride`` is how many pixels lie between two positions there, 0 for vectors and for what is no layer.
    """

    kind: str
    stride: int
    seconds: float
    other_seconds: float
    paths: tuple[str, ...]
    other_paths: tuple[str, ...]

    @property
    def difference(self) -> float:
        """By how many seconds the one takes longer."""
        return self.seconds - self.other_seconds


@final
@dataclass(frozen=True, slots=True)
class Gap:
    """By how many seconds a step of ``slower`` outlasts one of ``faster``, role by role, those first that widen it most.

    The first ``explaining`` roles make up ``explained`` of it (at least 80 %; more than 1 where others narrow it again). It is ``certain``
    where the intervals of the two steps do not overlap.
    """

    slower: Subject
    faster: Subject
    seconds: float
    ratio: float
    certain: bool
    roles: tuple[Role, ...]
    explaining: int
    explained: float


def gap(one: LayerTimes, other: LayerTimes) -> Gap:
    """The gap between two networks that were timed together. Raises ConvlabError where their conditions differ."""
    if one.conditions != other.conditions:
        message = "the two were timed under different conditions, so their layers cannot be compared"
        raise ConvlabError(Problem("usage", message, help="time both in one call of layer_times"), exit_code=2)
    slower, faster = (one, other) if one.step_s >= other.step_s else (other, one)
    total = slower.step_s - faster.step_s
    roles = tuple(sorted(_roles(slower, faster), key=lambda role: role.difference, reverse=True))
    explaining, reached = 0, 0.0
    while explaining < len(roles) and reached < EXPLAINED * total:
        reached += roles[explaining].difference
        explaining += 1
    return Gap(
        slower.subject,
        faster.subject,
        total,
        slower.step_s / faster.step_s,
        sum(part.low for part in slower.parts.values()) > sum(part.high for part in faster.parts.values()),
        roles,
        explaining,
        reached / total if total else 0.0,
    )


def _roles(slower: LayerTimes, faster: LayerTimes) -> list[Role]:
    seconds: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    paths: dict[tuple[str, int], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, times in enumerate((slower, faster)):
        for layer in times.layers:
            key = layer.kind, layer.stride
            seconds[key][side] += layer.seconds
            paths[key][side].append(layer.path)
        for part, left in times.outside.items():
            key = (part if part == "optimizer" else OUTSIDE_LAYERS), 0
            seconds[key][side] += left
    return [
        Role(*key, mine, others, tuple(paths[key][0]), tuple(paths[key][1])) for key, (mine, others) in seconds.items()
    ]


def in_words(role: Role) -> str:
    """A role for people: "Depthwise at 1/8", "between layers at 1/16", "outside layers"."""
    return f"{role.kind} at 1/{role.stride}" if role.stride else role.kind
