"""Turning knobs: values by knob path, as a file, ``--set`` or a face gives them, put into a design; everything wrong is collected."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from convlab import blocks
from convlab.blocks import Block
from convlab.design import MAXIMUM_STAGES, Design, Image, Stage
from convlab.downsample import Downsample
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.head import Head
from convlab.knobs import Knob, Refused, accepted, changed, knobs_of
from convlab.layer_text import parse_layer
from convlab.stem import Stem

PLURALS = {"depths": "depth", "widths": "width", "strides": "stride", "dilations": "dilation"}
"""Macro knobs that hold a value a stage, and the stage's own name for it."""

SECTIONS: dict[str, type] = {"image": Image, "stem": Stem, "block": Block, "downsample": Downsample, "head": Head}
STAGE_SECTIONS = ("block", "downsample")

UNUSED: dict[tuple[str, str], frozenset[str]] = {
    ("stem", "patchify"): frozenset({"kernel_size", "stride", "layers", "pool"}),
    ("stem", "conv"): frozenset({"patch_size", "layers"}),
    ("stem", "overlap"): frozenset({"patch_size", "layers", "pool"}),
    ("stem", "deep"): frozenset({"patch_size"}),
    ("downsample", "in_block"): frozenset({"kernel_size", "norm", "bias"}),
    ("block", "custom"): frozenset(
        {
            "order",
            "expansion_ratio",
            "expansion_of",
            "kernel_size",
            "groups",
            "group_width",
            "norm_after",
            "activation_after",
        }
        | {"squeeze_ratio", "squeeze_of", "squeeze_after", "grn", "stride_at"}
    ),
} | {("block", kind): frozenset({"branch", "branches"}) for kind in blocks.KINDS if kind != "custom"}
"""Knobs that mean nothing for a kind; writing one there is a mistake that is told."""

Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """Something wrong at a path of what was given, before anybody knows in which file and line that is."""

    path: Path
    problem: Problem
    of: str = "value"


class Turned(NamedTuple):
    """A design with values put in, and what was refused (those knobs stay as they were)."""

    design: Design
    faults: tuple[Fault, ...]


def turn(design: Design, path: str, value: Any) -> Design:
    """The design with one knob turned, by its path ("stages.2.block.kernel_size"). Raises ConvlabError; checks no other knob."""
    table: Any = value
    for part in reversed(path.split(".")):
        table = {part: table}
    turned = assign(design, table)
    if turned.faults:
        raise ConvlabError(*(fault.problem for fault in turned.faults))
    return turned.design


def assign(design: Design, table: Mapping[str, Any]) -> Turned:
    """The design with a table of values put in: first what is said for all stages, then what is said for one."""
    assigning = _Assigning()
    design = assigning.stages_counted(design, table)
    own = knobs_of(Design)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in own:
            assigning.put(values, own[key], value, (key,))
        elif key in SECTIONS or key == "stages":
            if not isinstance(value, dict):
                assigning.fault(
                    (key,), "wrong-type", f"{key} is a table", help=f"write it as [{key}], or {key}.KNOB = VALUE"
                )
        elif key not in PLURALS:
            words = (*own, *PLURALS, *SECTIONS, "stages", "base", "format")
            assigning.unknown((key,), "a design", words)
    for section in ("image", "stem", "head"):
        if isinstance(table.get(section), dict):
            values[section] = assigning.section(getattr(design, section), table[section], (section,))
    if design.stages:
        values["stages"] = assigning.stages(design.stages, table)
    return Turned(changed(design, values), tuple(assigning.faults))


