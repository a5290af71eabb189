"""Knobs: the declaration of one design choice, from which its TOML key, checks, schema, controls and help are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar

from convlab.errors import quote

KINDS = ("integer", "number", "boolean", "choice", "choices", "text", "layers", "size")


Noun = TypeVar("Noun")


AUTO = "auto"
"""The word for the 0 of knobs that the rest of the design has a value for."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One design choice: what it may be, in which unit, and what it is for.

    ``kind`` is one of ``KINDS``; "choices" is a list of different choices, "layers" a list of layers as text, "size" an integer or
    a pair of integers. ``choices`` of an integer are words that may stand in the number's place; ``zero`` is a word for its 0,
    where that is no figure, but leaves the value to the rest of the design.
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
    zero: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that its value may be."""
        return (*self.choices, self.zero) if self.zero else self.choices

    def is_automatic(self, value: Any) -> bool:
        """Whether a value is the 0 that leaves it to the rest of the design."""
        return bool(self.zero) and value == 0

    def bounds(self) -> str:
        """What the value may be, in words."""
        match self.kind:
            case "boolean":
                return "true or false"
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "choices":
                return f"a list of {', '.join(self.choices)}"
            case "layers":
                return "a list of layers"
            case "text":
                return "text"
        low, high = ("" if bound is None else plain(bound) for bound in (self.low, self.high))
        span = f" from {low} to {high}" if low and high else f" of at least {low}" if low else ""
        words = "a list of height and width" if self.kind == "size" else " or ".join(map(quote, self.words))
        return f"a {'' if self.kind == 'number' else 'whole '}number{span}{', or ' if words else ''}{words}"


class Refused(NamedTuple):
    """Why a value is refused: a code of the catalogue, a sentence, what stands beside the caret, and the item of a list it is about."""

    code: str
    message: str
    label: str = ""
    help: str = ""
    item: tuple[int, ...] = ()


def knob(
    default: Any,
    help: str,
    *,
    kind: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    unit: str = "",
    zero: str = "",
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
    options = {"help": help, "kind": kind, "low": low, "high": high, "choices": choices, "unit": unit, "zero": zero}
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


class KeyOfCaches:
    """A frozen dataclass that remembers its hash: stages and blocks are looked up at every turn of a knob, with thirty fields each."""

    def __hash__(self) -> int:
        found: int | None = self.__dict__.get("_hash")
        if found is None:
            # The fields stand in one order in every instance, also in those that ``changed`` makes.
            found = self.__dict__["_hash"] = hash(tuple(self.__dict__.values()))
        return found

    def __getstate__(self) -> dict[str, Any]:
        # The hash of a text differs from process to process, so it must not travel.
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}


def changed(noun: Noun, values: Mapping[str, Any]) -> Noun:
    """A noun with other values of some fields: ``dataclasses.replace`` in a tenth of its time, for plain frozen dataclasses."""
    copy = object.__new__(type(noun))
    copy.__dict__.update(noun.__dict__)
    copy.__dict__.pop("_hash", None)
    copy.__dict__.update(values)
    return copy


def plain(bound: float) -> str:
    """A bound in digits: 511, 0.99."""
    return str(int(bound)) if float(bound).is_integer() else f"{bound:g}"
