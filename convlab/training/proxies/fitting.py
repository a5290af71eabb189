"""Fitting: what of a recipe follows the number of images that there are, so that a set smaller than the recipe's own can be trained on."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from convlab.training.proxies.overrides import Override
from convlab.training.recipes.recipe import Recipe

STEPS_AN_EPOCH = 8
"""Where a recipe's batch is larger than the training split, it becomes small enough for about so many steps an epoch."""

LEAST_BATCH = 8
"""But no smaller than this, where there are as many images: batch norms need some."""


def batch_fitted(recipe: Recipe, images: int) -> tuple[Recipe, tuple[Override, ...]]:
    """The recipe with a batch that the training split holds, its rate and micro-batches along with it, and what was changed.

    SGD's rate goes with the batch, that of adaptive optimizers with its root (Malladi et al. 2022, arXiv:2205.10287). A batch that was
    set by hand stays, and so does every other knob that was.
    """
    if recipe.batch <= images or "batch" in recipe.by_hand:
        return recipe, ()
    batch = 2 ** math.floor(math.log2(max(images // STEPS_AN_EPOCH, min(LEAST_BATCH, images))))
    share = batch / recipe.batch
    factor = share if recipe.optimizer == "sgd" or recipe.learning_rate_batch else math.sqrt(share)
    law = "the batch" if factor == share else "the root of the batch"
    why = {
        "batch": f"the training split has {images:,} images, fewer than the batch",
        "learning_rate": f"in proportion to {law}",
        "final_learning_rate": f"in proportion to {law}",
        "accumulation": "micro-batches that divide the batch",
    }
    wanted: dict[str, Any] = {
        "batch": batch,
        "learning_rate": recipe.learning_rate if recipe.learning_rate_batch else recipe.learning_rate * factor,
        "final_learning_rate": recipe.final_learning_rate * factor,
        "accumulation": math.gcd(recipe.accumulation, batch),
    }
    return _changed(recipe, wanted, why)


def evaluations_fitted(recipe: Recipe, budget: int, validation: int) -> tuple[Recipe, tuple[Override, ...]]:
    """The recipe with so few looks at a validation split that they see no more images than training does, one look at least."""
    most = max(1, budget // max(validation, 1))
    if recipe.evaluations <= most:
        return recipe, ()
    why = f"each looks at {validation:,} validation images: together no more than the {budget:,} of training"
    return _changed(recipe, {"evaluations": most}, {"evaluations": why})


def whole_batches(recipe: Recipe, budget: int) -> tuple[Override, ...]:
    """What is told where the budget in images is not one in whole batches."""
    if not recipe.samples or recipe.samples == budget:
        return ()
    return (Override("recipe.samples", recipe.samples, budget, f"whole batches of {recipe.batch:,} images"),)


def _changed(recipe: Recipe, wanted: dict[str, Any], why: dict[str, str]) -> tuple[Recipe, tuple[Override, ...]]:
    changed = {
        name: value for name, value in wanted.items() if getattr(recipe, name) != value and name not in recipe.by_hand
    }
    told = tuple(Override(f"recipe.{name}", getattr(recipe, name), value, why[name]) for name, value in changed.items())
    return dataclasses.replace(recipe, **changed), told
