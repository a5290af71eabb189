"""Factors of a space: what can vary, counted and numbered, so that every member has an index and every index a member."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from typing import Any, Protocol

ORDERS: dict[str, tuple[bool, bool]] = {
    "nondecreasing": (False, False),
    "increasing": (True, False),
    "nonincreasing": (False, True),
    "decreasing": (True, True),
}
"""The orders that a value a stage can follow: whether strictly, whether falling."""

RULES = (*ORDERS, "equal")
"""The rules between the stages."""


class Factor(Protocol):
    """One independent choice of a space: it sets the knobs at ``paths``, in ``size`` ways numbered from 0."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The knob paths that it sets."""

    @property
    def size(self) -> int:
        """In how many ways."""

    def values(self, number: int) -> tuple[Any, ...]:
        """The values of a way, one a path."""

    def number(self, values: tuple[Any, ...]) -> int:
        """The way that has these values. Raises ValueError where there is none."""


@dataclass(frozen=True)
class Choice:
    """One of several values, put at every path (the same for all of them)."""

    paths: tuple[str, ...]
    choices: Sequence[Any]

    @property
    def size(self) -> int:
        """In how many ways."""
        return len(self.choices)

    def values(self, number: int) -> tuple[Any, ...]:
        """The values of a way, one a path."""
        return (self.choices[number],) * len(self.paths)

    def number(self, values: tuple[Any, ...]) -> int:
        """The way that has these values."""
        if any(value != values[0] for value in values):
            raise ValueError(values)
        return self.choices.index(values[0])


@dataclass(frozen=True)
class Joint:
    """One of several rows of values, one a path."""

    paths: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def size(self) -> int:
        """In how many ways."""
        return len(self.rows)

    def values(self, number: int) -> tuple[Any, ...]:
        """The values of a way, one a path."""
        return self.rows[number]

    def number(self, values: tuple[Any, ...]) -> int:
        """The way that has these values."""
        return self._numbers[values]

    @cached_property
    def _numbers(self) -> dict[tuple[Any, ...], int]:
        return _Missing({row: number for number, row in enumerate(self.rows)})


class _Missing(dict[tuple[Any, ...], int]):
    """A dictionary whose missing keys are ValueErrors, as those of a list's ``index``."""

    def __missing__(self, key: tuple[Any, ...]) -> int:
        raise ValueError(key)


@dataclass(frozen=True)
class Monotone:
    """A value a path, from sorted choices, in an order: each at least (or above) the one before, or at most (or below)."""

    paths: tuple[str, ...]
    choices: tuple[Any, ...]
    strict: bool
    falling: bool

    @property
    def size(self) -> int:
        """In how many ways: C(choices, paths), with repetition unless strict."""
        return _ways(len(self.choices), len(self.paths), self.strict)

    def values(self, number: int) -> tuple[Any, ...]:
        """The values of a way, one a path."""
        chosen: list[int] = []
        low = 0
        for left in range(len(self.paths) - 1, -1, -1):
            before = self._before(low, left)
            step = bisect_right(before, number) - 1
            number -= before[step]
            chosen.append(low + step)
            low += step + self.strict
        picked = tuple(self.choices[index] for index in chosen)
        return picked[::-1] if self.falling else picked

    def number(self, values: tuple[Any, ...]) -> int:
        """The way that has these values."""
        number = low = 0
        for left, value in zip(
            range(len(self.paths) - 1, -1, -1), values[::-1] if self.falling else values, strict=True
        ):
            place = self.choices.index(value)
            before = self._before(low, left)
            if place - low < 0 or place - low >= len(before) - 1:
                raise ValueError(values)
            number += before[place - low]
            low = place + self.strict
        return number

    def _before(self, low: int, left: int) -> tuple[int, ...]:
        """How many ways come before the first value is the choice low, low + 1, ...; ``left`` more follow it."""
        return _cumulated(len(self.choices) - low, left, self.strict)


@cache
def _cumulated(choices: int, left: int, strict: bool) -> tuple[int, ...]:
    counts = (_ways(choices - first - strict, left, strict) for first in range(choices))
    return tuple(accumulate(counts, initial=0))


def _ways(choices: int, count: int, strict: bool) -> int:
    if choices <= 0:
        return int(count == 0)
    return math.comb(choices, count) if strict else math.comb(choices + count - 1, count)
