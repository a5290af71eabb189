"""Walking: the steps from ResNet-50 to ConvNeXt-T trained for a short while each, begun or resumed, and ConvNeXt-T without each step."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.models.builder import available
from convlab.progress import Work
from convlab.training.asking import place_of, resumed
from convlab.training.comparing import Keep, train
from convlab.training.data.datasets import Dataset
from convlab.training.data.registry import dataset
from convlab.training.keeping.job import Job, refuse_other_recipe
from convlab.training.proxies.brevity import for_its_budget
from convlab.training.proxies.overrides import Override
from convlab.training.proxies.shrinking import DataFacts
from convlab.training.recipes.named import recipe as named_recipe
from convlab.training.recipes.recipe import Recipe
from convlab.training.roadmap import SIDE, WITHOUT, each_undone, step_names, steps_asked, steps_shrunk
from convlab.training.walks import Walk, walk_of


def walk(
    *,
    recipe: str | os.PathLike[str] | Recipe | None = None,
    data: str | os.PathLike[str] | Dataset | None = None,
    seeds: int | None = None,
    device: str | torch.device = "auto",
    folder: str | os.PathLike[str] | None = None,
    resume: bool | str | os.PathLike[str] = False,
    threads: int = 0,
    keep: Keep | None = None,
    leave_one_out: bool = False,
) -> Work[Walk]:
    """Train every step of the walk, all shrunk by the same factors, on images of 64 px where the recipe does not say another size.

    ``leave_one_out`` also trains ConvNeXt-T with each of the adopted steps undone. The other arguments are those of ``train``; a walk
    that is resumed goes on with what it was begun with. Stopped by Ctrl-C it returns what it has. Raises ConvlabError where what is
    resumed is no walk, or another one.
    """
    if resume:
        place = place_of(folder, resume)
        job = resumed_walk(place, seeds=seeds, leave_one_out=leave_one_out)
        known = _known(data or job.data, job.recipe)
        if recipe is not None:
            refuse_other_walk(job, recipe, known)
        training = yield from train(data=known, device=device, folder=place, resume=True, threads=threads, keep=keep)
        return walk_of(training)
    chosen = sized("sprint" if recipe is None else recipe)
    known = _known(data or chosen.data, chosen)
    plan = planned(chosen, known, device=available(device).type, leave_one_out=leave_one_out)
    # They are trained as they are here: steps that were undone are undone in the small designs, whose sizes stay comparable.
    training = yield from train(
        plan.designs,
        recipe=plan.recipe,
        data=known,
        seeds=seeds,
        device=device,
        folder=folder,
        threads=threads,
        keep=keep,
    )
    return walk_of(training, plan.general)


@final
@dataclass(frozen=True)
class Plan:
    """What a walk trains: small designs, and the recipe as it is used; ``general`` is what was changed of that."""

    designs: tuple[Design, ...]
    recipe: Recipe
    general: tuple[Override, ...]


def planned(recipe: Recipe, data: Dataset, *, device: str, leave_one_out: bool) -> Plan:
    """The designs of a walk for these data and this kind of device, and the recipe that they are trained by."""
    chosen, general = for_its_budget(recipe, len(data.train), validation=len(data.validation))
    asked = steps_asked()
    small = steps_shrunk(asked, DataFacts.of(data), chosen, device)
    designs = [each.design for each in small]
    if leave_one_out:
        designs += each_undone(dict(zip(asked, designs, strict=True)))[0].values()
    return Plan(tuple(designs), _fixed(chosen), general)


def sized(source: str | os.PathLike[str] | Recipe) -> Recipe:
    """A recipe with the walk's image size, where it says none."""
    found = named_recipe(source)
    return found if found.image_size else dataclasses.replace(found, image_size=SIDE)


def resumed_walk(place: Path, *, seeds: int | None = None, leave_one_out: bool = False) -> Job:
    """The job of the walk in a folder. Raises ConvlabError where there is none, or what is said along is another."""
    job = resumed(place, (), recipe=None, seeds=seeds)
    names = [design.name for design in job.designs]
    if not set(step_names()) <= set(names):
        message, help = f"{quote(str(place))} holds a training, but not one of the walk", "name the folder of a walk"
        raise ConvlabError(Problem("other-training", message, help=help), exit_code=2)
    if leave_one_out and not any(name.startswith(WITHOUT) for name in names):
        message = "the walk was begun without leaving steps out"
        help = "resume it as it was begun, or begin another in another folder"
        raise ConvlabError(Problem("other-training", message, help=help), exit_code=2)
    return job


def refuse_other_walk(job: Job, recipe: str | os.PathLike[str] | Recipe, data: Dataset) -> None:
    """Raise ConvlabError where a recipe that is named along comes to another one than the walk's, naming the knobs."""
    refuse_other_recipe(job, _fixed(for_its_budget(sized(recipe), len(data.train))[0]))


def _known(data: str | os.PathLike[str] | Dataset, recipe: Recipe) -> Dataset:
    return data if isinstance(data, Dataset) else dataset(data, image_size=recipe.image_size)


def _fixed(recipe: Recipe) -> Recipe:
    return dataclasses.replace(recipe, shrink="never")
