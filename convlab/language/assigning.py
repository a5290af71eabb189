"""Assigning: a table of values by knob, as a file, ``--set`` or a space gives them, put into a design; everything wrong is collected."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language.acceptance import accepted
from convlab.language.addresses import (
    PLURALS,
    SECTIONS,
    STAGE_SECTIONS,
    UNUSED,
    design_keys,
    stage_index,
    stage_keys,
    users,
)
from convlab.language.design import MAXIMUM_STAGES, Design, Stage
from convlab.language.faults import Fault, Faults, Path, counted
from convlab.language.knobs import Knob, Refused, changed, knobs_of
from convlab.language.layer_text import parse_layer
from convlab.language.shorthands import written_out


class Turned(NamedTuple):
    """A design with values put in, and what was refused (those knobs stay as they were)."""

    design: Design
    faults: tuple[Fault, ...]


def assign(design: Design, table: Mapping[str, Any]) -> Turned:
    """The design with a table of values put in: first what is said for all stages, then what is said for one."""
    assigning = _Assigning()
    faults = assigning.faults
    design, table, assigning.stages_known = written_out(design, table, faults)
    staged = assigning.staged(design, table)
    own = knobs_of(Design)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in own:
            assigning.put(values, own[key], value, (key,))
        elif key in SECTIONS or key == "stages":
            if not isinstance(value, dict):
                faults.not_a_table((key,), value)
        elif key not in PLURALS:
            faults.unknown((key,), "a design", design_keys())
    for section in ("image", "stem", "head"):
        if isinstance(table.get(section), dict):
            values[section] = assigning.section(getattr(design, section), table[section], (section,))
    stages = assigning.stages(staged, table)
    if assigning.stages_known:
        values["stages"] = stages
    return Turned(changed(design, values), tuple(faults.met))


class _Assigning:
    """One assignment in progress: the faults that were met, and whether the number of stages is known."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.stages_known = True

    def put(self, values: dict[str, Any], knob: Knob, value: Any, path: Path) -> None:
        """Let a knob take a value."""
        found = accepted(knob, value)
        if isinstance(found, Refused):
            self.faults.refused(path, found)
        elif knob.kind != "layers" or self._readable(found, path):
            values[knob.name] = found

    def _readable(self, branch: Any, path: Path) -> bool:
        before = len(self.faults.met)
        for index, item in enumerate(branch):
            if isinstance(item, tuple):
                self._readable(item, (*path, index))
                continue
            try:
                parse_layer(item)
            except ConvlabError as error:
                self.faults.add((*path, index), error.problems[0])
        return len(self.faults.met) == before

    def section(self, noun: Any, table: Mapping[str, Any], path: Path, used: frozenset[str] = frozenset()) -> Any:
        """A section with its table put in; a kind that changes gives its defaults first.

        A knob that the kind does not use is a fault, unless it is among those that another stage of the table has a use for.
        """
        name = type(noun).__name__.lower()
        knobs = knobs_of(type(noun))
        values: dict[str, Any] = {}
        unused = frozenset[str]()
        if "kind" in knobs:
            if "kind" in table:
                self.put(values, knobs["kind"], table["kind"], (*path, "kind"))
            if "kind" in values or "kind" not in table:
                kind = values.pop("kind", noun.kind)
                noun = noun if kind == noun.kind else type(noun).of(kind)
                unused = UNUSED.get((name, kind), unused)
        for key, value in table.items():
            if key == "kind" and "kind" in knobs:
                continue
            if key not in knobs:
                self.faults.unknown((*path, key), f"an {name}" if name == "image" else f"a {name}", tuple(knobs))
            elif key not in unused:
                self.put(values, knobs[key], value, (*path, key))
            elif key not in used:
                self.faults.unused((*path, key), name, noun.kind)
        if "branches" in knobs and ("branch" in values or "branches" in values):
            self._one_form(values, path)
        return changed(noun, values) if values else noun

    def _one_form(self, values: dict[str, Any], path: Path) -> None:
        """A custom block is written as one branch or as several; the later form takes the place of the earlier."""
        if values.get("branch") and values.get("branches"):
            problem = Problem("bad-layer", "branch and branches exclude each other", label="keep one of the two")
            self.faults.add((*path, "branches"), problem, "key")
        elif values.get("branch") or values.get("branches"):
            values.setdefault("branch", ())
            values.setdefault("branches", ())

    def staged(self, design: Design, table: Mapping[str, Any]) -> tuple[Stage, ...]:
        """As many stages as the lists of depths and widths say; where they are wrong, stages to check the rest by."""
        there = design.stages
        lengths = {key: len(table[key]) for key in ("depths", "widths") if isinstance(table.get(key), list | tuple)}
        if not there and self.stages_known:
            meant = {did_you_mean(str(key), ("depths", "widths")) for key in table if key not in design_keys()}
            missing = [key for key in ("depths", "widths") if key not in table]
            if told := [key for key in missing if f"did you mean {quote(key)}?" not in meant]:
                self.faults.missing(told)
            self.stages_known = not missing
        for key, length in lengths.items():
            if not 1 <= length <= MAXIMUM_STAGES:
                message, label = f"{key} has {counted(length, 'value')}", f"1 to {MAXIMUM_STAGES} stages"
                self.faults.add((key,), Problem("wrong-length", message, label=label))
                self.stages_known = False
        if self.stages_known and len(set(lengths.values())) > 1:
            message = f"widths has {counted(lengths['widths'], 'value')}, depths has {lengths['depths']}"
            self.faults.add(("widths",), Problem("wrong-length", message, label="one value a stage in both"))
            self.stages_known = False
        count = next(iter(lengths.values()), len(there) or 1)
        if there and len(there) != count and not {"depths", "widths"} <= set(table):
            return there  # told when the list is put in
        return _resized(there, min(max(1, count), MAXIMUM_STAGES))

    def stages(self, stages: tuple[Stage, ...], table: Mapping[str, Any]) -> tuple[Stage, ...]:
        """The stages with everything put in that the table says of them."""
        count = len(stages)
        changes: list[dict[str, Any]] = [{} for _ in stages]
        for plural, name in PLURALS.items():
            if plural in table:
                self._spread(table[plural], knobs_of(Stage)[name], (plural,), changes)
        tables: list[tuple[Path, Mapping[str, Any], list[int]]] = []
        for section in STAGE_SECTIONS:
            if isinstance(table.get(section), dict):
                tables.append(((), {section: table[section]}, list(range(count))))
        tables += self._stage_tables(table.get("stages", {}), count)
        parts = [{section: getattr(stage, section) for section in STAGE_SECTIONS} for stage in stages]
        for path, stage_table, chosen in tables:
            for key, value in stage_table.items():
                if key in STAGE_SECTIONS and isinstance(value, dict):
                    self._stage_section(value, (*path, key), chosen, parts)
                elif key in STAGE_SECTIONS:
                    self.faults.not_a_table((*path, key), value)
                elif key in stage_keys():
                    self._same(value, knobs_of(Stage)[key], (*path, key), [changes[index] for index in chosen])
                else:
                    self.faults.unknown((*path, key), "a stage", stage_keys())
        return tuple(
            stage
            if not (moved := change | {k: v for k, v in part.items() if v is not getattr(stage, k)})
            else changed(stage, moved)
            for stage, change, part in zip(stages, changes, parts, strict=True)
        )

    def _stage_section(
        self, table: Mapping[str, Any], path: Path, chosen: list[int], parts: list[dict[str, Any]]
    ) -> None:
        """A block's or downsampling's table for the chosen stages; lists hold a value for each of them."""
        section = str(path[-1])
        knobs = knobs_of(SECTIONS[section])
        listed = {
            name: self._items(value, len(chosen), (*path, name))
            for name, value in table.items()
            if isinstance(value, list | tuple) and name in knobs and knobs[name].kind not in ("choices", "layers")
        }
        plain = {name: value for name, value in table.items() if name not in listed}
        kinds = (
            listed["kind"] if "kind" in listed else (table.get("kind", parts[index][section].kind) for index in chosen)
        )
        used = _used(section, frozenset(map(str, kinds)))
        done: dict[tuple[Any, ...], Any] = {}
        for order, index in enumerate(chosen):
            here = plain | {name: items[order] for name, items in listed.items() if items}
            group = (parts[index][section], *(repr(items[order]) for items in listed.values() if items))
            if group not in done:
                start = len(self.faults.met)
                done[group] = self.section(parts[index][section], here, path, used)
                self._pointed(start, listed, path, order)
            parts[index][section] = done[group]

    def _pointed(self, start: int, listed: Mapping[str, Any], path: Path, order: int) -> None:
        """Let faults of listed values point at the item, and say what is equally wrong in all stages once."""
        met = self.faults.met
        fresh, met[start:] = met[start:], []
        told = {fault.path for fault in met}
        for fault in fresh:
            if fault.path[:-1] == path and fault.path[-1] in listed and fault.of == "value":
                met.append(fault._replace(path=(*fault.path, order)))
            elif fault.path not in told:
                met.append(fault)

    def _items(self, value: Any, count: int, path: Path) -> tuple[Any, ...]:
        if len(value) == count:
            return tuple(value)
        if self.stages_known:
            self.faults.wrong_count(path, len(value), count)
        return ()

    def _spread(self, value: Any, knob: Knob, path: Path, changes: list[dict[str, Any]]) -> None:
        """A macro knob: one value for all stages, or a list of one a stage."""
        if not isinstance(value, list | tuple):
            self._same(value, knob, path, changes)
            return
        for index, item in enumerate(
            self._items(value, len(changes), path) or (() if self.stages_known else value[:MAXIMUM_STAGES])
        ):
            self.put(changes[min(index, len(changes) - 1)], knob, item, (*path, index))

    def _same(self, value: Any, knob: Knob, path: Path, changes: list[dict[str, Any]]) -> None:
        found: dict[str, Any] = {}
        self.put(found, knob, value, path)
        for change in changes:
            change.update(found)

    def _stage_tables(self, table: Any, count: int) -> list[tuple[Path, Mapping[str, Any], list[int]]]:
        """The tables of single stages, those for all stages first."""
        found: list[tuple[Path, Mapping[str, Any], list[int]]] = []
        if not isinstance(table, dict):
            return found  # told by the caller
        for key, value in table.items():
            path = ("stages", key)
            index = stage_index(str(key), count)
            if not isinstance(value, dict):
                self.faults.not_a_table(path, value)
            elif key == "*":
                found.insert(0, (path, value, list(range(count))))
            elif index is not None:
                found.append((path, value, [index]))
            elif not self.stages_known:
                found.append((path, value, [0]))
            else:
                self.faults.no_stage(path, count)
        return found


@cache
def _used(section: str, kinds: frozenset[str]) -> frozenset[str]:
    """The knobs of a section that at least one of the kinds uses, where they are several."""
    if len(kinds) < 2:
        return frozenset()
    return frozenset(knob for knob in knobs_of(SECTIONS[section]) if not kinds.isdisjoint(users(section, knob)))


def _resized(stages: tuple[Stage, ...], count: int) -> tuple[Stage, ...]:
    """The first stages, or more like the last one; the second stage halves the resolution, and so do those after it."""
    if len(stages) == count:
        return stages
    stages = stages[:count] or (Stage(),)
    while len(stages) < count:
        last = stages[-1]
        stages = (*stages, changed(last, {"stride": 2 if len(stages) == 1 else last.stride}))
    return stages
