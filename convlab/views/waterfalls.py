"""Waterfalls: how a figure goes from a beginning to an end, step by step, each with what it adds or takes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from convlab.costs import Profile
from convlab.views.cards import FIGURES
from convlab.views.roadmap import Step, steps
from convlab.views.shares import MEASURES, shares

ACCURACY = "ImageNet-1K top-1 accuracy"


@final
@dataclass(frozen=True, slots=True)
class Change:
    """One step: its name, what it changes, and where the figure stands after it."""

    name: str
    difference: float
    reached: float


@final
@dataclass(frozen=True, slots=True)
class Waterfall:
    """Where a figure begins, the changes in order, and what the figure and its unit are."""

    title: str
    unit: str
    first: str
    start: float
    changes: tuple[Change, ...]
    last: str

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.changes[-1].reached if self.changes else self.start


def walk_waterfall() -> Waterfall:
    """The published accuracy from ResNet-50 to ConvNeXt-T in percent: the steps that the end builds on, each against the one before."""
    chain = _adopted(steps())
    changes = tuple(
        Change(step.published.step, round(step.published.top1 - before.published.top1, 4), step.published.top1)
        for before, step in pairwise(chain)
    )
    return Waterfall(ACCURACY, "%", "ResNet-50", chain[0].published.top1, changes, "ConvNeXt-T")


def design_waterfall(profiles: Sequence[Profile], measure: str = "macs") -> Waterfall:
    """A cost from design to design."""
    values = [_total(each, measure) for each in profiles]
    pairs = zip(profiles[1:], values, values[1:], strict=False)
    changes = tuple(Change(each.design.name, value - before, value) for each, before, value in pairs)
    about = FIGURES[measure]
    return Waterfall(about.title, about.unit, profiles[0].design.name, values[0], changes, profiles[-1].design.name)


def stage_waterfall(one: Profile, other: Profile, measure: str = "macs") -> Waterfall:
    """A cost from one design to another, stage by stage; a stage that only one has counts as 0 in the other."""
    mine, theirs = ({share.path: share.value for share in shares(each, measure)} for each in (one, other))
    reached = sum(mine.values())
    start, changes = reached, []
    for path in sorted({*mine, *theirs}, key=lambda path: _order(path, [*mine], [*theirs])):
        difference = theirs.get(path, 0) - mine.get(path, 0)
        reached += difference
        changes.append(Change(path, difference, reached))
    about = MEASURES[measure]
    return Waterfall(about.title, about.unit, one.design.name, start, tuple(changes), other.design.name)


def _adopted(walk: Sequence[Step]) -> list[Step]:
    """The steps that the last one builds on, in order, itself among them."""
    by_order = {step.published.order: step for step in walk}
    last = by_order[max(by_order)]
    chain = [last]
    while chain[-1].base:
        chain.append(by_order[chain[-1].base])
    return chain[::-1]


def _total(found: Profile, measure: str) -> float:
    return sum(share.value for share in shares(found, measure))


def _order(path: str, mine: list[str], theirs: list[str]) -> tuple[bool, int]:
    """The head last; else in the order of the design that has the path."""
    return path == "head", (mine if path in mine else theirs).index(path)
