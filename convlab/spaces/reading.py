"""Space files: what varies, the rules and the limits are read, every error at its place."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from convlab.errors import ConvlabError, Place, Problem, did_you_mean, quote
from convlab.language.acceptance import accepted
from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, stage_index, suggestion
from convlab.language.design import Design, Stage
from convlab.language.files import SPACE_KEYS, resolve, settings, sources
from convlab.language.knobs import Knob, Refused, knobs_of
from convlab.language.places import Source
from convlab.spaces.domains import Objection, domain
from convlab.spaces.factors import ORDERS, RULES, Choice, Factor, Joint, Monotone
from convlab.spaces.limits import Limit, limit
from convlab.spaces.quantized_linear import quantized_linear
from convlab.spaces.space import Space, put


def load_space(source: str | os.PathLike[str], *, sets: Sequence[str] = ()) -> Space:
    """The space of a file or of a preset's name. A design is a space with nothing to vary. Raises ConvlabError."""
    chain = [*sources(source), *settings(sets)]
    plain = [{key: value for key, value in item.data.items() if key not in SPACE_KEYS} for item in chain]
    design = resolve([dataclasses.replace(item, data=data) for item, data in zip(chain, plain, strict=True)])
    reading = _Reading(chain, design)
    factors, limits = reading.factors(), reading.limits()
    if reading.problems:
        raise ConvlabError(*reading.problems)
    name = Path(source).name.removesuffix(".toml")
    return Space(name, dataclasses.replace(design, name=name), factors, limits)


class _Leaf(NamedTuple):
    """One entry of a table: where it is written, the path that it speaks of, and what it says."""

    source: Source
    keys: tuple[str, ...]
    path: str
    value: Any


class _Address(NamedTuple):
    """A knob that varies, and the path of each value that it holds; ``each`` says whether that is one a stage."""

    knob: Knob
    paths: tuple[str, ...]
    each: bool


