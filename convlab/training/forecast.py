"""Progress of several trainings as one: how far all of them are, and the time that is left, by the cost of each."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import final

from convlab.costs import cost
from convlab.language.design import Design, lower
from convlab.progress import Progress, Result, Work, retold

SHOWN = 0.01
"""Share of the work after which the time that is left is told: the first steps are slower than the others."""

OVERHEAD_MACS = 500_000
"""What an image costs besides its multiply-adds (data, small kernels), as so many of them."""


@final
class Forecast:
    """How far trainings of as many steps each have come, one after the other."""

    def __init__(self, designs: Sequence[Design], *, began: float):
        self._weights = [_weight(design) for design in designs]
        self._began = began
        self._worked = 0.0
        """What was done since the beginning, in the unit of the weights; what an earlier session did is not in it."""

    def followed(self, work: Work[Result], index: int) -> Work[Result]:
        """A training's work to its end, its progress told as a part of all."""
        weight, before = self._weights[index], self._worked
        rest = sum(self._weights[index + 1 :])
        first: int | None = None

        def told(progress: Progress) -> Progress:
            nonlocal first
            first = progress.done if first is None else first
            steps = progress.total or 1
            self._worked = before + weight * (progress.done - first) / steps
            return self._told(progress, index, rest + weight * (steps - progress.done) / steps)

        return (yield from retold(work, told))

    def _told(self, progress: Progress, index: int, left: float) -> Progress:
        elapsed = time.monotonic() - self._began
        steps = progress.total or 1
        return dataclasses.replace(
            progress,
            done=index * steps + progress.done,
            total=len(self._weights) * steps,
            elapsed_s=elapsed,
            remaining_s=elapsed * left / self._worked if self._worked > SHOWN * sum(self._weights) else None,
        )


def _weight(design: Design) -> float:
    return cost(design, lower(design), design.image.shape).macs + OVERHEAD_MACS
