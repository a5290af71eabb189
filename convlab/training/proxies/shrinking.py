"""Shrinking: designs made small enough for short trainings on small images, every change recorded, the choices under test untouched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

from convlab.costs import cost
from convlab.errors import ConvlabError, Problem
from convlab.language.blocks import Block
from convlab.language.design import Design, Image, lower, stem_stride
from convlab.language.knobs import changed
from convlab.language.validation import faults, validated
from convlab.training.proxies.overrides import Override, differences
from convlab.training.proxies.reductions import LARGEST_SPENT_MAP, Reduction, reduced, sides, without_spent_stages
from convlab.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from convlab.training.data.datasets import Dataset

__all__ = ["Budget", "DataFacts", "Override", "Shrunk", "budget", "shrunk", "shrunk_together"]

CPU_MACS, CPU_SIDE = 3_000_000, 32
GPU_MACS, GPU_SIDE = 50_000_000, 64
"""The most multiply-adds that a shrunk network has for an image of so many px a side; larger images may cost more by their area."""

SMALL_IMAGE = 64
TINY_IMAGE = 32
"""Images of at most so many px halve the stem's stride; tiny ones quarter it where a GPU trains."""

LEAST_FIRST_MAP = 7
"""The first stage's map has at least so many px a side, where the stem can provide it."""

ALIKE = 4
"""Designs whose costs are within this factor are shrunk by the same factors, so that what lies between them stays."""

LENIENCE = 2
"""By so many times a network may exceed the budget where its micro knobs make it costlier than its kind is by default."""

LADDER = (
    *(
        (1, 1),
        (3 / 4, 1 / 2),
        (1 / 2, 1 / 2),
        (1 / 3, 1 / 2),
        (1 / 4, 1 / 2),
        (1 / 4, 1 / 3),
        (1 / 5, 1 / 3),
        (1 / 6, 1 / 3),
    ),
    *(
        (1 / 8, 1 / 3),
        (1 / 8, 1 / 4),
        (1 / 10, 1 / 4),
        (1 / 12, 1 / 4),
        (1 / 12, 1 / 6),
        (1 / 16, 1 / 6),
        (1 / 20, 1 / 8),
    ),
    *((1 / 24, 1 / 8), (1 / 32, 1 / 12), (1 / 48, 1 / 16), (1 / 64, 1 / 32)),
)
"""Factors of widths and depths from the mildest on; the first that meets the budget is taken."""

CAPACITY = ("order", "expansion_ratio", "expansion_of", "groups", "group_width", "heads", "head_width")
"""The block knobs that decide how wide a network has to be for its cost; no other micro knob changes how much is shrunk."""


