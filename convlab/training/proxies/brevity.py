"""Brevity: what a recipe is better without where a training is too short to overfit."""

from __future__ import annotations

import dataclasses
from typing import Any

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


def for_its_budget(recipe: Recipe, images: int) -> tuple[Recipe, tuple[Override, ...]]:
    """The recipe as it suits a training split of so many images, and what was changed.

    Knobs that were turned by hand stay as they are; with ``shrink`` "never" all do.
    """
    epochs = epochs_of(recipe, images)
    if recipe.shrink == "never" or epochs >= LEAST_EPOCHS:
        return recipe, ()
    changed = {
        name: value for name, value in OFF.items() if getattr(recipe, name) != value and name not in recipe.by_hand
    }
    why = f"in {epochs:.2g} epochs nothing is overfitted: it would only cost accuracy"
    told = tuple(Override(f"recipe.{name}", getattr(recipe, name), value, why) for name, value in changed.items())
    return dataclasses.replace(recipe, **changed), told
