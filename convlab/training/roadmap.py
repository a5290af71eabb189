"""The roadmap's steps from ResNet-50 to ConvNeXt-T as designs: as published, shrunk by the same factors, and ConvNeXt-T without each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise

from convlab import facts
from convlab.facts import RoadmapStep
from convlab.language.design import Design
from convlab.language.files import load
from convlab.language.validation import faults
from convlab.presets import preset_names
from convlab.training.proxies.shrinking import Budget, DataFacts, Shrunk, budget, shrunk_together
from convlab.training.recipes.recipe import Recipe
from convlab.training.undoing import Change, undone

FOLDER = "roadmap"
SIDE = 64
"""Images are trained at so many px where the recipe does not say: kernels of 11 px then have room in the first stage."""

CPU_MACS, GPU_MACS = 14_000_000, 56_000_000
"""The most multiply-adds of a step at that size: more than of other trainings, so that depths of 3-4-6-3 and 3-3-9-3, and stems of 64 and
96 channels, are told apart."""

WITHOUT = "without_"
"""How the name of ConvNeXt-T without a step begins; the step's follows."""


def step_names() -> tuple[str, ...]:
    """The names of the steps in order."""
    return tuple(name.removeprefix(f"{FOLDER}/") for name in preset_names(FOLDER))


def base_of(name: str) -> str:
    """The step that a step starts from: the last one before it that was not rejected; empty for the first."""
    before = [each for each in step_names() if each < name and published(each).adopted != "no"]
    return before[-1] if before else ""


def steps_asked() -> dict[str, Design]:
    """The steps as they were published, by name."""
    return {name: load(f"{FOLDER}/{name}") for name in step_names()}


def steps_shrunk(asked: Mapping[str, Design], size: DataFacts, recipe: Recipe, device: str) -> tuple[Shrunk, ...]:
    """The steps, all shrunk by the same factors."""
    gpu = budget(device, size).gpu
    macs = (GPU_MACS if gpu else CPU_MACS) * size.height * size.width // SIDE**2
    return shrunk_together(list(asked.values()), size, recipe=recipe, within=Budget(macs, gpu))


def published(name: str) -> RoadmapStep:
    """What the paper has of a step."""
    order = int(name.partition("_")[0])
    return next(step for step in facts.roadmap() if step.order == order)


def each_undone(small: Mapping[str, Design]) -> tuple[dict[str, Design], dict[str, str]]:
    """ConvNeXt-T without each adopted step, by the step's name, and why a step cannot be undone by itself."""
    adopted = [name for name in small if published(name).adopted == "yes"]
    found: dict[str, Design] = {}
    refused: dict[str, str] = {}
    final = small[adopted[-1]]
    for before, name in pairwise(adopted):
        design = undone(final, Change(small[before], small[name]))
        if problems := faults(design):
            refused[name] = problems[0].message
        else:
            found[name] = dataclasses.replace(design, name=f"{WITHOUT}{name}")
    return found, refused
