"""Times of layers: what a step takes, layer by layer, under the paths of the layer table; what no layer accounts for is a row too."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from torch import nn

from convlab.errors import ConvlabError, Problem
from convlab.measurement.by_layer.marks import OUTSIDE, Marks, Pass
from convlab.measurement.by_layer.places import Place, places
from convlab.measurement.rounds import Protocol, warmed_up
from convlab.measurement.running.clocks import clock_of
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.precision import arithmetic
from convlab.measurement.running.subjects import Subject
from convlab.measurement.running.workloads import Workload
from convlab.measurement.statistics import Estimate, between_processes, estimate
from convlab.progress import Progress, Work

EMPTY_MODULES = 64

Stretches = dict[str | None, tuple[float, int]]
"""Seconds, and how many stretches they are made of, by path."""


@final
@dataclass(frozen=True, slots=True)
class LayerTime:
    """Seconds of a layer in one step, all its ``count`` instances together; ``path`` is that of the first, as in the layer table.

    ``macs`` are those of one image and all instances. ``backward`` is None where nothing is trained, or nothing comes back there.
    """

    path: str
    kind: str
    stride: int
    count: int
    macs: int
    forward: Estimate
    backward: Estimate | None = None

    @property
    def seconds(self) -> float:
        """Forward and backward together."""
        return self.forward.median + (self.backward.median if self.backward else 0.0)


@final
@dataclass(frozen=True, slots=True)
class LayerTimes:
    """A step by layers. ``parts`` are those of the step without hooks: what they take beyond all ``layers`` is ``outside``.

    ``mark_s`` is what a hook took, which is subtracted already.
    """

    subject: Subject
    conditions: Conditions
    layers: tuple[LayerTime, ...]
    parts: dict[str, Estimate]
    mark_s: float
    stopped: bool = False

    @property
    def step_s(self) -> float:
        """Seconds of a whole step, without hooks."""
        return sum(part.median for part in self.parts.values())

    @property
    def outside(self) -> dict[str, float]:
        """Seconds of each part outside of layers: the loss, the optimizer, and the framework between layers; noise may make it negative."""
        inside = {"forward": sum(layer.forward.median for layer in self.layers)}
        inside["backward"] = sum(layer.backward.median for layer in self.layers if layer.backward)
        return {name: part.median - inside.get(name, 0.0) for name, part in self.parts.items()}

    def share(self, layer: LayerTime) -> float:
        """The layer's part of the whole step, from 0 to 1."""
        return layer.seconds / self.step_s

    def flops_per_second(self, layer: LayerTime) -> float:
        """What the layer's forward pass achieves, two operations a multiply-add; 0 where it multiplies nothing."""
        seconds = layer.forward.median
        return 2 * layer.macs * self.conditions.batch / seconds if seconds > 0 else 0.0


def layer_times(workloads: Sequence[Workload], *, protocol: Protocol | None = None) -> Work[tuple[LayerTimes, ...]]:
    """Time every layer of networks in turn: a step as it is, then one with hooks, and so on, until the protocol's seconds are over.

    Raises ConvlabError for compiled networks and CUDA graphs, in which layers are no longer to be seen. Stopped by Ctrl-C it returns
    what it has; a network without a whole round then has no layers.
    """
    for workload in workloads:
        refuse_fused(workload.conditions)
    used = protocol or Protocol()
    watched = []
    stopped = False
    began = time.monotonic()
    try:
        for workload in workloads:
            warmed_up(workload, used)
            watched.append(_Watched(workload))
        began = time.monotonic()
        for done in range(1, used.most_rounds + 1):
            for one in watched:
                one.round()
            elapsed, budget = time.monotonic() - began, used.seconds * len(watched)
            yield Progress(done, None, "times of layers", elapsed, max(0.0, budget - elapsed))
            if elapsed > budget and done >= used.least_rounds:
                break
    except KeyboardInterrupt:
        stopped = True
    return tuple(one.result(stopped) for one in watched if one.plain)


def refuse_fused(conditions: Conditions) -> None:
    """Raise ConvlabError for conditions in which layers are no longer to be seen."""
    if conditions.mode != "eager" or conditions.cuda_graphs:
        how = "a CUDA graph" if conditions.cuda_graphs else f"mode {conditions.mode}"
        problem = Problem("usage", f"in {how} layers are fused: none has a time of its own", help="--mode eager")
        raise ConvlabError(problem, exit_code=2)


