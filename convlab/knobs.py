"""Knobs: the declaration of one design choice, from which its TOML key, checks, schema, controls and help are made."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from convlab.errors import did_you_mean, quote

KINDS = ("integer", "number", "boolean", "choice", "choices", "text", "layers", "size")


@dataclass(frozen=True, slots=True)
class Knob:
    """One design choice: what it may be, in which unit, and what it is for.

    ``kind`` is one of ``KINDS``; "choices" is a list of different choices, "layers" a list of layers as text, "size" an integer or
    a pair of integers. ``choices`` of an integer are words that may stand in the number's place.
    """

    name: str
    noun: str
    kind: str
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""

    def bounds(self) -> str:
        """What the value may be, in words."""
        what = {"boolean": "true or false", "text": "text", "layers": "a list of layers", "choices": "a list of "}.get(
            self.kind, ""
        )
        if self.kind == "number":
            what = "a number"
        if self.kind in ("integer", "size"):
            what = "a whole number"
        if self.low is not None and self.high is not None:
            what += f" from {self.low:g} to {self.high:g}"
        if self.kind == "size":
            what += ", or a list of two"
        listed = ", ".join(self.choices)
        return f"{what} or {listed}" if self.kind == "integer" and self.choices else what + listed


class Refused(NamedTuple):
    """Why a value is refused: a code of the catalogue, a sentence, and what stands beside the caret."""

    code: str
    message: str
    label: str = ""
    help: str = ""


def knob(
    default: Any,
    help: str,
    *,
    kind: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    unit: str = "",
) -> Any:
    """A dataclass field that is a knob. Where no kind is given, it follows from the default."""
    if not kind:
        kinds = {
            bool: "boolean",
            int: "integer",
            float: "number",
            tuple: "choices",
            str: "choice" if choices else "text",
        }
        kind = kinds[type(default)]
    assert kind in KINDS
    options = {"help": help, "kind": kind, "low": low, "high": high, "choices": choices, "unit": unit}
    return dataclasses.field(default=default, metadata={"knob": options})


def knobs_of(noun: Any) -> dict[str, Knob]:
    """The knobs of a noun (a frozen dataclass), by name, in the order of their declaration."""
    return _knobs_of(noun)


@cache
def _knobs_of(noun: Any) -> dict[str, Knob]:
    return {
        field.name: Knob(name=field.name, noun=noun.__name__.lower(), default=field.default, **field.metadata["knob"])
        for field in dataclasses.fields(noun)
        if "knob" in field.metadata
    }


def accepted(knob: Knob, value: Any) -> Any:
    """The value as the knob keeps it (a list as a tuple, a whole number as a float where it is a number), or ``Refused``."""
    check = {
        "integer": _integer,
        "number": _number,
        "boolean": _boolean,
        "choice": _choice,
        "choices": _choices,
        "text": _text,
        "layers": _layers,
        "size": _size,
    }[knob.kind]
    return check(knob, value)


def _wrong_type(knob: Knob, value: Any) -> Refused:
    given = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    found = given.get(type(value), type(value).__name__)
    return Refused(
        "wrong-type", f"{knob.name} is {knob.bounds()}, not {found}", f"{found}", f"{knob.name}: {knob.help}"
    )


def _in_bounds(knob: Knob, value: float) -> Refused | None:
    low, high = knob.low, knob.high
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    return Refused(
        "out-of-range", f"{knob.name} = {quote(value)} is out of range", f"{knob.bounds()}", f"{knob.name}: {knob.help}"
    )


def _integer(knob: Knob, value: Any) -> Any:
    if isinstance(value, str) and knob.choices:
        return _choice(knob, value)
    if type(value) is not int:
        return _wrong_type(knob, value)
    return _in_bounds(knob, value) or value


def _number(knob: Knob, value: Any) -> Any:
    if type(value) not in (int, float):
        return _wrong_type(knob, value)
    if isinstance(value, float) and not math.isfinite(value):
        return Refused("out-of-range", f"{knob.name} is {value}", "a finite number is due", f"{knob.name}: {knob.help}")
    return _in_bounds(knob, value) or float(value)


def _boolean(knob: Knob, value: Any) -> Any:
    return value if type(value) is bool else _wrong_type(knob, value)


def _text(knob: Knob, value: Any) -> Any:
    if not isinstance(value, str):
        return _wrong_type(knob, value)
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        return Refused(
            "bad-name",
            f"{knob.name} holds control characters",
            "only printable characters",
            f"{knob.name}: {knob.help}",
        )
    return value


def _choice(knob: Knob, value: Any) -> Any:
    if not isinstance(value, str):
        return _wrong_type(knob, value)
    if value in knob.choices:
        return value
    label = did_you_mean(value, knob.choices)
    listed = ", ".join(knob.choices)
    if knob.name == "kind":
        return Refused("unknown-kind", f"unknown {knob.noun} kind {quote(value)}", label, f"kinds: {listed}")
    return Refused("out-of-range", f"{knob.name} cannot be {quote(value)}", label, f"{knob.name} can be: {listed}")


def _choices(knob: Knob, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return _wrong_type(knob, value)
    for item in value:
        one = _choice(knob, item)
        if isinstance(one, Refused):
            return one
    if len(set(value)) != len(value):
        return Refused("out-of-range", f"{knob.name} names a place twice", "each place once")
    return tuple(choice for choice in knob.choices if choice in value)


def _layers(knob: Knob, value: Any) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str | list | tuple) for item in value):
        return _wrong_type(knob, value)
    nested = [isinstance(item, list | tuple) for item in value]
    if not any(nested):
        return tuple(value)
    if not all(nested) or not all(isinstance(item, str) for branch in value for item in branch):
        return _wrong_type(knob, value)
    return tuple(tuple(branch) for branch in value)


def _size(knob: Knob, value: Any) -> Any:
    if isinstance(value, list | tuple):
        if len(value) != 2:
            return Refused("wrong-length", f"{knob.name} has {len(value)} values", "one number, or height and width")
        pair = [_integer(knob, item) for item in value]
        refusal = next((item for item in pair if isinstance(item, Refused)), None)
        return refusal or (pair[0] if pair[0] == pair[1] else tuple(pair))
    return _integer(knob, value)
