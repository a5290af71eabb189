"""A walk as it was trained: its steps beside what was published, ConvNeXt-T without each, and how well both orders agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from convlab import display
from convlab.costs import cost
from convlab.facts import RoadmapStep
from convlab.language.design import Design, lower
from convlab.training.comparing import Training
from convlab.training.proxies.brevity import epochs_of
from convlab.training.proxies.judging import Doubt, Judged, doubts
from convlab.training.proxies.overrides import Override, recipe_overrides
from convlab.training.proxies.shrinking import DataFacts, Shrunk
from convlab.training.roadmap import (
    WITHOUT,
    base_of,
    each_undone,
    published,
    step_names,
    steps_asked,
    steps_shrunk,
)
from convlab.training.verdicts.correlations import Agreement, agreement
from convlab.training.verdicts.ranking import Pair, Placed


@final
@dataclass(frozen=True)
class WalkStep:
    """A step as the paper has it, and as it was trained."""

    name: str
    published: RoadmapStep
    base: str
    """The step that it starts from; empty for the first."""
    design: Design
    """As it was trained."""
    params: int
    macs: int
    placed: Placed | None
    """Its place among all that were trained; None where it came to no result."""
    gain: Pair | None
    """The step less the one that it starts from."""
    doubts: tuple[Doubt, ...]
    """Why this proxy cannot judge the step, and what else is to be known of it."""
    same: str = ""
    """The step that it is the same network as, at this size."""

    @property
    def judged(self) -> bool:
        """Whether this proxy can judge what the step changes."""
        return not self.same and not any(doubt.decisive for doubt in self.doubts)


@final
@dataclass(frozen=True)
class LeftOut:
    """ConvNeXt-T with one step undone, against the whole of it."""

    step: str
    name: str
    placed: Placed | None
    gain: Pair | None
    """The whole less the one without the step: what the step brings there."""
    published_gain: float
    """Points of top-1 that the step brought in the paper, in its place of the walk."""


@final
@dataclass(frozen=True)
class Fidelity:
    """How well orders of steps agree with that of the published accuracies: this proxy's, by loss, and those of sizes alone."""

    proxy: Agreement
    params: Agreement
    macs: Agreement


@final
@dataclass(frozen=True)
class Walk:
    """The walk as it was trained."""

    steps: tuple[WalkStep, ...]
    left_out: tuple[LeftOut, ...]
    refused: Mapping[str, str]
    """Steps that cannot be undone by themselves, and why."""
    training: Training

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    @property
    def fidelity(self) -> Fidelity:
        """Over all steps that came to a result."""
        return _fidelity(self.steps)

    @property
    def judged_fidelity(self) -> Fidelity:
        """Over the first step and those that this proxy can judge."""
        return _fidelity([step for step in self.steps if step.judged])


def walk_of(training: Training, general: tuple[Override, ...] = ()) -> Walk:
    """What was trained, put beside what was published; ``general`` is what was changed of the recipe."""
    job, size = training.job, DataFacts.of(training.data)
    asked = steps_asked()
    trained = {design.name: design for design in job.designs}
    # Jobs of walks hold designs that were shrunk before, and a recipe that does not shrink them again.
    recipe = dataclasses.replace(job.recipe, shrink="auto")
    small = steps_shrunk(asked, size, recipe, job.shrunk_for)
    if any(trained[name].key != each.design.key for name, each in zip(asked, small, strict=True)):
        recipe = job.recipe
        small = steps_shrunk(asked, size, recipe, job.shrunk_for)
    members = {
        name: Judged(
            name, design, Shrunk(each.design, (*each.overrides, *recipe_overrides(each.design, job.recipe), *general))
        )
        for (name, design), each in zip(asked.items(), small, strict=True)
    }
    epochs = epochs_of(job.recipe, len(training.data.train))
    told = doubts(list(members.values()), size, recipe=job.recipe, epochs=epochs)
    overrides = {**training.overrides, **{name: member.trained.overrides for name, member in members.items()}}
    job = dataclasses.replace(job, recipe=recipe)
    training = dataclasses.replace(training, overrides=overrides, doubts=told, job=job)
    steps = tuple(_step(name, members, training) for name in asked)
    left_out = tuple(_left_out(name, training) for name in asked if f"{WITHOUT}{name}" in trained)
    refused = each_undone({name: member.trained.design for name, member in members.items()})[1] if left_out else {}
    return Walk(steps, left_out, refused, training)


def _step(name: str, members: Mapping[str, Judged], training: Training) -> WalkStep:
    base, member = base_of(name), members[name]
    size, recipe = DataFacts.of(training.data), training.job.recipe
    epochs = epochs_of(recipe, len(training.data.train))
    design = member.trained.design
    found = cost(design, lower(design), design.image.shape)
    return WalkStep(
        name,
        published(name),
        base,
        design,
        found.params,
        found.macs,
        _placed(training, name),
        _gain(training, name, base) if base else None,
        doubts((member, members[base]), size, recipe=recipe, epochs=epochs) if base else (),
        training.same.get(name, ""),
    )


def _left_out(name: str, training: Training) -> LeftOut:
    adopted = [each for each in step_names() if published(each).adopted == "yes"]
    before, without = adopted[adopted.index(name) - 1], f"{WITHOUT}{name}"
    published_gain = published(name).top1 - published(before).top1
    gain = _gain(training, adopted[-1], without)
    return LeftOut(name, without, _placed(training, without), gain, published_gain)


def _placed(training: Training, name: str) -> Placed | None:
    """The place of a step, or of the step that is the same network."""
    name = training.same.get(name, name)
    return next((place for place in training.ranking.places if place.name == name), None)


def _gain(training: Training, name: str, base: str) -> Pair | None:
    """One less the other; None where one has no place, or both are one network."""
    return training.ranking.difference(training.same.get(name, name), training.same.get(base, base))


def _fidelity(steps: Sequence[WalkStep]) -> Fidelity:
    there = [(step, step.placed) for step in steps if step.placed is not None]
    published = [step.published.top1 for step, _ in there]
    orders = (
        [-placed.loss.mean for _, placed in there],
        [float(step.published.params) for step, _ in there],
        [float(step.published.macs or 0) for step, _ in there],
    )
    return Fidelity(*(agreement(order, published) for order in orders))