@final
@dataclass
class _Watched:
    """A workload, and what was seen of it round by round."""

    workload: Workload
    plain: list[tuple[float, ...]] = field(default_factory=list)
    hooked: list[tuple[float, ...]] = field(default_factory=list)
    forward: list[Stretches] = field(default_factory=list)
    backward: list[Stretches] = field(default_factory=list)
    called: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        device = self.workload.conditions.device
        backward = clock_of(device) if "backward" in self.workload.parts else None
        self.places = places(self.workload)
        self.marks = Marks(self.workload.model, clock_of(device), backward)
        with arithmetic(self.workload.conditions):
            self.most_mark_s = _empty_mark(self.workload)

    def round(self) -> None:
        """A step as it is, and one with hooks."""
        plain = self.workload.run()
        with self.marks.hooked():
            hooked = self.workload.run()
        forward = self._by_place(self.marks.forward)
        backward = {} if self.marks.backward is None else self._by_place(self.marks.backward)
        self.plain.append(plain)
        self.hooked.append(hooked)
        self.forward.append(forward)
        self.backward.append(backward)

    def _by_place(self, seen: Pass) -> Stretches:
        """Seconds and stretches by the path of the place, None for the hooks."""
        found: Stretches = {}
        owners, seconds = seen.seconds()
        for owner, stretch in zip(owners, seconds, strict=True):
            place = owner and self.places[owner].path
            total, count = found.get(place, (0.0, 0))
            found[place] = total + stretch, count + 1
        self.called.update(owner for owner in owners if owner)
        return found

    def result(self, stopped: bool) -> LayerTimes:
        """What all rounds say."""
        between = between_processes(self.workload.conditions.device)
        parts = {
            name: estimate([step[index] for step in self.plain], between_processes=between)
            for index, name in enumerate(self.workload.parts)
        }
        forward, mark_s = self._estimates(0, self.forward)
        backward, _ = self._estimates(1, self.backward) if len(self.workload.parts) > 1 else ({}, 0.0)
        by_path: dict[str, list[Place]] = defaultdict(list)
        for module, place in self.places.items():
            if module in self.called and not _is_inside(module, place, self.places):
                by_path[place.path].append(place)
        layers = tuple(
            LayerTime(
                path,
                by_path[path][0].kind,
                by_path[path][0].stride,
                len(by_path[path]),
                sum(place.macs for place in by_path[path]),
                found,
                backward.get(path),
            )
            for path, found in forward.items()
            if path != OUTSIDE
        )
        return LayerTimes(self.workload.subject, self.workload.conditions, layers, parts, mark_s, stopped)

    def _estimates(self, part: int, rounds: list[Stretches]) -> tuple[dict[str, Estimate], float]:
        """The time of every place over the rounds, less what calling the hooks took, and how much that was a mark.

        It is what a step with hooks takes longer, and no more than between modules that do nothing: on a GPU that has much to do
        it is next to nothing, because the host runs ahead of it.
        """
        marks = sum(count for path, (_, count) in rounds[0].items() if path is not None)
        steps = zip(self.hooked, self.plain, rounds, strict=True)
        longer = statistics.median(
            hooked[part] - plain[part] - seen.get(None, (0.0, 0))[0] for hooked, plain, seen in steps
        )
        mark_s = min(max(0.0, longer / marks), self.most_mark_s)
        samples: dict[str, list[float]] = defaultdict(list)
        for found in rounds:
            for path, (seconds, count) in found.items():
                if path is not None:
                    samples[path].append(max(0.0, seconds - count * mark_s))
        return {path: estimate(values) for path, values in samples.items()}, mark_s


def _is_inside(module: str, place: Place, known: dict[str, Place]) -> bool:
    """Whether a module is only a piece of the layer whose place it has."""
    parent = module.rpartition(".")[0]
    return bool(parent) and known[parent] == place


def _empty_mark(workload: Workload) -> float:
    """Seconds between two marks with nothing but a hook between them."""
    empty = nn.Sequential(*(nn.Identity() for _ in range(EMPTY_MODULES)))
    marks = Marks(empty, clock_of(workload.conditions.device), None)
    with marks.hooked():
        empty(workload.images)
    owners, seconds = marks.forward.seconds()
    return statistics.median(stretch for owner, stretch in zip(owners, seconds, strict=True) if owner)
