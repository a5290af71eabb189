"""The JSON schema of the design language, made from the knobs: for completion and checks in editors (Even Better TOML, taplo)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from convlab.language import blocks, downsample, stem
from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, UNUSED
from convlab.language.design import FORMAT, MAXIMUM_STAGES, Design, Stage
from convlab.language.knobs import Knob, knobs_of
from convlab.language.layer_text import FORMS, MAXIMUM_LENGTH
from convlab.language.rules import NEEDED, PARAMETERS
from convlab.language.scaling import Scale

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ONE_STAGE = "^-?[0-9]+$"
EVERY_STAGE = r"^\*$"
NO_CONTROL_CHARACTERS = r"^[^\u0000-\u001f\u007f]*$"

KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "block": blocks.KINDS,
    "stem": stem.KINDS,
    "downsample": downsample.KINDS,
}
"""The named kinds by section, with the defaults that make them."""

Schema = dict[str, Any]


def design_schema() -> Schema:
    """The schema of a design file (JSON Schema draft 2020-12).

    It knows no more than a single file says: what must hold of a whole design (lists as long as there are stages, groups that divide)
    is checked when the file is loaded.
    """
    base = {"type": "string", "minLength": 1, "description": "the preset or the file that this design inherits from"}
    version = {"type": "integer", "minimum": 1, "maximum": FORMAT, "description": "the version of the language"}
    properties: Schema = {"base": base, "format": version}
    properties |= {knob.name: reference(knob) for knob in knobs_of(Design).values()}
    properties |= {plural: _a_value_a_stage(knobs_of(Stage)[name]) for plural, name in PLURALS.items()}
    properties["widths"]["anyOf"].append(rule_schema(_value))
    properties["scale"] = {
        "description": "what the sizes of the base are multiplied by",
        **table({knob.name: reference(knob) for knob in knobs_of(Scale).values()}),
    }
    properties |= {section: _table_reference(section, listed=section in STAGE_SECTIONS) for section in SECTIONS}
    properties["stages"] = {
        "type": "object",
        "description": "knobs of single stages, by index from 0; negative ones count from the end, * is every stage",
        "patternProperties": {ONE_STAGE: _stage(listed=False), EVERY_STAGE: _stage(listed=True)},
        "additionalProperties": False,
    }
    nouns = (Design, Stage, Scale, *SECTIONS.values())
    return {
        "$schema": DIALECT,
        "title": "convlab design",
        "description": "The architecture of one ConvNet. A scalar means every stage, a list one value a stage.",
        **table(properties),
        "$defs": {_name(knob): _definition(knob) for noun in nouns for knob in knobs_of(noun).values()}
        | {section: _section(section, listed=False) for section in SECTIONS}
        | {f"{section}_of_all_stages": _section(section, listed=True) for section in STAGE_SECTIONS},
    }


def rule_schema(value: Callable[[Knob], Schema]) -> Schema:
    """The quantised linear rule in the place of widths and depths; ``value`` is the schema of what a parameter may be."""
    parameters = {name: {"description": _description(knob), **value(knob)} for name, knob in PARAMETERS.items()}
    rule = table(parameters) | {"required": list(NEEDED)}
    return table({"quantized_linear": rule}) | {"required": ["quantized_linear"]}


def schema_text(schema: Schema) -> str:
    """The schema as the text of a JSON file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def reference(knob: Knob) -> Schema:
    """A knob by its definition."""
    return {"$ref": f"#/$defs/{_name(knob)}"}


