"""Judging: what a comparison of trainings cannot tell of designs, in sentences, from what lies between them and how they were trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

from convlab.costs import cost
from convlab.language.design import Design, lower, stem_stride
from convlab.training.proxies.kernels import kernels
from convlab.training.proxies.reductions import sides
from convlab.training.proxies.shrinking import DataFacts, Shrunk
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.initializing import turned

LEAST_SIDE = 48
"""From so many px on, kernels can be told apart: below, small ones win here that lose on large images."""

LEAST_EPOCHS = 100
"""Drop path is of use in trainings of more epochs: ResNet-50's recipe of 100 has none, that of 300 has it (arXiv:2110.00476, table 2)."""

UNEQUAL = 1.5
"""Designs whose costs differ by more than this factor are compared with that said."""

KERNELS = "kernels"
RESOLUTION = "resolution"
REGULARIZATION = "regularization"
FIRST_VALUES = "first values"
DEPTH = "depth"
COST = "cost"


@final
@dataclass(frozen=True, slots=True)
class Judged:
    """A design as it was asked for, and as it is trained."""

    name: str
    asked: Design
    trained: Shrunk


@final
@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that the comparison of some designs cannot tell: the topic, the designs, a sentence, and what can be done."""

    topic: str
    names: tuple[str, ...]
    sentence: str
    help: str
    decisive: bool = True
    """Whether it touches the verdict itself; what is not decisive is only to be known."""


def doubts(members: Sequence[Judged], facts: DataFacts, *, recipe: Recipe, epochs: float) -> tuple[Doubt, ...]:
    """What the comparison of two or more designs cannot tell, each topic once, with the designs that it is about.

    ``epochs`` is how often their weights saw every image; infinite where they begin from trained ones.
    """
    found = (
        _of_kernels(members, facts),
        _of_resolution(members, facts),
        _of_regularization(members, recipe, epochs),
        None if math.isinf(epochs) else _of_first_values(members, recipe),
        _of_depth(members),
        _of_cost(members),
    )
    return tuple(doubt for doubt in found if doubt is not None)


def _of_kernels(members: Sequence[Judged], facts: DataFacts) -> Doubt | None:
    """Kernels cover more of small images' maps than of those that the designs are for."""
    written = [kernels(each.trained.design) for each in members]
    stage = next((index for index, sizes in enumerate(zip(*written, strict=False)) if len({*sizes} - {0}) > 1), None)
    if stage is None or not any(_made_smaller(each, facts) for each in members):
        return None
    kernel, side = max(
        ((sizes[stage], sides(each.trained.design)[stage]) for each, sizes in zip(members, written, strict=True)),
        key=lambda pair: pair[0] / pair[1],
    )
    if facts.side >= LEAST_SIDE and 2 * kernel <= side:
        return None
    covers = "the whole of the map" if kernel >= side else f"{100 * kernel / side:.0f} % of the map's side"
    where = f"stage {stage}" if stage else "the first stage"
    sentence = (
        f"their kernels differ, and images of {facts.side} px leave {where} {side} px:"
        f" a {kernel}x{kernel} kernel then covers {covers}"
    )
    help = f"--data procedural --image {max(64, 2 * facts.side)}, or pictures of that size"
    if facts.side < LEAST_SIDE:
        help += f"; below {LEAST_SIDE} px small kernels win that lose on ImageNet"
    return Doubt(KERNELS, _names(members), sentence, help)


def _of_resolution(members: Sequence[Judged], facts: DataFacts) -> Doubt | None:
    """Stems and downsampling were designed for larger images, or were changed."""
    if not _differ(_steps_down(each.asked) for each in members):
        return None
    changed = any(_stride_changed(each) for each in members)
    if any(_images_smaller(each, facts) for each in members):
        sizes = sorted({each.asked.image.shape.height for each in members})
        stems = ", with stems of less stride," if changed else ""
        sentence = (
            f"they lower the resolution differently, and images of {facts.height}x{facts.width} px{stems}"
            f" do not show what that does at {' or '.join(map(str, sizes))} px"
        )
        return Doubt(RESOLUTION, _names(members), sentence, "train at the designs' own image size")
    if changed:
        sentence = "they lower the resolution differently, and they were trained with less stride than they have"
        return Doubt(RESOLUTION, _names(members), sentence, "--full-size, on a GPU")
    return None