class _Reading:
    """A space that is being read: the problems that were met."""

    def __init__(self, chain: Sequence[Source], design: Design) -> None:
        self.chain = chain
        self.design = design
        self.problems: list[Problem] = []

    def factors(self) -> tuple[Factor, ...]:
        """What varies."""
        rules = {}
        for rule in self._leaves("rules"):
            address = self._address(rule)
            if address is not None:
                rules[address.paths] = rule
        found: list[Factor] = []
        used: dict[str, _Leaf] = {}
        for leaf in self._leaves("vary"):
            address = self._address(leaf)
            if address is not None:
                factors = self._factors(leaf, address, rules.pop(address.paths, None))
                found += factors
                self._once([path for factor in factors for path in factor.paths], leaf, used)
        for rule in rules.values():
            message = f"{rule.path} has a rule but does not vary"
            self._problem(
                rule, Objection(Refused("bad-space", message, help="rules speak of what is in [vary]"), (), "key")
            )
        if not self.problems:
            self._all_used(found, used)
        return tuple(found)

    def limits(self) -> tuple[Limit, ...]:
        """What must hold."""
        found = []
        for leaf in self._leaves("limits"):
            read = limit(leaf.path, leaf.value)
            if isinstance(read, Objection):
                self._problem(leaf, read)
            else:
                found.append(read)
        return tuple(found)

    def _leaves(self, table: str) -> list[_Leaf]:
        """The entries of a table by path; an entry of a later source takes the place of an earlier one."""
        found: dict[str, _Leaf] = {}
        for source in self.chain:
            written = source.data.get(table, {})
            if not isinstance(written, Mapping):
                refused = Refused("wrong-type", f"{table} is a table, not {quote(written)}", help=_HELP[table])
                self._problem(_Leaf(source, (table,), table, written), Objection(refused))
                continue
            for keys, value in _entries(written) if table != "limits" else (((key,), written[key]) for key in written):
                leaf = _Leaf(source, (table, *keys), ".".join(keys), value)
                if leaf.path in found and found[leaf.path].source is source:
                    self._twice(leaf.path, leaf)
                found[leaf.path] = leaf
        return list(found.values())

    def _address(self, leaf: _Leaf) -> _Address | None:
        """The knob that an entry speaks of."""
        found = _knob(leaf.path)
        if found is None:
            refused = Refused("unknown-key", f"there is no knob {quote(leaf.path)}", _suggestion(leaf.path))
            self._problem(
                leaf, Objection(refused._replace(help="a knob path looks like stages.2.depth or block.norm"), (), "key")
            )
            return None
        knob, parts = found
        count = len(self.design.stages)
        if parts[0] != "stages":
            return _Address(knob, (leaf.path,), False)
        rest = ".".join(parts[2:])
        if parts[1] == "*":
            return _Address(knob, tuple(f"stages.{index}.{rest}" for index in range(count)), True)
        index = stage_index(parts[1], count)
        if index is None:
            label = f"stages are 0 to {count - 1}, or -1 from the end, or *"
            refused = Refused("out-of-range", f"there is no stage {quote(parts[1])}", label)
            self._problem(leaf, Objection(refused, (), "key"))
            return None
        return _Address(knob, (f"stages.{index}.{rest}",), False)

    def _factors(self, leaf: _Leaf, address: _Address, rule: _Leaf | None) -> list[Factor]:
        """What an entry varies: one factor, or one a stage."""
        together = self._together(leaf, address)
        if together is not None and rule is not None:
            refused = Refused("bad-space", f"{leaf.path} varies as a whole, so it takes no rule")
            self._problem(
                rule, Objection(refused._replace(help="leave out the rule, or the choices that break it"), (), "key")
            )
        if together is None:
            choices = domain(address.knob, leaf.value)
            if not isinstance(choices, Objection):
                return self._ruled(leaf, address._replace(), choices, rule)
            together = choices
        if isinstance(together, Objection):
            self._problem(leaf, together)
            return []
        return [together]

    def _together(self, leaf: _Leaf, address: _Address) -> Joint | Objection | None:
        """The factor of an entry that says the values of all stages at once; None where it says those of one."""
        value = leaf.value
        if not address.each:
            return None
        if isinstance(value, Mapping) and set(value) == {"quantized_linear"} and address.knob.name == "width":
            found = quantized_linear(value["quantized_linear"], self.design.depths)
            return found._replace(at=("quantized_linear", *found.at)) if isinstance(found, Objection) else found
        listed = isinstance(value, list) and any(isinstance(item, list) for item in value)
        return _lists(leaf.path, address, value) if listed and address.knob.kind not in ("choices", "layers") else None

    def _ruled(self, leaf: _Leaf, address: _Address, choices: tuple[Any, ...], rule: _Leaf | None) -> list[Factor]:
        """The factors of a knob with a value a stage, all of the same choices, under a rule."""
        if rule is None:
            return [Choice((path,), choices) for path in address.paths]
        if rule.value not in RULES or not address.each:
            label = did_you_mean(rule.value, RULES) if isinstance(rule.value, str) and address.each else ""
            message = f"{quote(rule.value)} is no rule for {leaf.path}"
            help = f"rules of a knob with a value a stage: {', '.join(RULES)}"
            self._problem(rule, Objection(Refused("bad-space", message, label, help)))
            return []
        if rule.value == "equal":
            return [Choice(address.paths, choices)]
        if not all(isinstance(choice, int | float) for choice in choices):
            message = f"{leaf.path} has no order: not all of its choices are numbers"
            self._problem(rule, Objection(Refused("bad-space", message, help='the rule "equal" goes with any choices')))
            return []
        factor = Monotone(address.paths, tuple(sorted(choices)), *ORDERS[rule.value])
        if factor.size == 0:
            message = f"{len(choices)} choices of {leaf.path} cannot be {rule.value} over {len(address.paths)} stages"
            self._problem(leaf, Objection(Refused("empty-space", message, help="more choices, or another rule")))
            return []
        return [factor]

    def _once(self, paths: list[str], leaf: _Leaf, used: dict[str, _Leaf]) -> None:
        """Note which knobs of which stages an entry sets; none of them may be set by another one."""
        stages = range(len(self.design.stages))
        for path in paths:
            spread = path.split(".")[0] in STAGE_SECTIONS
            for one in [f"stages.{index}.{path}" for index in stages] if spread else [path]:
                if one in used:
                    self._twice(one, leaf)
                    return
                used[one] = leaf

    def _twice(self, path: str, leaf: _Leaf) -> None:
        refused = Refused("bad-space", f"{path} varies twice", help="say each knob once, for all stages or for one")
        self._problem(leaf, Objection(refused, (), "key"))

    def _all_used(self, factors: list[Factor], used: dict[str, _Leaf]) -> None:
        """Refuse knobs that the kinds of the design do not use, unless it is the kinds that vary."""
        if any(path.endswith(".kind") for path in used):
            return
        told = set()
        for factor in factors:
            for fault in put(self.design, dict(zip(factor.paths, factor.values(0), strict=True))).faults:
                leaf = used.get(factor.paths[0]) or used[f"stages.0.{factor.paths[0]}"]
                if leaf.path not in told:
                    told.add(leaf.path)
                    problem = fault.problem
                    self._problem(
                        leaf, Objection(Refused(problem.code, problem.message, problem.label, problem.help), (), "key")
                    )

    def _problem(self, leaf: _Leaf, objection: Objection) -> None:
        """Note an objection at its place, or the nearest part of it that was written."""
        refused, keys = objection.refused, [*leaf.keys, *objection.at]
        place: Place | None = leaf.source.place(keys, objection.of)
        while place is None and keys:
            keys.pop()
            place = leaf.source.place(keys)
        place = place or leaf.source.whole
        self.problems.append(Problem(refused.code, refused.message, place, refused.label, refused.help, leaf.path))