def table(properties: Schema) -> Schema:
    """A table that has these keys and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _name(knob: Knob) -> str:
    return f"{knob.noun}.{knob.name}"


def _stage(*, listed: bool) -> Schema:
    """The table of one stage, or of every stage, where the knobs of sections may hold lists."""
    properties = {name: reference(knobs_of(Stage)[name]) for name in PLURALS.values()}
    return table(properties | {section: _table_reference(section, listed=listed) for section in STAGE_SECTIONS})


def _table_reference(section: str, *, listed: bool) -> Schema:
    return {"$ref": f"#/$defs/{section}_of_all_stages" if listed else f"#/$defs/{section}"}


def _section(name: str, *, listed: bool) -> Schema:
    """A section's table; in one that speaks for all stages a knob may hold a list of one value a stage."""
    noun = SECTIONS[name]
    properties = {
        knob.name: _a_value_a_stage(knob) if listed and knob.kind not in ("choices", "layers") else reference(knob)
        for knob in knobs_of(noun).values()
    }
    unused = [_without(kind, UNUSED[name, kind]) for kind in KINDS.get(name, {}) if (name, kind) in UNUSED]
    schema = {"description": (noun.__doc__ or "").partition("\n")[0].replace("``", ""), **table(properties)}
    return schema | ({"allOf": unused} if unused else {})


def _without(kind: str, names: frozenset[str]) -> Schema:
    """A table that names this kind has none of the knobs that mean nothing for it."""
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"properties": dict.fromkeys(sorted(names), False)},
    }


def _a_value_a_stage(knob: Knob) -> Schema:
    listed = {"type": "array", "items": reference(knob), "minItems": 1, "maxItems": MAXIMUM_STAGES}
    return {"description": f"{knob.help}; one value for all stages, or a list", "anyOf": [reference(knob), listed]}


def _definition(knob: Knob) -> Schema:
    schema = {"description": _description(knob), **_value(knob)}
    if knob.noun != "stage":  # a design says its own depths and widths
        schema["default"] = list(knob.default) if isinstance(knob.default, tuple) else knob.default
    return schema | ({"x-taplo": {"docs": {"enumValues": _kind_docs(knob)}}} if knob.name == "kind" else {})


def _description(knob: Knob) -> str:
    unit = f" ({knob.unit})" if knob.unit else ""
    kinds = KINDS.get(knob.noun, {}).items()
    own = [f"{kind}: {json.dumps(values[knob.name])}" for kind, values in kinds if knob.name in values]
    return knob.help + unit + (f"; default by kind: {', '.join(own)}" if own else "")


def _kind_docs(knob: Knob) -> list[str]:
    """What each kind is: the defaults that it sets, in the order of the choices."""
    kinds = [KINDS[knob.noun][kind].items() for kind in knob.choices]
    return [
        ", ".join(f"{name} = {json.dumps(value)}" for name, value in kind) or "the knobs' own defaults"
        for kind in kinds
    ]


def _value(knob: Knob) -> Schema:
    """What a knob's value may be."""
    number = {"type": "integer", **_bounds(knob)}
    match knob.kind:
        case "integer":
            return _number_or_words(knob, number)
        case "number":
            return _number_or_words(knob, {"type": "number", **_bounds(knob)})
        case "size":
            return {"anyOf": [number, {"type": "array", "items": number, "minItems": 2, "maxItems": 2}]}
        case "choice":
            return {"enum": list(knob.choices)}
        case "choices":
            return {"type": "array", "items": {"enum": list(knob.choices)}, "uniqueItems": True}
        case "layers":
            return {"type": "array", "items": _branch()} if knob.name == "branches" else _branch()
        case "boolean":
            return {"type": "boolean"}
        case _:
            return {"type": "string", "pattern": NO_CONTROL_CHARACTERS}


def _number_or_words(knob: Knob, number: Schema) -> Schema:
    return {"anyOf": [number, {"enum": list(knob.words)}]} if knob.words else number


def _bounds(knob: Knob) -> Schema:
    """The bounds, as whole numbers where they are whole."""
    both = {"minimum": knob.low, "maximum": knob.high}
    return {key: int(bound) if bound == int(bound) else bound for key, bound in both.items() if bound is not None}


def _branch() -> Schema:
    examples = [form.example for form in FORMS.values()]
    pattern = rf"^\s*({'|'.join(FORMS)})\b"
    return {
        "type": "array",
        "items": {"type": "string", "maxLength": MAXIMUM_LENGTH, "pattern": pattern, "examples": examples},
    }