def _of_regularization(members: Sequence[Judged], recipe: Recipe, epochs: float) -> Doubt | None:
    if not _differ(each.asked.drop_path for each in members):
        return None
    if recipe.drop_path >= 0:
        sentence = f"their drop path differs, and the recipe gives all the same ({recipe.drop_path:g})"
        help = "--recipe-set drop_path=-1 leaves it as the designs say, for trainings of hundreds of epochs"
        return Doubt(REGULARIZATION, _names(members), sentence, help)
    if epochs > LEAST_EPOCHS:
        return None
    sentence = "their drop path differs, and a training this short overfits too little for it to be of use"
    return Doubt(REGULARIZATION, _names(members), sentence, "judge regularization in trainings of hundreds of epochs")


def _of_first_values(members: Sequence[Judged], recipe: Recipe) -> Doubt | None:
    pairs = [pair for pair in combinations(members, 2) if _only_first_values(pair[0].asked, pair[1].asked, recipe)]
    if not pairs:
        return None
    names = {member.name for pair in pairs for member in pair}
    sentence = f"layer scales begin at other values, and the recipe lets all begin at {recipe.layer_scale:g}"
    help = "--recipe-set layer_scale=0 leaves them as the designs say"
    return Doubt(FIRST_VALUES, tuple(each.name for each in members if each.name in names), sentence, help)


def _of_depth(members: Sequence[Judged]) -> Doubt | None:
    shallower = [each for each in members if "depths" in each.trained.paths]
    if not shallower or not _differ(each.asked.depths for each in members):
        return None
    became = dict.fromkeys(
        f"{_listed(each.asked.depths)} became {_listed(each.trained.design.depths)}" for each in shallower
    )
    sentence = f"their depths differ, and shrinking changed them: {'; '.join(became)}"
    return Doubt(DEPTH, _names(members), sentence, "--full-size, on a GPU")


def _of_cost(members: Sequence[Judged]) -> Doubt | None:
    costs = {each.name: _macs(each.trained.design) for each in members}
    costly, cheap = max(costs, key=costs.__getitem__), min(costs, key=costs.__getitem__)
    most, least = costs[costly], costs[cheap]
    if most <= UNEQUAL * least:
        return None
    names = tuple(name for name, macs in costs.items() if most > UNEQUAL * macs or macs > UNEQUAL * least)
    between = ", the others lie between" if len(names) > 2 else ""
    sentence = (
        f"{costly} costs {most / least:.1f} times the multiply-adds of {cheap}{between}: a lead may be that of size"
    )
    return Doubt(COST, names, sentence, "turn widths or depths until the costs are alike", decisive=False)


def _names(members: Sequence[Judged]) -> tuple[str, ...]:
    return tuple(each.name for each in members)


def _differ(values: Iterable[Any]) -> bool:
    return len({*values}) > 1


def _made_smaller(member: Judged, facts: DataFacts) -> bool:
    """Whether a network sees smaller images than its design is for, or other maps of them."""
    return _images_smaller(member, facts) or _stride_changed(member)


def _images_smaller(member: Judged, facts: DataFacts) -> bool:
    return facts.side < min(member.asked.image.shape[1:])


def _stride_changed(member: Judged) -> bool:
    """Whether shrinking changed what lowers the resolution; stages that it dropped do not count."""
    asked, trained = (_steps_down(design) for design in (member.asked, member.trained.design))
    return asked[0] != trained[0] or asked[1][: len(trained[1])] != trained[1]


def _steps_down(design: Design) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """What of a design lowers the resolution: the stem, and what stands before the stages with a stride."""
    stem = design.stem
    layers = (stem.kind, stem.pool, stem.branch, stem_stride(stem))
    return layers, tuple((stage.downsample.kind, stage.stride) for stage in design.stages[1:])


def _only_first_values(one: Design, other: Design, recipe: Recipe) -> bool:
    """Whether layer scales differ in a way that the recipe takes away."""
    scales, alike = (
        [tuple(stage.block.layer_scale for stage in design.stages) for design in pair]
        for pair in ((one, other), (turned(one, recipe), turned(other, recipe)))
    )
    return scales[0] != scales[1] and alike[0] == alike[1]


def _macs(design: Design) -> int:
    return cost(design, lower(design), design.image.shape).macs


def _listed(depths: Sequence[int]) -> str:
    return "-".join(map(str, depths))
