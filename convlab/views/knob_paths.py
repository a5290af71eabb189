"""Knob paths: the address of every knob of a design, its value, and in which knobs designs differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from convlab.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, UNUSED, get
from convlab.design import Design, Stage
from convlab.knobs import Knob, knobs_of

NOT_COMPARED = frozenset({"summary"})


class Difference(NamedTuple):
    """A knob in which designs differ: its path, and its value in each of them (None where a design's kinds do not use it)."""

    path: str
    values: tuple[Any, ...]


@cache
def knob_paths() -> dict[str, Knob]:
    """Every knob by the path that sets it for all stages."""
    paths = dict(knobs_of(Design))
    paths |= {plural: knobs_of(Stage)[name] for plural, name in PLURALS.items()}
    for section, noun in SECTIONS.items():
        paths |= {f"{section}.{name}": knob for name, knob in knobs_of(noun).items()}
    return paths


def values(design: Design) -> dict[str, Any]:
    """The values of the knobs that the design's kinds use; where stages differ, a tuple of one a stage."""
    return {path: get(design, path) for path in knob_paths() if path not in NOT_COMPARED and _used(design, path)}


def differences(designs: Sequence[Design]) -> tuple[Difference, ...]:
    """The knobs in which designs differ, in the order of their declaration."""
    found = [values(design) for design in designs]
    told = (Difference(path, tuple(one.get(path) for one in found)) for path in knob_paths())
    return tuple(item for item in told if any(value != item.values[0] for value in item.values))


def _used(design: Design, path: str) -> bool:
    section, _, name = path.partition(".")
    nouns = (
        [getattr(stage, section) for stage in design.stages]
        if section in STAGE_SECTIONS
        else [getattr(design, section, None)]
    )
    if not name:
        return True
    if section == "block" and name in ("branch", "branches"):
        return any(getattr(noun, name) for noun in nouns)
    return any(name not in UNUSED.get((section, getattr(noun, "kind", "")), frozenset()) for noun in nouns)
