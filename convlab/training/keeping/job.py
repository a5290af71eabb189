"""A job: what a call of ``train`` was asked for, in full, kept beside what it makes, so that it can be resumed by its folder alone."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.language.files import load_text, write_whole
from convlab.language.writing import text_in_full
from convlab.training.keeping.identity import differences, told
from convlab.training.recipes.named import recipe_of
from convlab.training.recipes.recipe import Recipe, values

JOB: Final = "job.json"
FORMAT: Final = 1
LATEST: Final = "latest"


@final
@dataclass(frozen=True)
class Job:
    """Designs, each with every seed, on one data set by one recipe. The designs are those that were named, before any shrinking."""

    designs: tuple[Design, ...]
    recipe: Recipe
    data: str
    """The name or path that the data set was asked for by, and the checksum of what was read."""
    checksum: str
    seeds: tuple[int, ...]
    shrunk_for: str = "cpu"
    """The kind of device whose budget designs are shrunk for: resumed on another kind, they stay what they were."""
    weights: str = ""
    """The file, or the published name, of the weights that every network begins from; empty: none."""


def write_job(job: Job, folder: Path) -> None:
    """Keep a job in its folder, whole or not at all. Raises ConvlabError where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {quote(str(folder))}: {error.strerror}"
        raise ConvlabError(Problem("not-saved", message, help="name another folder"), exit_code=2) from None
    plain = {
        "format": FORMAT,
        "designs": [{"name": design.name, "key": design.key, "text": text_in_full(design)} for design in job.designs],
        "recipe": values(job.recipe),
        "recipe_name": job.recipe.name,
        "data": job.data,
        "checksum": job.checksum,
        "seeds": list(job.seeds),
        "shrunk_for": job.shrunk_for,
        "weights": job.weights,
    }
    write_whole(folder / JOB, json.dumps(plain, indent=1).encode())


def read_job(folder: Path) -> Job:
    """The job of a folder. Raises ConvlabError where there is none, or it cannot be read."""
    path = folder / JOB
    try:
        plain = json.loads(path.read_bytes())
        if plain["format"] > FORMAT:
            help = "update convlab: pip install -U convlab"
            raise ConvlabError(Problem("newer-format", f"{quote(str(path))} was written by a newer convlab", help=help))
        return Job(
            tuple(dataclasses.replace(load_text(each["text"]), name=each["name"]) for each in plain["designs"]),
            dataclasses.replace(recipe_of(plain["recipe"]), name=plain["recipe_name"]),
            plain["data"],
            plain["checksum"],
            tuple(plain["seeds"]),
            plain["shrunk_for"],
            plain.get("weights", ""),
        )
    except OSError as error:
        help = f"name the folder of a training, which holds a {JOB}"
        message = f"there is no training in {quote(str(folder))}: {error.strerror}"
        raise ConvlabError(Problem("unreadable-file", message, help=help), exit_code=2) from None
    except (ValueError, KeyError, TypeError) as error:
        message = f"{quote(str(path))} is damaged ({type(error).__name__})"
        raise ConvlabError(Problem("bad-checkpoint", message, help="train anew in another folder")) from None


def refuse_others(job: Job, designs: Sequence[Design]) -> None:
    """Raise ConvlabError where designs that are named along with a job that is resumed are not those of the job, naming the knobs."""
    if len(designs) != len(job.designs):
        names = ", ".join(map(named, job.designs))
        message = f"the training was begun with {len(job.designs)} designs ({names}), and {len(designs)} are named now"
        help = "resume without naming designs, or train anew in another folder"
        raise ConvlabError(Problem("other-training", message, help=help), exit_code=2)
    problems = []
    for before, now in zip(job.designs, designs, strict=True):
        found = differences(tomllib.loads(text_in_full(before)), tomllib.loads(text_in_full(now)))
        problems += told(f"design {named(before)}", found)
    if problems:
        raise ConvlabError(*problems, exit_code=2)


def refuse_other_recipe(job: Job, recipe: Recipe) -> None:
    """Raise ConvlabError where the recipe that is named along is another than the job's, naming the knobs."""
    if problems := told("recipe", differences(values(job.recipe), values(recipe))):
        raise ConvlabError(*problems, exit_code=2)


def named(design: Design) -> str:
    """What a design is called: by its name, or by the beginning of its key."""
    return design.name or design.key[:8]


def member_folder(folder: Path, design: Design, seed: int) -> Path:
    """Where the training of a design with a seed lies in the folder of its job."""
    plain = re.sub(r"[^\w.-]+", "-", named(design))[:80]
    return folder / f"{plain}-{design.key[:8]}-seed{seed}"


def trainings() -> Path:
    """Where the folders of jobs lie by default, by the ids of their runs."""
    from platformdirs import user_data_path

    return Path(user_data_path("convlab", appauthor=False)) / "trainings"


def located(given: str | os.PathLike[str]) -> Path:
    """The folder that is meant: a path, a run by its id or the beginning of it, or "latest". Raises ConvlabError."""
    text = os.fspath(given)
    if (Path(text) / JOB).is_file():
        return Path(text)
    there = sorted(path.parent for path in trainings().glob(f"*/{JOB}"))
    if text == LATEST and there:
        return max(there, key=lambda path: path.name)
    matching = [path for path in there if path.name.startswith(text) or path.name.endswith(text)] if text else []
    if len(matching) == 1:
        return matching[0]
    shown = ", ".join(path.name for path in there[-3:])
    help = f"the last ones: {shown}" if there else "convlab train begins one; its folder is named in what it prints"
    what = f"several trainings are meant by {quote(text)}" if matching else f"there is no training {quote(text)}"
    raise ConvlabError(Problem("unknown-run", what, help=help), exit_code=2)
