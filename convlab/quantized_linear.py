"""The quantised linear rule of RegNet (Radosavovic et al., 2020, arXiv:2003.13678): widths and depths from three numbers and a depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from convlab.domains import domain
from convlab.factors import Joint
from convlab.knobs import Knob, Refused

QUANTUM = 8
"""Widths are multiples of this."""

MAXIMUM_TRIES = 200_000

PARAMETERS = {
    "depth": Knob("depth", "rule", "integer", 0, "blocks in all", 1, 1000),
    "initial": Knob("initial", "rule", "integer", 24, "width of the first block", 8, 4096),
    "slope": Knob("slope", "rule", "number", 36.0, "by how much the width grows a block", 0, 4096),
    "multiplier": Knob("multiplier", "rule", "number", 2.5, "the step between the widths of stages", 1.05, 8),
}


def regnet(initial: float, slope: float, multiplier: float, depth: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Widths and depths of the stages of a RegNet: block j wants initial + slope * j, quantised to initial * multiplier ** k."""
    widths: list[int] = []
    depths: list[int] = []
    for block in range(depth):
        power = round(math.log((initial + slope * block) / initial) / math.log(multiplier))
        width = max(1, round(initial * multiplier**power / QUANTUM)) * QUANTUM
        if widths and widths[-1] == width:
            depths[-1] += 1
        else:
            widths.append(width)
            depths.append(1)
    return tuple(widths), tuple(depths)


def quantized_linear(table: Any, depths: Sequence[int]) -> Joint | Refused:
    """The different networks of a rule's parameters with as many stages as there are, or why there are none."""
    help = "{ quantized_linear = { initial, slope, multiplier, depth } }, each a range or a list"
    if (
        not isinstance(table, Mapping)
        or set(table) - set(PARAMETERS)
        or not {"initial", "slope", "multiplier"} <= set(table)
    ):
        return Refused("bad-space", "the quantised linear rule is not complete", help=help)
    domains: dict[str, Sequence[Any]] = {"depth": (sum(depths),)}
    for name, written in table.items():
        choices = domain(PARAMETERS[name], written)
        if isinstance(choices, Refused):
            return choices
        domains[name] = choices
    if math.prod(len(choices) for choices in domains.values()) > MAXIMUM_TRIES:
        return Refused(
            "bad-space", f"the quantised linear rule has over {MAXIMUM_TRIES:,} parameters to try", help="larger steps"
        )
    rows: dict[tuple[int, ...], None] = {}
    for initial, slope, multiplier, depth in product(
        *(domains[name] for name in ("initial", "slope", "multiplier", "depth"))
    ):
        widths, found = regnet(initial, slope, multiplier, depth)
        if len(widths) == len(depths):
            rows.setdefault((*widths, *found))
    if not rows:
        return Refused(
            "empty-space", f"no parameters of the quantised linear rule give {len(depths)} stages", help=help
        )
    stages = range(len(depths))
    paths = (*(f"stages.{index}.width" for index in stages), *(f"stages.{index}.depth" for index in stages))
    return Joint(paths, tuple(rows))
