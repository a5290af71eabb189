"""Tables of knobs, one on the other, as a recipe: every fault at the place where it was written."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from convlab.documents.assignments import parse_assignment
from convlab.documents.document import Document
from convlab.errors import ConvlabError, Place, Problem, did_you_mean
from convlab.language.acceptance import accepted
from convlab.language.knobs import Refused, knobs_of
from convlab.training.recipes.recipe import Recipe
from convlab.training.recipes.validation import faults

OPTION = "--recipe-set"
"""The option of the command line whose arguments turn knobs of a recipe."""

GIVES_WAY = {"epochs": "samples", "warmup": "warmup_epochs"}
"""A knob, and the one that would hide it: what is said later counts, so that epochs=2 on a budget in samples means two epochs."""

RELATED = {
    "warmup_epochs": ("epochs", "samples"),
    "accumulation": ("batch",),
    "final_learning_rate": ("learning_rate", "learning_rate_batch", "batch"),
}
"""What else may be at fault where a knob does not fit: the one that was written last is shown."""


ALIASES = {
    "lr": "learning_rate",
    "wd": "weight_decay",
    "opt": "optimizer",
    "smoothing": "label_smoothing",
    "reprob": "random_erasing",
    "aa": "random_augment",
    "bs": "batch",
    "batch_size": "batch",
    "sched": "schedule",
    "clip_grad": "clip_norm",
}
"""What other training scripts call a knob, timm's above all."""


class Source(NamedTuple):
    """One thing that sets knobs, and the text that it stands in, where there is one."""

    data: dict[str, Any]
    document: Document | None = None

    def place(self, knob: str, *, key: bool = False) -> Place | None:
        """Where a knob's value, or its name, is written; of a file that does not name it the file as a whole."""
        if self.document is None:
            return None
        place = self.document.place((knob,), "key" if key else "value")
        return place or Place(self.document.name, 0, 0, "", 0)


def resolved(recipe: Recipe, sources: Sequence[Source]) -> Recipe:
    """The recipe with the knobs of each source put in, in their order. Raises ConvlabError with everything wrong."""
    problems: list[Problem] = []
    for source in sources:
        recipe, met = _turned(recipe, source)
        problems += met
    if not problems:
        problems = [_placed(problem, sources) for problem in faults(recipe)]
    if problems:
        raise ConvlabError(*problems, exit_code=2)
    return recipe


def settings(arguments: Sequence[str]) -> list[Source]:
    """The sources that arguments such as "epochs=2" are. Raises ConvlabError for those that cannot be read."""
    return [_setting(argument) for argument in ([arguments] if isinstance(arguments, str) else arguments)]


def _setting(argument: str) -> Source:
    try:
        assignment = parse_assignment(argument)
    except ConvlabError as error:
        help = f"write it as {OPTION} epochs=2"
        told = [dataclasses.replace(problem, place=_renamed(problem.place), help=help) for problem in error.problems]
        raise ConvlabError(*told, exit_code=error.exit_code) from None
    knob = ".".join(assignment.path)
    document = dataclasses.replace(assignment.document, name=OPTION, data={knob: assignment.value})
    if knob not in knobs_of(Recipe):
        raise ConvlabError(_unknown(knob, _renamed(assignment.place_of_path())), exit_code=2)
    return Source({knob: assignment.value}, document)


def _renamed(place: Place | None) -> Place | None:
    return place and dataclasses.replace(place, file=OPTION)


def _turned(recipe: Recipe, source: Source) -> tuple[Recipe, list[Problem]]:
    """The recipe with what a source says, and what was refused."""
    knobs = knobs_of(Recipe)
    values: dict[str, Any] = {}
    problems = []
    for name, value in source.data.items():
        if name not in knobs:
            problems.append(_unknown(name, source.place(name, key=True)))
            continue
        taken = accepted(knobs[name], value)
        if isinstance(taken, Refused):
            place = source.place(name)
            problems.append(Problem(taken.code, taken.message, place, taken.label, taken.help, name))
        else:
            values[name] = taken
    for name, other in GIVES_WAY.items():
        if name in values and other not in source.data:
            values[other] = knobs[other].default
    return dataclasses.replace(recipe, **values), problems


def _unknown(name: str, place: Place | None) -> Problem:
    meant = ALIASES.get(name.lower().replace("-", "_"))
    label = f"here it is {meant}" if meant else did_you_mean(name, knobs_of(Recipe))
    help = "convlab recipes sprint prints a recipe with every knob; convlab explain KNOB explains one"
    return Problem("unknown-key", f"a recipe has no knob {name}", place, label, help, name)


def _placed(problem: Problem, sources: Sequence[Source]) -> Problem:
    """The problem with the place where its knob, or one that it has to fit, was written last."""
    for source in reversed(sources):
        for knob in (problem.path, *RELATED.get(problem.path, ())):
            if knob in source.data:
                return dataclasses.replace(problem, place=source.place(knob))
    return problem
