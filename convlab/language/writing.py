"""A design as TOML: in full, without its kinds' defaults, or as what differs from a base."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convlab.language.addresses import PLURALS, UNUSED
from convlab.language.blocks import Block
from convlab.language.design import FORMAT, Design, Image, Stage
from convlab.language.downsample import Downsample
from convlab.language.head import Head
from convlab.language.knobs import knobs_of
from convlab.language.stem import Stem


def text_of(design: Design) -> str:
    """The design as TOML that loads to an equal design; what a kind's defaults say is left out."""
    return _dumped(table_of(design))


def text_in_full(design: Design) -> str:
    """The design as TOML with every knob that its kinds use."""
    return _dumped(_table(design, _every_knob))


def text_on_base(design: Design, base: Design, name: str) -> str:
    """The design as TOML that holds what differs from a base, and the base's name."""
    return _dumped({"base": name, **_difference(design, base)})


def table_of(design: Design) -> dict[str, Any]:
    """The design as plain data, as a file holds it; what a kind's defaults say is left out."""
    return _table(design, _changed_knobs)


def _dumped(table: dict[str, Any]) -> str:
    import tomlkit

    return tomlkit.dumps(_listed(table))


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple | list) else value


def _values(noun: Any) -> dict[str, Any]:
    return {name: getattr(noun, name) for name in knobs_of(type(noun))}


def _default(noun: Any) -> Any:
    return type(noun).of(noun.kind) if isinstance(noun, Stem | Block | Downsample) else type(noun)()


def _changed_knobs(noun: Any) -> dict[str, Any]:
    """The knobs that differ from the kind's defaults, the kind first."""
    default = _default(noun)
    changed = {name: value for name, value in _values(noun).items() if value != getattr(default, name)}
    return {"kind": noun.kind, **changed} if hasattr(noun, "kind") else changed


def _every_knob(noun: Any) -> dict[str, Any]:
    unused = UNUSED.get((type(noun).__name__.lower(), getattr(noun, "kind", "")), frozenset())
    values = {name: value for name, value in _values(noun).items() if name not in unused}
    return {name: value for name, value in values.items() if value != () or name not in ("branch", "branches")}


def _table(design: Design, knobs: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    top = {"summary": design.summary, **{k: v for k, v in knobs(design).items() if k != "summary"}}
    table: dict[str, Any] = {"format": FORMAT, **{key: value for key, value in top.items() if value != ""}}
    table |= _macro(design.stages, knobs is _every_knob)
    for section, noun in (("image", design.image), ("stem", design.stem)):
        table |= {section: found} if (found := knobs(noun)) else {}
    single: dict[str, Any] = {}
    for section in ("block", "downsample"):
        shared, own = _shared([getattr(stage, section) for stage in design.stages], knobs)
        table[section] = shared
        for index, found in own.items():
            single.setdefault(str(index), {})[section] = found
    table |= {"head": found} if (found := knobs(design.head)) else {}
    return table | ({"stages": single} if single else {})


def _macro(stages: tuple[Stage, ...], in_full: bool) -> dict[str, Any]:
    usual = {"strides": (1, *(2 for _ in stages[1:])), "dilations": tuple(1 for _ in stages)}
    table: dict[str, Any] = {}
    for plural, name in PLURALS.items():
        values = tuple(getattr(stage, name) for stage in stages)
        if in_full or values != usual.get(plural):
            table[plural] = values[0] if plural != "depths" and len(set(values)) == 1 else values
    return table


def _shared(
    nouns: list[Any], knobs: Callable[[Any], dict[str, Any]]
) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """What a section says for all stages, and what it says for single ones."""
    first = nouns[0]
    if any(noun.kind != first.kind for noun in nouns):
        return knobs(first), {index: _beside(noun, first, knobs) for index, noun in enumerate(nouns) if noun != first}
    tables = [knobs(noun) for noun in nouns]
    shared: dict[str, Any] = {}
    own: dict[int, dict[str, Any]] = {}
    names = dict.fromkeys(name for table in tables for name in table)
    for name in names:
        values = [getattr(noun, name) for noun in nouns]
        if all(value == values[0] for value in values):
            shared[name] = values[0]
        elif isinstance(values[0], tuple):
            for index, value in enumerate(values):
                own.setdefault(index, {})[name] = value
        else:
            shared[name] = values
    return shared, own


def _beside(noun: Any, first: Any, knobs: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """What a single stage's table says on top of the shared one: only differences where the kind is the same."""
    if noun.kind != first.kind:
        return knobs(noun)
    return {name: value for name, value in _values(noun).items() if value != getattr(first, name)}


def _difference(design: Design, base: Design) -> dict[str, Any]:
    own = {name: value for name, value in _values(design).items() if value != getattr(base, name) and name != "summary"}
    own = ({"summary": design.summary} if design.summary else {}) | own  # a file does not inherit it
    table: dict[str, Any] = dict(own)
    old_macro, new_macro = _macro(base.stages, True), _macro(design.stages, True)
    resized = len(design.stages) != len(base.stages)
    table |= {key: value for key, value in new_macro.items() if resized or value != old_macro[key]}
    for section, noun, other in (
        ("image", design.image, base.image),
        ("stem", design.stem, base.stem),
        ("head", design.head, base.head),
    ):
        table |= {section: found} if (found := _section_difference(noun, other)) else {}
    single: dict[str, Any] = {}
    for section in ("block", "downsample"):
        nouns = [getattr(stage, section) for stage in design.stages]
        others = [getattr(stage, section) for stage in base.stages]
        others = (others + [others[-1]] * len(nouns))[: len(nouns)]
        changed = [_section_difference(noun, other) for noun, other in zip(nouns, others, strict=True)]
        if all(item == changed[0] for item in changed):
            table |= {section: changed[0]} if changed[0] else {}
            continue
        for index, found in enumerate(changed):
            if found:
                single.setdefault(str(index), {})[section] = found
    return table | ({"stages": single} if single else {})


def _section_difference(noun: Image | Stem | Head | Block | Downsample, other: Any) -> dict[str, Any]:
    if getattr(noun, "kind", "") != getattr(other, "kind", ""):
        return _changed_knobs(noun)
    return {name: value for name, value in _values(noun).items() if value != getattr(other, name)}
