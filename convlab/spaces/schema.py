"""The JSON schema of a space: that of a design, with what varies, the rules between the stages and the limits."""

from __future__ import annotations

from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS
from convlab.language.design import Design, Stage
from convlab.language.knobs import Knob, knobs_of
from convlab.language.schema import Schema, design_schema, reference, rule_schema, table
from convlab.spaces.factors import RULES
from convlab.spaces.limits import LIMITED

NUMBER: Schema = {"type": "number"}
RANGES: tuple[Schema, ...] = (
    {"low": NUMBER, "high": NUMBER, "step": {"type": "number", "exclusiveMinimum": 0}},
    {"low": NUMBER, "high": NUMBER, "count": {"type": "integer", "minimum": 1}, "scale": {"const": "log"}},
    {"low": NUMBER, "high": NUMBER, "scale": {"const": "power_of_two"}},
)
"""The tables that say a range: linear, logarithmic, powers of two."""

RANGE: Schema = {"$ref": "#/$defs/range"}


def space_schema() -> Schema:
    """The schema of a space's file (JSON Schema draft 2020-12)."""
    schema = design_schema()
    schema |= {"title": "convlab space", "description": "Designs: one to start from, what varies, and what must hold."}
    schema["properties"] |= {"vary": _vary(), "rules": _rules(), "limits": _limits()}
    schema["$defs"] |= {"range": {"anyOf": [table(keys) | {"required": list(keys)} for keys in RANGES]}}
    schema["$defs"] |= {f"varied_{section}": table(_varied(noun)) for section, noun in SECTIONS.items()}
    return schema


def _vary() -> Schema:
    """What varies, by knob path: quoted whole ("block.kernel_size"), or written as tables."""
    stage = {name: _domain(knobs_of(Stage)[name]) for name in PLURALS.values()}
    stage |= {section: _reference(section) for section in STAGE_SECTIONS}
    properties = _varied(Design) | {plural: _macro(plural) for plural in PLURALS}
    properties |= {section: _reference(section) for section in SECTIONS}
    properties |= {
        f"{section}.{name}": _reference(f"{section}/properties/{name}")
        for section, noun in SECTIONS.items()
        for name in knobs_of(noun)
    }
    properties["stages"] = {"type": "object", "additionalProperties": table(stage)}
    return {
        "description": "what varies, by knob path: a list of choices, or a range",
        "patternProperties": {r"^stages\.(-?[0-9]+|\*)\.": {"anyOf": [{"type": "array", "minItems": 1}, RANGE]}},
        **table(properties),
    }


def _reference(path: str) -> Schema:
    return {"$ref": f"#/$defs/varied_{path}"}


def _varied(noun: type) -> Schema:
    return {knob.name: _domain(knob) for knob in knobs_of(noun).values()}


def _domain(knob: Knob) -> Schema:
    """The choices of a knob, or a range of it where it is a number."""
    choices = {"type": "array", "items": reference(knob), "minItems": 1}
    return {"description": knob.help, "anyOf": [choices, *[RANGE] * (knob.kind in ("integer", "number", "size"))]}


def _macro(plural: str) -> Schema:
    """A knob with a value a stage: it may also vary over whole lists, and widths by the quantised linear rule."""
    knob = knobs_of(Stage)[PLURALS[plural]]
    domain = _domain(knob)
    domain["anyOf"].append(
        {"type": "array", "items": {"type": "array", "items": reference(knob), "minItems": 1}, "minItems": 1}
    )
    if plural == "widths":
        written: Schema = {"anyOf": [{"type": "array", "items": NUMBER, "minItems": 1}, RANGE]}
        domain["anyOf"].append(rule_schema(lambda _: written))
    return domain


def _rules() -> Schema:
    return {
        "type": "object",
        "description": "how the values of the stages follow each other, by a knob path that varies",
        "additionalProperties": {"enum": list(RULES)},
    }


def _limits() -> Schema:
    bounds = table({"low": NUMBER, "high": NUMBER}) | {"minProperties": 1}
    return table(dict.fromkeys(LIMITED, bounds)) | {"description": "bounds of metrics"}
