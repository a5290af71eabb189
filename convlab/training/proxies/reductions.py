"""Reductions: a design made smaller in its macro sizes (strides, stages, depths, widths), its micro choices untouched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, pairwise
from operator import mul
from typing import NamedTuple

from convlab.language.blocks import ATTENTION_KINDS
from convlab.language.design import Design, Stage, lower, stem_stride, strides
from convlab.language.head import Head
from convlab.language.knobs import changed
from convlab.language.validation import structural_faults
from convlab.training.proxies.stems import eased

QUANTUM = 8
"""Widths are multiples of this."""

LEAST_WIDTH = 16
"""Of a stage; a stem of its own width may have half of it."""

LARGEST_SPENT_MAP = 3
"""Stages whose map would be so many px or fewer are dropped."""

WIDTHS_TRIED = 48
"""So many widths around the wanted one are tried before a design is given up, where groups or heads have to divide it."""

LEAST_SHARE = {"group_width": 4, "head_width": 8}
"""Channels that a group of a convolution, or a head of attention, has at least."""


class Reduction(NamedTuple):
    """By how much a design is made smaller: its stride is divided, its widths and depths are multiplied.

    Stem and first stage together keep the stride ``least_stride``; what is left of the division falls to the stages after them.
    """

    stride: int = 1
    least_stride: int = 1
    width: float = 1.0
    depth: float = 1.0


def reduced(design: Design, reduction: Reduction) -> Design | None:
    """The design made smaller, None where groups or heads divide no width near the wanted ones. The image stays as it is."""
    found = without_spent_stages(_with_smaller_stride(design, reduction.stride, reduction.least_stride))
    if reduction.width == reduction.depth == 1:
        return found
    found = changed(found, {"stages": _shallower(found.stages, reduction.depth)})
    return found if reduction.width == 1 else _narrower(found, reduction.width)


def sides(design: Design) -> tuple[int, ...]:
    """The side of every stage's map (px), the shorter one where it is not square; as the strides say, whatever is padded."""
    reached = accumulate((taken.stride for taken in strides(design)), mul, initial=stem_stride(design.stem))
    side = min(design.image.shape[1:])
    return tuple([side // stride for stride in reached][1:])


def without_spent_stages(design: Design) -> Design:
    """The design without the stages that see next to nothing; the first one always stays."""
    found = sides(design)
    count = next((index for index, side in enumerate(found) if index and side <= LARGEST_SPENT_MAP), len(found))
    return design if count == len(found) else changed(design, {"stages": design.stages[:count]})


def _with_smaller_stride(design: Design, factor: int, least: int) -> Design:
    """The design with its stride divided by a power of two: the stem gives way first, then the first stages that have a stride."""
    whole = stem_stride(design.stem) * design.stages[0].stride
    early = math.gcd(factor, max(1, whole // least))
    stem, left = eased(design.stem, early)
    stages = [changed(design.stages[0], {"stride": design.stages[0].stride // math.gcd(left, design.stages[0].stride)})]
    left = factor // (whole // (stem_stride(stem) * stages[0].stride))
    for stage in design.stages[1:]:
        taken = math.gcd(left, stage.stride)
        stages.append(changed(stage, {"stride": stage.stride // taken}))
        left //= taken
    output_stride = max(1, design.output_stride * left // factor) if design.output_stride else 0
    return changed(design, {"stem": stem, "stages": tuple(stages), "output_stride": output_stride})


def _shallower(stages: tuple[Stage, ...], factor: float) -> tuple[Stage, ...]:
    depths = [max(_least_depth(stage), math.floor(stage.depth * factor + 0.5)) for stage in stages]
    deepest = max(range(len(stages)), key=lambda index: stages[index].depth)
    if all(stages[deepest].depth > stage.depth for index, stage in enumerate(stages) if index != deepest):
        others = (depth for index, depth in enumerate(depths) if index != deepest)
        depths[deepest] = max(depths[deepest], 1 + max(others, default=0))
    return tuple(changed(stage, {"depth": depth}) for stage, depth in zip(stages, depths, strict=True))


def _least_depth(stage: Stage) -> int:
    """Shifted windows take turns with plain ones: with a single block none would be shifted."""
    return min(2, stage.depth) if stage.block.kind == "swin" else 1


def _narrower(design: Design, factor: float) -> Design | None:
    """The design with its widths multiplied: the first widths near the wanted ones that its groups and heads divide."""
    found = changed(design, {"stages": tuple(_shares_narrower(design.stages, factor)), "head": _head(design, factor)})
    stem = design.stem.width and _rounded(design.stem.width, factor, least=QUANTUM)
    if design.stem.width > design.stages[0].width:
        stem = max(stem, LEAST_WIDTH + QUANTUM)  # so that the first stage can be narrower
    found = changed(found, {"stem": changed(found.stem, {"width": stem})})
    for index in range(len(design.stages)):
        fitting = (_with_width(found, design, index, width) for width in _widths(found, design, index, factor))
        kept = next((each for each in fitting if _holds(each, index)), None)
        if kept is None:
            return None
        found = kept
    return found


def _with_width(found: Design, original: Design, index: int, width: int) -> Design:
    stages = (*found.stages[:index], changed(found.stages[index], {"width": width}), *found.stages[index + 1 :])
    tied = index == 0 and original.stem.width == original.stages[0].width
    stem = changed(found.stem, {"width": width}) if tied else found.stem
    return changed(found, {"stages": stages, "stem": stem})


def _widths(found: Design, original: Design, index: int, factor: float) -> Iterator[int]:
    """Widths for a stage, the best first. Where widths were equal they stay so; one that grew still does not fall.

    Without a stride between them, widths that differed still differ: otherwise an identity would take the place of a projection.
    """
    old = original.stages[index].width
    wanted = _rounded(old, factor)
    around = sorted(range(LEAST_WIDTH, wanted + QUANTUM * WIDTHS_TRIED, QUANTUM), key=lambda width: abs(width - wanted))
    before, old_before = (each.stages[index - 1].width if index else each.stem.width for each in (found, original))
    if not before or (index == 0 and old_before == old):
        return iter(around)
    if old_before == old:
        return iter(dict.fromkeys([before, *around]))
    grows = index > 0 and old > old_before
    differs = strides(found)[index].stride == 1
    return (width for width in around if not (grows and width < before) and not (differs and width == before))


def _holds(design: Design, index: int) -> bool:
    """Whether groups and heads divide the widths of the stages up to this one."""
    so_far = changed(design, {"stages": design.stages[: index + 1], "names": "timm"})
    return not structural_faults(so_far) and all(check.holds for check in lower(so_far).checks)


def _rounded(width: int, factor: float, least: int = LEAST_WIDTH) -> int:
    return max(least, math.floor(width * factor / QUANTUM + 0.5) * QUANTUM)


def _head(design: Design, factor: float) -> Head:
    sizes = ("convolution", "hidden")
    return changed(
        design.head, {name: (size := getattr(design.head, name)) and _rounded(size, factor) for name in sizes}
    )


def _shares_narrower(stages: tuple[Stage, ...], factor: float) -> Iterable[Stage]:
    """Groups and heads keep their channels where the narrowed stages have as many; otherwise all shrink with the widths."""
    blocks = [stage.block for stage in stages]
    for name, least in LEAST_SHARE.items():
        sizes = [getattr(block, name) if _uses(block, name) else 0 for block in blocks]
        room = (factor * _divided_width(stage, before) for before, stage in pairwise(chain([stages[0]], stages)))
        if all(size <= QUANTUM or size <= space for size, space in zip(sizes, room, strict=True)):
            continue
        blocks = [
            changed(block, {name: max(min(size, least), 2 ** round(math.log2(size * factor)))}) if size else block
            for block, size in zip(blocks, sizes, strict=True)
        ]
    return (changed(stage, {"block": block}) for stage, block in zip(stages, blocks, strict=True))


def _uses(block: object, name: str) -> bool:
    attention = getattr(block, "kind", "") in ATTENTION_KINDS
    return attention and not getattr(block, "heads", 0) if name == "head_width" else not attention


def _divided_width(stage: Stage, before: Stage) -> float:
    """The width that a stage's groups or heads divide."""
    block = stage.block
    if block.kind in ATTENTION_KINDS or block.order in ("first", "separable", "single"):
        return stage.width
    return block.expansion_ratio * (stage.width if block.expansion_of == "output" else before.width)
