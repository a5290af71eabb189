"""What a chart is drawn of: designs or their profiles, one or several."""

from __future__ import annotations

from collections.abc import Sequence

from convlab.costs import Profile, profile
from convlab.language.design import Design

Subject = Design | Profile
"""A design stands for its profile at its own image size."""


def profiled(design: Subject) -> Profile:
    """The profile of a design, at its own image size; a profile as it is."""
    return profile(design) if isinstance(design, Design) else design


def listed(designs: Subject | Sequence[Subject]) -> list[Profile]:
    """One or several as a list of profiles."""
    return [profiled(each) for each in ([designs] if isinstance(designs, Design | Profile) else designs)]
