"""Axes: round numbers at equal distances that hold what is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
WHOLE = (1.0, 2.0, 5.0, 10.0)


@final
@dataclass(frozen=True, slots=True)
class Axis:
    """What is drawn along an axis: its title with its unit, how its numbers are written, and ends that it has to hold."""

    title: str
    text: Callable[[float], str] = lambda value: f"{value:g}"
    low: float | None = None
    high: float | None = None
    whole: bool = False
    """Whether only whole numbers mean something."""


@final
@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places from 0 to 1, and the round numbers on the way."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value stands, 0 at the low end and 1 at the high one."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def scale(low: float, high: float, most: int, *, outward: bool = True, whole: bool = False) -> Scale:
    """A scale that holds both ends with at most about ``most`` round (or whole) numbers; ``outward`` it ends at such numbers."""
    if not high > low:
        around = abs(low) * 0.5 or 1.0
        low, high = low - around, high + around
    least = (high - low) / max(1, most - 1)
    step = max(1.0, _step(least, WHOLE)) if whole else _step(least, ROUND)
    if outward:
        first, last = _indices(low, high, step)
        return Scale(first * step, last * step, tuple(index * step for index in range(first, last + 1)))
    ticks = _within(low, high, step)
    while len(ticks) < 2 and not (whole and step == 1):
        step = _step(step / 3, ROUND)
        ticks = _within(low, high, step)
    return Scale(low, high, ticks)


def _indices(low: float, high: float, step: float) -> tuple[int, int]:
    return math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)


def _within(low: float, high: float, step: float) -> tuple[float, ...]:
    first, last = _indices(low, high, step)
    ticks = (index * step for index in range(first, last + 1))
    return tuple(tick for tick in ticks if low - 1e-9 * step <= tick <= high + 1e-9 * step)


def _step(least: float, factors: Sequence[float]) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in factors if factor * power >= least * (1 - 1e-9))
