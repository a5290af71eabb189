"""What must hold of a recipe as a whole: a warm-up within the budget, micro-batches that divide the batch."""

from __future__ import annotations

import re

from convlab.errors import Problem, quote
from convlab.training.recipes.recipe import Recipe

AUGMENTATIONS = re.compile(r"(rand|augmix|original|originalr|v0|v0r|3a)(-[a-z]+[0-9.]+)*")
"""timm's words: the policy, then letters with a number, as in rand-m9-mstd0.5-inc1."""


def faults(recipe: Recipe) -> list[Problem]:
    """Everything that is wrong with the recipe, by knob, without a place in a file; empty for a valid one."""
    return [*_budget(recipe), *_batch(recipe), *_rates(recipe), *_augmentation(recipe)]


def _budget(recipe: Recipe) -> list[Problem]:
    if recipe.warmup_epochs and recipe.samples:
        message = (
            f"the recipe {recipe.name}".rstrip() + f" warms up for {recipe.warmup_epochs:g} epochs (warmup_epochs),"
            " and the budget is in samples"
        )
        help = "warmup = 0.1, a share of the budget, takes its place: --recipe-set warmup=0.1"
        return [_refused("warmup_epochs", message, help)]
    if recipe.warmup_epochs > recipe.epochs:
        message = f"the warm-up takes {recipe.warmup_epochs:g} epochs of {recipe.epochs:g}"
        return [_refused("warmup_epochs", message, "more epochs, or warmup = 0.1, a share of the budget")]
    return []


def _batch(recipe: Recipe) -> list[Problem]:
    if recipe.batch % recipe.accumulation == 0:
        return []
    message = f"a batch of {recipe.batch} images is not cut into {recipe.accumulation} equal micro-batches"
    return [_refused("accumulation", message, "a number that divides the batch")]


def _rates(recipe: Recipe) -> list[Problem]:
    found = []
    if recipe.final_learning_rate > recipe.peak_learning_rate:
        message = f"the learning rate ends at {recipe.final_learning_rate:g}, above its highest, {recipe.peak_learning_rate:g}"
        found.append(_refused("final_learning_rate", message, "a smaller final_learning_rate"))
    if -1 < recipe.drop_path < 0:
        message = f"drop_path = {quote(recipe.drop_path)} is no rate"
        found.append(_refused("drop_path", message, "a number from 0 to 0.99, or -1 for the design's"))
    return found


def _augmentation(recipe: Recipe) -> list[Problem]:
    if not recipe.random_augment or AUGMENTATIONS.fullmatch(recipe.random_augment):
        return []
    message = f"random_augment cannot be {quote(recipe.random_augment)}"
    return [_refused("random_augment", message, "timm's words, such as rand-m9-mstd0.5-inc1 or augmix-m3-w3")]


def _refused(knob: str, message: str, help: str) -> Problem:
    return Problem("out-of-range", message, help=help, path=knob)
