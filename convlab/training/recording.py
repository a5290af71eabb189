"""Recording: a row of the store for each design and seed, from its first evaluation on, so that a killed process loses little."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, final

from convlab.runs import ResolvedDesign, Row
from convlab.training.proxies.brevity import images_shown
from convlab.training.recipes.named import recipe as named
from convlab.training.recipes.named import recipe_names
from convlab.training.recipes.recipe import Recipe, values
from convlab.training.recipes.writing import differences

if TYPE_CHECKING:
    from convlab.measurement.recording import Recorder
    from convlab.training.data.datasets import Dataset
    from convlab.training.keeping.trained import Point, Trained
    from convlab.training.proxies.judging import Doubt
    from convlab.training.proxies.shrinking import Override

KIND = "training"
"""The kind of the runs, and of their rows."""

TOLD_ELSEWHERE = ("data", "seed", "evaluations", "dtype", "batch")
"""Knobs that a row has a place of their own for, or that leave the result as it is."""


@final
class TrainingRecorder:
    """Puts trained networks into a run, each at a place of its own: one that is handed over again takes its former place."""

    def __init__(self, recorder: Recorder, *, data: Dataset, device: str):
        self._recorder = recorder
        self._data = data
        self._device = device

    def __call__(self, found: Trained, overrides: Sequence[Override] = (), doubts: Sequence[Doubt] = ()) -> None:
        """Store a network as it stands, finished or under way, with what it was changed to and what cannot be told of it."""
        row = training_row(found, data=self._data, device=self._device)
        changed = {"overrides": plain_overrides(overrides)} if overrides else {}
        doubted = {"doubts": [asdict(each) for each in doubts]} if doubts else {}
        self._recorder.put((found.name, found.seed), replace(row, details={**row.details, **changed, **doubted}))


def training_row(found: Trained, *, data: Dataset, device: str) -> Row:
    """The row of one training: its figure is the validation accuracy in percent; losses, curve and cues are details.

    It has no interval: that is one of several seeds, and belongs to the comparison of the rows.
    """
    recipe, image = found.recipe, found.design.image.shape
    accuracy = _finite(found.validation_accuracy)
    return Row(
        kind=KIND,
        subject=found.name,
        design=ResolvedDesign.of(found.design),
        task="training",
        device=device,
        dtype=recipe.dtype,
        layout="channels_last" if recipe.channels_last else "contiguous",
        mode="compiled" if recipe.compile else "eager",
        batch=recipe.batch,
        image_height=image.height,
        image_width=image.width,
        n=None if accuracy is None else len(data.validation),
        median=None if accuracy is None else 100 * accuracy,
        unit="%",
        details=_details(found, data),
    )


def run_settings(
    recipe: Recipe, *, data: Dataset, seeds: Sequence[int], folder: str, weights: str = ""
) -> dict[str, Any]:
    """What a run of trainings was asked for, as JSON holds it: with the whole recipe, which later defaults cannot change."""
    return {
        "recipe": recipe_label(recipe),
        "data": data.name,
        "checksum": data.checksum,
        "seeds": list(seeds),
        "folder": folder,
        "weights": weights,
        "digest": recipe.digest,
        "recipe_in_full": values(recipe),
    }


def recipe_label(recipe: Recipe) -> str:
    """The recipe's name, with the knobs that are turned against the one that comes with convlab under this name."""
    if recipe.name not in recipe_names():
        return recipe.name or "a recipe of one's own"
    turned = differences(recipe, named(recipe.name))
    told = [f"{knob}={_word(here)}" for knob, (here, _) in turned.items() if knob not in TOLD_ELSEWHERE]
    return " ".join([recipe.name, *told])


def budget(recipe: Recipe, data: Dataset) -> int:
    """How many images a training is shown, each counted as often as it is: whole batches."""
    return images_shown(recipe, len(data.train))


def plain_overrides(overrides: Sequence[Override]) -> list[dict[str, Any]]:
    """What the proxy rule changed, as JSON holds it."""
    return [asdict(each) for each in overrides]


def plain_curve(curve: Sequence[Point]) -> list[dict[str, Any]]:
    """A learning curve as JSON holds it: what is not finite is None."""
    return [{name: _plain(value) for name, value in asdict(point).items()} for point in curve]


def plain_trained(found: Trained, data: Dataset) -> dict[str, Any]:
    """A training as JSON holds it: what is not finite is None."""
    return {"name": found.name, "key": found.design.key, **_details(found, data)}


def _details(found: Trained, data: Dataset) -> dict[str, Any]:
    return {
        "recipe": recipe_label(found.recipe),
        "digest": found.recipe.digest,
        "data": data.name,
        "budget": budget(found.recipe, data),
        "seed": found.seed,
        "samples": found.steps * found.recipe.batch,
        "validation_loss": _finite(found.validation_loss),
        "validation_accuracy": _finite(found.validation_accuracy),
        "test_loss": _finite(found.test_loss),
        "test_accuracy": _finite(found.test_accuracy),
        "cue_accuracy": _finite_all(found.cue_accuracy),
        "images_per_second": _finite(found.images_per_second),
        "seconds": found.seconds,
        "training_seconds": found.training_seconds,
        "evaluating_seconds": found.evaluating_seconds,
        "steps": found.steps,
        "checkpoint": "" if found.checkpoint is None else str(found.checkpoint),
        "failure": found.failure,
        "stopped": found.stopped,
        "micro_batch": found.micro_batch,
        "notes": list(found.notes),
        "curve": plain_curve(found.curve),
    }


def _finite_all(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in figures.items()}


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
