"""Names of runs: when they started, for people and for sorting, and six letters that no other run of that second has."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's: without letters that look like others."""

_LETTERS = 6
_GIVEN = re.compile(r"[0-9a-z-]+")


def new_id(moment: datetime) -> str:
    """A name such as 20261122-170312-k3f9xw."""
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
    return f"{moment.astimezone(UTC):%Y%m%d-%H%M%S}-{tail}"


def short_name(run: str) -> str:
    """The last letters of a run's name, by which the shell knows it too."""
    return run.rpartition("-")[2]


def patterns(given: str) -> tuple[str, ...]:
    """What LIKE finds the names with that begin, or whose letters begin, as given; nothing where no name can."""
    if not _GIVEN.fullmatch(given):
        return ()
    return (f"{given}%", f"{'_' * 8}-{'_' * 6}-{given}%")
