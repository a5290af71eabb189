"""Trainings of a benchmark, kept one by one as they end in a JSON file, so that a run of hours may be done in pieces."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from interleaved import RESULTS, commit, surroundings
from platformdirs import user_cache_path

from convlab.language.design import Design
from convlab.training.data.datasets import Dataset
from convlab.training.keeping.results import without_nan
from convlab.training.keeping.trained import Trained
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.loop import train_one

FIGURES = (
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    "images_per_second",
    "seconds",
    "steps",
)


@dataclass(frozen=True)
class Member:
    """One training: a design as it is trained, a recipe and a seed."""

    name: str
    design: Design
    recipe: Recipe
    seed: int

    @property
    def key(self) -> str:
        """What its row is found by."""
        return f"{self.name} | {self.recipe.name} | seed {self.seed}"

    def same(self, data: Dataset) -> dict[str, str]:
        """What has to be the same for a kept row to be this member's."""
        return {"design": self.design.key, "recipe": self.recipe.digest, "data": data.checksum}


def rows(name: str) -> dict[str, dict[str, Any]]:
    """The rows that were kept under ``benchmarks/results/NAME.json``."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text())["members"] if path.is_file() else {}


def train_missing(
    name: str, members: list[Member], data: Dataset, *, device: str, minutes: float, jobs: int = 1
) -> dict[str, dict[str, Any]]:
    """The rows of those members that are finished, after training what is missing for so long; every one is kept as it ends.

    Several jobs train in so many processes of this one's number of threads each. A row of another design, recipe or data is not
    taken. A member that the time runs out for goes on from its checkpoint next time. Raises what the first broken member raised, after
    the others.
    """
    end = time.time() + 60 * minutes
    kept = rows(name)
    missing = [member for member in members if not _is_kept(kept, member, data)]
    failed: list[BaseException] = []
    with ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), torch.set_num_threads, (torch.get_num_threads(),)
    ) as pool:
        begun = {pool.submit(_trained, name, member, data, device, end): member for member in missing}
        try:
            for number, future in enumerate(as_completed(begun), 1):
                if error := future.exception():
                    failed.append(error)
                    continue
                member, trained = begun[future], future.result()
                if trained is None or trained.stopped:
                    continue
                kept[member.key] = _row(trained, member, data)
                write_rows(name, kept, device)
                print(f"{member.key}: {number} of {len(missing)}", file=sys.stderr, flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # whoever is at work has heard Ctrl-C too, and keeps a checkpoint
            raise
    if failed:
        raise failed[0]
    return {member.key: kept[member.key] for member in members if _is_kept(kept, member, data)}


def write_rows(name: str, kept: dict[str, dict[str, Any]], device: str, **report: Any) -> Path:
    """Write all rows, and what was derived from them, as JSON under ``benchmarks/results``."""
    RESULTS.mkdir(exist_ok=True)
    path, draft = RESULTS / f"{name}.json", RESULTS / f"{name}.json.part"
    about = {**surroundings(("convlab", "torch", "timm")), "command": sys.argv, "device": device}
    draft.write_text(json.dumps(without_nan({**about, **report, "members": kept}), indent=2) + "\n")
    draft.replace(path)
    return path


def _is_kept(kept: dict[str, dict[str, Any]], member: Member, data: Dataset) -> bool:
    row = kept.get(member.key)
    return row is not None and row["same"] == member.same(data)


def _trained(name: str, member: Member, data: Dataset, device: str, end: float) -> Trained | None:
    """Train to the end of the budget, or of the time, where the member is stopped as Ctrl-C would; None where no time is left."""
    if time.time() >= end:
        return None
    folder = user_cache_path("convlab") / "benchmarks" / name / "-".join(member.same(data).values()) / str(member.seed)
    work = train_one(
        member.design, data, member.recipe, seed=member.seed, folder=folder, device=device, resume=folder.exists()
    )
    try:
        while True:
            next(work)
            if time.time() >= end:
                work.throw(KeyboardInterrupt)
    except StopIteration as stop:
        return stop.value


def _row(trained: Trained, member: Member, data: Dataset) -> dict[str, Any]:
    figures = {figure: without_nan(getattr(trained, figure)) for figure in FIGURES}
    return {"same": member.same(data), "commit": commit(), "failure": trained.failure, **figures}
