"""The values of knobs for people: a 0 that leaves the value to the rest of the design is no figure."""

from __future__ import annotations

from typing import Any

from convlab.language.addresses import PLURALS
from convlab.language.knobs import Knob
from convlab.views.knob_paths import knob_paths
from convlab.views.tables import value_text


def knob_text(knob: Knob, value: Any) -> str:
    """A knob's value: its word for a 0 that is no figure, "none" for nothing, and as tables have it otherwise."""
    if knob.is_automatic(value):
        return knob.zero
    return "none" if value in ((), "") else value_text(value)


def path_text(path: str, value: Any) -> str:
    """The value of the knob of a path, of several stages those of each; as tables have it where there is no such knob."""
    knob = _knob_of(path)
    if knob is None or not knob.zero:
        return value_text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(knob_text(knob, item) for item in value)}]"
    return knob_text(knob, value)


def _knob_of(path: str) -> Knob | None:
    known = knob_paths()
    if not path.startswith("stages."):
        return known.get(path)
    inner = path.split(".", 2)[-1]
    return known.get(next((plural for plural, name in PLURALS.items() if name == inner), inner))
