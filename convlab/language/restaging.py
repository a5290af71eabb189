"""Restaging: a draft for a design of another number of stages; lists get or lose items, tables of stages move with their stage."""

from __future__ import annotations

from typing import Any

from convlab.documents.revising import renamed
from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, stage_index
from convlab.language.design import Design
from convlab.language.drafting import Draft, of_stage
from convlab.language.knobs import knobs_of
from convlab.language.settling import WHOLE, without_rule


def restaged(draft: Draft, design: Design) -> Draft:
    """The draft with as many stages as the design has."""
    before = draft.meaning
    old, new = len(before.stages), len(design.stages)
    if old == new:
        return draft
    came_from = _origins(before, design)
    draft = _tables_moved(draft, came_from, old)
    if draft.ruled:
        draft = without_rule(draft, design)
    for plural, name in PLURALS.items():
        draft = _list_fitted(draft, (plural,), came_from, [of_stage(stage, "", name) for stage in design.stages], old)
        if name in ("depth", "width") and len(draft.under.stages) not in (0, new):
            draft = draft.put((plural,), [of_stage(stage, "", name) for stage in design.stages])
    for section in STAGE_SECTIONS:
        for name, knob in knobs_of(SECTIONS[section]).items():
            if knob.kind not in WHOLE:
                wanted = [of_stage(stage, section, name) for stage in design.stages]
                for keys in ((section, name), ("stages", "*", section, name)):
                    draft = _list_fitted(draft, keys, came_from, wanted, old)
    return draft


def _origins(before: Design, design: Design) -> list[int | None]:
    """For each stage of a design the one that it was before: those that are equal from both ends on, and between them in order."""
    old, new = before.stages, design.stages
    least = min(len(old), len(new))
    start = next((index for index in range(least) if old[index] != new[index]), least)
    end = next((index for index in range(least - start) if old[-1 - index] != new[-1 - index]), least - start)
    paired, moved = least - end, len(new) - len(old)
    return [
        *range(paired),
        *(None for _ in range(paired, len(new) - end)),
        *(stage - moved for stage in range(len(new) - end, len(new))),
    ]


def _list_fitted(draft: Draft, keys: tuple[str, ...], origins: list[int | None], wanted: list[Any], old: int) -> Draft:
    """A list of one value a stage with the items of stages that are gone taken out, and those of new ones put in."""
    value = draft.written(keys)
    if not isinstance(value, list) or len(value) != old:
        return draft
    items = [wanted[stage] if origin is None else value[origin] for stage, origin in enumerate(origins)]
    return draft.put(keys, items)


def _tables_moved(draft: Draft, origins: list[int | None], old: int) -> Draft:
    """The tables of single stages under the numbers that the stages now have; those of stages that are gone are taken out."""
    places = {origin: stage for stage, origin in enumerate(origins) if origin is not None}
    names: dict[tuple[str, ...], str] = {}
    for key in list(draft.table.get("stages", {})):
        index = stage_index(key, old)
        if index is None:
            continue
        if index not in places:
            draft = draft.removed(("stages", key))
            continue
        place = places[index]
        names["stages", key] = str(place - len(origins)) if key.startswith("-") else str(place)
    return Draft(renamed(draft.text, names), draft.under)
