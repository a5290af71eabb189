"""Shorthands: forms of a design file that say many sizes at once. They are written out as plain values before a table is put in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from convlab.errors import Problem
from convlab.language.acceptance import accepted
from convlab.language.design import MAXIMUM_STAGES, Design, Stage
from convlab.language.faults import Faults, Path, counted
from convlab.language.knobs import Knob, Refused, knobs_of
from convlab.language.rules import FITTED, NEEDED, PARAMETERS, fitted, regnet
from convlab.language.scaling import Scale, scaled

RULE = "quantized_linear"
RULE_PATH: Path = ("widths", RULE)
RULE_NAME = "the quantised linear rule"
RULE_FORM = "{ quantized_linear = { initial = 24, slope = 36.44, multiplier = 2.49, depth = 13, group_width = 8 } }"


class WrittenOut(NamedTuple):
    """A design and a table without shorthands; ``stages_known`` is False where the table would have said how many there are."""

    design: Design
    table: Mapping[str, Any]
    stages_known: bool = True


def written_out(design: Design, table: Mapping[str, Any], faults: Faults) -> WrittenOut:
    """The design scaled by the table's ``scale``, and the table with the sizes that a rule for its ``widths`` stands for."""
    if "scale" in table:
        design = _scaled(design, table["scale"], faults)
        table = {key: value for key, value in table.items() if key != "scale"}
    if isinstance(table.get("widths"), Mapping):
        return _ruled(design, table, faults)
    return WrittenOut(design, table)


def _scaled(design: Design, written: Any, faults: Faults) -> Design:
    if not isinstance(written, Mapping):
        faults.not_a_table(("scale",), written)
        return design
    found = _values(written, knobs_of(Scale), ("scale",), faults)
    if not design.stages:
        help = 'scale multiplies the sizes of a base: base = "efficientnet_b0"'
        faults.add(("scale",), Problem("missing-key", "there is nothing to scale", help=help), "key")
        return design
    larger = scaled(design, Scale(**found))
    sizes = [("width", "width", larger.head.convolution), ("width", "width", larger.stem.width)]
    sizes += [(name, name, getattr(stage, name)) for stage in larger.stages for name in ("width", "depth")]
    for factor, name, size in sizes:
        knob = knobs_of(Stage)[name]
        if knob.high is not None and size > knob.high:
            problem = Problem("out-of-range", f"a {name} becomes {size}", label=knob.bounds(), help="a smaller factor")
            faults.add(("scale", factor), problem)
            return design
    return larger


def _ruled(design: Design, table: Mapping[str, Any], faults: Faults) -> WrittenOut:
    """The table with the rule's widths, depths and group widths in the places of the rule."""
    before = len(faults.met)
    rest = {key: value for key, value in table.items() if key not in ("widths", "depths")}
    found = _parameters(design, table["widths"], faults)
    said: dict[str, Any] = {name: found[name] for name in FITTED if name in found}
    block = table.get("block", {})
    _said_twice(said, table, block, faults)
    if len(faults.met) > before:
        return WrittenOut(design, rest, stages_known=False)
    widths, depths = regnet(*(found[name] for name in (*NEEDED, "depth")))
    if "group_width" in said:
        widths, said["group_width"] = fitted(widths, found["group_width"], found.get("expansion_ratio", 1.0))
    if len(widths) > MAXIMUM_STAGES or max(widths) > (knobs_of(Stage)["width"].high or 0):
        message = f"the rule gives {counted(len(widths), 'stage')}, the widest of {max(widths)} channels"
        help = "a larger multiplier gives fewer stages, a smaller slope or depth narrower ones"
        faults.add(RULE_PATH, Problem("out-of-range", message, label=f"at most {MAXIMUM_STAGES} stages", help=help))
        return WrittenOut(design, rest, stages_known=False)
    if said and isinstance(block, Mapping):
        rest["block"] = {**block, **said}
    return WrittenOut(design, rest | {"widths": widths, "depths": depths})


def _said_twice(said: Mapping[str, Any], table: Mapping[str, Any], block: Any, faults: Faults) -> None:
    """Refuse what is said beside the rule although the rule says it."""
    paths: list[Path] = [("depths",)] if "depths" in table else []
    paths += [("block", name) for name in said if isinstance(block, Mapping) and name in block]
    for path in paths:
        message = f"{'.'.join(map(str, path))} is said by {RULE_NAME} as well"
        faults.add(path, Problem("unknown-key", message, help="keep one of the two"), "key")


def _parameters(design: Design, written: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """The rule's parameters, with the base's depth where they lack one; what is wrong with them is noted."""
    for key in written:
        if key != RULE:
            faults.unknown(("widths", key), "widths", (RULE,))
            return {}
    if not isinstance(written.get(RULE), Mapping):
        problem = Problem("wrong-type", f"{RULE_NAME} is a table of its parameters", help=f"write widths = {RULE_FORM}")
        faults.add(RULE_PATH, problem)
        return {}
    before = len(faults.met)
    found = {"depth": sum(design.depths)} if design.stages else {}
    found |= _values(written[RULE], PARAMETERS, RULE_PATH, faults)
    needed = (*NEEDED, "depth", *(("group_width",) if "expansion_ratio" in found else ()))
    missing = [name for name in needed if name not in found]
    if missing and len(faults.met) == before:  # one that is misspelled is told as such
        problem = Problem("missing-key", f"{RULE_NAME} lacks {missing[0]}", help=f"write widths = {RULE_FORM}")
        faults.add(RULE_PATH, problem)
    return found


def _values(written: Mapping[str, Any], knobs: Mapping[str, Knob], path: Path, faults: Faults) -> dict[str, Any]:
    """The values of a shorthand's knobs that they take."""
    found = {}
    for key, value in written.items():
        if key not in knobs:
            faults.unknown((*path, key), RULE_NAME if path == RULE_PATH else "scale", tuple(knobs))
            continue
        taken = accepted(knobs[key], value)
        if isinstance(taken, Refused):
            faults.refused((*path, key), taken)
        else:
            found[key] = taken
    return found
