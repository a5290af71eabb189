"""A space: a design, what varies (by knob path), rules between the stages and limits on costs. It is counted and numbered exactly."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from convlab.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, get
from convlab.design import Design
from convlab.domains import domain
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.factors import ORDERS, RULES, Choice, Factor, Joint, Monotone
from convlab.files import SPACE_KEYS, resolve, settings, sources
from convlab.knobs import Knob, Refused, knobs_of
from convlab.metrics import METRICS
from convlab.places import Source
from convlab.quantized_linear import quantized_linear
from convlab.turning import assign

LIMITED = (*METRICS, "training_macs", "peak_bytes")
"""What a limit can be put on."""


@dataclass(frozen=True)
class Limit:
    """Bounds of a metric; None is no bound."""

    metric: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Space:
    """A set of designs: ``size`` of them before limits, ``space[index]`` one of them, ``space.index(design)`` its number."""

    name: str
    base: Design
    factors: tuple[Factor, ...]
    limits: tuple[Limit, ...] = ()

    @cached_property
    def size(self) -> int:
        """How many members there are, exactly, before limits are looked at."""
        size = 1
        for factor in self.factors:
            size *= factor.size
        return size

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
        turned = assign(self.base, nested(self.values(index % self.size)))
        if turned.faults:
            raise ConvlabError(*(fault.problem for fault in turned.faults))
        return dataclasses.replace(turned.design, name=f"{self.name}-{index % self.size}")

    def __iter__(self) -> Iterator[Design]:
        return (self[index] for index in range(self.size))

    def index(self, design: Design) -> int:
        """The number of a member. Raises ConvlabError where the design is not one."""
        index = 0
        for factor in self.factors:
            try:
                number = factor.number(tuple(get(design, path) for path in factor.paths))
            except ValueError as error:
                message = f"the design is not a member: {factor.paths[0]} is {quote(error.args[0])}"
                raise ConvlabError(Problem("not-a-member", message, path=factor.paths[0])) from None
            index = index * factor.size + number
        if self[index] != design:
            raise ConvlabError(
                Problem("not-a-member", "the design differs from the space's members in a knob that does not vary")
            )
        return index


def load_space(source: str | os.PathLike[str], *, sets: Sequence[str] = ()) -> Space:
    """The space of a file or of a preset's name. A design is a space with nothing to vary. Raises ConvlabError."""
    chain = sources(source)
    last = chain[-1]
    tables = {key: last.data.get(key, {}) for key in SPACE_KEYS}
    plain = [
        dataclasses.replace(item, data={k: v for k, v in item.data.items() if k not in SPACE_KEYS}) for item in chain
    ]
    design = resolve([*plain, *settings(sets)])
    for key, table in tables.items():
        if not isinstance(table, Mapping):
            raise ConvlabError(Problem("wrong-type", f"{key} is a table", last.place((key,)), path=key))
    reading = _Reading(last, design)
    factors = reading.factors(tables["vary"], tables["rules"])
    limits = reading.limits(tables["limits"])
    if reading.problems:
        raise ConvlabError(*reading.problems)
    name = Path(source).name.removesuffix(".toml")
    return Space(name, dataclasses.replace(design, name=name), factors, limits)


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


