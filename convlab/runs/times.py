"""Moments and spans of time as people write them: 2026-11-22, 2026-11-22T17:03, 7d, 12h."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_SPAN = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str) -> timedelta | None:
    """The span of time that a text such as "30d" means, None where it means none."""
    found = _SPAN.fullmatch(text.strip().lower())
    if not found:
        return None
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        return None


def moment(text: str, now: datetime) -> datetime | None:
    """The moment that a date, a time in UTC, or a span before now means; None where it means none."""
    before = span(text)
    try:
        if before is not None:
            return now - before
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
