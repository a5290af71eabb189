"""How one width follows from another: a multiple, a share, or a rounded ratio, whichever holds in every instance of a class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

LARGEST_FACTOR = 64


class Formula(NamedTuple):
    """An expression of the width ``name``, and what it gives in every instance."""

    text: str
    name: str
    values: list[int]


class Expansion(NamedTuple):
    """A width as a multiple of the width ``name``, by a factor of each instance's own."""

    name: str
    factors: list[int | None]


def expansion(widths: Mapping[str, Sequence[Any]], values: Sequence[Any]) -> Expansion | None:
    """The width of which ``values`` are whole multiples, by the fewest factors; None where these say no less than the values."""
    found = []
    for name, known in widths.items():
        pairs = list(zip(known, values, strict=True))
        if all(value is None or (width is not None and value % width == 0) for width, value in pairs):
            found.append(Expansion(name, [None if value is None else value // width for width, value in pairs]))
    fewest = min(found, key=lambda one: len(set(one.factors)), default=None)
    return fewest if fewest is not None and len(set(fewest.factors)) < len(set(values)) else None


def multiple(name: str, known: Sequence[Any], values: Sequence[Any]) -> str:
    """The whole number of times that ``values`` are a number of the class, as an expression; empty where they are none."""
    factors = {
        None if None in (one, value) or value % one else value // one for one, value in zip(known, values, strict=True)
    }
    factor = factors.pop() if len(factors) == 1 else None
    return f"{factor} * {name}" if factor else ""


Candidate = tuple[str, Callable[[int], int | None]]
"""An expression, and what it gives for a width; None where it does not fit."""


def formula(widths: Mapping[str, Sequence[Any]], values: Sequence[Any]) -> Formula | None:
    """The simplest expression of one of ``widths`` that gives ``values`` (None: any), or None."""
    largest = max((value, index) for index, value in enumerate(values) if value is not None)[1]
    for kind in (_multiple, _exact_share, _ratio, _share):
        for name, known in widths.items():
            if None in known:
                continue
            for text, of in kind(name, known[largest], values[largest]):
                found = [of(width) for width in known]
                if all(value in (None, there) for value, there in zip(values, found, strict=True)):
                    return Formula(text, name, [there or 0 for there in found])
    return None


def _multiple(name: str, width: int, value: int) -> Iterator[Candidate]:
    factor = value // width
    if 1 < factor <= LARGEST_FACTOR:
        yield f"{factor} * {name}", lambda width: factor * width


def _exact_share(name: str, width: int, value: int) -> Iterator[Candidate]:
    divisor = width // value
    if divisor > 1:
        yield f"{name} // {divisor}", lambda width: None if width % divisor else width // divisor


def _share(name: str, width: int, value: int) -> Iterator[Candidate]:
    divisor = width // value
    if divisor > 1:
        yield f"{name} // {divisor}", lambda width: width // divisor


def _ratio(name: str, width: int, value: int) -> Iterator[Candidate]:
    """A ratio of few digits, rounded as the language rounds."""
    for ratio in (round(value / width, 1), round(value / width, 2)):
        yield _rounded(name, ratio)
        yield _at_least_one(name, ratio)


def _rounded(name: str, ratio: float) -> Candidate:
    return f"round({ratio} * {name})", lambda width: round(ratio * width)


def _at_least_one(name: str, ratio: float) -> Candidate:
    return f"max(1, round({ratio} * {name}))", lambda width: max(1, round(ratio * width))
