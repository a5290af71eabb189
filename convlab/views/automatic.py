"""The knobs whose 0 leaves the value to the design: what stands in the place of the 0 for people, who may write it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlab.views.tables import value_text

if TYPE_CHECKING:
    from convlab.language.knobs import Knob

AUTOMATIC = ("output_stride", "norm_eps", "stem.width", "block.group_width", "block.heads")
"""The ends of their paths; the help of each says after "0: " what holds then."""

AUTO = "auto"


def is_automatic(path: str) -> bool:
    """Whether the 0 of a knob means that the design says it elsewhere."""
    return any(f".{path}".endswith(f".{each}") for each in AUTOMATIC)


def knob_text(path: str, value: Any) -> str:
    """A knob's value for people: "auto" for a 0 that is not a figure, "none" for nothing, and as tables have it otherwise."""
    if is_automatic(path) and value == 0:
        return AUTO
    return "none" if value in ((), "") else value_text(value)


def bounds_text(path: str, knob: Knob) -> str:
    """What a value may be, in words."""
    return f"{knob.bounds()}, or {AUTO}" if is_automatic(path) else knob.bounds()


def written(path: str, text: str) -> str:
    """What is typed for a knob as the design language has it: "auto" is its 0."""
    return "0" if is_automatic(path) and text.strip().lower() == AUTO else text
