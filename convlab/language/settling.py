"""Settling: a draft's kinds and values set, each where the file already speaks of it, and what a new kind has no use for taken out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from convlab.language.acceptance import accepted
from convlab.language.addresses import SECTIONS, STAGE_SECTIONS, UNUSED
from convlab.language.design import Design, Stage
from convlab.language.drafting import MACRO, Draft, Home, effective_from, homes, item_of, knob_of, of_stage, single
from convlab.language.knobs import knobs_of

SINGLE_SECTIONS = tuple(section for section in SECTIONS if section not in STAGE_SECTIONS)
WHOLE = ("choices", "layers")
"""Kinds of knobs whose value is itself a list."""


def with_kinds(draft: Draft, design: Design) -> Draft:
    """The draft with every section of its kind."""
    for section in SINGLE_SECTIONS:
        if "kind" in knobs_of(SECTIONS[section]):
            draft = _noun_settled(draft, section, ("kind",), design)
    for section in STAGE_SECTIONS:
        draft = _staged(draft, section, "kind", design)
    return draft


def with_values(draft: Draft, design: Design) -> Draft:
    """The draft with every other knob set."""
    for name in knobs_of(Design):
        if getattr(draft.meaning, name) != (value := getattr(design, name)):
            draft = draft.put((name,), value) if value != "" or draft.under.summary else draft.removed((name,))
    for section in SINGLE_SECTIONS:
        draft = _noun_settled(draft, section, tuple(knobs_of(SECTIONS[section])), design)
    for section in (MACRO, *STAGE_SECTIONS):
        for name in knobs_of(SECTIONS[section] if section else Stage):
            draft = _staged(draft, section, name, design)
    return draft


def without_useless(draft: Draft, before: Design, design: Design) -> Draft:
    """The draft without knobs that a kind does not use, and without those that are not true of a kind that has changed."""
    for section in SINGLE_SECTIONS:
        noun = getattr(design, section)
        if _kind(getattr(before, section)) != _kind(noun):
            for name, value in dict(draft.written((section,)) or {}).items():
                if name != "kind" and not _says(section, name, value, getattr(noun, name, None)):
                    draft = draft.removed((section, name))
    for section in STAGE_SECTIONS:
        draft = _without_untrue(draft, section, before, design)
    for fault in draft.turned.faults:
        keys = tuple(map(str, fault.path))
        if fault.of == "key" and draft.written(keys) is not None:
            draft = draft.removed(keys)
    return draft


def _without_untrue(draft: Draft, section: str, before: Design, design: Design) -> Draft:
    """Without what tables say of knobs to stages whose kind has changed, where it is not what they shall have."""
    count = len(design.stages)
    old = [_kind(getattr(stage, section)) for stage in before.stages]
    new = [_kind(getattr(stage, section)) for stage in design.stages]
    if old == new or len(old) != len(new):
        return draft
    tables = homes(draft, section, count)
    since = [effective_from(draft, section, tables, stage) for stage in range(count)]
    for number, home in enumerate(tables):
        told = [stage for stage in home.stages if since[stage] <= number]
        if not told or any(old[stage] == new[stage] for stage in told):
            continue
        for name, value in dict(draft.written(home.keys) or {}).items():
            if name == "kind" or name not in knobs_of(SECTIONS[section]):
                continue
            whole = knob_of(section, name).kind in WHOLE
            items = [
                (item_of(value, home, stage, whole=whole), of_stage(design.stages[stage], section, name))
                for stage in told
            ]
            if not all(_says(section, name, item, wanted) for item, wanted in items):
                draft = draft.removed((*home.keys, name))
    return draft


def _kind(noun: Any) -> str:
    return str(getattr(noun, "kind", ""))


def _says(section: str, name: str, value: Any, wanted: Any) -> bool:
    knobs = knobs_of(SECTIONS[section])
    return name in knobs and accepted(knobs[name], value) == wanted


def _noun_settled(draft: Draft, section: str, names: tuple[str, ...], design: Design) -> Draft:
    """The draft with knobs of a section of the whole design set."""
    now, wanted = getattr(draft.meaning, section), getattr(design, section)
    unused = UNUSED.get((section, _kind(wanted)), frozenset())
    for name in names if now != wanted else ():
        if getattr(now, name) != getattr(wanted, name) and name not in unused:
            draft = draft.put((section, name), getattr(wanted, name))
    return draft


def _staged(draft: Draft, section: str, name: str, design: Design) -> Draft:
    """The draft with one knob of the stages set, where it is not as wanted."""
    now, wanted = ([of_stage(stage, section, name) for stage in each.stages] for each in (draft.meaning, design))
    wrong = [stage for stage, (one, other) in enumerate(zip(now, wanted, strict=True)) if one != other]
    wrong = [
        stage
        for stage in wrong
        if not section or name not in UNUSED.get((section, _kind(getattr(design.stages[stage], section))), ())
    ]
    if not wrong:
        return draft
    if name in draft.ruled and section in (MACRO, "block"):
        return _beside_rule(draft, section, name, wrong, design)
    tables = homes(draft, section, len(wanted))
    by_writer: dict[int | None, list[int]] = {}
    writers = [_writer(draft, section, name, tables, stage) for stage in range(len(wanted))]
    for stage in wrong:
        by_writer.setdefault(writers[stage], []).append(stage)
    for writer, stages in by_writer.items():
        if writer is None:
            draft = _added(draft, section, name, stages, wanted, writers)
        else:
            told = [stage for stage, other in enumerate(writers) if other == writer]
            draft = _set(draft, section, name, tables[writer], stages, wanted, told)
    return draft


def _writer(draft: Draft, section: str, name: str, tables: list[Home], stage: int) -> int | None:
    """The number of the table that says a knob of a stage; None where none does."""
    first = -1 if name == "kind" else effective_from(draft, section, tables, stage)
    said = [
        number
        for number, home in enumerate(tables)
        if number >= first and stage in home.stages and draft.written(home.at(name)) is not None
    ]
    return said[-1] if said else None


def _set(
    draft: Draft, section: str, name: str, home: Home, stages: list[int], wanted: list[Any], told: list[int]
) -> Draft:
    """Put right what a table says of a knob to stages; ``told`` are all those that take it from there."""
    value, whole = draft.written(home.at(name)), knob_of(section, name).kind in WHOLE
    if isinstance(value, list) and not whole:
        places = [home.stages.index(stage) for stage in stages]
        items = [wanted[stage] if place in places else value[place] for place, stage in enumerate(home.stages)]
        return draft.put(home.at(name), items)
    if all(wanted[stage] == wanted[stages[0]] for stage in told):
        one = wanted[stages[0]]
        return draft.removed(home.at(name)) if one == () and whole else draft.put(home.at(name), one)
    if home.shared and not whole and name != "kind" and len(told) == len(wanted):
        return draft.put(home.at(name), wanted)
    return _singly(draft, section, name, stages, wanted)


def _added(
    draft: Draft, section: str, name: str, stages: list[int], wanted: list[Any], writers: list[int | None]
) -> Draft:
    """Say a knob that no table says to these stages: for all in one line where that is possible, else for each."""
    tables = homes(draft, section, len(wanted))
    kinds = (effective_from(draft, section, tables, stage) for stage in range(len(wanted)))
    reached = all(number < 0 or tables[number].shared for number in kinds)
    shared, whole = Home((section,) if section else (), range(len(wanted)), True), knob_of(section, name).kind in WHOLE
    silent = [stage for stage, writer in enumerate(writers) if writer is None]
    if reached and all(wanted[stage] == wanted[stages[0]] for stage in silent):
        return draft.put(shared.at(name), wanted[stages[0]])
    if reached and not whole and name != "kind" and (not section or len(stages) > 1) and len(silent) == len(wanted):
        return draft.put(shared.at(name), wanted)
    return _singly(draft, section, name, stages, wanted)


def _singly(draft: Draft, section: str, name: str, stages: Iterable[int], wanted: list[Any]) -> Draft:
    """Say a knob in the stages' own tables."""
    for stage in stages:
        draft = draft.put(single(draft, section, stage, len(wanted)).at(name), wanted[stage])
    return draft


def _beside_rule(draft: Draft, section: str, name: str, wrong: list[int], design: Design) -> Draft:
    """One stage differs from the rule for the widths in its own table; where more do, plain sizes take the rule's place."""
    if len(wrong) == 1:
        return _singly(draft, section, name, wrong, [of_stage(stage, section, name) for stage in design.stages])
    return without_rule(draft, design)


def without_rule(draft: Draft, design: Design) -> Draft:
    """The draft with a design's sizes in the place of the rule for the widths."""
    return draft.put(("widths",), design.widths).put(("depths",), design.depths)
