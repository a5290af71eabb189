"""The quantised linear rule of RegNet (Radosavovic et al., 2020, arXiv:2003.13678): widths and depths of all stages from four numbers.

With a group width the widths are fitted to it, so that it divides the hidden ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from convlab.language.knobs import Knob

QUANTUM = 8
"""Widths are multiples of this before they are fitted to a group width."""

PARAMETERS = {
    "initial": Knob("initial", "rule", "integer", 24, "width of the first block", 8, 4096, unit="channels"),
    "slope": Knob("slope", "rule", "number", 36.0, "by how much the width grows a block", 0, 4096, unit="channels"),
    "multiplier": Knob("multiplier", "rule", "number", 2.5, "the step between the widths of stages", 1.05, 8),
    "depth": Knob("depth", "rule", "integer", 0, "blocks in all", 1, 1000, unit="blocks"),
    "group_width": Knob(
        "group_width",
        "rule",
        "integer",
        0,
        "block.group_width, to which the widths are fitted",
        1,
        65536,
        unit="channels",
    ),
    "expansion_ratio": Knob(
        "expansion_ratio", "rule", "number", 1.0, "block.expansion_ratio, for the fit; 1 where it is not said", 0.01, 64
    ),
}
"""What the rule is made of."""

NEEDED = ("initial", "slope", "multiplier")
"""The parameters that have to be said; without a depth it is that of the base."""

FITTED = ("group_width", "expansion_ratio")
"""The parameters that blocks have as knobs, and that widths are fitted to; the second needs the first."""

Numbers = tuple[int, ...]


def regnet(initial: float, slope: float, multiplier: float, depth: int) -> tuple[Numbers, Numbers]:
    """Widths and depths of the stages of a RegNet: block j wants initial + slope * j, quantised to initial * multiplier ** k."""
    widths: list[int] = []
    depths: list[int] = []
    for width in block_widths(initial, slope, multiplier, depth):
        if widths and widths[-1] == width:
            depths[-1] += 1
        else:
            widths.append(width)
            depths.append(1)
    return tuple(widths), tuple(depths)


def block_widths(initial: float, slope: float, multiplier: float, depth: int) -> Iterator[int]:
    """The width of every block; blocks of one width make a stage."""
    for block in range(depth):
        power = round(math.log(1 + slope * block / initial) / math.log(multiplier))
        yield max(1, round(initial * multiplier**power / QUANTUM)) * QUANTUM


def fitted(widths: Numbers, group_width: int, expansion_ratio: float = 1.0) -> tuple[Numbers, Numbers]:
    """Widths whose hidden widths the group width divides, and the group widths: a hidden width below it is one group."""
    pairs = [_fitted(width, group_width, expansion_ratio) for width in widths]
    return tuple(width for width, _ in pairs), tuple(group for _, group in pairs)


def _fitted(width: int, group_width: int, expansion_ratio: float) -> tuple[int, int]:
    hidden = max(1, int(width * expansion_ratio))
    group_width = min(group_width, hidden)
    quantum = group_width if expansion_ratio <= 1 else math.lcm(group_width, int(expansion_ratio))
    return max(1, int(max(1, round(hidden / quantum)) * quantum / expansion_ratio)), group_width
