"""The verb ``train``: designs with paired seeds on the same data in the same order, and the ranking that they come to."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch

from convlab import display
from convlab.language.design import Design
from convlab.language.files import load
from convlab.progress import Work
from convlab.training.asking import begun, lasting, place_of, refuse_other_data, refuse_there, resumed
from convlab.training.data.datasets import Dataset
from convlab.training.data.registry import dataset
from convlab.training.forecast import Forecast
from convlab.training.keeping.folders import JOB
from convlab.training.keeping.job import Job, member_folder, refuse_other_weights, write_job
from convlab.training.keeping.trained import Trained
from convlab.training.preparing import Prepared, prepared, refuse_untrainable
from convlab.training.proxies.brevity import epochs_of
from convlab.training.proxies.judging import Doubt, Judged, doubts
from convlab.training.proxies.overrides import Override
from convlab.training.proxies.shrinking import DataFacts
from convlab.training.recipes.named import recipe as named_recipe
from convlab.training.recipes.recipe import Recipe, values
from convlab.training.running.arithmetic import threads as threads_of_the_cpu
from convlab.training.running.distributed import Group, joined
from convlab.training.running.fine_tuning import RECIPE as FINE_TUNING
from convlab.training.running.fine_tuning import at_own_size, lasting_weights, origin_of, unshrunk
from convlab.training.running.loop import train_one
from convlab.training.tracking import TrackedTraining, tracked
from convlab.training.verdicts.ranking import Ranking, Score, ranked

Keep = Callable[[Trained], None]
"""Puts a training away as it stands; the next call for the same design and seed holds it again, with more."""

SPRINT = "sprint"


@final
@dataclass(frozen=True)
class Training:
    """Designs that were trained alike, and what came of it; those that diverged or ran out of memory are among ``trained``."""

    trained: tuple[Trained, ...]
    """By seed, then in the order of the designs; those that were not begun are missing."""
    ranking: Ranking
    overrides: Mapping[str, tuple[Override, ...]]
    """In what each design, by its name, was trained otherwise than it says."""
    doubts: tuple[Doubt, ...]
    """What this comparison cannot tell."""
    same: Mapping[str, str]
    """Designs that are the network of another one once they are shrunk, and that one: they are not trained twice."""
    job: Job
    data: Dataset
    folder: Path
    stopped: bool = False

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty


def train(
    designs: Sequence[str | Design] | str | Design = (),
    *,
    recipe: str | os.PathLike[str] | Recipe | None = None,
    data: str | os.PathLike[str] | Dataset | None = None,
    seeds: int | None = None,
    device: str | torch.device = "auto",
    folder: str | os.PathLike[str] | None = None,
    resume: bool | str | os.PathLike[str] = False,
    weights: str | os.PathLike[str] | None = None,
    track: Sequence[str] = (),
    threads: int = 0,
    keep: Keep | None = None,
) -> Work[Training]:
    """Train designs, each with every seed, and rank them by their validation loss.

    ``recipe`` is a name, a file or a recipe ("sprint"), ``data`` a name, a path or a data set (the recipe's), ``seeds`` how many (1).
    Unless ``recipe.shrink`` is "never", designs are shrunk for the data, and a short training goes without augmentation. All designs of
    one seed see the same images in the same order; every design is trained with the first seed before the second is begun, so that a
    comparison cut short is a fair one. Checkpoints and results go into ``folder`` (by default one of the user's, named after the
    moment). ``resume`` goes on with the training in ``folder``, or with one that it names (a folder, a run, "latest"); designs, recipe,
    data and weights then need not be said. With ``weights`` (a file or a published name) every network begins from them, at its full
    size, by the recipe "convnext_finetune" where none is named, which trains small images at the designs' size;
    ``track`` names trackers that follow ("tensorboard", "wandb", "trackio").
    ``threads`` are those of the CPU (torch's own number; resumed, those that it was begun with: results depend on them to the last bit).
    ``keep`` is handed every training as it goes on, and at its end. Stopped by Ctrl-C or SIGTERM it returns what it has. Raises
    ConvlabError for unknown names, designs that cannot be had for the data, and what is resumed as another training.
    """
    given = [designs] if isinstance(designs, str | Design) else list(designs)
    asked = [load(each) if isinstance(each, str) else each for each in given]
    with joined(device) as group:
        place = group.decided(lambda: place_of(folder, resume))
        goes_on = group.shared(bool(resume) and ((place / JOB).is_file() or not asked))
        if goes_on:
            job = resumed(place, asked, recipe=recipe, seeds=seeds)
            known = data if isinstance(data, Dataset) else dataset(data or job.data, image_size=job.recipe.image_size)
            refuse_other_data(job, known)
            source = lasting_weights(weights) or job.weights
            refuse_other_weights(job, origin_of(source or None))
        else:
            chosen = named_recipe((FINE_TUNING if weights else SPRINT) if recipe is None else recipe)
            chosen = unshrunk(chosen) if weights else chosen
            chosen = at_own_size(chosen, asked, data) if weights and recipe is None else chosen
            known = data if isinstance(data, Dataset) else dataset(data or chosen.data, image_size=chosen.image_size)
            job = begun(asked, chosen, known, seeds=1 if seeds is None else seeds, device=group.device.type)
            source = lasting_weights(weights)
            sha256 = origin_of(source or None).get("sha256", "")
            lasts = lasting(data or chosen.data, known)
            job = dataclasses.replace(job, data=lasts, weights=source, weights_sha256=sha256)
            if group.device.type == "cpu":
                job = dataclasses.replace(job, threads=threads or torch.get_num_threads())
            group.decided(lambda: refuse_there(place))
        found = prepared(job, known)
        refuse_untrainable(found, known, group.device, world=group.world, weights=None if goes_on else job.weights)
        if group.first and not goes_on:
            write_job(job, place)
        group.barrier()
        trackers = track if group.first else ()
        with threads_of_the_cpu(threads or job.threads):
            return (
                yield from _trained(
                    found,
                    job,
                    known,
                    place=place,
                    group=group,
                    resume=bool(resume),
                    source=source,
                    trackers=trackers,
                    keep=keep if group.first else None,
                )
            )


def _trained(
    ready: Prepared,
    job: Job,
    data: Dataset,
    *,
    place: Path,
    group: Group,
    resume: bool,
    source: str,
    trackers: Sequence[str],
    keep: Keep | None,
) -> Work[Training]:
    """Every design with the first seed, then with the second, and so on."""
    different = ready.different
    plan = [(seed, member) for seed in job.seeds for member in different]
    forecast = Forecast([member.trained.design for _, member in plan], began=time.monotonic())
    found: list[Trained] = []
    stopped = False
    try:
        for index, (seed, member) in enumerate(plan):
            design = member.trained.design
            work = train_one(
                design,
                data,
                ready.recipe,
                seed=seed,
                folder=member_folder(place, design, seed),
                device=group.device,
                group=group,
                resume=resume,
                weights=source or None,
                keep=keep,
            )
            shown = {**values(job.recipe), "design": design.key, "data": data.name, "seed": seed}
            subject = TrackedTraining(member_folder(place, design, seed).name, place, shown)
            each = yield from forecast.followed(tracked(work, trackers, subject), index)
            found.append(each)
            if keep is not None:
                keep(each)
            if each.stopped:
                stopped = True
                break
    except KeyboardInterrupt:
        stopped = True
    overrides = {member.name: member.trained.overrides for member in ready.members}
    epochs = math.inf if job.weights else epochs_of(ready.recipe, len(data.train))
    told = doubts(different, DataFacts.of(data), recipe=ready.recipe, epochs=epochs)
    ranking = _ranking(found, different, ready.same)
    return Training(tuple(found), ranking, overrides, told, ready.same, job, data, place, stopped)


def _ranking(found: Sequence[Trained], members: Sequence[Judged], same: Mapping[str, str]) -> Ranking:
    """The ranking of what was trained to its end; what diverged has no figures in it, and the others are told with their reason."""
    whole = [each for each in found if not each.failure and not each.stopped]
    scores = [Score(each.name, each.seed, each.validation_loss, each.validation_accuracy) for each in whole]
    scores += [Score(each.name, each.seed, math.nan, math.nan) for each in found if each.diverged]
    unranked = {}
    for member in members:
        mine = [each for each in found if each.name == member.name]
        if all(each.name != member.name for each in whole):
            reasons = [each.failure for each in mine if each.failure]
            unranked[member.name] = reasons[0] if reasons else "stopped before its end" if mine else "not begun"
    for name, first in same.items():
        unranked[name] = f"the same network as {first} at this size"
    return ranked(scores, unranked=unranked)
