"""An explanation: what a name is, in a sentence, with facts and an example."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a name is; ``facts`` are pairs of a label and a text."""

    name: str
    what: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    example: str = ""


def sentence(help: str) -> str:
    """A knob's or a metric's help as a sentence."""
    return help[0].upper() + help[1:] + ("" if help.endswith(".") else ".")