class _Assigning:
    """One assignment in progress: the faults that were met."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: Path, code: str, message: str, *, label: str = "", help: str = "", of: str = "value") -> None:
        dotted = ".".join(str(part) for part in path)
        self.faults.append(Fault(path, Problem(code, message, label=label, help=help, path=dotted), of))

    def unknown(self, path: Path, where: str, words: tuple[str, ...]) -> None:
        listed = f"knobs: {', '.join(sorted(words))}"
        key = str(path[-1])
        self.fault(
            path,
            "unknown-key",
            f"{where} has no knob {quote(key)}",
            label=did_you_mean(key, words),
            help=listed,
            of="key",
        )

    def put(self, values: dict[str, Any], knob: Knob, value: Any, path: Path) -> None:
        found = accepted(knob, value)
        if isinstance(found, Refused):
            self.fault(path, found.code, found.message, label=found.label, help=found.help)
        elif knob.kind != "layers" or self._readable(found, path):
            values[knob.name] = found

    def _readable(self, branch: Any, path: Path) -> bool:
        before = len(self.faults)
        for index, item in enumerate(branch):
            texts = enumerate(item) if isinstance(item, tuple) else None
            for inner, text in texts or ((None, item),):
                try:
                    parse_layer(text)
                except ConvlabError as error:
                    where = (*path, index) if inner is None else (*path, index, inner)
                    dotted = ".".join(map(str, where))
                    self.faults.append(Fault(where, dataclasses.replace(error.problems[0], path=dotted)))
        return len(self.faults) == before

    def section(self, noun: Any, table: Mapping[str, Any], path: Path) -> Any:
        """A section with its table put in; a kind that changes gives its defaults first."""
        name = type(noun).__name__.lower()
        knobs = knobs_of(type(noun))
        values: dict[str, Any] = {}
        if "kind" in table and "kind" in knobs:
            self.put(values, knobs["kind"], table["kind"], (*path, "kind"))
            kind = values.pop("kind", noun.kind)
            noun = noun if kind == noun.kind else type(noun).of(kind)
        unused = UNUSED.get((name, getattr(noun, "kind", "")), frozenset())
        for key, value in table.items():
            if key == "kind" and "kind" in knobs:
                continue
            if key not in knobs:
                self.unknown((*path, key), f"a {name}" if name != "image" else "an image", tuple(knobs))
            elif key in unused:
                words = sorted(set(knobs) - unused)
                help = f"knobs of this kind: {', '.join(words)}"
                self.fault((*path, key), "unknown-key", f"a {noun.kind} {name} does not use {key}", help=help, of="key")
            else:
                self.put(values, knobs[key], value, (*path, key))
        return changed(noun, values) if values else noun

    def stages_counted(self, design: Design, table: Mapping[str, Any]) -> Design:
        """The design with as many stages as the lists of depths and widths say."""
        lengths = {key: len(table[key]) for key in ("depths", "widths") if isinstance(table.get(key), list | tuple)}
        there = len(design.stages)
        count = next(iter(lengths.values()), there or int("depths" in table and "widths" in table))
        if not there:
            for key in ("depths", "widths"):
                if key not in table:
                    self.fault(
                        (),
                        "missing-key",
                        f"{key} is missing",
                        help=f"write {key} = [...], one value a stage, or base = ...",
                    )
        if 0 in lengths.values() or count > MAXIMUM_STAGES:
            key = next(iter(lengths))
            self.fault((key,), "wrong-length", f"{key} has {count} values", label=f"1 to {MAXIMUM_STAGES} stages")
            return design
        if there and count != there and not {"depths", "widths"} <= set(table):
            return design  # told when the list is put in
        if there == count:
            return design
        stages = design.stages[:count] or (Stage(),)
        while len(stages) < count:
            stages = (
                *stages,
                dataclasses.replace(stages[-1], stride=2 if stages[-1] is stages[0] else stages[-1].stride),
            )
        return changed(design, {"stages": stages})

    def stages(self, stages: tuple[Stage, ...], table: Mapping[str, Any]) -> tuple[Stage, ...]:
        count = len(stages)
        changes: list[dict[str, Any]] = [{} for _ in stages]
        for plural, name in PLURALS.items():
            if plural in table:
                knob = knobs_of(Stage)[name]
                for change, item, path in self._spread(table[plural], count, (plural,), changes):
                    self.put(change, knob, item, path)
        tables: list[tuple[Path, Mapping[str, Any], list[int]]] = []
        for section in STAGE_SECTIONS:
            if isinstance(table.get(section), dict):
                tables.append((("",), {section: table[section]}, list(range(count))))
        tables += self._stage_tables(table.get("stages", {}), count)
        parts = [{section: getattr(stage, section) for section in STAGE_SECTIONS} for stage in stages]
        for path, stage_table, chosen in tables:
            for key, value in stage_table.items():
                where = (*path, key) if path != ("",) else (key,)
                self._one_stage_key(key, value, where, chosen, changes, parts)
        return tuple(
            stage
            if not (moved := change | {k: v for k, v in part.items() if v is not getattr(stage, k)})
            else changed(stage, moved)
            for stage, change, part in zip(stages, changes, parts, strict=True)
        )

    def _one_stage_key(
        self,
        key: str,
        value: Any,
        path: Path,
        chosen: list[int],
        changes: list[dict[str, Any]],
        parts: list[dict[str, Any]],
    ) -> None:
        knobs = {name: knobs_of(Stage)[name] for name in PLURALS.values()}
        if key in knobs:
            before = len(self.faults)
            for index in chosen:
                self.put(changes[index], knobs[key], value, path)
                if len(self.faults) > before:
                    break
        elif key not in STAGE_SECTIONS:
            self.unknown(path, "a stage", (*knobs, *STAGE_SECTIONS))
        elif not isinstance(value, dict):
            self.fault(path, "wrong-type", f"{key} is a table", help=f"write {key}.KNOB = VALUE")
        else:
            self._stage_section(key, value, path, chosen, parts)

    def _stage_section(
        self, key: str, table: Mapping[str, Any], path: Path, chosen: list[int], parts: list[dict[str, Any]]
    ) -> None:
        """A block's or downsampling's table for the chosen stages; lists hold a value for each of them."""
        knobs = knobs_of(SECTIONS[key])
        listed = {
            name: self._items(value, len(chosen), (*path, name))
            for name, value in table.items()
            if isinstance(value, list | tuple) and name in knobs and knobs[name].kind not in ("choices", "layers")
        }
        plain = {name: value for name, value in table.items() if name not in listed}
        done: dict[tuple[Any, ...], Any] = {}
        for order, index in enumerate(chosen):
            here = plain | {name: items[order] for name, items in listed.items() if items}
            group = (parts[index][key], *(repr(items[order]) for items in listed.values() if items))
            if group not in done:
                start = len(self.faults)
                done[group] = self.section(parts[index][key], here, path)
                self._pointed(start, listed, path, order)
            parts[index][key] = done[group]

    def _pointed(self, start: int, listed: dict[str, Any], path: Path, order: int) -> None:
        """Let faults of listed values point at the item, and say what is equally wrong in all stages once."""
        fresh, self.faults[start:] = self.faults[start:], []
        told = {fault.path for fault in self.faults}
        for fault in fresh:
            if fault.path and fault.path[-1] in listed and fault.of == "value":
                self.faults.append(fault._replace(path=(*fault.path, order)))
            elif fault.path not in told:
                self.faults.append(fault)

    def _items(self, value: Any, count: int, path: Path) -> tuple[Any, ...]:
        if len(value) != count:
            stages = f"{count} stage{'s' * (count != 1)}"
            self.fault(
                path, "wrong-length", f"{path[-1]} has {len(value)} values for {stages}", label=f"one value, or {count}"
            )
            return ()
        return tuple(value)

    def _spread(
        self, value: Any, count: int, path: Path, changes: list[dict[str, Any]]
    ) -> list[tuple[dict[str, Any], Any, Path]]:
        if isinstance(value, list | tuple):
            items = self._items(value, count, path)
            return [
                (change, item, (*path, index)) for index, (change, item) in enumerate(zip(changes, items, strict=False))
            ]
        before = len(self.faults)
        knob = knobs_of(Stage)[PLURALS[str(path[0])]]
        self.put({}, knob, value, path)
        return [] if len(self.faults) > before else [(change, value, path) for change in changes]

    def _stage_tables(self, table: Any, count: int) -> list[tuple[Path, Mapping[str, Any], list[int]]]:
        """The tables of single stages, those for all stages first."""
        found: list[tuple[Path, Mapping[str, Any], list[int]]] = []
        if not isinstance(table, dict):
            return found  # told by the caller
        for key, value in table.items():
            path = ("stages", key)
            if not isinstance(value, dict):
                self.fault(
                    path,
                    "wrong-type",
                    f"stages.{key} is a table",
                    help="write [stages.2] depth = 9, or stages.2.depth = 9",
                )
            elif key == "*":
                found.insert(0, (path, value, list(range(count))))
            elif _is_index(key) and -count <= int(key) < count:
                found.append((path, value, [int(key) % count]))
            else:
                self.fault(
                    path, "out-of-range", f"there is no stage {quote(key)}", label=f"0 to {count - 1}, or *", of="key"
                )
        return found


def _is_index(key: str) -> bool:
    return len(key) < 6 and key.removeprefix("-").isascii() and key.removeprefix("-").isdigit()


def get(design: Design, path: str) -> Any:
    """The value of a knob by its path; where it differs from stage to stage, a tuple of one a stage."""
    parts = path.split(".")
    if parts[0] in PLURALS:
        parts = ["stages", "*", PLURALS[parts[0]]]
    if parts[0] in STAGE_SECTIONS:
        parts = ["stages", "*", *parts]
    if parts[0] == "stages" and len(parts) > 2 and parts[1] == "*":
        found = tuple(_attribute(stage, parts[2:], path) for stage in design.stages)
        return found[0] if len(set(found)) == 1 else found
    if (
        parts[0] == "stages"
        and len(parts) > 2
        and _is_index(parts[1])
        and -len(design.stages) <= int(parts[1]) < len(design.stages)
    ):
        return _attribute(design.stages[int(parts[1])], parts[2:], path)
    return _attribute(design, parts, path)


def _attribute(noun: Any, parts: list[str], path: str) -> Any:
    for part in parts:
        if not dataclasses.is_dataclass(noun) or part not in {field.name for field in dataclasses.fields(noun)}:
            raise ConvlabError(Problem("unknown-key", f"there is no knob {quote(path)}", path=path), exit_code=2)
        noun = getattr(noun, part)
    return noun
