"""Turning one knob: a value by its knob path, as a face gives it at every key press, put into a design."""

from __future__ import annotations

from typing import Any

from convlab.errors import ConvlabError
from convlab.language.acceptance import accepted
from convlab.language.addresses import SECTIONS, STAGE_SECTIONS, UNUSED
from convlab.language.assigning import assign
from convlab.language.design import Design
from convlab.language.knobs import Refused, changed, knobs_of


def turn(design: Design, path: str, value: Any) -> Design:
    """The design with one knob turned, by its path ("stages.2.block.kernel_size"). Raises ConvlabError; checks no other knob."""
    found = _turned_at_once(design, path.split("."), value)
    if found is not None:
        return found
    table: Any = value
    for part in reversed(path.split(".")):
        table = {part: table}
    turned = assign(design, table)
    if turned.faults:
        raise ConvlabError(*(fault.problem for fault in turned.faults))
    return turned.design


def _turned_at_once(design: Design, parts: list[str], value: Any) -> Design | None:
    """A knob of a single section or stage turned to a value that it accepts, without a table: a face turns one at every key press.

    None for everything else (kinds, lists, all stages at once, what is refused): that is for ``assign``, which gives the same result.
    """
    match parts:
        case ["stages", number, *inner] if (
            number.isdigit() and str(int(number)) == number and int(number) < len(design.stages)
        ):
            index = int(number)
            stage = _noun_turned(design.stages[index], inner, value)
            return stage and changed(design, {"stages": (*design.stages[:index], stage, *design.stages[index + 1 :])})
        case [section, _] if section in SECTIONS and section not in STAGE_SECTIONS:
            turned: Design | None = _noun_turned(design, parts, value)
            return turned
        case _:
            return None


def _noun_turned(noun: Any, parts: list[str], value: Any) -> Any:
    """A noun with a knob of its own or of one of its sections turned."""
    match parts:
        case [name]:
            return _knob_turned(noun, name, value)
        case [section, name] if section in SECTIONS and hasattr(noun, section):
            inner = _knob_turned(getattr(noun, section), name, value)
            return inner and changed(noun, {section: inner})
        case _:
            return None


def _knob_turned(noun: Any, name: str, value: Any) -> Any:
    """A noun with a plain number, word or truth value put in; None where it is another matter."""
    knob = knobs_of(type(noun)).get(name)
    kind = getattr(noun, "kind", "")
    if knob is None or name == "kind" or knob.kind not in PLAIN or name in UNUSED.get((knob.noun, kind), ()):
        return None
    found = accepted(knob, value)
    return None if isinstance(found, Refused) else changed(noun, {name: found})


PLAIN = frozenset({"integer", "number", "boolean", "choice"})
"""The kinds of knobs that hold one plain value."""
