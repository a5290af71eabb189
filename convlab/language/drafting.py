"""A draft: the text of a design file on its way to mean another design, and the tables in which its stages' knobs are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, final

from convlab.documents.page import Page
from convlab.documents.revising import put, removed
from convlab.documents.spans import Keys
from convlab.language.addresses import PLURALS, SECTIONS, stage_index
from convlab.language.assigning import Turned, assign
from convlab.language.design import Design, Stage
from convlab.language.knobs import Knob, knobs_of
from convlab.language.shorthands import RULE

MACRO = ""
"""The place of a section's name for the knobs that are a stage's own."""

_PLURAL = {name: plural for plural, name in PLURALS.items()}
_TABLES = ("scale", *SECTIONS, "stages")
_LAST_STAGES = 10_000


@final
@dataclass(frozen=True)
class Draft:
    """A text, and the design that its bases make."""

    text: str
    under: Design

    @cached_property
    def table(self) -> dict[str, Any]:
        """What the text itself says of the design."""
        return {key: value for key, value in Page.of(self.text).data.items() if key not in ("base", "format")}

    @cached_property
    def turned(self) -> Turned:
        """The design that the text means on its bases, and what is wrong with it."""
        return assign(self.under, self.table)

    @property
    def meaning(self) -> Design:
        """The design that the text means."""
        return self.turned.design

    def written(self, keys: Keys) -> Any:
        """The value at keys; None where there is none."""
        found: Any = self.table
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                return None
            found = found[key]
        return found

    def put(self, keys: Keys, value: Any) -> Draft:
        """The draft with a value at keys; a kind comes first in its table."""
        return Draft(put(self.text, keys, value, rank=_rank, first=keys[-1] == "kind"), self.under)

    def removed(self, keys: Keys) -> Draft:
        """The draft without what is written at keys."""
        return Draft(removed(self.text, keys), self.under)

    @property
    def ruled(self) -> frozenset[str]:
        """The knobs that a rule for the widths says, and that may not be said beside it for all stages."""
        rule = self.written(("widths", RULE))
        return frozenset() if rule is None else frozenset({"width", "depth", *rule} & set(SAID_BY_RULES))


SAID_BY_RULES = ("width", "depth", "group_width", "expansion_ratio")


class Home(NamedTuple):
    """A table in which a section's knobs are written, and the stages that it is for; without keys the top of the file."""

    keys: Keys
    stages: range | tuple[int, ...]
    shared: bool = False

    def at(self, name: str) -> Keys:
        """The keys of a knob."""
        return (*self.keys, name) if self.keys else (_PLURAL[name],)


def homes(draft: Draft, section: str, count: int) -> list[Home]:
    """The tables of a section in the order in which they take effect: that of all stages, then those of single ones."""
    inner = (section,) if section else ()
    found = [Home(inner, range(count), True)] if not section or isinstance(draft.table.get(section), dict) else []
    tables = draft.table.get("stages", {})
    for key in sorted(tables, key=lambda key: key != "*"):
        table = tables[key]
        index = stage_index(key, count)
        if not isinstance(table, dict) or (section and not isinstance(table.get(section), dict)):
            continue
        if key == "*":
            found.append(Home(("stages", key, *inner), range(count)))
        elif index is not None:
            found.append(Home(("stages", key, *inner), (index,)))
    return found


def single(draft: Draft, section: str, stage: int, count: int) -> Home:
    """The last table of one stage alone, also where it is not there yet."""
    inner = (section,) if section else ()
    there = [home for home in homes(draft, section, count) if len(home.stages) == 1 and home.stages[0] == stage]
    there = [home for home in there if home.keys[:2] != ("stages", "*") and not home.shared]
    keys = [key for key in draft.table.get("stages", {}) if stage_index(key, count) == stage]
    return there[-1] if there else Home(("stages", keys[-1] if keys else str(stage), *inner), (stage,))


def effective_from(draft: Draft, section: str, tables: list[Home], stage: int) -> int:
    """The number of the table whose kind a stage has, -1 where it is the base's: tables before it have no say in its other knobs."""
    below = draft.under.stages or (Stage(),)
    kind = getattr(getattr(below[min(stage, len(below) - 1)], section), "kind", "") if section else ""
    number = -1
    for index, home in enumerate(tables):
        said = draft.written((*home.keys, "kind")) if section and stage in home.stages else None
        said = item_of(said, home, stage, whole=False)
        if said not in (None, kind):
            number, kind = index, said
    return number


def item_of(value: Any, home: Home, stage: int, *, whole: bool) -> Any:
    """What a value says of one stage: its item, or a list as a ``whole``."""
    if not isinstance(value, list) or whole:
        return value
    place = home.stages.index(stage)
    return value[place] if place < len(value) else None


def knob_of(section: str, name: str) -> Knob:
    """A knob of stages, or of one of their sections."""
    return knobs_of(SECTIONS[section] if section else Stage)[name]


def of_stage(stage: Stage, section: str, name: str) -> Any:
    """The value of a knob of a stage."""
    return getattr(getattr(stage, section) if section else stage, name)


def _rank(keys: Keys) -> tuple[int, int, Keys]:
    place = _TABLES.index(keys[0]) if keys[0] in _TABLES else -1
    if keys[0] != "stages" or len(keys) < 2:
        return place, 0, ()
    index = -1 if keys[1] == "*" else int(keys[1])
    return place, index if index >= 0 or keys[1] == "*" else _LAST_STAGES + index, keys[2:]
