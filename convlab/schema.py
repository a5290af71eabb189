"""The JSON schema of the design language, made from the knobs: for completion and checks in editors (Even Better TOML, taplo)."""

from __future__ import annotations

import json
from typing import Any

from convlab import blocks, downsample, stem
from convlab.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, UNUSED
from convlab.design import FORMAT, MAXIMUM_STAGES, Design, Stage
from convlab.knobs import Knob, knobs_of
from convlab.layer_text import FORMS, MAXIMUM_LENGTH

DIALECT = "https://json-schema.org/draft/2020-12/schema"
STAGE_KEY = r"^(-?[0-9]+|\*)$"
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "block": blocks.KINDS,
    "stem": stem.KINDS,
    "downsample": downsample.KINDS,
}

Schema = dict[str, Any]


def design_schema() -> Schema:
    """The schema of a design file (JSON Schema draft 2020-12).

    It knows no more than a single file says: what must hold of a whole design (lists as long as there are stages, groups that divide)
    is checked when the file is loaded.
    """
    properties: Schema = {
        "base": {
            "type": "string",
            "minLength": 1,
            "description": "the preset or the file that this design inherits from",
        },
        "format": {"type": "integer", "minimum": 1, "maximum": FORMAT, "description": "the version of the language"},
    }
    properties |= {name: _scalar(knob) for name, knob in knobs_of(Design).items()}
    properties |= {plural: _macro(knobs_of(Stage)[name]) for plural, name in PLURALS.items()}
    properties |= {section: _section(section, per_stage=section in STAGE_SECTIONS) for section in SECTIONS}
    properties["stages"] = {
        "type": "object",
        "description": "knobs of single stages, by index from 0; negative ones count from the end, * is every stage",
        "patternProperties": {STAGE_KEY: _stage()},
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "title": "convlab design",
        "description": "The architecture of one ConvNet. A scalar means every stage, a list one value a stage.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def schema_text(schema: Schema) -> str:
    """The schema as the text of a JSON file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _stage() -> Schema:
    properties = {name: _scalar(knobs_of(Stage)[name]) for name in PLURALS.values()}
    properties |= {section: _section(section, per_stage=False) for section in STAGE_SECTIONS}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _macro(knob: Knob) -> Schema:
    each = _value(knob)
    listed = {"type": "array", "items": each, "minItems": 1, "maxItems": MAXIMUM_STAGES}
    return {"description": f"{knob.help}, one value a stage or one for all", "anyOf": [each, listed]}


def _section(name: str, *, per_stage: bool) -> Schema:
    """A section's table; in one that speaks for all stages a knob may hold a list of one value a stage."""
    noun = SECTIONS[name]
    properties = {}
    for knob in knobs_of(noun).values():
        listed = per_stage and knob.kind not in ("choices", "layers")
        properties[knob.name] = (_listed if listed else _scalar)(knob, name)
    schema: Schema = {
        "type": "object",
        "description": (noun.__doc__ or "").partition("\n")[0],
        "properties": properties,
        "additionalProperties": False,
    }
    unused = [_without(kind, UNUSED[name, kind]) for kind in KINDS.get(name, {}) if (name, kind) in UNUSED]
    return schema | ({"allOf": unused} if unused else {})


def _without(kind: str, names: frozenset[str]) -> Schema:
    """A table that names this kind has none of the knobs that mean nothing for it."""
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"properties": dict.fromkeys(sorted(names), False)},
    }


def _scalar(knob: Knob, section: str = "") -> Schema:
    schema = {"description": _description(knob, section), **_value(knob), **_default(knob)}
    return schema | ({"x-taplo": {"docs": {"enumValues": _kind_docs(section)}}} if knob.name == "kind" else {})


def _listed(knob: Knob, section: str = "") -> Schema:
    each = _value(knob)
    listed = {"type": "array", "items": each, "minItems": 1, "maxItems": MAXIMUM_STAGES}
    return {
        "description": f"{_description(knob, section)}; a list holds one value a stage",
        "anyOf": [each, listed],
        **_default(knob),
    }


def _default(knob: Knob) -> Schema:
    if knob.noun == "stage":
        return {}  # a design says its own depths and widths
    return {"default": list(knob.default) if isinstance(knob.default, tuple) else knob.default}


def _description(knob: Knob, section: str) -> str:
    unit = f" ({knob.unit})" if knob.unit else ""
    own = [
        f"{kind}: {json.dumps(kinds[knob.name])}"
        for kind, kinds in KINDS.get(section, {}).items()
        if knob.name in kinds
    ]
    return knob.help + unit + (f"; default by kind: {', '.join(own)}" if own else "")


def _kind_docs(section: str) -> list[str]:
    """What each kind is: the defaults that it sets, in the order of the choices."""
    kinds = KINDS[section]
    choices = knobs_of(SECTIONS[section])["kind"].choices
    return [
        ", ".join(f"{name} = {json.dumps(value)}" for name, value in kinds[kind].items()) or "the knobs' own defaults"
        for kind in choices
    ]


def _value(knob: Knob) -> Schema:
    if knob.kind == "integer":
        number = {"type": "integer", **_bounds(knob)}
        return {"anyOf": [number, {"enum": list(knob.choices)}]} if knob.choices else number
    if knob.kind == "number":
        return {"type": "number", **_bounds(knob)}
    if knob.kind == "size":
        side = {"type": "integer", **_bounds(knob)}
        return {"anyOf": [side, {"type": "array", "items": side, "minItems": 2, "maxItems": 2}]}
    if knob.kind == "choice":
        return {"enum": list(knob.choices)}
    if knob.kind == "choices":
        return {"type": "array", "items": {"enum": list(knob.choices)}, "uniqueItems": True}
    if knob.kind == "layers":
        return _branches() if knob.name == "branches" else _branch()
    return {"boolean": {"type": "boolean"}, "text": {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f]*$"}}[
        knob.kind
    ]


def _bounds(knob: Knob) -> Schema:
    """The bounds as whole numbers where they are whole, so that the file reads as the knobs do."""
    both = {"minimum": knob.low, "maximum": knob.high}
    return {key: int(bound) if bound == int(bound) else bound for key, bound in both.items() if bound is not None}


def _branch() -> Schema:
    layer = {
        "type": "string",
        "maxLength": MAXIMUM_LENGTH,
        "pattern": rf"^\s*({'|'.join(FORMS)})\b",
        "examples": [form.example for form in FORMS.values()],
    }
    return {"type": "array", "items": layer}


def _branches() -> Schema:
    return {"type": "array", "items": _branch()}
