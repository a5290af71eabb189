"""What a reader should know of trainings besides their figures, from what ``convlab train --json`` printed. Imports nothing that trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convlab.views.notes import Note


def same_notes(same: Mapping[str, str]) -> list[Note]:
    """That designs were left out which are the network of another one, by name, once they are made smaller."""
    help = "--full-size trains them as they are; larger images leave more of what sets them apart"
    return [
        Note(name, f"{name}: not trained, the same network as {first} at this size", help)
        for name, first in same.items()
    ]


def notes_of(result: Mapping[str, Any]) -> Iterator[Note]:
    """Every note of a result: designs left out, what chance and the machine may have done, how to read the ranking, what it cannot tell."""
    yield from same_notes(result.get("same") or {})
    yield from (Note(**note) for note in result.get("notes", ()))
    yield from (Note("", sentence, "") for sentence in (result.get("ranking") or {}).get("notes", ()))
    everyone = {each["name"] for each in result.get("trained", ())}
    for doubt in result.get("doubts", ()):
        whose = "" if set(doubt["names"]) >= everyone else f"{', '.join(doubt['names'])}: "
        yield Note("", f"{doubt['topic']}: {whose}{doubt['sentence']}", doubt["help"])


def sentence(message: str, help: str) -> str:
    """A note in a line."""
    return f"{message}; {help}" if help else message
