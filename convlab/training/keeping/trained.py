"""What a training ends with: a network's learning curve and its figures, as frozen data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from convlab import display
from convlab.language.design import Design
from convlab.training.recipes.recipe import Recipe

DIVERGED = "diverged"
"""How the failure of a network begins whose figures were no longer finite."""


@final
@dataclass(frozen=True, slots=True)
class Point:
    """A look at the validation split during a training; ``training_loss`` is the mean since the look before."""

    step: int
    samples: int
    seconds: float
    training_loss: float
    validation_loss: float
    validation_accuracy: float


@final
@dataclass(frozen=True)
class Trained:
    """A network that was trained, as far as it came.

    Losses are cross-entropies (nats an image), accuracies shares from 0 to 1; what was not looked at is NaN. The test split is looked
    at once, at the end. With a running average of the weights (``recipe.ema``) it is the average that is judged.
    """

    name: str
    design: Design
    seed: int
    recipe: Recipe
    curve: tuple[Point, ...] = ()
    validation_loss: float = math.nan
    validation_accuracy: float = math.nan
    test_loss: float = math.nan
    test_accuracy: float = math.nan
    cue_accuracy: Mapping[str, float] = field(default_factory=dict)
    """Of the validation images that ask for a cue, the share that was answered rightly."""
    images_per_second: float = math.nan
    """Training alone, without evaluations and checkpoints."""
    seconds: float = 0.0
    """All of it, over every session that it was trained in."""
    training_seconds: float = 0.0
    """Of these, in steps."""
    evaluating_seconds: float = 0.0
    """Of these, in looks at the validation and the test split."""
    steps: int = 0
    checkpoint: Path | None = None
    """The newest whole checkpoint."""
    failure: str = ""
    """Why there is no better result: where the network diverged, or that the memory did not hold it."""
    stopped: bool = False
    """Whether it was stopped before its budget was used up; it can be resumed."""
    micro_batch: int = 0
    """How many images went through the network at once."""
    notes: tuple[str, ...] = ()
    """What has to be known to compare the figures with others', a sentence each."""

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    @property
    def diverged(self) -> bool:
        """Whether its figures were no longer finite, which it would come to again."""
        return self.failure.startswith(DIVERGED)
