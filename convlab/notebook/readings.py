"""What the live charts show of a design, as arrays of one length for every design: a slider then changes nothing but heights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from convlab.costs import Profile
from convlab.views.receptive_field import Growth, growth
from convlab.views.shares import shares

Array = NDArray[Any]

POINTS = 61
"""Points of a curve over the depth of the network."""

FLOAT32 = 4
MIB = 2**20


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """The heights of the charts of one design.

    ``places`` are the stem, the stages (s0, s1, ...: plotly takes bare numbers for positions), and the head; by them are ``macs`` (G),
    ``params`` (M) and ``memory`` (MiB for one image, float32: the most that is live meanwhile). ``seen`` (px) goes over the depth of the
    network; ``squares`` (px) are what a pixel sees after every stage, NaN where it depends on the whole map.
    """

    places: tuple[str, ...]
    macs: Array
    params: Array
    memory: Array
    seen: Array
    squares: Array
    side: int
    """The longer side of the image."""


def reading(profile: Profile) -> Reading:
    """What the charts show of a profile."""
    found = shares(profile, "macs"), shares(profile, "params")
    grown = growth(profile)
    return Reading(
        tuple(each.path.replace("stages.", "s") for each in found[0]),
        np.array([each.value / 1e9 for each in found[0]]),
        np.array([each.value / 1e6 for each in found[1]]),
        _memory(profile, tuple(each.path for each in found[0])),
        _seen(grown),
        _squares(grown, len(profile.design.stages)),
        grown.side,
    )


def _memory(profile: Profile, paths: tuple[str, ...]) -> Array:
    """The most memory that is live at once while a place runs; the greatest of them is ``Profile.peak_bytes``."""
    found = dict.fromkeys(paths, 0)
    held = 0
    for index, part in enumerate(profile.parts):
        path = "head" if part.head else paths[0] if index == 0 else part.path
        place = path if path in found else paths[1]
        live = part.live
        found[place] = max(found[place], profile.image.elements + held + live.extra)
        held = live.output or held
    return np.array([found[path] * FLOAT32 / MIB for path in paths])


def _seen(grown: Growth) -> Array:
    """What a pixel sees at equal steps of the way through the network; the image's side where it sees the whole map."""
    if not grown.steps:
        return np.ones(POINTS)
    last = grown.steps[-1].number[1]
    at, sizes = [0], [1]
    for step in grown.steps:
        for number, window in zip(step.number, (step.first, step.last), strict=True):
            at.append(number)
            sizes.append(grown.side if window is None else window.size)
    order = np.argsort(at, kind="stable")
    seen: Array = np.interp(np.linspace(0, last, POINTS), np.array(at)[order], np.array(sizes)[order])
    return seen


def _squares(grown: Growth, stages: int) -> Array:
    found = np.full(stages, np.nan)
    size = 1.0
    for stage in range(stages):
        mine = [step for step in grown.steps if stages == 1 or step.path.startswith(f"stages.{stage}.")]
        if mine:
            size = np.nan if mine[-1].last is None else float(mine[-1].last.size)
        found[stage] = size
    return found
