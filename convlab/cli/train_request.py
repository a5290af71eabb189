"""What ``train`` is asked for: its arguments read, checked and put together, before anything is trained."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch

from convlab.cli.arguments import choice_of, design_of, figure_of, number_of
from convlab.cli.train_resume import begun_in
from convlab.costs import profile
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.knobs import Knob, knobs_of
from convlab.language.writing import text_in_full
from convlab.models.builder import available
from convlab.models.memory import refuse_too_big
from convlab.training.data.datasets import dataset
from convlab.training.keeping.job import read_job, refuse_other_recipe, refuse_others
from convlab.training.proxies.shrinking import DataFacts, shrunk_together
from convlab.training.recipes.named import changed, recipe
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.fine_tuning import RECIPE as FINE_TUNING
from convlab.training.running.fine_tuning import lasting_weights, unshrunk
from convlab.training.tracking import refuse_missing_trackers
from convlab.training.walking import SIDE

if TYPE_CHECKING:
    from convlab.cli.output import Output
    from convlab.language.design import Design
    from convlab.training.data.datasets import Dataset

SEEDS = Knob("seeds", "option", "integer", 1, "how often each design is trained", low=1, high=1000)
IMAGE = replace(knobs_of(Recipe)["image_size"], name="image", low=1)

DEFAULT = "sprint"
"""The recipe where none is named."""


@final
@dataclass(frozen=True)
class Given:
    """The options as they were written; None where they were not."""

    designs: Sequence[str]
    sets: Sequence[str] = ()
    against: Sequence[str] = ()
    image: str | None = None
    full_size: bool = False
    recipe: str | None = None
    recipe_sets: Sequence[str] = ()
    data: str | None = None
    epochs: str | None = None
    samples: str | None = None
    batch: str | None = None
    dtype: str | None = None
    weights: str | None = None
    seeds: str | None = None
    device: str | None = None
    folder: str | None = None
    resume: str | None = None
    track: Sequence[str] = ()
    store: str | None = None


@final
@dataclass(frozen=True)
class Request:
    """What is to be trained, how, on what, and where its checkpoints go (None: to a folder named after the run)."""

    designs: tuple[Design, ...]
    recipe: Recipe
    data: Dataset
    seeds: int
    device: str
    folder: Path | None
    resume: bool = False
    track: tuple[str, ...] = ()
    weights: str = ""


def request(output: Output, given: Given) -> Request:
    """What the options ask for, checked whole: designs, recipe, data, device, folder, memory. Raises ConvlabError."""
    refuse_missing_trackers(given.track)
    if given.resume is not None:
        return _resumed(output, given, begun_in(given.resume, given.store))
    found, seeds, designs = _recipe_with_weights(given), number_of(SEEDS, given.seeds), designs_of(given)
    device = _device(output, given)
    folder = None if given.folder is None else writable(Path(given.folder).expanduser())
    data = dataset(found.data, image_size=found.image_size)
    refuse_unfit(designs, found, data, device)
    weights = lasting_weights(given.weights)
    return Request(designs, found, data, seeds, device, folder, track=tuple(given.track), weights=weights)


def _recipe_with_weights(given: Given) -> Recipe:
    """The recipe; for fine-tuning another one where none is named, and designs at their full size."""
    if not given.weights:
        return recipe_of(given)
    return unshrunk(recipe_of(replace(given, recipe=given.recipe or FINE_TUNING)))


def walk_request(output: Output, given: Given) -> Request:
    """What ``roadmap --train`` is asked for; the designs are those of the walk. Raises ConvlabError."""
    device = _device(output, given)
    if given.resume is not None:
        begun = begun_in(given.resume, given.store)
        job = read_job(begun)
        data = dataset(job.data, image_size=job.recipe.image_size)
        return Request((), job.recipe, data, len(job.seeds), device, writable(begun), True)
    found, seeds = recipe_of(given), number_of(SEEDS, given.seeds)
    found = found if found.image_size else replace(found, image_size=SIDE)
    folder = None if given.folder is None else writable(Path(given.folder).expanduser())
    return Request((), found, dataset(found.data, image_size=found.image_size), seeds, device, folder)


def _resumed(output: Output, given: Given, folder: Path) -> Request:
    """The job of a folder once more; what is given along has to be what it was begun with. Raises ConvlabError."""
    job = read_job(folder)
    if given.folder is not None:
        raise _usage("--resume goes on in the folder where it was begun", "leave --output out")
    if given.weights is not None:
        raise _usage("--resume goes on with the weights that there are", "leave --weights out")
    if given.designs:
        refuse_others(job, designs_of(given))
    found = recipe_of(given, job.recipe)
    refuse_other_recipe(job, found)
    seeds = number_of(replace(SEEDS, default=len(job.seeds)), given.seeds)
    if seeds != len(job.seeds):
        many = f"{len(job.seeds)} seed{'s' * (len(job.seeds) != 1)}"
        raise _usage(f"the training was begun with {many}, not {seeds}", "resume without --seeds")
    data = dataset(job.data, image_size=found.image_size)
    return Request(job.designs, found, data, seeds, _device(output, given), writable(folder), True, tuple(given.track))


def refuse_unfit(designs: Sequence[Design], recipe: Recipe, data: Dataset, device: str) -> None:
    """Raise ConvlabError where a design cannot be had for the data, or does not fit into the device's memory at one image."""
    for each in shrunk_together(designs, DataFacts.of(data), recipe=recipe, device=device):
        refuse_too_big(profile(each.design), torch.device(device), torch.float32)


