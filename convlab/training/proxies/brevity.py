"""Brevity: what a recipe is better without where a training is too short to overfit."""

from __future__ import annotations

import dataclasses
from typing import Any

from convlab.training.proxies.fitting import batch_fitted, evaluations_fitted, whole_batches
from convlab.training.proxies.overrides import Override
from convlab.training.recipes.recipe import Recipe

LEAST_EPOCHS = 5
"""Augmentation and label smoothing cost accuracy in trainings of fewer epochs, and the order of designs with it."""

OFF: dict[str, Any] = {
    "crop": "none",
    "flip": False,
    "random_augment": "",
    "random_erasing": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
    "label_smoothing": 0.0,
}
"""The knobs that a short training is better without, and their value then."""


def epochs_of(recipe: Recipe, images: int) -> float:
    """The budget in epochs of a training split of so many images."""
    return recipe.samples / images if recipe.samples else recipe.epochs


def for_its_budget(recipe: Recipe, images: int, *, validation: int = 0) -> tuple[Recipe, tuple[Override, ...]]:
    """The recipe as it suits splits of so many images for training and validation, and what was changed.

    Knobs that were turned by hand stay as they are. With ``shrink`` "never" only the batch and the looks at the validation split follow
    the images.
    """
    recipe, of_batch = batch_fitted(recipe, images)
    recipe, of_brevity = _brief(recipe, epochs_of(recipe, images))
    budget = images_shown(recipe, images)
    recipe, of_looks = evaluations_fitted(recipe, budget, validation)
    return recipe, (*of_batch, *of_brevity, *of_looks, *whole_batches(recipe, budget))


def images_shown(recipe: Recipe, images: int) -> int:
    """How many images a training is shown of a split of so many, each counted as often as it is: whole batches."""
    from convlab.training.batches.order import steps  # numpy, which completion of trainings' names does without

    return recipe.batch * steps(images, recipe.batch, epochs=recipe.epochs, samples=recipe.samples)


def _brief(recipe: Recipe, epochs: float) -> tuple[Recipe, tuple[Override, ...]]:
    if recipe.shrink == "never" or epochs >= LEAST_EPOCHS:
        return recipe, ()
    changed = {
        name: value for name, value in OFF.items() if getattr(recipe, name) != value and name not in recipe.by_hand
    }
    why = f"in {epochs:.2g} epochs nothing is overfitted: it would only cost accuracy"
    told = tuple(Override(f"recipe.{name}", getattr(recipe, name), value, why) for name, value in changed.items())
    return dataclasses.replace(recipe, **changed), told
