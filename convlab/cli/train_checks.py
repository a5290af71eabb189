"""What is asked to be trained, checked with data, device and folder, before a run of the store or a file is made."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from convlab.cli.arguments import THREADS, number_of
from convlab.cli.read_set import read_set
from convlab.cli.train_request import Given, Request
from convlab.errors import ConvlabError, Problem, quote
from convlab.models.builder import available
from convlab.paths import expanded
from convlab.training.asking import begun, refuse_there
from convlab.training.preparing import prepared, refuse_untrainable
from convlab.training.running.fine_tuning import at_own_size, lasting_weights
from convlab.training.walking import planned, sized
from convlab.weights.given import given as tensors_of

if TYPE_CHECKING:
    import torch

    from convlab.cli.output import Output
    from convlab.language.design import Design
    from convlab.training.data.datasets import Dataset
    from convlab.training.recipes.recipe import Recipe


def fresh(output: Output, given: Given, designs: Sequence[Design], *, recipe: Recipe, seeds: int) -> Request:
    """A training that is begun. Raises ConvlabError for what ``train`` would refuse."""
    threads, device, folder = number_of(THREADS, given.threads), device_of(output, given), _folder(given)
    if given.weights:
        tensors_of(given.weights)  # at a large size it takes a while to read data, and a file is misspelled soon
    if given.weights and given.recipe is None:
        recipe = at_own_size(recipe, designs)
    data = _data(output, given, recipe)
    job = begun(designs, recipe, data, seeds=seeds, device=device.type)
    job = replace(job, weights=lasting_weights(given.weights))
    ready = prepared(job, data)
    refuse_untrainable(ready, data, device, weights=given.weights)
    return Request(
        job.designs,
        recipe,
        data,
        seeds,
        str(device),
        folder,
        track=tuple(given.track),
        weights=job.weights,
        threads=threads,
        overrides={member.name: member.trained.overrides for member in ready.members},
        same=ready.same,
    )


def fresh_walk(output: Output, given: Given, *, recipe: Recipe, seeds: int, leave_one_out: bool) -> Request:
    """A walk that is begun. Raises ConvlabError for what ``walk`` would refuse."""
    threads = number_of(THREADS, given.threads)
    device, folder, recipe = device_of(output, given), _folder(given), sized(recipe)
    data = _data(output, given, recipe)
    plan = planned(recipe, data, device=device.type, leave_one_out=leave_one_out)
    job = begun(plan.designs, plan.recipe, data, seeds=seeds, device=device.type)
    refuse_untrainable(prepared(job, data), data, device)
    return Request((), recipe, data, seeds, str(device), folder, threads=threads)


def _data(output: Output, given: Given, recipe: Recipe) -> Dataset:
    """The data that are named, or those that the recipe is for. Raises ConvlabError where they are not here."""
    try:
        return read_set(output, recipe.data, image_size=recipe.image_size)
    except ConvlabError as error:
        if given.data is not None or error.problems[0].code not in ("unknown-data", "missing-data"):
            raise
        message = f"the recipe {recipe.name} is for {recipe.data}, which is not here"
        help = "name your pictures: --data FOLDER; convlab data lists the sets that are known by name"
        raise ConvlabError(Problem(error.problems[0].code, message, help=help), exit_code=2) from None


def device_of(output: Output, given: Given) -> torch.device:
    """The device that is named or set. Raises ConvlabError where it is not there."""
    return available(given.device or output.settings().device)


def refuse_unwritable(folder: Path) -> None:
    """Raise ConvlabError where no checkpoint can be written into a folder, which need not be there. Nothing is left behind."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        message = f"checkpoints cannot be written to {quote(str(folder))}: {error.strerror}"
        problem = Problem("unreadable-file", message, help="name another folder with --output")
        raise ConvlabError(problem, exit_code=2) from None


def _folder(given: Given) -> Path | None:
    if given.folder is None:
        return None
    folder = expanded(given.folder)
    refuse_there(folder)
    refuse_unwritable(folder)
    return folder
