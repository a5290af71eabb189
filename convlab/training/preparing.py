"""Preparing: the designs of a job made small, which of them are one network, and the recipe; refused where nothing can be trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.language.design import Design
from convlab.language.knobs import changed
from convlab.models.builder import build
from convlab.models.memory import refuse_too_big
from convlab.training.batches.batches import refuse_unfit
from convlab.training.data.datasets import Dataset
from convlab.training.keeping.folders import RESULT
from convlab.training.keeping.job import Job, member_folder
from convlab.training.proxies.brevity import for_its_budget
from convlab.training.proxies.judging import Judged
from convlab.training.proxies.overrides import Override, recipe_overrides
from convlab.training.proxies.shrinking import DataFacts, Shrunk, shrunk_together
from convlab.training.recipes.named import recipe as named_recipe
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.fine_tuning import RECIPE as FINE_TUNING
from convlab.training.running.fine_tuning import begin_from
from convlab.training.running.initializing import turned
from convlab.weights.given import given
from convlab.weights.report import count


@final
@dataclass(frozen=True)
class Prepared:
    """The designs of a job, shrunk, under names of their own, which of them are one network, and the recipe for all of them."""

    recipe: Recipe
    members: tuple[Judged, ...]
    same: Mapping[str, str]

    @property
    def different(self) -> list[Judged]:
        """One member of each network."""
        return [member for member in self.members if member.name not in self.same]


def prepared(job: Job, data: Dataset) -> Prepared:
    """What a job trains on these data. Raises ConvlabError where a design cannot be had for them."""
    recipe, general = for_its_budget(job.recipe, len(data.train), validation=len(data.validation))
    general = (*_size_overrides(job.recipe), *general) if job.weights else general
    found = shrunk_together(job.designs, DataFacts.of(data), recipe=recipe, device=job.shrunk_for)
    members: list[Judged] = []
    same: dict[str, str] = {}
    networks: dict[Any, str] = {}
    for design, each in zip(job.designs, found, strict=True):
        overrides = (*each.overrides, *recipe_overrides(each.design, recipe, loaded=bool(job.weights)), *general)
        members.append(Judged(design.name, design, Shrunk(each.design, overrides)))
        first = networks.setdefault(_network(each.design, recipe), design.name)
        if first != design.name:
            same[design.name] = first
    return Prepared(recipe, tuple(members), same)


def _size_overrides(recipe: Recipe) -> tuple[Override, ...]:
    """What is told where ``at_own_size`` changed a recipe."""
    if recipe.name != FINE_TUNING or "image_size" in recipe.by_hand:
        return ()
    published = named_recipe(FINE_TUNING).image_size
    if recipe.image_size == published:
        return ()
    why = f"the design's images; {published} px are for pictures like ImageNet's (--image N for another size)"
    return (Override("recipe.image_size", published, recipe.image_size, why),)


def is_finished(job: Job, data: Dataset, folder: Path) -> bool:
    """Whether every network of the job in a folder has been trained to its end, with every seed."""
    designs = [member.trained.design for member in prepared(job, data).different]
    return all((member_folder(folder, each, seed) / RESULT).is_file() for each in designs for seed in job.seeds)


def refuse_untrainable(
    found: Prepared, data: Dataset, device: torch.device, *, world: int = 1, weights: str | None = None
) -> None:
    """Raise ConvlabError for what its first step would be refused for.

    That is a network that does not fit into the device's memory at one image, data that make no batches, and weights that cannot be
    read or belong to another network.
    """
    refuse_unfit(data, found.recipe, world=world)
    for member in found.different:
        refuse_too_big(profile(member.trained.design), device, torch.float32)
    tensors = given(weights) if weights else {}
    for member in found.different if weights else ():
        _refuse_misfit(member, data, tensors, name=str(weights))


def _refuse_misfit(member: Judged, data: Dataset, tensors: Mapping[str, Tensor], *, name: str) -> None:
    """Raise ConvlabError for weights that a network cannot begin from; where they fit it but for the data's channels, that is told."""
    design, own = member.trained.design, member.asked.image
    try:
        begin_from(build(design), tensors, name=name)
    except ConvlabError as error:
        had, has = own.channels, design.image.channels
        if had == has or not _fits(changed(design, {"image": changed(design.image, {"channels": had})}), tensors):
            raise
        given_now = (
            f"{member.name} has {count(had, 'channel')} and was given {has}: the images of {data.name} have {has}"
        )
        text = f"{given_now}; name data of {count(had, 'channel')}, or weights of a design with {has}"
        raise ConvlabError(
            *(dataclasses.replace(each, help=text) for each in error.problems), exit_code=error.exit_code
        ) from None


def _fits(design: Design, tensors: Mapping[str, Tensor]) -> bool:
    try:
        begin_from(build(design), tensors)
    except ConvlabError:
        return False
    return True


def _network(design: Design, recipe: Recipe) -> Any:
    """What decides how a design trains: designs that share it are one network under two names."""
    design = turned(design, recipe)
    first_values = tuple((stage.block.layer_scale, stage.block.branches) for stage in design.stages)
    return design.key, design.drop_path, design.head.dropout, design.initialization, first_values
