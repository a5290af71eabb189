"""The quantised linear rule in a space: every network that its parameters give with as many stages as there are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from convlab.language.knobs import Refused
from convlab.language.rules import FITTED, NEEDED, PARAMETERS, block_widths, fitted
from convlab.spaces.domains import Objection, domain
from convlab.spaces.factors import Joint

WIDEST = 65536
MAXIMUM_TRIES = 200_000
MAXIMUM_ROWS = 500_000
HELP = (
    "{ quantized_linear = { initial, slope, multiplier, depth, group_width, expansion_ratio } }, each a range or a list; "
    "the last three may be left out"
)

Row = tuple[Any, ...]


def quantized_linear(table: Any, depths: Sequence[int]) -> Joint | Objection:
    """The different networks of a rule's parameters with as many stages as there are, or why there are none.

    ``depths`` are those of the base: their sum is the depth where the rule does not say one.
    """
    domains = _domains(table, sum(depths))
    if isinstance(domains, Objection):
        return domains
    if math.prod(len(domains[name]) for name in (*NEEDED, "depth")) > MAXIMUM_TRIES:
        message = f"the quantised linear rule has over {MAXIMUM_TRIES:,} parameters to try"
        return Objection(Refused("bad-space", message, help="larger steps"))
    rows: dict[Row, None] = {}
    wanted = set(domains["depth"])
    for initial, slope, multiplier in product(*(domains[name] for name in NEEDED)):
        for row, depth in _rows(block_widths(initial, slope, multiplier, max(wanted)), len(depths)):
            if depth in wanted:
                rows.setdefault(row)
    if not rows:
        message = f"no parameters of the quantised linear rule give {len(depths)} stages"
        return Objection(Refused("empty-space", message, help="a wider range of slope, multiplier or depth"))
    knobs = [knob for knob in FITTED if knob in domains]
    if len(rows) * math.prod(len(domains[knob]) for knob in knobs) > MAXIMUM_ROWS:
        message = f"the quantised linear rule gives over {MAXIMUM_ROWS:,} networks"
        return Objection(Refused("bad-space", message, help="fewer group widths and ratios, or larger steps"))
    names = ["width", "depth", *(f"block.{knob}" for knob in knobs)]
    paths = tuple(f"stages.{index}.{name}" for name in names for index in range(len(depths)))
    return Joint(paths, tuple(dict.fromkeys(_fitted(rows, len(depths), domains)) if knobs else rows))


def _fitted(rows: Iterable[Row], stages: int, domains: Mapping[str, tuple[Any, ...]]) -> Iterator[Row]:
    """The rows with their widths fitted to every group width and expansion ratio, which follow the depths."""
    widths_of: dict[tuple[Row, Any, Any], tuple[Row, Row]] = {}
    ratios = domains.get("expansion_ratio", (1.0,))
    for row, group_width, ratio in product(rows, domains["group_width"], ratios):
        key = (row[:stages], group_width, ratio)
        if key not in widths_of:
            widths_of[key] = fitted(*key)
        widths, groups = widths_of[key]
        said = (ratio,) * stages if "expansion_ratio" in domains else ()
        if max(widths) <= WIDEST:
            yield (*widths, *row[stages:], *groups, *said)


def _domains(table: Any, depth: int) -> dict[str, tuple[Any, ...]] | Objection:
    """The values of every parameter of the rule."""
    if not isinstance(table, Mapping):
        return Objection(Refused("wrong-type", "the quantised linear rule is a table", help=HELP))
    unknown = next((name for name in table if name not in PARAMETERS), None)
    if unknown is not None:
        return Objection(Refused("unknown-key", f"the rule has no parameter {unknown}", help=HELP), (unknown,), "key")
    needed = (*NEEDED, *(("group_width",) if "expansion_ratio" in table else ()))
    missing = [name for name in needed if name not in table]
    if missing:
        return Objection(Refused("missing-key", f"the quantised linear rule lacks {missing[0]}", help=HELP))
    domains: dict[str, tuple[Any, ...]] = {"depth": (depth,)}
    for name, written in table.items():
        choices = domain(PARAMETERS[name], written)
        if isinstance(choices, Objection):
            return choices._replace(at=(name, *choices.at))
        domains[name] = choices
    return domains


def _rows(widths_of_blocks: Iterator[int], stages: int) -> Iterator[tuple[Row, int]]:
    """The widths and depths of every network of that many stages that the first blocks make, and how many blocks those are."""
    widths: list[int] = []
    ends: list[int] = []
    for depth, width in enumerate(widths_of_blocks, 1):
        if not widths or widths[-1] != width:
            if len(widths) == stages or width > WIDEST:
                return
            widths.append(width)
            ends.append(depth)
        ends[-1] = depth
        if len(widths) == stages:
            yield (*widths, *(end - start for start, end in zip([0, *ends], ends, strict=False))), depth
