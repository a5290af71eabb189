"""Compound scaling (Tan and Le, 2019, arXiv:1905.11946): all widths and all depths of a design multiplied at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from convlab.language.design import Design
from convlab.language.knobs import changed, knob

QUANTUM = 8
"""Scaled widths are multiples of this."""

LARGEST_LOSS = 0.1
"""The most that rounding may take from a width, as a fraction of it."""


@dataclass(frozen=True)
class Scale:
    """What a base's sizes are multiplied by. It is no part of a design: what is scaled has plain sizes."""

    width: float = knob(
        1.0,
        "factor of the stem's, the stages' and the head convolution's widths; they become multiples of 8, never below 90 %",
        low=0.01,
        high=64,
    )
    depth: float = knob(1.0, "factor of the depths, which are rounded up", low=0.01, high=64)


def scaled(design: Design, scale: Scale) -> Design:
    """The design with its widths and depths multiplied; a factor of 1 changes nothing."""
    stages = tuple(
        changed(stage, {"width": _width(stage.width, scale.width), "depth": _depth(stage.depth, scale.depth)})
        for stage in design.stages
    )
    stem = changed(design.stem, {"width": _width(design.stem.width, scale.width)})
    head = changed(design.head, {"convolution": _width(design.head.convolution, scale.width)})
    return changed(design, {"stages": stages, "stem": stem, "head": head})


def _width(width: int, factor: float) -> int:
    if factor == 1 or width == 0:
        return width
    wanted = width * factor
    nearest = max(QUANTUM, int(wanted + QUANTUM / 2) // QUANTUM * QUANTUM)
    return nearest if nearest >= (1 - LARGEST_LOSS) * wanted else nearest + QUANTUM


def _depth(depth: int, factor: float) -> int:
    # 10 x 1.1 is a little more than 11 in binary, and is not meant to be 12.
    return math.ceil(round(depth * factor, 9))
