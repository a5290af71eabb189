"""Domains: the values that a knob may take in a space, from a list or a range (linear, logarithmic, powers of two)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convlab.knobs import Knob, Refused, accepted

SCALES = ("linear", "log", "power_of_two")
MAXIMUM_CHOICES = 1_000_000
FORM = (
    "write a list of choices, { low = 3, high = 27, step = 3 }, "
    '{ low = 16, high = 512, count = 6, scale = "log" } or { low = 8, high = 64, scale = "power_of_two" }'
)


def domain(knob: Knob, written: Any) -> Sequence[Any] | Refused:
    """The values of a knob that a space says, in order and without repetition."""
    if isinstance(written, Mapping):
        choices = _range(knob, written)
        return choices if isinstance(choices, Refused) else _all_accepted(knob, choices)
    if not isinstance(written, list | tuple):
        return Refused("bad-space", f"{knob.name} needs its choices", help=FORM)
    return _all_accepted(knob, written)


def _all_accepted(knob: Knob, written: Sequence[Any]) -> Sequence[Any] | Refused:
    choices = []
    for value in written:
        found = accepted(knob, value)
        if isinstance(found, Refused):
            return found
        choices.append(found)
    if not choices:
        return Refused("empty-space", f"{knob.name} has no choice left", help=FORM)
    if len(set(choices)) != len(choices):
        return Refused("bad-space", f"{knob.name} names a choice twice")
    return tuple(choices)


def _range(knob: Knob, written: Mapping[str, Any]) -> Sequence[Any] | Refused:
    scale = written.get("scale", "linear")
    wanted = {"linear": {"low", "high", "step"}, "log": {"low", "high", "count"}, "power_of_two": {"low", "high"}}
    if not isinstance(scale, str) or scale not in wanted or set(written) - {"scale"} != wanted[scale]:
        return Refused("bad-space", f"the range of {knob.name} is not complete", help=FORM)
    numbers = [written[key] for key in sorted(wanted[scale])]
    if not all(type(number) in (int, float) and abs(number) < 1e15 for number in numbers):
        return Refused("wrong-type", f"the range of {knob.name} needs numbers", help=FORM)
    low, high = written["low"], written["high"]
    if high < low or written.get("step", 1) <= 0 or written.get("count", 1) < 1 or (scale != "linear" and low <= 0):
        return Refused("empty-space", f"the range of {knob.name} is empty", help=FORM)
    count = {"linear": (high - low) / written.get("step", 1) + 1, "log": written.get("count", 1)}.get(scale, 1)
    if count > MAXIMUM_CHOICES:
        return Refused(
            "bad-space", f"the range of {knob.name} has over {MAXIMUM_CHOICES:,} values", help="a larger step"
        )
    return _values(knob, written, scale)


def _values(knob: Knob, written: Mapping[str, Any], scale: str) -> Sequence[Any]:
    low, high = written["low"], written["high"]
    whole = knob.kind != "number"
    if scale == "power_of_two":
        return [2**power for power in range(0, 50) if low <= 2**power <= high]
    if scale == "log":
        count = int(written["count"])
        ratio = (high / low) ** (1 / max(1, count - 1))
        found = [low * ratio**index for index in range(count)]
        return list(dict.fromkeys(round(value) if whole else round(value, 12) for value in found))
    step = written["step"]
    if all(type(number) is int for number in (low, high, step)):
        return range(low, high + 1, step)
    count = int((high - low) / step + 1e-9) + 1
    return [round(low + index * step, 12) for index in range(count)]