@final
@dataclass(frozen=True)
class Shrunk:
    """A design as it is trained, and everything in which it differs from the one that was asked for."""

    design: Design
    overrides: tuple[Override, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """The knobs that were changed."""
        return frozenset(override.path for override in self.overrides)


@final
@dataclass(frozen=True, slots=True)
class DataFacts:
    """What of a data set decides the size of a network."""

    classes: int
    channels: int
    height: int
    width: int

    @staticmethod
    def of(data: Dataset) -> DataFacts:
        """Those of a data set, as it was loaded."""
        return DataFacts(len(data.classes), data.channels, data.height, data.width)

    @property
    def side(self) -> int:
        """The shorter side of an image, in px."""
        return min(self.height, self.width)


class Budget(NamedTuple):
    """What shrunk networks may cost, and whether a GPU trains them."""

    macs: int
    gpu: bool


def budget(device: str, facts: DataFacts) -> Budget:
    """The budget of a device ("cpu", "cuda", "cuda:1") for images of that size."""
    gpu = device.partition(":")[0] not in ("cpu", "")
    macs, side = (GPU_MACS, GPU_SIDE) if gpu else (CPU_MACS, CPU_SIDE)
    return Budget(max(macs, macs * facts.height * facts.width // side**2), gpu)


def shrunk(design: Design, facts: DataFacts, *, recipe: Recipe, device: str = "cpu") -> Shrunk:
    """The design for the data and the device. Raises ConvlabError where it cannot be had."""
    return shrunk_together([design], facts, recipe=recipe, device=device)[0]


def shrunk_together(
    designs: Sequence[Design], facts: DataFacts, *, recipe: Recipe, device: str = "cpu", within: Budget | None = None
) -> tuple[Shrunk, ...]:
    """Designs that are to be compared, for the data and the device: those alike are shrunk by the same factors.

    Classes, image channels and image size become the data's. With ``recipe.shrink`` "auto" the stem's stride, the stages, the depths
    and the widths fall until the costliest of the designs alike is within the budget (``within``, else the device's); a design within
    it whose maps stay large enough keeps its sizes. Block knobs stay, but for groups and heads that are wider than the narrowed
    stages. Raises ConvlabError for a design that is not valid at the data's image size.
    """
    placed = [_on_data(design, facts) for design in designs]
    found = placed if recipe.shrink == "never" else _smaller(designs, placed, facts, within or budget(device, facts))
    pairs = zip(designs, found, strict=True)
    return tuple([Shrunk(_valid(after), tuple(differences(before, after))) for before, after in pairs])


def _on_data(design: Design, facts: DataFacts) -> Design:
    size = facts.height if facts.height == facts.width else (facts.height, facts.width)
    image = Image(size, facts.channels)
    return changed(design, {"image": image, "head": changed(design.head, {"classes": facts.classes})})


def _smaller(designs: Sequence[Design], placed: Sequence[Design], facts: DataFacts, within: Budget) -> list[Design]:
    found = list(placed)
    for group in _alike(placed):
        members = [placed[index] for index in group]
        if all(_fits(member, within) for member in members):
            continue
        strides = [_stride_reduction(designs[index], facts, within) for index in group]
        for index, after in zip(group, _on_ladder(members, strides, within), strict=True):
            found[index] = after
    return found


def _on_ladder(members: Sequence[Design], strides: Sequence[tuple[int, int]], within: Budget) -> list[Design]:
    """The members made smaller by the mildest factors at which none costs more than the budget, or by the last that can be had."""
    best: list[Design] = []
    for width, depth in LADDER:
        made = [reduced(each, Reduction(*by, width, depth)) for each, by in zip(members, strides, strict=True)]
        whole = [each for each in made if each is not None and not faults(each)]
        if len(whole) == len(made):
            best = whole
            if all(_affordable(each, within) for each in whole):
                break
    return best or [without_spent_stages(member) for member in members]


def _fits(design: Design, within: Budget) -> bool:
    return min(sides(design)) > LARGEST_SPENT_MAP and _affordable(design, within)


def _affordable(design: Design, within: Budget) -> bool:
    """Whether the budget holds a design. It may cost up to ``LENIENCE`` times as much by its micro knobs: they are not to decide."""
    return _plain_macs(design) <= within.macs and _macs(design) <= LENIENCE * within.macs


def _stride_reduction(design: Design, facts: DataFacts, within: Budget) -> tuple[int, int]:
    """The power of two that divides the stride, and what the first stage keeps of it.

    The first is never more than the images are smaller than those that the design is for, unless the first map would be too small.
    """
    least = 1 if within.gpu or facts.side < 2 * LEAST_FIRST_MAP else 2
    most = 1 if facts.side > SMALL_IMAGE else 4 if within.gpu and facts.side <= TINY_IMAGE else 2
    factor = 1
    while factor < most and facts.side * 2 * factor <= min(design.image.shape[1:]):
        factor *= 2
    whole = stem_stride(design.stem) * design.stages[0].stride
    while factor < whole and facts.side * factor // whole < LEAST_FIRST_MAP:
        factor *= 2
    return factor, least


def _alike(designs: Sequence[Design]) -> list[list[int]]:
    """The places of designs that are shrunk together: of one skeleton, or of about the same cost."""
    skeletons: dict[object, list[int]] = {}
    for index, design in enumerate(designs):
        skeletons.setdefault(_skeleton(design), []).append(index)
    costs = [_plain_macs(design) for design in designs]
    groups: list[tuple[int, list[int]]] = []
    for members in sorted(skeletons.values(), key=lambda members: -max(costs[index] for index in members)):
        costliest = max(costs[index] for index in members)
        if groups and costliest * ALIKE >= groups[-1][0]:
            groups[-1][1].extend(members)
        else:
            groups.append((costliest, list(members)))
    return [members for _, members in groups]


def _skeleton(design: Design) -> object:
    return design.depths, design.widths, tuple(stage.stride for stage in design.stages), stem_stride(design.stem)


def _plain_macs(design: Design) -> int:
    """The cost with each block's micro knobs at its kind's defaults: they are under test and must not decide the size."""
    stages = tuple(changed(stage, {"block": _plain(stage.block)}) for stage in design.stages)
    plain = changed(design, {"stages": stages})
    return _macs(plain)


def _macs(design: Design) -> int:
    return cost(design, lower(design), design.image.shape).macs


def _plain(block: Block) -> Block:
    if block.kind == "custom":
        return block
    return Block.of(block.kind, **{name: getattr(block, name) for name in CAPACITY})


def _valid(design: Design) -> Design:
    try:
        return validated(design)
    except ConvlabError as error:
        side = "x".join(map(str, design.image.shape[1:]))
        problems = [
            Problem(
                each.code,
                f"at {side} px, the size of the data's images: {each.message}",
                help=each.help,
                path=each.path,
            )
            for each in error.problems
        ]
        raise ConvlabError(*problems, exit_code=error.exit_code) from None
