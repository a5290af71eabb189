"""Knob paths: the address of every knob of a design, its value, and in which knobs designs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, UNUSED
from convlab.language.design import Design, Stage
from convlab.language.knobs import Knob, knobs_of

NOT_COMPARED = "summary"
CUSTOM = ("branch", "branches")


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
    """The values of the knobs that the design's kinds use, by path; where stages differ, a tuple of one a stage (None: not used there)."""
    found = {name: getattr(design, name) for name in knobs_of(Design) if name != NOT_COMPARED}
    found |= {plural: _common([getattr(stage, name) for stage in design.stages]) for plural, name in PLURALS.items()}
    for section in SECTIONS:
        holders = design.stages if section in STAGE_SECTIONS else (design,)
        found |= {
            f"{section}.{name}": value
            for name, value in _used(section, [getattr(holder, section) for holder in holders])
        }
    return found


def differences(designs: Sequence[Design]) -> tuple[Difference, ...]:
    """The knobs in which designs differ, in the order of their declaration."""
    return differences_of([values(design) for design in designs])


def differences_of(found: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    """The differences between what ``values`` gave."""
    told = (Difference(path, tuple(one.get(path) for one in found)) for path in knob_paths())
    return tuple(item for item in told if any(value != item.values[0] for value in item.values))


def _used(section: str, nouns: list[Any]) -> list[tuple[str, Any]]:
    """The knobs of a section that at least one of its kinds uses, with their values."""
    unused = [UNUSED.get((section, getattr(noun, "kind", "")), frozenset()) for noun in nouns]
    found = []
    for name in knobs_of(SECTIONS[section]):
        own = [None if name in without else getattr(noun, name) for noun, without in zip(nouns, unused, strict=True)]
        if any(own) if name in CUSTOM else any(value is not None for value in own):
            found.append((name, _common(own)))
    return found


def _common(found: list[Any]) -> Any:
    """The value that all stages have, or those of each."""
    return found[0] if all(value == found[0] for value in found) else tuple(found)