def writable(folder: Path) -> Path:
    """The folder for checkpoints, made where it is not there. Raises ConvlabError where nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"checkpoints cannot be written to {quote(str(folder))}: {error.strerror}"
        raise ConvlabError(
            Problem("unreadable-file", message, help="name another folder with --output"), exit_code=2
        ) from None
    return folder


def _device(output: Output, given: Given) -> str:
    return str(available(given.device or output.settings().device))


def recipe_of(given: Given, base: Recipe | None = None) -> Recipe:
    """The recipe that is named, ``base`` where none is, with the knobs that options turn. Raises ConvlabError."""
    knobs = knobs_of(Recipe)
    values: dict[str, Any] = {}
    if given.epochs is not None and given.samples is not None:
        raise _usage("--epochs and --samples are two ways to say the budget", "give one of them")
    if given.data is not None:
        values["data"] = given.data
    if given.epochs is not None:
        values["epochs"] = figure_of(knobs["epochs"], given.epochs)
    if given.samples is not None:
        values["samples"] = number_of(replace(knobs["samples"], low=1), given.samples)
    if given.batch is not None:
        values["batch"] = number_of(knobs["batch"], given.batch)
    if given.image is not None:
        values["image_size"] = number_of(IMAGE, given.image)
    if given.dtype is not None:
        values["dtype"] = choice_of("dtype", given.dtype, knobs["dtype"].choices)
    if given.full_size:
        values["shrink"] = "never"
    found = recipe(given.recipe or base or DEFAULT, sets=tuple(given.recipe_sets))
    return changed(found, values) if values else found


def designs_of(given: Given) -> tuple[Design, ...]:
    """The designs, each under a name of its own; those of ``--against`` are not turned. Raises ConvlabError."""
    names = [(name, given.sets) for name in given.designs] + [(name, ()) for name in given.against]
    if not given.designs:
        raise _usage("there is no design to train", "convlab train convnext_t; convlab presets lists more")
    found = [(name, design_of(name, sets), bool(sets)) for name, sets in names]
    _refuse_twice([design for _, design, _ in found])
    return _with_own_names(found)


def _refuse_twice(designs: Sequence[Design]) -> None:
    seen: dict[str, Design] = {}
    for design in designs:
        text = text_in_full(design)
        if text in seen:
            both = f"{quote(seen[text].name)} and {quote(design.name)} are"
            names = f"{quote(design.name)} twice is" if seen[text].name == design.name else both
            raise _usage(
                f"{names} the same design: what differs would be noise",
                "--seeds 3 trains a design several times; --set turns a knob, --against leaves a design as it is",
            )
        seen[text] = design


def _with_own_names(found: Sequence[tuple[str, Design, bool]]) -> tuple[Design, ...]:
    """The designs by names that tell them apart: those of presets and files, with the folder or a number where two have one name."""
    turned = [replace(design, name=f"{design.name}{'-turned' * is_turned}") for _, design, is_turned in found]
    counts = Counter(design.name for design in turned)
    named = [
        design if counts[design.name] == 1 else _in_folder(name, design)
        for (name, _, _), design in zip(found, turned, strict=True)
    ]
    again = Counter(design.name for design in named)
    return tuple(
        design if again[design.name] == 1 else replace(design, name=f"{design.name}-{number}")
        for number, design in enumerate(named, start=1)
    )


def _in_folder(name: str, design: Design) -> Design:
    folder = Path(name).parent.name
    return replace(design, name=f"{folder}-{design.name}") if folder else design


def _usage(message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem("usage", message, help=help), exit_code=2)