class _Reading:
    """A space that is being read: the problems that were met, each at its place in the file."""

    def __init__(self, source: Source, design: Design) -> None:
        self.source = source
        self.design = design
        self.problems: list[Problem] = []

    def problem(self, path: Sequence[str | int], refused: Refused, of: str = "value") -> None:
        place = self.source.place(path, of) or self.source.place(path[:1])
        dotted = ".".join(map(str, path[1:]))
        self.problems.append(Problem(refused.code, refused.message, place, refused.label, refused.help, dotted))

    def factors(self, vary: Mapping[str, Any], rules: Mapping[str, Any]) -> tuple[Factor, ...]:
        found: list[Factor] = []
        written = dict(_leaves(vary))
        for path in rules:
            if path not in written and PLURALS.get(path, path) not in written:
                self.problem(
                    ("rules", path),
                    Refused("bad-space", f"the rule's {path} does not vary", help="rules speak of [vary]"),
                    "key",
                )
        for path, value in written.items():
            found += self._factor(path, value, rules)
        paths = [path for factor in found for path in self._expanded(factor.paths)]
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice is not None:
            self.problem(
                ("vary",),
                Refused("bad-space", f"{twice} varies twice", help="say each knob once, for all stages or for one"),
                "key",
            )
        return tuple(found)

    def _expanded(self, paths: tuple[str, ...]) -> list[str]:
        found = []
        for path in paths:
            stages = range(len(self.design.stages)) if path.split(".")[0] in STAGE_SECTIONS else ()
            found += [f"stages.{index}.{path}" for index in stages] or [path]
        return found

    def _factor(self, path: str, value: Any, rules: Mapping[str, Any]) -> list[Factor]:
        where = ("vary", *path.split(".")) if self.source.place(("vary", path)) is None else ("vary", path)
        knob, paths = self._knob(path)
        if knob is None:
            self.problem(
                where, Refused("unknown-key", f"there is no knob {quote(path)}", did_you_mean(path, _words())), "key"
            )
            return []
        if isinstance(value, Mapping) and set(value) == {"quantized_linear"} and path == "widths":
            joint = quantized_linear(value["quantized_linear"], self.design.depths)
            if isinstance(joint, Joint):
                return [joint]
            self.problem(where, joint)
            return []
        if path in PLURALS and isinstance(value, list) and any(isinstance(item, list) for item in value):
            return self._lists(path, knob, value, where, paths)
        choices = domain(knob, value)
        if isinstance(choices, Refused):
            self.problem(where, choices)
            return []
        rule = rules.get(path)
        if rule is None:
            return [Choice((one,), choices) for one in paths]
        if rule not in RULES or len(paths) == 1:
            label = did_you_mean(rule, RULES) if isinstance(rule, str) else ""
            help = f"rules of a knob with a value a stage: {', '.join(RULES)}"
            self.problem(("rules", path), Refused("bad-space", f"{quote(rule)} is no rule for {path}", label, help))
            return []
        if rule == "equal":
            return [Choice(tuple(paths), choices)]
        factor = Monotone(tuple(paths), tuple(sorted(choices)), *ORDERS[rule])
        if factor.size == 0:
            self.problem(where, Refused("empty-space", f"no choice of {path} is {rule} over {len(paths)} stages"))
            return []
        return [factor]

    def _lists(self, path: str, knob: Knob, value: list[Any], where: Sequence[str], paths: list[str]) -> list[Factor]:
        """Whole lists as choices: one value a stage each."""
        rows = []
        for index, item in enumerate(value):
            if not isinstance(item, list) or len(item) != len(paths):
                self.problem(
                    (*where, index), Refused("wrong-length", f"{path} needs {len(paths)} values", help="one a stage")
                )
                return []
            row = domain(knob, sorted(set(item), key=repr))
            if isinstance(row, Refused):
                self.problem((*where, index), row)
                return []
            rows.append(tuple(item))
        if len(set(rows)) != len(rows):
            self.problem(where, Refused("bad-space", f"{path} names a list twice"))
        return [Joint(tuple(paths), tuple(rows))]

    def _knob(self, path: str) -> tuple[Knob | None, list[str]]:
        """The knob of a path, and the path of each value that it holds; a path of all stages holds one a stage."""
        parts = path.split(".")
        count = len(self.design.stages)
        if path in PLURALS:
            parts = ["stages", "*", PLURALS[path]]
        paths = [".".join(parts)]
        if len(parts) >= 3 and parts[0] == "stages" and parts[1] == "*":
            paths = [".".join(["stages", str(index), *parts[2:]]) for index in range(count)]
        probe = [part for part in parts if part not in ("stages", "*") and not part.removeprefix("-").isdigit()]
        if parts[0] == "stages" and len(parts) > 2 and parts[1] != "*":
            index = parts[1].removeprefix("-")
            if not index.isdigit() or int(index) >= count + parts[1].startswith("-"):
                return None, []
            paths = [".".join(["stages", str(int(parts[1]) % count), *parts[2:]])]
        return _KNOBS.get((parts[0] == "stages", *probe)), paths

    def limits(self, table: Mapping[str, Any]) -> tuple[Limit, ...]:
        found = []
        for metric, bounds in table.items():
            if metric not in LIMITED:
                label = did_you_mean(metric, LIMITED)
                self.problem(
                    ("limits", metric),
                    Refused(
                        "unknown-key", f"there is no metric {quote(metric)}", label, f"metrics: {', '.join(LIMITED)}"
                    ),
                    "key",
                )
            elif not isinstance(bounds, Mapping) or not bounds or set(bounds) - {"low", "high"}:
                self.problem(
                    ("limits", metric),
                    Refused("wrong-type", f"the limit of {metric} is a table", help="{ low = 4.0e9, high = 4.5e9 }"),
                )
            elif not all(type(bound) in (int, float) and bound == bound for bound in bounds.values()):
                self.problem(("limits", metric), Refused("wrong-type", f"the limit of {metric} needs numbers"))
            else:
                found.append(Limit(metric, bounds.get("low"), bounds.get("high")))
        return tuple(found)


def _knob_table() -> dict[tuple[Any, ...], Knob]:
    """Every knob by where it stands: whether in a stage, the section's name, the knob's."""
    from convlab.design import Stage

    found: dict[tuple[Any, ...], Knob] = {(False, name): knob for name, knob in knobs_of(Design).items()}
    found |= {(True, name): knob for name, knob in knobs_of(Stage).items()}
    for section, noun in SECTIONS.items():
        for name, knob in knobs_of(noun).items():
            found[(False, section, name)] = knob
            if section in STAGE_SECTIONS:
                found[(True, section, name)] = knob
    return found


_KNOBS = _knob_table()


def _words() -> tuple[str, ...]:
    return (*PLURALS, *(".".join(("stages.*", *key[1:]) if key[0] else key[1:]) for key in _KNOBS))


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What varies, by knob path; paths may be quoted whole or written as tables. A table that says a range is a leaf."""
    for key, value in table.items():
        path = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping) and not {"low", "high", "quantized_linear"} & set(value) and value:
            yield from _leaves(value, path)
        else:
            yield path, value
