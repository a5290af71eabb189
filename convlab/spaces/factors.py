"""Factors of a space: what can vary, counted and numbered, so that every member has an index and every index a member."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, final

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


@final
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


@final
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
        number = self._numbers.get(values)
        if number is None:
            raise ValueError(values)
        return number

    @cached_property
    def _numbers(self) -> dict[tuple[Any, ...], int]:
        return {row: number for number, row in enumerate(self.rows)}


@final
@dataclass(frozen=True)
class Monotone:
    """A value a path, from sorted choices, in an order: each at least (or above) the one before, or at most (or below)."""

    paths: tuple[str, ...]
    choices: tuple[Any, ...]
    strict: bool
    falling: bool

    @property
    def size(self) -> int:
        """In how many ways."""
        return _ways(len(self.choices), len(self.paths), self.strict)

    def values(self, number: int) -> tuple[Any, ...]:
        """The values of a way, one a path."""
        return tuple(self.choices[int(place)] for place in self.places(number))

    def places(self, number: Any) -> list[Any]:
        """The places among the choices of a way's values, one a path; of many ways at once where an int64 array is given."""
        many = len(self.choices)
        found, left = [], many
        for count in range(len(self.paths), 0, -1):
            # Of the rows that start at choice `many - left` or later, the first `number` are passed over; those that start
            # at choice `many - rest` or later are as many as remain, or just more.
            ways: Any = _Ways(many, count, self.strict)
            if not isinstance(number, int):
                ways = _array(ways)
            remaining = ways[left] - number
            rest = _first_of_at_least(ways, remaining)
            number = ways[rest] - remaining
            found.append(many - rest)
            left = rest - self.strict
        return found[::-1] if self.falling else found

    def number(self, values: tuple[Any, ...]) -> int:
        """The way that has these values."""
        number = low = 0
        rising = values[::-1] if self.falling else values
        for count, value in zip(range(len(self.paths), 0, -1), rising, strict=True):
            place = self.choices.index(value)
            if place < low:
                raise ValueError(values)
            number += self._before(low, place - low, count)
            low = place + self.strict
        return number

    def _before(self, low: int, step: int, count: int) -> int:
        """Of the ways to pick ``count`` values from choice ``low`` on, how many start below choice ``low + step``."""
        left = len(self.choices) - low
        return _ways(left, count, self.strict) - _ways(left - step, count, self.strict)


def _ways(choices: int, count: int, strict: bool) -> int:
    """How many rising rows of ``count`` values there are: C(choices, count), with repetition unless strict."""
    if choices <= 0:
        return int(count == 0)
    return math.comb(choices, count) if strict else math.comb(choices + count - 1, count)


@final
@dataclass(frozen=True)
class _Ways(Sequence[int]):
    """The ways to pick some values, by how many choices there are, from 0 to ``choices``: counted where they are looked at."""

    choices: int
    values: int
    strict: bool

    def __len__(self) -> int:
        return self.choices + 1

    def __getitem__(self, choices: Any) -> Any:
        if not 0 <= choices <= self.choices:
            raise IndexError(choices)
        return _ways(choices, self.values, self.strict)


def _first_of_at_least(values: Any, wanted: Any) -> Any:
    """The first place of rising values that is at least what is wanted; places for an array of wanted values."""
    return bisect_left(values, wanted) if isinstance(wanted, int) else values.searchsorted(wanted)


def _array(values: Sequence[int]) -> Any:
    import numpy

    return numpy.array(list(values))
