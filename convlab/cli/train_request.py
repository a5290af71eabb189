"""What ``train`` is asked for: its arguments read and checked, first by themselves, which takes no torch, then with the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from convlab.cli.arguments import choice_of, design_of, figure_of, number_of
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.knobs import Knob, knobs_of
from convlab.language.writing import text_in_full
from convlab.training.recipes.named import changed, recipe
from convlab.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from convlab.cli.output import Output
    from convlab.language.design import Design
    from convlab.training.data.datasets import Dataset
    from convlab.training.proxies.overrides import Override

SEEDS = Knob("seeds", "option", "integer", 1, "how often each design is trained", low=1, high=1000)
IMAGE = replace(knobs_of(Recipe)["image_size"], name="image", low=1)

DEFAULT, FINE_TUNING = "sprint", "convnext_finetune"
"""The recipes where none is named: of a training, and of one that begins from weights."""


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
    threads: str | None = None
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
    finished: bool = False
    """Whether what is resumed has nothing left to train."""
    track: tuple[str, ...] = ()
    weights: str = ""
    threads: int = 0
    """Of the CPU; 0: torch's own number."""
    overrides: Mapping[str, Sequence[Override]] = field(default_factory=dict)
    """In what designs will be trained otherwise than they say, by name; of what is begun."""
    same: Mapping[str, str] = field(default_factory=dict)
    """Designs that are not trained, as they are the network of another one once they are shrunk, and that one; of what is begun."""


def request(output: Output, given: Given) -> Request:
    """What the options ask for, checked whole: designs, recipe, data, device, folder, memory. Raises ConvlabError."""
    if given.track:
        from convlab.training.tracking import refuse_missing_trackers

        refuse_missing_trackers(given.track)
    if given.resume is not None:
        _refuse_beside_resume(given)
        from convlab.cli.train_resume import resumed_request

        return resumed_request(output, given)
    found, seeds, designs = recipe_of(given), number_of(SEEDS, given.seeds), designs_of(given)
    # torch takes seconds to import: only once what can be refused without it is not.
    from convlab.cli.train_checks import fresh

    return fresh(output, given, designs, recipe=found, seeds=seeds)


def walk_request(output: Output, given: Given, *, leave_one_out: bool) -> Request:
    """What ``roadmap --train`` is asked for; the designs are those of the walk. Raises ConvlabError."""
    if given.resume is not None:
        _refuse_beside_resume(given)
        from convlab.cli.train_resume import resumed_walk_request

        return resumed_walk_request(output, given, leave_one_out=leave_one_out)
    found, seeds = recipe_of(given), number_of(SEEDS, given.seeds)
    from convlab.cli.train_checks import fresh_walk

    return fresh_walk(output, given, recipe=found, seeds=seeds, leave_one_out=leave_one_out)


def _refuse_beside_resume(given: Given) -> None:
    """Raise ConvlabError for what cannot be said of a training that was begun."""
    if given.folder is not None:
        raise usage("--resume goes on in the folder where it was begun", "leave --output out")
    if not given.designs and (given.sets or given.against):
        beside = " and ".join(["--set"] * bool(given.sets) + ["--against"] * bool(given.against))
        raise usage(f"{beside} without a design", "name the designs that it was begun with, or leave it out")


def recipe_of(given: Given, base: Recipe | None = None) -> Recipe:
    """The recipe that is named, ``base`` where none is, with the knobs that options turn. Raises ConvlabError."""
    knobs = knobs_of(Recipe)
    values: dict[str, Any] = {}
    if given.epochs is not None and given.samples is not None:
        raise usage("--epochs and --samples are two ways to say the budget", "give one of them")
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
    if given.full_size or (given.weights and base is None):  # weights fit the design as it is
        values["shrink"] = "never"
    default = FINE_TUNING if given.weights else DEFAULT
    found = recipe(given.recipe or base or default, sets=tuple(given.recipe_sets))
    return changed(found, values) if values else found


def designs_of(given: Given) -> tuple[Design, ...]:
    """The designs, by names that say where they are from; those of ``--against`` are not turned. Raises ConvlabError."""
    names = [(name, given.sets) for name in given.designs] + [(name, ()) for name in given.against]
    if not given.designs:
        raise usage("there is no design to train", "convlab train convnext_t; convlab presets lists more")
    found = [(name, design_of(name, sets), bool(sets)) for name, sets in names]
    _refuse_twice([design for _, design, _ in found])
    return _with_folders(found)


def _refuse_twice(designs: Sequence[Design]) -> None:
    seen: dict[str, Design] = {}
    for design in designs:
        text = text_in_full(design)
        if text in seen:
            both = f"{quote(seen[text].name)} and {quote(design.name)} are"
            names = f"{quote(design.name)} twice is" if seen[text].name == design.name else both
            raise usage(
                f"{names} the same design: what differs would be noise",
                "--seeds 3 trains a design several times; --set turns a knob, --against leaves a design as it is",
            )
        seen[text] = design


def _with_folders(found: Sequence[tuple[str, Design, bool]]) -> tuple[Design, ...]:
    """The designs by names that say what was turned and, where two files have one name, the folder."""
    turned = [replace(design, name=f"{design.name}{'-turned' * is_turned}") for _, design, is_turned in found]
    counts = Counter(design.name for design in turned)
    return tuple(
        design if counts[design.name] == 1 else _in_folder(name, design)
        for (name, _, _), design in zip(found, turned, strict=True)
    )


def _in_folder(name: str, design: Design) -> Design:
    folder = Path(name).parent.name
    return replace(design, name=f"{folder}-{design.name}") if folder else design


def usage(message: str, help: str) -> ConvlabError:
    """A command that was called in a way that it does not understand."""
    return ConvlabError(Problem("usage", message, help=help), exit_code=2)
