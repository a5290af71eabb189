"""One profile or several: charts that compare take both."""

from __future__ import annotations

from collections.abc import Sequence

from convlab.costs import Profile


def listed(profiles: Profile | Sequence[Profile]) -> list[Profile]:
    """The profiles as a list."""
    return [profiles] if isinstance(profiles, Profile) else list(profiles)
