"""Walking: the steps from ResNet-50 to ConvNeXt-T as short trainings beside the published accuracies, and ConvNeXt-T without each step."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import torch

from convlab import facts
from convlab.costs import cost
from convlab.errors import ConvlabError, Problem
from convlab.facts import RoadmapStep
from convlab.language.design import Design, lower
from convlab.language.files import load
from convlab.language.validation import faults
from convlab.models.builder import available
from convlab.presets import preset_names
from convlab.progress import Work
from convlab.training.comparing import Keep, Training, train
from convlab.training.data.datasets import Dataset, dataset
from convlab.training.proxies.brevity import for_its_budget
from convlab.training.proxies.judging import Doubt, Judged, between, doubts
from convlab.training.proxies.overrides import Override, recipe_overrides
from convlab.training.proxies.shrinking import Budget, DataFacts, Shrunk, budget, shrunk_together
from convlab.training.recipes.named import recipe as named_recipe
from convlab.training.recipes.recipe import Recipe
from convlab.training.undoing import Change, undone
from convlab.training.verdicts.correlations import Agreement, agreement
from convlab.training.verdicts.ranking import Pair, Placed

FOLDER = "roadmap"
SIDE = 64
"""Images are trained at so many px where the recipe does not say: kernels of 11 px then have room in the first stage."""

CPU_MACS, GPU_MACS = 14_000_000, 56_000_000
"""The most multiply-adds of a step at that size: more than of other trainings, so that depths of 3-4-6-3 and 3-3-9-3, and stems of 64 and
96 channels, are told apart."""

WITHOUT = "without_"
"""How the name of ConvNeXt-T without a step begins; the step's follows."""


@final
@dataclass(frozen=True)
class WalkStep:
    """A step as the paper has it, and as it was trained."""

    name: str
    published: RoadmapStep
    base: str
    """The step that it starts from; empty for the first."""
    design: Design
    """As it was trained."""
    params: int
    macs: int
    placed: Placed | None
    """Its place among all that were trained; None where it came to no result."""
    gain: Pair | None
    """The step less the one that it starts from."""
    doubts: tuple[Doubt, ...]
    """Why this proxy cannot judge the step, and what else is to be known of it."""
    same: str = ""
    """The step that it is the same network as, at this size."""

    @property
    def judged(self) -> bool:
        """Whether this proxy can judge what the step changes."""
        return not self.same and not any(doubt.decisive for doubt in self.doubts)


@final
@dataclass(frozen=True)
class LeftOut:
    """ConvNeXt-T with one step undone, against the whole of it."""

    step: str
    name: str
    placed: Placed | None
    gain: Pair | None
    """The whole less the one without the step: what the step brings there."""
    published_gain: float
    """Points of top-1 that the step brought in the paper, in its place of the walk."""


@final
@dataclass(frozen=True)
class Fidelity:
    """How well orders of steps agree with that of the published accuracies: this proxy's, by loss, and those of sizes alone."""

    proxy: Agreement
    params: Agreement
    macs: Agreement


@final
@dataclass(frozen=True)
class Walk:
    """The walk as it was trained."""

    steps: tuple[WalkStep, ...]
    left_out: tuple[LeftOut, ...]
    refused: Mapping[str, str]
    """Steps that cannot be undone by themselves, and why."""
    training: Training

    @property
    def fidelity(self) -> Fidelity:
        """Over all steps that came to a result."""
        return _fidelity(self.steps)

    @property
    def judged_fidelity(self) -> Fidelity:
        """Over the first step and those that this proxy can judge."""
        return _fidelity([step for step in self.steps if step.judged])


def walk(
    *,
    recipe: str | os.PathLike[str] | Recipe | None = None,
    data: str | os.PathLike[str] | Dataset | None = None,
    seeds: int = 1,
    device: str | torch.device = "auto",
    folder: str | os.PathLike[str] | None = None,
    resume: bool | str | os.PathLike[str] = False,
    keep: Keep | None = None,
    leave_one_out: bool = False,
) -> Work[Walk]:
    """Train every step of the walk, all shrunk by the same factors, on images of 64 px where the recipe does not say another size.

    ``leave_one_out`` also trains ConvNeXt-T with each of the adopted steps undone. The other arguments are those of ``train``; a walk
    that is resumed goes on with what it was begun with. Stopped by Ctrl-C it returns what it has.
    """
    if resume:
        training = yield from train(
            data=data, device=device, folder=folder, resume=resume, keep=keep, recipe=recipe and _fixed(_sized(recipe))
        )
        return _walk(training)
    asked_recipe = _sized("sprint" if recipe is None else recipe)
    known = (
        data if isinstance(data, Dataset) else dataset(data or asked_recipe.data, image_size=asked_recipe.image_size)
    )
    chosen, general = for_its_budget(asked_recipe, len(known.train))
    asked = _asked()
    small = _small(asked, DataFacts.of(known), chosen, available(device).type)
    designs = [each.design for each in small]
    if leave_one_out:
        designs += _undone(dict(zip(asked, designs, strict=True)))[0].values()
    # They are trained as they are here: steps that were undone are undone in the small designs, whose sizes stay comparable.
    training = yield from train(
        designs, recipe=_fixed(chosen), data=known, seeds=seeds, device=device, folder=folder, keep=keep
    )
    return _walk(training, general)


