"""Cost laws: seconds of a call as a sum of terms, each with a rate that is not negative.

A law is therefore positive, never falls as the batch grows, and goes on beyond what was measured as its largest terms do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import final

from convlab.prediction.calls import Call

PLAIN_TERMS = ("call", "weights", "macs", "padded", "input", "output", "rows")
"""What every call has some of: itself and its weights once, the rest for each image."""

LEVELS = (2**20, 2**22, 2**24, 2**26)
"""Bytes of input and output from which on every element may cost more: caches are exceeded."""

TERMS = (*PLAIN_TERMS, *(f"beyond {level >> 20} MiB" for level in LEVELS))
"""All terms, in the order of a law's rates. The last ones count elements where they lie far away."""

FAR = 4.0
"""By so much a call may be larger or smaller than all that were measured before it counts as beyond them."""


@final
@dataclass(frozen=True, slots=True)
class Law:
    """The rates of one kind of call, in seconds, and how far off they were at measurements held out (the logarithm's deviation).

    ``least`` and ``most`` bound what was measured: multiply-adds, elements that move, weights.
    """

    rates: tuple[float, ...]
    deviation: float
    points: int
    least: tuple[float, float, float]
    most: tuple[float, float, float]


@final
class Pricing:
    """A law made ready for one number format: seconds of a call on several batches at once."""

    __slots__ = ("_call", "_levels", "_rates", "_weights", "bounds", "deviation")

    def __init__(self, law: Law, element_bytes: int) -> None:
        self._call, self._weights, *rates = law.rates[: len(PLAIN_TERMS)]
        self._rates = rates
        sums = accumulate(law.rates[len(PLAIN_TERMS) :])
        self._levels = tuple((level / element_bytes, rate) for level, rate in zip(LEVELS, sums, strict=True))
        self.deviation = law.deviation
        self.bounds = tuple((low / FAR, high * FAR) for low, high in zip(law.least, law.most, strict=True))

    def seconds(self, call: Call, batches: Sequence[int]) -> list[float]:
        """Seconds of one call, by batch."""
        macs, padded, before, after, rows = self._rates
        fixed = self._call + self._weights * call.weights
        image = macs * call.macs + padded * call.padded + before * call.input + after * call.output + rows * call.rows
        moved = call.input + call.output
        found = []
        for batch in batches:
            size, further = batch * moved, 0.0
            for level, rate in self._levels:
                if size <= level:
                    break
                further = rate
            found.append(fixed + batch * image + size * further)
        return found

    def is_beyond(self, call: Call, batch: int) -> bool:
        """Whether a call is far larger or smaller than all that were measured, or of a kind like theirs."""
        (low, high), (least, most), (_, heaviest) = self.bounds
        macs, moved = batch * call.macs, batch * (call.input + call.output)
        return call.doubt or not (low <= macs <= high and least <= moved <= most and call.weights <= heaviest)


def amounts(call: Call, batch: int, element_bytes: int) -> list[float]:
    """How much of each term a call on a batch has; the rates are multiplied by these."""
    moved = batch * (call.input + call.output)
    plain = [1, call.weights, *(batch * each for each in (call.macs, call.padded, call.input, call.output, call.rows))]
    steps = [moved if moved * element_bytes > level else 0 for level in LEVELS]
    return [float(each) for each in (*plain, *steps)]