_HELP = {
    "vary": 'write [vary] and below it "block.kernel_size" = [3, 5, 7]',
    "rules": 'write [rules] and below it widths = "nondecreasing"',
    "limits": "write [limits] and below it macs = { low = 4.0e9, high = 4.5e9 }",
}


def _lists(path: str, address: _Address, value: list[Any]) -> Joint | Objection:
    """Whole lists as choices: one value a stage each."""
    rows: list[tuple[Any, ...]] = []
    for index, item in enumerate(value):
        if not isinstance(item, list) or len(item) != len(address.paths):
            message = f"each choice of {path} is a list of {len(address.paths)} values"
            return Objection(Refused("wrong-length", message, help="one value a stage"), (index,))
        row = tuple(accepted(address.knob, one) for one in item)
        for place, one in enumerate(row):
            if isinstance(one, Refused):
                return Objection(one, (index, place, *one.item))
        if row in rows:
            return Objection(Refused("bad-space", f"{path} names a list twice", help="keep one of the two"), (index,))
        rows.append(row)
    return Joint(address.paths, tuple(rows))


def _entries(table: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The keys and the value of every entry; a path may be quoted whole, or written as tables."""
    for key, value in table.items():
        keys = (*before, key)
        if isinstance(value, Mapping) and value and _knob(".".join(keys)) is None:
            yield from _entries(value, keys)
        else:
            yield keys, value


def _knob(path: str) -> tuple[Knob, list[str]] | None:
    """The knob of a path, and the path's parts; None where there is no such knob. Whether the stage exists is not looked at."""
    parts = ["stages", "*", PLURALS[path]] if path in PLURALS else path.split(".")
    home, sections = (Stage, STAGE_SECTIONS) if parts[0] == "stages" else (Design, tuple(SECTIONS))
    match parts[2:] if parts[0] == "stages" else parts:
        case [name]:
            knob = knobs_of(home).get(name)
        case [section, name] if section in sections:
            knob = knobs_of(SECTIONS[section]).get(name)
        case _:
            knob = None
    return None if knob is None else (knob, parts)


def _suggestion(path: str) -> str:
    """'did you mean "block.norm"?' for a path that is none."""
    if "." not in path:
        return suggestion(path, (*PLURALS, *knobs_of(Design), *SECTIONS)) if path not in SECTIONS else ""
    paths = [f"stages.*.{name}" for name in knobs_of(Stage)]
    for section, noun in SECTIONS.items():
        for name in knobs_of(noun):
            paths += [f"{section}.{name}", *[f"stages.*.{section}.{name}"] * (section in STAGE_SECTIONS)]
    return did_you_mean(path, paths)
