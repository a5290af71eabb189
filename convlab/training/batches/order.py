"""The order of images: a permutation for each epoch, drawn by a hash of the seed, so that every machine and every version of a package
has the same; and random numbers by the same law, which need no generator and so no state to keep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from convlab.errors import ConvlabError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN: Final = 0x9E3779B97F4A7C15
FACTORS: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS: Final = (30, 27, 31)
"""The constants of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)."""

WORD: Final = 2**64 - 1

ORDER: Final = 1
"""What the order's numbers are drawn for; each purpose has numbers of its own (``augmentation`` and ``mixing`` have the others)."""


def mixed(*numbers: int) -> int:
    """A number of 64 bits that depends on all the numbers and their order: the seed of what belongs to (seed, purpose, step)."""
    state = 0
    for number in numbers:
        state = ((state ^ (number & WORD)) + GOLDEN) & WORD
        for shift, factor in zip(SHIFTS, FACTORS, strict=False):
            state = ((state ^ (state >> shift)) * factor) & WORD
        state ^= state >> SHIFTS[2]
    return state


def words(start: int, counters: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A random word of 64 bits for each counter, of the stream that begins at ``start``; any shape."""
    state = np.uint64(start) + (counters.astype(np.uint64) + np.uint64(1)) * np.uint64(GOLDEN)
    for shift, factor in zip(SHIFTS, FACTORS, strict=False):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    found: NDArray[np.uint64] = state ^ (state >> np.uint64(SHIFTS[2]))
    return found


def uniforms(start: int, counters: NDArray[np.int64]) -> NDArray[np.float64]:
    """A random number in [0, 1) for each counter; any shape."""
    return (words(start, counters) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(bound: Any, fractions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers from 0 to below ``bound`` (a number or an array) from numbers in [0, 1)."""
    found: NDArray[np.int64] = np.floor(fractions * bound).astype(np.int64)
    return found


@lru_cache(maxsize=4)
def permutation(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of ``count`` images in an epoch (read-only): every order is equally likely, and each image comes once."""
    keys = words(mixed(seed, ORDER, epoch), np.arange(count))
    order = np.argsort(keys, kind="stable")
    order.setflags(write=False)
    return order


@final
@dataclass(frozen=True, slots=True)
class Order:
    """Which images each step sees: batches of an epoch's permutation. What is left at its end, less than a batch, is left out."""

    count: int
    """Images of the training split."""
    batch: int
    """Images of a step, over all processes."""
    seed: int

    def __post_init__(self) -> None:
        if self.batch > self.count:
            problem = Problem(
                "out-of-range",
                f"a batch of {self.batch:,} images is larger than the training split, which has {self.count:,}",
                help=f"set a batch of at most {self.count:,}"
                if self.count
                else "name a data set with images to train on",
                path="batch",
            )
            raise ConvlabError(problem, exit_code=2)

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in an epoch."""
        return self.count // self.batch

    def epoch(self, step: int) -> int:
        """The epoch that a step (from 0) belongs to."""
        return step // self.steps_per_epoch

    def images(self, step: int) -> NDArray[np.int64]:
        """The images of a step (from 0), by their numbers in the split."""
        start = step % self.steps_per_epoch * self.batch
        return permutation(self.count, self.seed, self.epoch(step))[start : start + self.batch]


def steps(count: int, batch: int, *, epochs: float, samples: int) -> int:
    """Steps of a budget on so many images, one at least: as many whole batches as ``samples`` hold, or, where that is 0, ``epochs`` to the
    nearest step."""
    return max(1, samples // batch if samples else round(epochs * (count // batch)))
