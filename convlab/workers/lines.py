"""The lines between a worker and whoever started it: one JSON object a line on stderr while it works, one on stdout at its end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from convlab.errors import CODES, Place, Problem
from convlab.progress import Progress
from convlab.workers.events import Begun, Noted, Told

Heard = Begun | Told | Noted
"""What a line may tell."""


def line_of(event: Heard) -> str:
    """The event as a line, without its end. Figures that are not finite are left out: JSON has none."""
    match event:
        case Begun():
            return _line("begun", asdict(event))
        case Told(progress):
            figures = {name: value for name, value in progress.figures.items() if math.isfinite(value)}
            return _line("progress", {**asdict(progress), "figures": figures})
        case Noted():
            return _line("note", asdict(event))


def event_of(line: str) -> Heard | None:
    """The event of a line; None for a line that is something else, such as a warning of a library."""
    if not line.startswith("{"):
        return None
    try:
        ((kind, fields),) = json.loads(line).items()
        return _READERS[kind](fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def result_of(output: str) -> Mapping[str, Any] | None:
    """The JSON object that a command printed, also where a library printed before it; None where there is none, or half of one."""
    start = 0 if output.startswith("{\n") else output.rfind("\n{\n") + 1
    try:
        found = json.loads(output[start:])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def problems_of(result: Mapping[str, Any]) -> tuple[Problem, ...]:
    """The problems of a result that is an error; none for any other."""
    error = result.get("error")
    if not isinstance(error, dict):
        return ()
    return tuple(_problem(plain) for plain in error.get("problems", ()))


def _line(kind: str, fields: Mapping[str, Any]) -> str:
    return json.dumps({kind: fields}, separators=(",", ":"))


def _told(fields: Mapping[str, Any]) -> Told:
    return Told(Progress(**fields))


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Heard]]] = {
    "begun": lambda fields: Begun(**fields),
    "progress": _told,
    "note": lambda fields: Noted(**fields),
}


def _problem(plain: Mapping[str, Any]) -> Problem:
    code = plain["code"] if plain["code"] in CODES else "internal-error"
    place = None
    if plain["file"]:
        place = Place(plain["file"], plain["line"] or 0, plain["column"] or 0, "", 0)
    return Problem(code, plain["message"], place, plain["label"], plain["help"], plain["path"])
