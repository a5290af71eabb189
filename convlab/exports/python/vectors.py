"""A number in all instances of a class: which of them agree, what is missing, and what a class is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from convlab.exports.python.nodes import Argument, Code, Given, Value

Vector = Sequence[Value | None]
"""A number in every instance of a class; None where an instance lacks the module that it belongs to."""

DEFAULTS = {"stride": "1", "dilation": "1", "drop_path": "0.0"}
"""Parameters that need not be given, and their defaults as they are written."""

_GIVEN_TYPES = {"drop_path": "float", "rates": "Sequence[float]"}


@final
@dataclass(frozen=True, slots=True)
class Parameter:
    """What a class is given, in every instance."""

    name: str
    type: str
    values: tuple[Value, ...]
    width: bool = False
    default: str = ""

    def argument(self, index: int) -> Argument:
        """What one instance is given."""
        return Argument(self.name, self.values[index], self.width, self.default)

    def declaration(self) -> str:
        """How the parameter stands in the signature."""
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default else "")


def parameter(name: str, values: Vector, *, width: bool = False) -> Parameter:
    """A parameter; instances that do not need it are given its default, or what another is given."""
    default = DEFAULTS.get(name, "")
    filler = 1 if default == "1" else next(value for value in values if value is not None)
    full = tuple(filler if value is None else value for value in values)
    return Parameter(name, _type(name, full), full, width, default)


def constant(values: Vector) -> Value | None:
    """The value that all instances share, None where they differ."""
    there = {(type(value), value): value for value in values if value is not None}
    return next(iter(there.values())) if len(there) == 1 else None


def agree(one: Vector, other: Vector) -> bool:
    """Whether two numbers are one wherever both are there."""
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def fill(known: list[Value | None], values: Vector) -> None:
    """Put values into the places that are missing."""
    known[:] = [value if there is None else there for there, value in zip(known, values, strict=True)]


def _type(name: str, values: tuple[Value, ...]) -> str:
    first = values[0]
    if isinstance(first, Given):
        return _GIVEN_TYPES.get(name, "int")
    if isinstance(first, Code):
        return "type[nn.Module]"
    if isinstance(first, tuple):
        return "tuple[int, int]"
    return "float" if any(isinstance(value, float) for value in values) else type(first).__name__
