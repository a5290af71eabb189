"""The numbers of a class: which of them are the same everywhere, which follow from others, and which the class has to be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import final

from convlab.exports.python.formulas import expansion, formula, multiple
from convlab.exports.python.nodes import Given, Value, written
from convlab.exports.python.vectors import DEFAULTS, Parameter, Vector, agree, constant, fill, parameter

HIDDEN, MERGED, IMAGE = "hidden", "merged", "channels"
"""Words for widths: inside a block, of patches side by side, and of the image."""


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
        self.given_widths: list[str] = []
        self.numbers: dict[str, list[Value | None]] = {}
        self.formulas: dict[str, str] = {}
        self.uses: Counter[str] = Counter()

    def width(self, values: Vector, word: str) -> str:
        """The expression of a width, which may follow from others; ``word`` is its name where it needs one."""
        if any(isinstance(value, Given) for value in values):
            return self.number(word, values)
        for name, known in self.widths.items():
            if agree(known, values):
                fill(known, values)
                return self._used(name)
        same = constant(values)
        if same is not None and self._is_plain(values):
            return written(same)
        name = self._free(word)
        if self.derives and self._derived(name, values, word):
            return self._used(name)
        if self.in_place and same is not None:
            return written(same)
        self.widths[name] = list(values)
        self.given_widths.append(name)
        return self._used(name)

    def number(self, name: str, values: Vector) -> str:
        """The expression of another number: itself where it is the same everywhere, or a parameter."""
        same = constant(values)
        if isinstance(same, Given):
            name = str(same)
        elif same is not None and not self._is_asked_for(name, values):
            return written(same)
        for known, there in self.numbers.items():
            if known.rstrip("0123456789") == name and agree(there, values):
                fill(there, values)
                return known
        if name in self.numbers and name == "dilation":
            return multiple(name, self.numbers[name], values) or self._asked_for(name, values)
        return self._asked_for(name, values)

    def _asked_for(self, name: str, values: Vector) -> str:
        name = self._free(name)
        self.numbers[name] = list(values)
        return name

    def condition(self, name: str, holds: Sequence[bool]) -> str:
        """An expression of other numbers that is true where ``holds`` is, or a parameter; empty where it always holds."""
        if all(holds):
            return ""
        terms: dict[str, list[bool]] = {}
        if "stride" in self.numbers:
            terms["stride != 1"] = [stride not in (1, None) for stride in self.numbers["stride"]]
        if {"width", "width_in"} <= self.widths.keys():
            pairs = zip(self.widths["width_in"], self.widths["width"], strict=True)
            terms["width_in != width"] = [one != other for one, other in pairs]
        if len(terms) == 2:
            both = [any(there) for there in zip(*terms.values(), strict=True)]
            terms = {" or ".join(terms): both, **terms}
        for text, there in terms.items():
            if there == list(holds):
                return self._mentioned(text)
            if there == [not value for value in holds]:
                return self._mentioned(text.replace("!=", "==").replace(" or ", " and "))
        return self.number(name, list(holds))

    def given(self) -> list[Parameter]:
        """The parameters in order: the incoming width and the outgoing one, what the modules asked for, what has defaults."""
        widths = [name for name in ("width_in", "width") if name in self.known and self.uses[name]]
        found = [parameter(name, self.widths[name], width=True) for name in (*widths, *self.given_widths)]
        found += [parameter(name, values) for name, values in self.numbers.items()]
        return sorted(found, key=lambda one: (one.name == "drop_path", bool(one.default)))

    def locals(self) -> list[str]:
        """The statements that give names to widths that follow from others."""
        return [f"{name} = {text}" for name, text in self.formulas.items() if name not in self.once]

    def used_once(self) -> frozenset[str]:
        """The names of formulas that are used a single time."""
        return frozenset(name for name in self.formulas if self.uses[name] == 1)

    def _derived(self, name: str, values: Vector, word: str) -> bool:
        """Whether a width follows from another; then it is known under its name from now on."""
        names = [base for base in self.widths if base in self.known or base.startswith(HIDDEN)]
        names = [base for base in (self.known if self.in_place else names) if base != IMAGE]
        bases = {base: self.widths[base] for base in (reversed(names) if word == MERGED else names)}
        found = formula(bases, values)
        if found is not None:
            self._derive(name, found.text, found.name, found.values)
            return True
        expanded = expansion(bases, values) if word == HIDDEN else None
        if expanded is not None and not self.in_place:
            factor = self.number("expansion", expanded.factors)
            self._derive(name, f"{factor} * {expanded.name}", expanded.name, values)
        return expanded is not None and not self.in_place

    def _derive(self, name: str, text: str, base: str, values: Vector) -> None:
        self.widths[name] = list(values)
        self.formulas[name] = text
        self.uses[base] += 1

    def _is_asked_for(self, name: str, values: Vector) -> bool:
        """Whether a number that is no default here, and differs elsewhere, is what is asked for here as well."""
        same = constant(values)
        usual = same is not None and written(same) == DEFAULTS.get(name)
        return not usual and name in self.numbers and agree(self.numbers[name], values)

    def _used(self, name: str) -> str:
        self.uses[name] += 1
        return self.formulas.get(name, name) if self.in_place or name in self.once else name

    def _mentioned(self, text: str) -> str:
        """A condition whose numbers are now used; a stride that it reads is 1 where nothing else is known."""
        for name in self.known:
            self.uses[name] += name in text.split()
        if "stride" in text:
            fill(self.numbers["stride"], [1] * len(self.numbers["stride"]))
        return text

    def _is_plain(self, values: Vector) -> bool:
        """Whether a width that never changes stands in instances of several widths: it is no multiple of theirs."""
        if not self.known:
            return False
        own = {width for width, value in zip(self.widths[self.known[0]], values, strict=True) if value is not None}
        return len(own) > 1

    def _free(self, name: str) -> str:
        taken = {*self.widths, *self.numbers}
        return next(free for free in (name, *(f"{name}{index}" for index in range(2, 1000))) if free not in taken)
