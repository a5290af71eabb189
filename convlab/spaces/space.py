"""A space: a design, what varies (by knob path), rules between the stages and limits on costs. It is counted and numbered exactly."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

from convlab import display
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, get
from convlab.language.assigning import Turned, assign
from convlab.language.design import Design
from convlab.language.knobs import knobs_of
from convlab.spaces.factors import Factor
from convlab.spaces.limits import Limit


@final
@dataclass(frozen=True, repr=False)
class Space:
    """A set of designs: ``size`` of them before limits, ``space[index]`` one of them, ``space.index(design)`` its number.

    A member may be invalid (groups that do not divide, a map that vanishes); validation and populations tell.
    """

    name: str
    base: Design
    factors: tuple[Factor, ...]
    limits: tuple[Limit, ...] = ()

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    def __repr__(self) -> str:
        return f"<Space {self.name}: {self.size:,} designs over {', '.join(self.paths)}>"

    @cached_property
    def size(self) -> int:
        """How many members there are, exactly, before limits are looked at."""
        return math.prod(factor.size for factor in self.factors)

    @property
    def paths(self) -> tuple[str, ...]:
        """The knobs that vary."""
        return tuple(path for factor in self.factors for path in factor.paths)

    def numbers(self, index: int) -> tuple[int, ...]:
        """The way of each factor that an index stands for; the last factor varies fastest."""
        found = []
        for factor in reversed(self.factors):
            index, number = divmod(index, factor.size)
            found.append(number)
        return tuple(reversed(found))

    def values(self, index: int) -> dict[str, Any]:
        """The varied knobs of a member."""
        found: dict[str, Any] = {}
        for factor, number in zip(self.factors, self.numbers(index), strict=True):
            found.update(zip(factor.paths, factor.values(number), strict=True))
        return found

    def __getitem__(self, index: int) -> Design:
        if not -self.size <= index < self.size:
            raise IndexError(f"the space has {self.size} members, there is no number {index}")
        turned = put(self.base, self.values(index % self.size))
        if turned.faults:
            raise ConvlabError(*(fault.problem for fault in turned.faults))
        return dataclasses.replace(turned.design, name=f"{self.name}-{index % self.size}")

    def __iter__(self) -> Iterator[Design]:
        return (self[index] for index in range(self.size))

    def index(self, design: Design) -> int:
        """The number of a member. Raises ConvlabError where the design is not one."""
        if len(design.stages) != len(self.base.stages):
            raise _not_a_member("depths", design)
        index = 0
        for factor in self.factors:
            try:
                number = factor.number(tuple(get(design, path) for path in factor.paths))
            except ValueError:
                raise _not_a_member(factor.paths[0], design, factor.paths) from None
            index = index * factor.size + number
        member = self[index]
        if member != design:
            raise _not_a_member(next(path for path in _knob_paths() if get(member, path) != get(design, path)), design)
        return index


def put(base: Design, values: Mapping[str, Any]) -> Turned:
    """The base with values put in by knob path: first the kinds, which set the other knobs to their defaults, then the rest."""
    kinds = {path: value for path, value in values.items() if path.endswith(".kind")}
    if not kinds:
        return assign(base, nested(values))
    first = assign(base, nested(kinds))
    then = assign(first.design, nested({path: value for path, value in values.items() if path not in kinds}))
    return Turned(then.design, first.faults + then.faults)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by knob path as the nested table that a file would hold."""
    table: dict[str, Any] = {}
    for path, value in values.items():
        *parts, last = path.split(".")
        inner = table
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return table


def _not_a_member(path: str, design: Design, together: tuple[str, ...] = ()) -> ConvlabError:
    values = [get(design, item) for item in together or (path,)]
    what = path if len(values) == 1 else f"{path} to {together[-1]}"
    value = quote(values[0] if len(values) == 1 else values)
    message = f"the design is no member of the space: {what} = {value} is not among its choices"
    return ConvlabError(Problem("not-a-member", message, help="convlab space count shows what varies", path=path))


def _knob_paths() -> Iterator[str]:
    """The path of every knob, one for all stages where there is one a stage."""
    yield from PLURALS
    yield from knobs_of(Design)
    for section, noun in SECTIONS.items():
        prefix = f"stages.*.{section}" if section in STAGE_SECTIONS else section
        yield from (f"{prefix}.{name}" for name in knobs_of(noun))
