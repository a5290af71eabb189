"""Domains: the values that a knob may take in a space, from a list or a range (linear, logarithmic, powers of two)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from convlab.errors import did_you_mean, quote
from convlab.language.acceptance import accepted
from convlab.language.knobs import Knob, Refused

SCALES: dict[str, tuple[tuple[str, ...], str]] = {
    "linear": (("low", "high", "step"), "{ low = 3, high = 27, step = 3 }"),
    "log": (("low", "high", "count"), '{ low = 16, high = 512, count = 6, scale = "log" }'),
    "power_of_two": (("low", "high"), '{ low = 8, high = 64, scale = "power_of_two" }'),
}
"""The scales of a range: what each has to say, and an example."""

MAXIMUM_CHOICES = 1_000_000
LARGEST_NUMBER = 1e15
RANGED = ("integer", "number", "size")
"""The kinds of knobs that can have a range."""


class Objection(NamedTuple):
    """Why a domain is refused, and at which key or item of what was written."""

    refused: Refused
    at: tuple[str | int, ...] = ()
    of: str = "value"


def domain(knob: Knob, written: Any) -> tuple[Any, ...] | Objection:
    """The values of a knob that a space says, in order and without repetition."""
    if isinstance(written, Mapping):
        objection = _unreadable(knob, written) or _empty(knob, written) or _too_long(knob, written)
        return objection or _taken(knob, _values(knob, written))
    if not isinstance(written, list | tuple):
        plain = isinstance(written, str | int | float)
        label = f"write [{quote(written)}]" if plain else ""
        return Objection(
            Refused("bad-space", f"{knob.name} needs a list of choices{_or_range(knob)}", label, _form(knob))
        )
    choices = _taken(knob, written)
    if isinstance(choices, Objection):
        return choices
    again = next((index for index, choice in enumerate(choices) if choice in choices[:index]), None)
    if again is not None:
        refused = Refused("bad-space", f"{knob.name} names {quote(choices[again])} twice", help="keep one of the two")
        return Objection(refused, (again,))
    return choices


def _taken(knob: Knob, values: Iterable[Any]) -> tuple[Any, ...] | Objection:
    """The values as the knob takes them, if it takes all of them and there is one."""
    choices = []
    for index, value in enumerate(values):
        found = accepted(knob, value)
        if isinstance(found, Refused):
            return Objection(found, (index, *found.item))
        choices.append(found)
    if not choices:
        return Objection(Refused("empty-space", f"{knob.name} has no choice left", help=_form(knob)))
    return tuple(choices)


def _unreadable(knob: Knob, written: Mapping[str, Any]) -> Objection | None:
    """What keeps a table from being a range."""
    if knob.kind not in RANGED:
        return Objection(Refused("bad-space", f"{knob.name} is no number: it has no range", help=_form(knob)))
    scale = written.get("scale", "linear")
    if not isinstance(scale, str) or scale not in SCALES:
        label = did_you_mean(scale, SCALES) if isinstance(scale, str) else ""
        refused = Refused("bad-space", f"there is no scale {quote(scale)}", label, f"scales: {', '.join(SCALES)}")
        return Objection(refused, ("scale",))
    keys, form = SCALES[scale]
    whole = scale == "linear" and knob.kind != "number"
    for key, value in written.items():
        if key not in (*keys, "scale"):
            message = f"a range of scale {scale} has no {quote(key)}"
            return Objection(Refused("unknown-key", message, did_you_mean(key, keys), form), (key,), "key")
        if key == "scale" or (type(value) in (int, *[float] * (not whole)) and abs(value) < LARGEST_NUMBER):
            continue
        message = f"{key} is a {'whole ' * whole}number, not {quote(value)}"
        return Objection(Refused("wrong-type", message, help=form), (key,))
    missing = [key for key in keys if key not in written]
    if missing:
        return Objection(Refused("missing-key", f"the range of {knob.name} lacks {missing[0]}", help=form))
    return None


def _empty(knob: Knob, written: Mapping[str, Any]) -> Objection | None:
    """Why a range holds nothing, or never ends."""
    scale = written.get("scale", "linear")
    form = SCALES[scale][1]
    if written["high"] < written["low"]:
        return Objection(Refused("empty-space", f"the range of {knob.name} ends below its start", help=form), ("high",))
    if written.get("step", 1) <= 0:
        return Objection(Refused("empty-space", "a step is above 0", help=form), ("step",))
    if scale != "linear" and written["low"] <= 0:
        message = f"a range of scale {scale} starts above 0"
        return Objection(Refused("empty-space", message, help="list 0 and the others as choices"), ("low",))
    if type(written.get("count", 1)) is not int or written.get("count", 1) < 1:
        return Objection(Refused("wrong-type", "a count is a whole number of at least 1", help=form), ("count",))
    return None


def _too_long(knob: Knob, written: Mapping[str, Any]) -> Objection | None:
    length = (written["high"] - written["low"]) / written["step"] + 1 if "step" in written else written.get("count", 1)
    if length <= MAXIMUM_CHOICES:
        return None
    message = f"the range of {knob.name} has over {MAXIMUM_CHOICES:,} values"
    return Objection(Refused("bad-space", message, help="a larger step, or fewer values"))


def _values(knob: Knob, written: Mapping[str, Any]) -> Iterable[Any]:
    """The values of a range. Fractions are rounded to 12 digits, so that they are the same on any machine."""
    low, high = written["low"], written["high"]
    match written.get("scale", "linear"):
        case "power_of_two":
            return [2**power for power in range(50) if low <= 2**power <= high]
        case "log":
            ratio = (high / low) ** (1 / max(1, written["count"] - 1))
            found = [low * ratio**index for index in range(written["count"])]
            return dict.fromkeys(_rounded(value) if knob.kind == "number" else round(value) for value in found)
    step = written["step"]
    if all(type(number) is int for number in (low, high, step)):
        return range(low, high + 1, step)
    count = int((high - low) / step + 1e-9) + 1
    return dict.fromkeys(_rounded(low + index * step) for index in range(count))


def _form(knob: Knob) -> str:
    """How a domain is written."""
    if knob.kind == "boolean":
        return "write [false, true]"
    if knob.kind not in RANGED:
        return f"write a list of what {knob.name} may be"
    return f"write [3, 5, 7] or {SCALES['linear'][1]}"


def _or_range(knob: Knob) -> str:
    return " or a range" if knob.kind in RANGED else ""


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")
