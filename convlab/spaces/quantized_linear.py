"""The quantised linear rule of RegNet (Radosavovic et al., 2020, arXiv:2003.13678): widths and depths from three numbers and a depth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from convlab.language.knobs import Knob, Refused
from convlab.spaces.domains import Objection, domain
from convlab.spaces.factors import Joint

QUANTUM = 8
"""Widths are multiples of this."""

WIDEST = 65536
MAXIMUM_TRIES = 200_000

PARAMETERS = {
    "depth": Knob("depth", "rule", "integer", 0, "blocks in all", 1, 1000, unit="blocks"),
    "initial": Knob("initial", "rule", "integer", 24, "width of the first block", 8, 4096, unit="channels"),
    "slope": Knob("slope", "rule", "number", 36.0, "by how much the width grows a block", 0, 4096, unit="channels"),
    "multiplier": Knob("multiplier", "rule", "number", 2.5, "the step between the widths of stages", 1.05, 8),
}
HELP = "{ quantized_linear = { initial, slope, multiplier, depth } }, each a range or a list; depth may be left out"


def regnet(initial: float, slope: float, multiplier: float, depth: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Widths and depths of the stages of a RegNet: block j wants initial + slope * j, quantised to initial * multiplier ** k."""
    widths: list[int] = []
    depths: list[int] = []
    for width in _block_widths(initial, slope, multiplier, depth):
        if widths and widths[-1] == width:
            depths[-1] += 1
        else:
            widths.append(width)
            depths.append(1)
    return tuple(widths), tuple(depths)


def quantized_linear(table: Any, depths: Sequence[int]) -> Joint | Objection:
    """The different networks of a rule's parameters with as many stages as there are, or why there are none.

    ``depths`` are those of the base: their sum is the depth where the rule does not say one.
    """
    domains = _domains(table, sum(depths))
    if isinstance(domains, Objection):
        return domains
    if math.prod(map(len, domains.values())) > MAXIMUM_TRIES:
        message = f"the quantised linear rule has over {MAXIMUM_TRIES:,} parameters to try"
        return Objection(Refused("bad-space", message, help="larger steps"))
    rows: dict[tuple[int, ...], None] = {}
    wanted = set(domains["depth"])
    for initial, slope, multiplier in product(domains["initial"], domains["slope"], domains["multiplier"]):
        for row, depth in _rows(_block_widths(initial, slope, multiplier, max(wanted)), len(depths)):
            if depth in wanted:
                rows.setdefault(row)
    if not rows:
        message = f"no parameters of the quantised linear rule give {len(depths)} stages"
        return Objection(Refused("empty-space", message, help="a wider range of slope, multiplier or depth"))
    stages = range(len(depths))
    paths = (*(f"stages.{index}.width" for index in stages), *(f"stages.{index}.depth" for index in stages))
    return Joint(paths, tuple(rows))


def _domains(table: Any, depth: int) -> dict[str, tuple[Any, ...]] | Objection:
    """The values of every parameter of the rule."""
    if not isinstance(table, Mapping):
        return Objection(Refused("wrong-type", "the quantised linear rule is a table", help=HELP))
    unknown = next((name for name in table if name not in PARAMETERS), None)
    if unknown is not None:
        return Objection(Refused("unknown-key", f"the rule has no parameter {unknown}", help=HELP), (unknown,), "key")
    missing = [name for name in ("initial", "slope", "multiplier") if name not in table]
    if missing:
        return Objection(Refused("missing-key", f"the quantised linear rule lacks {missing[0]}", help=HELP))
    domains: dict[str, tuple[Any, ...]] = {"depth": (depth,)}
    for name, written in table.items():
        choices = domain(PARAMETERS[name], written)
        if isinstance(choices, Objection):
            return choices._replace(at=(name, *choices.at))
        domains[name] = choices
    return domains


def _block_widths(initial: float, slope: float, multiplier: float, depth: int) -> Iterator[int]:
    for block in range(depth):
        power = round(math.log(1 + slope * block / initial) / math.log(multiplier))
        yield max(1, round(initial * multiplier**power / QUANTUM)) * QUANTUM


def _rows(block_widths: Iterator[int], stages: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """The widths and depths of every network of that many stages that the first blocks make, and how many blocks those are."""
    widths: list[int] = []
    ends: list[int] = []
    for depth, width in enumerate(block_widths, 1):
        if not widths or widths[-1] != width:
            if len(widths) == stages or width > WIDEST:
                return
            widths.append(width)
            ends.append(depth)
        ends[-1] = depth
        if len(widths) == stages:
            yield (*widths, *(end - start for start, end in zip([0, *ends], ends, strict=False))), depth
