"""Asking for trainings: what a call of ``train`` means as a job, fresh or resumed, and where it lies; everything refused before a step."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.paths import expanded
from convlab.runs.ids import new_id
from convlab.training.data.datasets import Dataset
from convlab.training.data.registry import known as known_set
from convlab.training.keeping.checkpoints import found
from convlab.training.keeping.folders import JOB, RESULT, trainings
from convlab.training.keeping.job import (
    LATEST,
    Job,
    located,
    named,
    read_job,
    refuse_other_recipe,
    refuse_others,
)
from convlab.training.recipes.named import recipe as named_recipe
from convlab.training.recipes.recipe import Recipe


def _is_training(folder: Path) -> bool:
    """Whether a folder has results or checkpoints of one network in it."""
    return (folder / RESULT).is_file() or bool(found(folder))


def begun(designs: Sequence[Design], recipe: Recipe, data: Dataset, *, seeds: int, device: str) -> Job:
    """The job that is asked for. Raises ConvlabError where there is nothing to train."""
    if not designs or seeds < 1:
        nothing = "there is no design to train" if not designs else f"with {seeds} seeds nothing is trained"
        help = 'convlab.train(["convnext_t", "resnet50"], seeds=3)'
        raise ConvlabError(Problem("usage", nothing, help=help), exit_code=2)
    numbers = tuple(range(recipe.seed, recipe.seed + seeds))
    return Job(with_own_names(designs), recipe, data.name, data.checksum, numbers, device)


def lasting(name: str | os.PathLike[str] | Dataset, data: Dataset) -> str:
    """What a data set is found by later, from any folder: its name, or the whole path."""
    if isinstance(name, Dataset):
        return data.name if known_set(data.name) else data.source
    text = os.fspath(name)
    return text if known_set(text) else data.name if text == "auto" else str(expanded(text).resolve())


def with_own_names(designs: Sequence[Design]) -> tuple[Design, ...]:
    """The designs by names that tell them apart: a number follows where two have one name."""
    counts = Counter(map(named, designs))
    seen: Counter[str] = Counter()
    named_apart = []
    for design in designs:
        name = named(design)
        seen[name] += 1
        named_apart.append(dataclasses.replace(design, name=name if counts[name] == 1 else f"{name}-{seen[name]}"))
    return tuple(named_apart)


def resumed(
    place: Path, designs: Sequence[Design], *, recipe: str | os.PathLike[str] | Recipe | None, seeds: int | None
) -> Job:
    """The job that is resumed. Raises ConvlabError where there is none, or what is said along is another."""
    job = read_job(place)
    if seeds not in (None, len(job.seeds)):
        message = f"the training was begun with {len(job.seeds)} seed{'s' * (len(job.seeds) != 1)}, not {seeds}"
        help = "resume without saying how many, or train anew in another folder"
        raise ConvlabError(Problem("other-training", message, help=help, path="seeds"), exit_code=2)
    if designs:
        refuse_others(job, designs)
    if recipe is not None:
        refuse_other_recipe(job, named_recipe(recipe))
    return job


def refuse_other_data(job: Job, data: Dataset) -> None:
    """Raise ConvlabError where data are not those that a job was begun with."""
    if data.checksum != job.checksum:
        message = f"{quote(data.name)} is not what the training was begun with: its checksum is another"
        help = f"resume with {quote(job.data)} as it was then, or train anew in another folder"
        raise ConvlabError(Problem("other-training", message, help=help, path="data"), exit_code=2)


def place_of(folder: str | os.PathLike[str] | None, resume: bool | str | os.PathLike[str]) -> Path:
    """The folder of the training. Its name may hold the time: of several processes, the first one's is taken."""
    if not isinstance(resume, bool):
        return located(resume)
    if folder is not None:
        return expanded(folder)
    return located(LATEST) if resume else trainings() / new_id(datetime.now(UTC))


def refuse_there(place: Path) -> None:
    """Raise ConvlabError where a folder holds a training, or what is left of one, which a new one would mix with."""
    if (place / JOB).is_file() or (place.is_dir() and any(map(_is_training, place.iterdir()))):
        help = "resume it, or name another folder"
        message = f"{quote(str(place))} holds a training"
        raise ConvlabError(Problem("already-there", message, help=help), exit_code=2)
