"""The walk from ResNet-50 to ConvNeXt-T as a table: each step's exact cost, the published figures, and the fields that changed."""

from __future__ import annotations

from typing import Any, NamedTuple

from convlab import facts, units
from convlab.costs import Profile, profile
from convlab.facts import RoadmapStep
from convlab.language.files import load
from convlab.language.turning import turn
from convlab.language.validation import validated
from convlab.presets import preset_names
from convlab.session.summaries import FOLDER
from convlab.session.walking import order_of, turned_by
from convlab.views.notes import Note
from convlab.views.tables import Cell, Column, Table, value_text, words

PUBLISHED_SIZE = 224

COLUMNS = (
    Column("order", "#", right=True),
    Column("group", "group", rank=3, least=12),
    Column("step", "step", least=20),
    Column("macs", "MACs", right=True),
    Column("params", "params", right=True, rank=2),
    Column("published_gmacs", "paper G", right=True),
    Column("top1", "top-1 %", right=True),
    Column("top1_std", "std", right=True, rank=1),
    Column("changed", "changed", least=24),
)


class Step(NamedTuple):
    """One step of the walk: its preset, what it costs, what the paper says of it, and the knobs that its file turns."""

    preset: str
    costs: Profile
    published: RoadmapStep
    changed: tuple[tuple[str, Any], ...]
    base: int
    """The order of the step that it starts from, 0 where it starts from none."""


def steps(image: int | tuple[int, int] | None = None) -> tuple[Step, ...]:
    """The steps in order, costed for their own image size or another one. Raises ConvlabError where an image is too small."""
    published = {step.order: step for step in facts.roadmap()}
    made = []
    for name in preset_names(FOLDER):
        design = load(name)
        if image is not None:
            design = validated(turn(design, "image.size", image))
        made.append(Step(name, profile(design), published[order_of(name)], *turned_by(name)))
    return tuple(made)


def roadmap_table(walk: tuple[Step, ...]) -> Table:
    """A row a step; "paper G" is what the paper prints as GFLOPs, which are multiply-adds."""
    return Table(COLUMNS, tuple(_row(step) for step in walk))


def roadmap_notes(walk: tuple[Step, ...]) -> tuple[Note, ...]:
    """Where the paper's figures and the networks disagree, and what the figures belong to."""
    found = [
        Note(
            step.preset,
            f"step {step.published.order}: the paper prints {step.published.printed_gmacs:g} G",
            "see convlab/facts/roadmap.md",
        )
        for step in walk
        if step.published.agrees_with_print is False
    ]
    image = walk[0].costs.image
    if (image.height, image.width) != (PUBLISHED_SIZE, PUBLISHED_SIZE):
        found.append(
            Note("image.size", f"the paper's figures are for {PUBLISHED_SIZE} px", "leave --image out to compare")
        )
    return tuple(found)


def _row(step: Step) -> tuple[Cell, ...]:
    said = step.published
    turned = "; ".join(f"{path} {value_text(value)}" for path, value in step.changed)
    if step.base and step.base != said.order - 1:
        turned = f"from {step.base}: {turned}"
    return (
        words(said.order),
        words(said.group),
        words(said.step),
        Cell(step.costs.macs, units.count(step.costs.macs)),
        Cell(step.costs.params, units.count(step.costs.params)),
        Cell(said.printed_gmacs, f"{said.printed_gmacs:.2f}"),
        Cell(said.top1, f"{said.top1:.2f}"),
        Cell(said.top1_std, "" if said.top1_std is None else f"{said.top1_std:.2f}"),
        Cell(dict(step.changed), turned),
    )
