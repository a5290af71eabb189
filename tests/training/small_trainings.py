"""Trainings of a fraction of a second: a drawn data set that can be learned, networks of one or two stages, and what they end in."""

import dataclasses

import torch

from convlab import finished
from convlab.language.files import load_text
from convlab.training.data.datasets import Dataset, Split
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.loop import train_one

NETWORK = """
summary = "a small ConvNeXt"
depths = [1, 1]
widths = [8, 16]
drop_path = 0.2
[image]
channels = 1
size = 16
[stem]
kind = "patchify"
patch_size = 4
[block]
kind = "convnext"
kernel_size = 3
[head]
classes = 4
dropout = 0.1
"""

RESNET = """
depths = [2]
widths = [8]
[image]
channels = 1
size = 16
[stem]
kind = "conv"
kernel_size = 3
stride = 2
[block]
kind = "basic"
[head]
classes = 4
norm = "none"
"""

RECIPE = Recipe(name="test", batch=16, samples=16 * 8, evaluations=2, learning_rate=2e-3, weight_decay=0.05, warmup=0.2)


def design_of(text=NETWORK, name="small"):
    return dataclasses.replace(load_text(text), name=name)


def drawn(count=128, *, seed=0):
    """Images whose brighter quarter says their class, and a cue that half of the validation images ask for."""
    numbers = torch.Generator().manual_seed(seed)

    def split(size):
        labels = torch.randint(4, (size,), generator=numbers)
        images = torch.randint(0, 120, (size, 1, 16, 16), generator=numbers, dtype=torch.uint8)
        for image, label in zip(images, labels.tolist(), strict=True):
            image[:, 8 * (label // 2) :, 8 * (label % 2) :][:, :8, :8] += 100
        return Split(images, labels, {"first": torch.arange(size) < size // 2})

    return Dataset(
        "drawn", tuple("abcd"), 1, 16, 16, split(count), split(32), split(32), (0.3,), (0.2,), f"sum{seed}", ""
    )


def recipe_of(**knobs):
    return dataclasses.replace(RECIPE, **knobs)


def work_of(folder, *, design=None, data=None, recipe=RECIPE, **options):
    """A training under way that shows itself after every step."""
    options = {"device": "cpu", "show_s": 0.0} | options
    return train_one(design or design_of(), data or drawn(), recipe, folder=folder, **options)


def trained_in(folder, **options):
    return finished(work_of(folder, **options))
