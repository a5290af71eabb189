"""A job: what a call of ``train`` was asked for, in full, kept beside what it makes, so that it can be resumed by its folder alone."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, final

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.language.files import load_text, write_whole
from convlab.language.writing import text_in_full
from convlab.paths import expanded
from convlab.training.keeping.folders import JOB, RESULT, made, trainings
from convlab.training.keeping.identity import differences, other_weights, told
from convlab.training.recipes.named import recipe_of
from convlab.training.recipes.recipe import Recipe, values

FORMAT: Final = 1
LATEST: Final = "latest"

LISTED: Final = 3
"""So many trainings a message names, of those that can go on and of those that are finished."""

Value = TypeVar("Value")


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
    weights_sha256: str = ""
    """Of their tensors."""
    threads: int = 0
    """Of the CPU, on which results depend to the last bit; 0: not known, or a GPU trained."""

    @property
    def origin(self) -> dict[str, str]:
        """The weights as an identity names them; empty for none."""
        return {"source": self.weights, "sha256": self.weights_sha256} if self.weights else {}


def write_job(job: Job, folder: Path) -> None:
    """Keep a job in its folder, whole or not at all. Raises ConvlabError where it cannot."""
    plain = {
        "format": FORMAT,
        "designs": [{"name": design.name, "key": design.key, "text": text_in_full(design)} for design in job.designs],
        "recipe": values(job.recipe),
        "recipe_name": job.recipe.name,
        "by_hand": sorted(job.recipe.by_hand),
        "data": job.data,
        "checksum": job.checksum,
        "seeds": list(job.seeds),
        "shrunk_for": job.shrunk_for,
        "weights": job.weights,
        "weights_sha256": job.weights_sha256,
        "threads": job.threads,
    }
    write_whole(made(folder) / JOB, json.dumps(plain, indent=1).encode())


def read_job(folder: Path) -> Job:
    """The job of a folder. Raises ConvlabError where there is none, or it cannot be read."""
    path = folder / JOB
    try:
        plain = json.loads(path.read_bytes())
        newer = _typed(plain["format"], int) > FORMAT
        job = None if newer else _job(plain)
    except OSError as error:
        help = f"name the folder of a training, which holds a {JOB}"
        message = f"there is no training in {quote(str(folder))}: {error.strerror}"
        raise ConvlabError(Problem("unreadable-file", message, help=help), exit_code=2) from None
    except ConvlabError as error:
        raise _damaged(path, error.problems[0].message) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from None
    if job is None:
        help = "update convlab: pip install -U convlab"
        problem = Problem("newer-format", f"{quote(str(path))} was written by a newer convlab", help=help)
        raise ConvlabError(problem, exit_code=2)
    return job


def _job(plain: dict[str, Any]) -> Job:
    designs = [(_typed(each["text"], str), _typed(each["name"], str)) for each in _typed(plain["designs"], list)]
    recipe = recipe_of(_typed(plain["recipe"], dict))
    return Job(
        tuple(dataclasses.replace(load_text(text), name=name) for text, name in designs),
        dataclasses.replace(
            recipe,
            name=_typed(plain["recipe_name"], str),
            by_hand=frozenset(_typed(name, str) for name in _typed(plain.get("by_hand", []), list)),
        ),
        _typed(plain["data"], str),
        _typed(plain["checksum"], str),
        tuple(_typed(seed, int) for seed in _typed(plain["seeds"], list)),
        _typed(plain["shrunk_for"], str),
        _typed(plain.get("weights", ""), str),
        _typed(plain.get("weights_sha256", ""), str),
        _typed(plain.get("threads", 0), int),
    )


def _typed(value: Any, kind: type[Value]) -> Value:
    if type(value) is not kind:
        raise TypeError(f"{quote(value)} where a {kind.__name__} is due")
    return value


def _damaged(path: Path, why: str) -> ConvlabError:
    message = f"{quote(str(path))} is damaged"
    return ConvlabError(Problem("bad-checkpoint", message, label=why, help="train anew in another folder"), exit_code=2)


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
        both = f"with {named(before)}, not {named(now)}" if named(before) != named(now) else ""
        problems += told(f"design {named(before)}", found, begun=both)
    if problems:
        raise ConvlabError(*problems, exit_code=2)


def refuse_other_recipe(job: Job, recipe: Recipe) -> None:
    """Raise ConvlabError where the recipe that is named along is another than the job's, naming the knobs.

    A training that begins from weights shrinks nothing, whatever its recipe says.
    """
    recipe = dataclasses.replace(recipe, shrink=job.recipe.shrink) if job.weights else recipe
    if problems := told("recipe", differences(values(job.recipe), values(recipe))):
        raise ConvlabError(*problems, exit_code=2)


def refuse_other_weights(job: Job, origin: Mapping[str, str]) -> None:
    """Raise ConvlabError where the weights that a job is resumed from are not those that it was begun from."""
    if problems := other_weights(job.origin, origin):
        raise ConvlabError(*problems, exit_code=2)


def named(design: Design) -> str:
    """What a design is called: by its name, or by the beginning of its key."""
    return design.name or design.key[:8]


def member_folder(folder: Path, design: Design, seed: int) -> Path:
    """Where the training of a design with a seed lies in the folder of its job."""
    plain = re.sub(r"[^\w.-]+", "-", named(design))[:80]
    return folder / f"{plain}-{design.key[:8]}-seed{seed}"


def located(given: str | os.PathLike[str]) -> Path:
    """The folder that is meant: a path, a run by its id or the beginning of it, or "latest". Raises ConvlabError."""
    text = os.fspath(given)
    if text and (expanded(text) / JOB).is_file():
        return expanded(text)
    there = sorted(path.parent for path in trainings().glob(f"*/{JOB}"))
    if text == LATEST and there:
        return max(there, key=lambda path: path.name)
    matching = [path for path in there if path.name.startswith(text) or path.name.endswith(text)] if text else []
    if len(matching) == 1:
        return matching[0]
    help = _listed(there) if there else "convlab train begins one; its folder is named in what it prints"
    what = f"several trainings are meant by {quote(text)}" if matching else f"there is no training {quote(text)}"
    raise ConvlabError(Problem("unknown-run", what, help=help), exit_code=2)


def _listed(folders: Sequence[Path]) -> str:
    """The last trainings for people: those that can go on first, with their designs."""
    told: dict[bool, list[str]] = {True: [], False: []}
    for folder in reversed(folders):
        try:
            plain = json.loads((folder / JOB).read_bytes())
            names = [str(each["name"]) for each in plain["designs"]]
            members = len(names) * len(plain["seeds"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        ended = len(list(folder.glob(f"*/{RESULT}"))) >= members
        told[ended].append(f"{folder.name} ({', '.join(names[:3])}{', ...' * (len(names) > 3)})")
    ways = (("unfinished", told[False]), ("finished", told[True]))
    return "; ".join(f"{what}: {', '.join(names[:LISTED])}" for what, names in ways if names)
