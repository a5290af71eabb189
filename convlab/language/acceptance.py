"""Whether a knob takes a value: the value as the knob keeps it, or why it is refused and what was probably meant."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from convlab.errors import did_you_mean, quote
from convlab.language.knobs import Knob, Refused, plain

MAXIMUM_LAYERS = 256


def accepted(knob: Knob, value: Any) -> Any:
    """The value as the knob keeps it (a list as a tuple, a whole number as a float where it is a number), or ``Refused``."""
    return _CHECKS[knob.kind](knob, value)


def _purpose(knob: Knob) -> str:
    return f"{knob.name}: {knob.help}"


def _wrong_type(knob: Knob, value: Any) -> Refused:
    message = f"{knob.name} is {knob.bounds()}, not {quote(value)}"
    meant = _meant(knob, value)
    return Refused("wrong-type", message, f"write {meant}" if meant else "", _purpose(knob))


def _meant(knob: Knob, value: Any) -> str:
    """The value of the right type that was probably meant, as TOML; empty where none is likely."""
    if knob.kind == "text":
        return quote(str(value)) if type(value) in (int, float) else ""
    if knob.kind == "boolean":
        word = str(value).lower()
        return "true" if word in ("true", "yes", "on", "1") else "false" if word in ("false", "no", "off", "0") else ""
    if isinstance(value, str):
        if knob.zero and value.casefold() == knob.zero:
            return quote(knob.zero)
        listed = knob.kind == "layers" or (knob.kind == "choices" and value in knob.choices)
        return f"[{quote(value)}]" if listed else value if _is_numeric(knob, value) else ""
    whole = isinstance(value, float) and knob.kind in ("integer", "size") and value.is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else ""


def _is_numeric(knob: Knob, text: str) -> bool:
    """Whether a text is a number that the knob would take."""
    if len(text) > _LONGEST_NUMBER or not text.isascii():
        return False
    try:
        number: Any = float(text) if knob.kind == "number" else int(text)
    except ValueError:
        return False
    return knob.kind in ("number", "integer", "size") and _in_bounds(knob, number) is None


def _in_bounds(knob: Knob, value: Any) -> Refused | None:
    low, high = knob.low, knob.high
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    return Refused("out-of-range", f"{knob.name} = {quote(value)} is out of range", knob.bounds(), _purpose(knob))


def _integer(knob: Knob, value: Any) -> Any:
    if type(value) is not int:
        if isinstance(value, str) and value in knob.words:
            return 0 if value == knob.zero else value
        if type(value) is bool or not isinstance(value, Integral):
            return _wrong_type(knob, value)
        value = int(value)  # numpy's
    return _in_bounds(knob, value) or value


def _number(knob: Knob, value: Any) -> Any:
    if type(value) not in (int, float):
        if isinstance(value, str) and value in knob.words:
            return 0.0
        if type(value) is bool or not isinstance(value, Real):
            return _wrong_type(knob, value)
        value = float(value)  # numpy's
    if type(value) is float and not math.isfinite(value):
        return Refused("out-of-range", f"{knob.name} = {value} is out of range", knob.bounds(), _purpose(knob))
    return _in_bounds(knob, value) or float(value)


def _boolean(knob: Knob, value: Any) -> Any:
    return value if type(value) is bool else _wrong_type(knob, value)


def _text(knob: Knob, value: Any) -> Any:
    if not isinstance(value, str):
        return _wrong_type(knob, value)
    if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
        message = f"{knob.name} holds control characters"
        return Refused("bad-name", message, "only printable characters", _purpose(knob))
    if knob.high is not None and len(value) > knob.high:
        message = f"{knob.name} has {len(value)} characters"
        return Refused("out-of-range", message, f"at most {plain(knob.high)}", _purpose(knob))
    return value


def _choice(knob: Knob, value: Any) -> Any:
    if not isinstance(value, str):
        return _wrong_type(knob, value)
    if value in knob.choices:
        return value
    synonym = _SYNONYMS.get(value.casefold(), "")
    label = f"did you mean {quote(synonym)}?" if synonym in knob.choices else did_you_mean(value, knob.choices)
    listed = ", ".join(knob.choices)
    if knob.name == "kind":
        return Refused("unknown-kind", f"unknown {knob.noun} kind {quote(value)}", label, f"kinds: {listed}")
    return Refused("out-of-range", f"{knob.name} cannot be {quote(value)}", label, f"{knob.name} can be: {listed}")


def _choices(knob: Knob, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return _wrong_type(knob, value)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            return Refused(
                "wrong-type", f"{knob.name} holds words, not {quote(item)}", "", _choices_help(knob), (index,)
            )
        one = _choice(knob, item)
        if isinstance(one, Refused):
            return one._replace(
                message=f"{knob.name} cannot hold {quote(item)}", help=_choices_help(knob), item=(index,)
            )
        if item in value[:index]:
            message = f"{knob.name} holds {quote(item)} twice"
            return Refused("out-of-range", message, "keep one of the two", item=(index,))
    return tuple(choice for choice in knob.choices if choice in value)


def _choices_help(knob: Knob) -> str:
    return f"{knob.name} can hold: {', '.join(knob.choices)}"


def _layers(knob: Knob, value: Any) -> Any:
    """A list of layers, or a list of such lists where the knob's name is in the plural."""
    if not isinstance(value, list | tuple):
        return _wrong_type(knob, value)
    if knob.name == "branch":
        return _texts(knob, value, ())
    branches = []
    for index, branch in enumerate(value):
        if not isinstance(branch, list | tuple):
            message = f"{knob.name} holds lists of layers, not {quote(branch)}"
            return Refused(
                "wrong-type", message, f"write [{quote(branch)}]" * isinstance(branch, str), _purpose(knob), (index,)
            )
        found = _texts(knob, branch, (index,))
        if isinstance(found, Refused):
            return found
        branches.append(found)
    return tuple(branches)


def _texts(knob: Knob, branch: Any, path: tuple[int, ...]) -> Any:
    if len(branch) > MAXIMUM_LAYERS:
        message = f"{knob.name} has {len(branch)} layers"
        return Refused("out-of-range", message, f"at most {MAXIMUM_LAYERS}", _purpose(knob), path)
    for index, item in enumerate(branch):
        if not isinstance(item, str):
            message = f"{knob.name} holds layers as text, not {quote(item)}"
            return Refused("wrong-type", message, "", _purpose(knob), (*path, index))
    return tuple(branch)


def _size(knob: Knob, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return _integer(knob, value)
    if len(value) != 2:
        message = f"{knob.name} has {len(value)} value{'s' * (len(value) != 1)}"
        return Refused("wrong-length", message, "one number, or height and width", _purpose(knob))
    pair = [_integer(knob, item) for item in value]
    for index, item in enumerate(pair):
        if isinstance(item, Refused):
            return item._replace(item=(index,))
    return pair[0] if pair[0] == pair[1] else tuple(pair)


_LONGEST_NUMBER = 30
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SYNONYMS = {
    "swish": "silu",
    "avg": "average",
    "mean": "average",
    "cls": "token",
    "deit": "vit",
    "transformer": "vit",
    "bn": "batch_norm",
    "ln": "layer_norm",
    "gn": "group_norm",
    "rmsnorm": "rms_norm",
}
"""The field's other words for choices, for suggestions."""

_CHECKS: dict[str, Callable[[Knob, Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "choice": _choice,
    "choices": _choices,
    "text": _text,
    "layers": _layers,
    "size": _size,
}
