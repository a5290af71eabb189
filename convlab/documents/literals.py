"""Values and keys as TOML writes them on one line."""

from __future__ import annotations

import json
import re
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_EXPONENT_ZEROS = re.compile(r"e([+-])0+")


def literal(value: Any) -> str:
    """A value as TOML: text in quotes, a tuple as a list. Values are those that a knob holds."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, float):
        return _EXPONENT_ZEROS.sub(r"e\1", repr(value))
    return str(value)


def literal_like(value: Any, old: Any) -> str:
    """A value as TOML in the manner of the one that it takes the place of: 6 for 4 where 6.0 is meant."""
    if type(old) is int and type(value) is float and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return literal(value)


def key_text(keys: tuple[str, ...]) -> str:
    """A dotted key."""
    return ".".join(key if _BARE_KEY.fullmatch(key) else _quoted(key) for key in keys)


def _quoted(text: str) -> str:
    """A basic string: what JSON writes, but for one character that only TOML refuses."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
