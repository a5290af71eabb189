"""Values as JSON and databases hold them: finite numbers, text without NUL, and one form for equal things."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^\s@]*(?=@)")

_SECRETS = "password|passfile|sslpassword|sslkey"
"""What a URL may say behind its question mark, and nobody else should see."""

_SECRET = re.compile(rf"([?&](?:{_SECRETS})=)[^&\s]*", re.IGNORECASE)
_SECRET_TO_THE_END = re.compile(rf"([?&](?:{_SECRETS})=)[^&]*", re.IGNORECASE)


def plain(value: Any) -> Any:
    """The value made of what JSON has; a number that is not finite becomes its name, since JSON has none of these."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str | PurePath):
        return clean(str(value))
    if isinstance(value, Mapping):
        return {clean(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # arrays and scalars of numpy and torch
        return plain(value.tolist())
    raise TypeError(f"a {type(value).__name__} cannot be stored")


def clean(text: str) -> str:
    """The text without what databases refuse: NUL, and the halves of characters that undecodable arguments leave."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def without_passwords(text: str) -> str:
    """A text in which no URL holds a password, nor the place of a key."""
    return _PASSWORD.sub(r"\1***", _SECRET.sub(r"\1***", text))


def is_secret(name: str) -> bool:
    """Whether a key of a URL's query says what nobody else should see."""
    return name.lower() in _SECRETS.split("|")


def argument_without_passwords(text: str) -> str:
    """An argument of a command line in which no URL holds a password, one with spaces included."""
    return without_passwords(_SECRET_TO_THE_END.sub(r"\1***", text) if "://" in text else text)


def finite(number: float | None) -> float | None:
    """The number, None where it is not finite: SQLite and PostgreSQL would keep different things."""
    return None if number is None or not math.isfinite(number) else float(number)


def canonical(facts: Mapping[str, Any]) -> str:
    """The one JSON text of equal facts."""
    return json.dumps(plain(facts), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(facts: Mapping[str, Any]) -> str:
    """The SHA-256 of the facts' canonical JSON: what the store knows an environment by."""
    return hashlib.sha256(canonical(facts).encode()).hexdigest()
