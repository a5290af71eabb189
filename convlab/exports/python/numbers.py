"""The numbers of a class: which of them are the same everywhere, which follow from others, and which the class has to be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from convlab.exports.python.formulas import expansion, formula
from convlab.exports.python.nodes import Argument, Code, Given, Value, written

Vector = Sequence[Value | None]
"""A number in every instance of a class; None where an instance lacks the module that it belongs to."""

DEFAULTS = {"stride": "1", "dilation": "1", "drop_path": "0.0"}
"""Parameters that need not be given, and their defaults as they are written."""

MERGED = "merged"
"""What the width of patches side by side is called, which follows from that of the pixels."""

GIVEN_TYPES = {"drop_path": "float", "rates": "Sequence[float]"}


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


@final
class Scope:
    """The names of a class under construction.

    ``widths`` are known from the start, others may follow from them (``derives``). An earlier pass tells which of those are used a
    single time (``once``): they are written where they stand. ``in_place``: all are, and what does not follow is a number.
    """

    def __init__(
        self,
        widths: Mapping[str, Vector],
        *,
        once: frozenset[str] = frozenset(),
        derives: bool = True,
        in_place: bool = False,
    ) -> None:
        self.widths = {name: list(values) for name, values in widths.items()}
        self.known = tuple(widths)
        self.once = once
        self.derives = derives
        self.in_place = in_place
        self.parameters: dict[str, tuple[list[Value | None], bool]] = {}
        self.formulas: dict[str, str] = {}
        self.uses: Counter[str] = Counter()

    def width(self, values: Vector, word: str) -> str:
        """The expression of a width, which may follow from others; ``word`` is its name where it needs one."""
        given = _given(values)
        if given:
            return self.number(given, values)
        for name, known in self.widths.items():
            if _agree(known, values):
                _fill(known, values)
                return self._used(name)
        constant = self.constant(values)
        if constant is not None and self._is_plain(values):
            return written(constant)
        found = formula(self._bases(word), values) if self.derives else None
        if found is None and self.in_place and constant is not None:
            return written(constant)
        expanded = expansion(self._bases(word), values) if self.derives and word == "hidden" else None
        name = self._free(word)
        if found is not None:
            self._derive(name, found.text, found.name, found.values)
        elif expanded is not None:
            factor = self.number("expansion", expanded.factors)
            self._derive(name, f"{factor} * {expanded.name}", expanded.name, values)
        else:
            self.widths[name] = list(values)
            self.parameters[name] = (self.widths[name], True)
        return self._used(name)

    def _bases(self, word: str) -> dict[str, list[Value | None]]:
        """The widths that others may follow from: what goes out before what comes in, but for merged patches."""
        names = [name for name in (self.known if self.in_place else self.widths) if name != "channels"]
        return {name: self.widths[name] for name in (reversed(names) if word == MERGED else names)}

    def _derive(self, name: str, text: str, base: str, values: Vector) -> None:
        self.widths[name] = list(values)
        self.formulas[name] = text
        self.uses[base] += 1

    def number(self, name: str, values: Vector) -> str:
        """The expression of another number: itself where it is the same everywhere, or a parameter."""
        constant = self.constant(values)
        if isinstance(constant, Given):
            name = str(constant)
        elif constant is not None and (written(constant) == DEFAULTS.get(name) or not self._is_parameter(name, values)):
            return written(constant)
        for known, (there, width) in self.parameters.items():
            if not width and known.rstrip("0123456789") == name and _agree(there, values):
                _fill(there, values)
                return self._used(known)
        name = self._free(name)
        self.parameters[name] = (list(values), False)
        return self._used(name)

    def _is_parameter(self, name: str, values: Vector) -> bool:
        """Whether a number that differs elsewhere is what is asked for here."""
        return name in self.parameters and _agree(self.parameters[name][0], values)

    @staticmethod
    def constant(values: Vector) -> Value | None:
        """The value that all instances share, None where they differ."""
        there = {(type(value), value): value for value in values if value is not None}
        return next(iter(there.values())) if len(there) == 1 else None

    def condition(self, name: str, holds: Sequence[bool]) -> str:
        """An expression of other numbers that is true where ``holds`` is, or a parameter; empty where it always holds."""
        if all(holds):
            return ""
        terms: dict[str, list[bool]] = {}
        if "stride" in self.parameters:
            terms["stride != 1"] = [value not in (1, None) for value in self.parameters["stride"][0]]
        if len(self.known) == 2:
            one, other = (self.widths[known] for known in self.known)
            terms[f"{self.known[1]} != {self.known[0]}"] = [a != b for a, b in zip(one, other, strict=True)]
        both = [any(there) for there in zip(*terms.values(), strict=True)]
        candidates = {" or ".join(terms): both, **terms} if terms else {}
        for text, there in candidates.items():
            if there == list(holds):
                return self._mention(text)
            if there == [not value for value in holds]:
                return self._mention(text.replace("!=", "==").replace(" or ", " and "))
        return self.number(name, list(holds))

    def given(self) -> list[Parameter]:
        """The parameters in order: widths that are used, then what the modules asked for, drop path at the end."""
        found = []
        for name in reversed(self.known) if len(self.known) == 2 else self.known:
            if self.uses[name]:
                found.append(Parameter(name, "int", _full(self.widths[name]), width=True))
        for name, (values, width) in self.parameters.items():
            full = _full(values, DEFAULTS.get(name))
            found.append(Parameter(name, _type(name, full), full, width, DEFAULTS.get(name, "")))
        return sorted(found, key=lambda parameter: (parameter.name == "drop_path", bool(parameter.default)))

    def locals(self) -> list[str]:
        """The statements that give names to widths that follow from others."""
        return [f"{name} = {text}" for name, text in self.formulas.items() if name not in self.once]

    def used_once(self) -> frozenset[str]:
        """The names of formulas that are used a single time."""
        return frozenset(name for name in self.formulas if self.uses[name] == 1)

    def _used(self, name: str) -> str:
        self.uses[name] += 1
        return self.formulas.get(name, name) if self.in_place or name in self.once else name

    def _mention(self, text: str) -> str:
        for name in self.known:
            self.uses[name] += name in text.split()
        return text

    def _is_plain(self, values: Vector) -> bool:
        """Whether a constant stands in instances of different widths: it is no multiple of theirs."""
        if not self.known:
            return False
        own = {width for width, value in zip(self.widths[self.known[0]], values, strict=True) if value is not None}
        return len(own) > 1

    def _free(self, name: str) -> str:
        taken = {*self.widths, *self.parameters}
        return next(free for free in (name, *(f"{name}{index}" for index in range(2, 1000))) if free not in taken)


def _given(values: Vector) -> str:
    return next((str(value) for value in values if isinstance(value, Given)), "")


def _agree(one: Vector, other: Vector) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def _fill(known: list[Value | None], values: Vector) -> None:
    known[:] = [value if there is None else there for there, value in zip(known, values, strict=True)]


def _full(values: Vector, default: str | None = None) -> tuple[Value, ...]:
    """The values, with something for the instances that do not need one."""
    filler = 1 if default == "1" else next(value for value in values if value is not None)
    return tuple(filler if value is None else value for value in values)


def _type(name: str, values: tuple[Value, ...]) -> str:
    if isinstance(values[0], Given):
        return GIVEN_TYPES.get(name, "int")
    if isinstance(values[0], Code):
        return "type[nn.Module]"
    if isinstance(values[0], tuple):
        return "tuple[int, int]"
    return "float" if any(isinstance(value, float) for value in values) else type(values[0]).__name__
