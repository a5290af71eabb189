"""Probes: the layers that a calibration measures, without end. Sizes of each kind are spread evenly over what networks have.

However many of them time allows to measure, they cover all kinds and the whole range of sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle, islice
from typing import final

from convlab.layers import (
    ACTIVATIONS,
    Layer,
    Shape,
)
from convlab.measurement.calibration.kinds import KINDS
from convlab.prediction.calls import Call, calls_of, in_training

TRIES = 200

SELDOM = frozenset(
    {
        *ACTIVATIONS,
        "group norm",
        "RMS norm",
        "copy",
        "layer scale",
        "sum",
        "max pool",
        "average pool",
        "global average pool",
        "global max pool",
        "linear of a vector",
        "depthwise 7x7, strided",
        "convolution 5x5, strided",
        "convolution of an image, patches",
    }
) - {"gelu", "relu", "silu"}
"""Kinds that take little of a network's time, or that few networks have."""

GROUP = 13
"""Probes that run in turn; no divisor of the number of kinds, so that neighbours and batches change from time to time."""


@final
@dataclass(frozen=True)
class Probe:
    """A layer on a batch of maps."""

    tree: Layer
    input: Shape
    batch: int

    @property
    def call(self) -> Call:
        """The call that is measured, as it is at inference."""
        (found,) = calls_of(self.tree, self.input)
        return found

    def call_of(self, task: str) -> Call:
        """The call that is measured."""
        (found,) = in_training([self.call]) if task == "training" else [self.call]
        return found


@final
@dataclass(frozen=True)
class Limits:
    """How large a probe may be: a calibration has a minute or two for all of them."""

    macs: int
    elements: int
    """Of one map, going in or out."""
    batches: tuple[int, ...]


def groups(limits: Limits, size: int = GROUP) -> Iterator[list[Probe]]:
    """Probes to run in turn, for ever: all kinds come up again and again, each time in other sizes; a group has one batch."""
    places = {name: _places() for name in KINDS}
    names = _in_turn()
    for batch in cycle(limits.batches):
        yield [_fitting(name, places[name], batch, limits) for name in islice(names, size)]


def _in_turn() -> Iterator[str]:
    """The kinds, those that networks seldom have every third time only."""
    for turn in count():
        yield from (name for name in KINDS if name not in SELDOM or turn % 3 == 1)


def _fitting(name: str, places: Iterator[tuple[float, ...]], batch: int, limits: Limits) -> Probe:
    """The next probe of a kind within the limits; the smallest of many where none is."""
    least, smallest = 0, None
    for place in islice(places, TRIES):
        probe = Probe(*KINDS[name](*place), batch)
        calls = calls_of(probe.tree, probe.input)
        macs = batch * sum(call.macs for call in calls)
        elements = batch * max((size for call in calls for size in (call.input, call.output)), default=0)
        if len(calls) == 1 and macs <= limits.macs and elements <= limits.elements:
            return probe
        if len(calls) == 1 and (smallest is None or macs + elements < least):
            least, smallest = macs + elements, probe
    assert smallest is not None
    return smallest


def _places() -> Iterator[tuple[float, ...]]:
    """Points that fill a cube of three dimensions evenly: Roberts' sequence, a generalisation of the golden ratio's multiples."""
    root = 1.2207440846057596  # of x^4 = x + 1
    index = 0
    while True:
        index += 1
        yield tuple((0.5 + index / root ** (axis + 1)) % 1.0 for axis in range(3))
