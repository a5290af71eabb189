"""Where a figure cannot be had: the reason stands in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Unmeasured:
    """No figure, and why."""

    why: str
