"""What a control offers for a knob: the few values that people try, as steps or as a range around the present one. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

from convlab.language.knobs import Knob
from convlab.views.bumping import LADDERS, RATE_STEP

REACH = 2
"""A range goes up to so many times the present value."""

DEEPEST = 27
"""The depth that a range reaches at least: that of ConvNeXt's bigger sizes."""

WIDEST_KERNEL = 31
LARGEST_IMAGE = 512


@final
@dataclass(frozen=True)
class Range:
    """Numbers from low to high by steps."""

    low: float
    high: float
    step: float
    whole: bool


@final
@dataclass(frozen=True)
class Steps:
    """Values one after the other, which have an order: a slider."""

    values: tuple[Any, ...]


@final
@dataclass(frozen=True)
class Words:
    """Values without an order: a list to choose from."""

    values: tuple[Any, ...]


@final
@dataclass(frozen=True)
class Switch:
    """Yes or no."""


@final
@dataclass(frozen=True)
class Text:
    """What no other control suits: the value as TOML."""


Span: TypeAlias = Range | Steps | Words | Switch | Text


def span_of(knob: Knob, value: Any, values: tuple[Any, ...] = ()) -> Span:
    """What a control offers for a knob that has a value; ``values`` are all that it may be, where a space says so."""
    if knob.kind == "boolean":
        return Switch()
    if values:
        ordered = all(isinstance(each, int | float) for each in values)
        return Steps(_with(values, value)) if ordered else Words(values if value in values else (*values, value))
    if knob.kind == "choice":
        return Words(knob.choices)
    if knob.name in LADDERS:
        return Steps(_with(tuple(each for each in LADDERS[knob.name] if _within(knob, each)), value))
    if knob.kind == "number" and isinstance(value, int | float):
        return Range(knob.low or 0.0, max(value, min(knob.high or 1.0, 1.0)), RATE_STEP, False)
    if knob.kind in ("integer", "size") and isinstance(value, int):
        return _whole(knob, value)
    return Text()


def _whole(knob: Knob, value: int) -> Range:
    high, low = float("inf") if knob.high is None else knob.high, 1 if knob.low is None else knob.low
    match knob.name:
        case "kernel_size":
            return Range(1, max(WIDEST_KERNEL, value + 1 - value % 2), 2 if value % 2 else 1, True)
        case "width":
            step = 8 if value % 8 == 0 else 1
            return Range(step, min(high, max(64, REACH * value)), step, True)
        case "size":
            step = 32 if value % 32 == 0 else 1
            return Range(step, min(high, max(LARGEST_IMAGE, value)), step, True)
        case "depth":
            return Range(low, min(high, max(DEEPEST, REACH * value)), 1, True)
    return Range(low, min(high, max(16, REACH * value)), 1, True)


def _with(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """The values with one more in its place: numbers by size, words last."""
    if value in values:
        return values
    return tuple(
        sorted((*values, value), key=lambda each: (isinstance(each, str), each if not isinstance(each, str) else 0))
    )


def _within(knob: Knob, value: Any) -> bool:
    if isinstance(value, str):
        return value in knob.choices
    return (knob.low is None or value >= knob.low) and (knob.high is None or value <= knob.high)
