"""What a report is asked for: designs, and where what is said of them comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, final

from convlab.costs import Profile
from convlab.settings import Settings

if TYPE_CHECKING:
    from convlab.runs.store import Store


@final
@dataclass(frozen=True, kw_only=True)
class Asked:
    """The designs of a report, the first as baseline, and where measurements and predictions are taken from.

    ``store`` None leaves measurements and trainings out; ``command`` is how to make the report again; ``sets`` the knobs that were turned
    in every design; ``threads`` 0 predicts for as many as torch takes.
    """

    profiles: Sequence[Profile]
    settings: Settings
    store: Store | None = None
    threads: int = 0
    sets: Sequence[str] = ()
    command: str = ""
    made: datetime | None = None
    """When; None: now."""

    @property
    def moment(self) -> datetime:
        """When the report was made."""
        return self.made or datetime.now(UTC)

    @property
    def names(self) -> list[str]:
        """What the designs are called."""
        return [profile.design.name or "a design" for profile in self.profiles]