def step_names() -> tuple[str, ...]:
    """The names of the steps in order."""
    return tuple(name.removeprefix(f"{FOLDER}/") for name in preset_names(FOLDER))


def base_of(name: str) -> str:
    """The step that a step starts from: the last one before it that was not rejected; empty for the first."""
    before = [each for each in step_names() if each < name and _published(each).adopted != "no"]
    return before[-1] if before else ""


def _asked() -> dict[str, Design]:
    return {name: load(f"{FOLDER}/{name}") for name in step_names()}


def _small(asked: Mapping[str, Design], size: DataFacts, recipe: Recipe, device: str) -> tuple[Shrunk, ...]:
    """The steps, all shrunk by the same factors."""
    gpu = budget(device, size).gpu
    macs = (GPU_MACS if gpu else CPU_MACS) * size.height * size.width // SIDE**2
    return shrunk_together(list(asked.values()), size, recipe=recipe, within=Budget(macs, gpu))


def _sized(source: str | os.PathLike[str] | Recipe) -> Recipe:
    found = named_recipe(source)
    return found if found.image_size else dataclasses.replace(found, image_size=SIDE)


def _fixed(recipe: Recipe) -> Recipe:
    return dataclasses.replace(recipe, shrink="never")


def _published(name: str) -> RoadmapStep:
    order = int(name.partition("_")[0])
    return next(step for step in facts.roadmap() if step.order == order)


def _undone(small: Mapping[str, Design]) -> tuple[dict[str, Design], dict[str, str]]:
    """ConvNeXt-T without each adopted step, by the step's name, and why a step cannot be undone by itself."""
    adopted = [name for name in small if _published(name).adopted == "yes"]
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


def _walk(training: Training, general: tuple[Override, ...] = ()) -> Walk:
    """What was trained, put beside what was published; ``general`` is what was changed of the recipe."""
    job, size = training.job, DataFacts.of(training.data)
    asked = _asked()
    trained = {design.name: design for design in job.designs}
    if not set(asked) <= set(trained):
        message, help = f"{training.folder} holds a training, but not one of the walk", "name the folder of a walk"
        raise ConvlabError(Problem("other-training", message, help=help), exit_code=2)
    auto = dataclasses.replace(job.recipe, shrink="auto")
    small = _small(asked, size, auto, job.shrunk_for)
    members = {
        name: Judged(
            name, design, Shrunk(each.design, (*each.overrides, *recipe_overrides(each.design, job.recipe), *general))
        )
        for (name, design), each in zip(asked.items(), small, strict=True)
    }
    told = doubts(list(members.values()), size, recipe=job.recipe)
    overrides = {**training.overrides, **{name: member.trained.overrides for name, member in members.items()}}
    training = dataclasses.replace(training, overrides=overrides, doubts=told)
    steps = tuple(_step(name, members, training) for name in asked)
    left_out = tuple(_left_out(name, training) for name in asked if f"{WITHOUT}{name}" in trained)
    refused = _undone({name: member.trained.design for name, member in members.items()})[1] if left_out else {}
    return Walk(steps, left_out, refused, training)


def _step(name: str, members: Mapping[str, Judged], training: Training) -> WalkStep:
    base, member = base_of(name), members[name]
    size, recipe = DataFacts.of(training.data), training.job.recipe
    design = member.trained.design
    found = cost(design, lower(design), design.image.shape)
    return WalkStep(
        name,
        _published(name),
        base,
        design,
        found.params,
        found.macs,
        _placed(training, name),
        _gain(training, name, base) if base else None,
        tuple(between(member, members[base], size, recipe=recipe)) if base else (),
        training.same.get(name, ""),
    )


def _left_out(name: str, training: Training) -> LeftOut:
    adopted = [each for each in step_names() if _published(each).adopted == "yes"]
    before, without = adopted[adopted.index(name) - 1], f"{WITHOUT}{name}"
    published_gain = _published(name).top1 - _published(before).top1
    gain = _gain(training, adopted[-1], without)
    return LeftOut(name, without, _placed(training, without), gain, published_gain)


def _placed(training: Training, name: str) -> Placed | None:
    """The place of a step, or of the step that is the same network."""
    name = training.same.get(name, name)
    return next((place for place in training.ranking.places if place.name == name), None)


def _gain(training: Training, name: str, base: str) -> Pair | None:
    """One less the other; None where one has no place, or both are one network."""
    return training.ranking.difference(training.same.get(name, name), training.same.get(base, base))


def _fidelity(steps: Sequence[WalkStep]) -> Fidelity:
    there = [(step, step.placed) for step in steps if step.placed is not None]
    published = [step.published.top1 for step, _ in there]
    orders = (
        [-placed.loss.mean for _, placed in there],
        [float(step.published.params) for step, _ in there],
        [float(step.published.macs or 0) for step, _ in there],
    )
    return Fidelity(*(agreement(order, published) for order in orders))
