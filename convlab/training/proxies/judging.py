"""Judging: what a comparison of short trainings on small images cannot tell, in sentences, from what lies between the designs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

from convlab.costs import cost
from convlab.language.design import Design, lower, stem_stride
from convlab.language.layer_text import BRACKETS_OF_LAYERS, Call, parse_layer, values
from convlab.training.proxies.reductions import sides
from convlab.training.proxies.shrinking import DataFacts, Shrunk
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.initializing import turned

LEAST_SIDE = 48
"""From so many px on, kernels can be told apart: below, small ones win here that lose on large images."""

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


def doubts(members: Sequence[Judged], facts: DataFacts, *, recipe: Recipe) -> tuple[Doubt, ...]:
    """What the comparison of these designs cannot tell, each topic once, with the designs that it is about."""
    found: dict[str, list[Doubt]] = {}
    for one, other in combinations(members, 2):
        for doubt in between(one, other, facts, recipe=recipe):
            found.setdefault(doubt.topic, []).append(doubt)
    return tuple(_together(each, members) for each in found.values())


def between(one: Judged, other: Judged, facts: DataFacts, *, recipe: Recipe) -> Iterator[Doubt]:
    """What the comparison of two designs cannot tell."""
    names = one.name, other.name
    kernels = _kernels(one.trained.design), _kernels(other.trained.design)
    if kernels[0] != kernels[1] and (sentence := _too_small(max(max(each) for each in kernels), one, other, facts)):
        help = f"--image 64 and more, where the data have it; below {LEAST_SIDE} px small kernels win that lose on ImageNet"
        yield Doubt(KERNELS, names, sentence, help)
    if _steps_down(one.asked) != _steps_down(other.asked):
        sizes = sorted({each.asked.image.shape.height for each in (one, other)})
        sentence = (
            f"they lower the resolution differently, and images of {facts.height}x{facts.width} px, with stems of less stride,"
            f" do not show what that does at {' or '.join(map(str, sizes))} px"
        )
        yield Doubt(RESOLUTION, names, sentence, "train at the designs' own image size")
    if one.asked.drop_path != other.asked.drop_path:
        sentence = "their drop path differs, and a training this short overfits too little for it to be of use"
        if recipe.drop_path >= 0:
            sentence = f"their drop path differs, and the recipe gives both the same ({recipe.drop_path:g})"
        yield Doubt(REGULARIZATION, names, sentence, "judge regularization in trainings of hundreds of epochs")
    if recipe.layer_scale and _only_first_values(one.asked, other.asked, recipe):
        sentence = f"layer scales begin at other values, and the recipe lets all begin at {recipe.layer_scale:g}"
        yield Doubt(FIRST_VALUES, names, sentence, "--recipe-set layer_scale=0 leaves them as the designs say")
    yield from _about_sizes(one, other)


def _about_sizes(one: Judged, other: Judged) -> Iterator[Doubt]:
    names = one.name, other.name
    if one.asked.depths != other.asked.depths and not one.trained.paths.isdisjoint({"depths"}):
        told = "; ".join(
            f"{_listed(each.asked.depths)} became {_listed(each.trained.design.depths)}" for each in (one, other)
        )
        yield Doubt(DEPTH, names, f"their depths differ, and shrinking changed them: {told}", "--full-size, on a GPU")
    costs = [_macs(each.trained.design) for each in (one, other)]
    if max(costs) > UNEQUAL * min(costs):
        costly, cheap = (one, other) if costs[0] > costs[1] else (other, one)
        times = max(costs) / min(costs)
        sentence = (
            f"{costly.name} costs {times:.1f} times the multiply-adds of {cheap.name}: a lead may be that of its size"
        )
        yield Doubt(COST, names, sentence, "turn widths or depths until the costs are alike", decisive=False)


def _together(found: Sequence[Doubt], members: Sequence[Judged]) -> Doubt:
    """One doubt for all pairs of a topic: the first one's sentence, with every design that is concerned."""
    concerned = {name for each in found for name in each.names}
    names = tuple(each.name for each in members if each.name in concerned)
    first = found[0]
    return Doubt(first.topic, names, first.sentence, first.help, first.decisive)


def _too_small(largest: int, one: Judged, other: Judged, facts: DataFacts) -> str:
    """Why kernels cannot be told apart on maps this small; empty where they can."""
    side = min(sides(each.trained.design)[0] for each in (one, other))
    if facts.side < LEAST_SIDE:
        return (
            f"their kernels differ, and images of {facts.side} px leave the first stage {side} px:"
            f" a {largest}x{largest} kernel then covers {_share(largest, side)}"
        )
    if 2 * largest > side:
        return f"their kernels differ, and a {largest}x{largest} kernel covers {_share(largest, side)} ({side} px)"
    return ""


def _share(kernel: int, side: int) -> str:
    return "the whole of the map" if kernel >= side else f"{100 * kernel / side:.0f} % of the map's side"


def _kernels(design: Design) -> tuple[int, ...]:
    """The largest kernel of every stage's blocks."""
    return tuple(max(_written(stage.block), default=stage.block.kernel_size) for stage in design.stages)


def _written(block: Any) -> list[int]:
    """The kernels that a custom block's layers say, or take from the block."""
    calls = [parse_layer(text) for branch in block.branches or (block.branch,) for text in branch]
    return [size for call in calls for size in _of_call(call, block.kernel_size)]


def _of_call(call: Call, default: int) -> Iterator[int]:
    if call.name in BRACKETS_OF_LAYERS:
        for item in call.arguments:
            if isinstance(item, Call):
                yield from _of_call(item, default)
    elif call.name in ("depthwise", "conv"):
        size: Any = values(call).get("kernel_size", default)
        yield size


def _steps_down(design: Design) -> tuple[Any, ...]:
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
