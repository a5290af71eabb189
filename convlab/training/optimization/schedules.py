"""The course of the learning rate over a training, as a pure function of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch

from convlab.training.recipes.recipe import Recipe

ONE_CYCLE_START = 1 / 25
"""Where a one-cycle schedule starts, as a share of its peak (Smith and Topin, 2018, arXiv:1708.07120, as in torch)."""


@final
@dataclass(frozen=True, slots=True)
class Schedule:
    """Up during the warm-up, then along a curve; ``kind`` is one of the recipe's, ``warmup`` a share of the steps."""

    kind: str
    peak: float
    final: float = 0.0
    warmup: float = 0.0

    def learning_rate(self, step: int, steps: int) -> float:
        """The learning rate of step 0, 1, ... of ``steps``; after the last one the final one.

        cosine, linear and constant rise in a straight line from 0 in the first step to the peak in the last step of the warm-up, as
        ConvNeXt does; one_cycle is torch's, with half a cosine up and half a cosine down.
        """
        if step >= steps:
            return self.peak if self.kind == "constant" else self.final
        if self.kind == "one_cycle":
            return self._one_cycle(step, steps)
        rising = min(round(self.warmup * steps), steps)
        if step < rising:
            return self.peak * step / max(1, rising - 1)
        passed = (step - rising) / (steps - rising)
        match self.kind:
            case "cosine":
                return _half_cosine(self.peak, self.final, passed)
            case "linear":
                return self.peak + (self.final - self.peak) * passed
            case _:
                return self.peak

    def _one_cycle(self, step: int, steps: int) -> float:
        top = max(0.0, self.warmup * steps - 1)
        if step < top:
            return _half_cosine(self.peak * ONE_CYCLE_START, self.peak, step / top)
        return _half_cosine(self.peak, self.final, (step - top) / max(1.0, steps - 1 - top))


def schedule(recipe: Recipe) -> Schedule:
    """The schedule of a recipe."""
    return Schedule(recipe.schedule, recipe.peak_learning_rate, recipe.final_learning_rate, recipe.warmup_share)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Have every group step with the rate times its factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_scale"]


def _half_cosine(start: float, end: float, passed: float) -> float:
    return end + 0.5 * (start - end) * (1 + math.cos(math.pi * passed))
