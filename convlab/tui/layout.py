"""Where the grid's columns stand: the names at the left, the costs at the right, and between them the knobs that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from convlab.views.grid import Grid
from convlab.views.tables import BAR_WIDTH

GAP = 2
KNOBS_LEAST = 42
"""So much room is left for knobs before another column of costs is shown."""

COSTS = (("macs", "MACs", 7), ("bar", "of MACs", BAR_WIDTH), ("params", "params", 7), ("output", "output", 0))
"""The columns of costs, the most important first, with their widths (0: as wide as its texts)."""

ORDER = ("output", "params", "macs", "bar")
"""The order in which they stand."""


@final
class Column(NamedTuple):
    """A column on the screen."""

    name: str
    title: str
    start: int
    width: int


@final
class Columns(NamedTuple):
    """The columns on the screen, and the width of the names of the rows before them."""

    knobs: tuple[Column, ...]
    costs: tuple[Column, ...]
    title: int
    gap: int = 0

    def at(self, x: int) -> str | None:
        """The knob at a place of a line."""
        return next((item.name for item in self.knobs if item.start <= x < item.start + item.width + GAP), None)

    def beyond(self, grid: Grid, width: int) -> str:
        """How many knobs are not shown, for the gap before the costs."""
        shown = [item.name for item in self.knobs]
        before = grid.columns.index(shown[0]) if shown else 0
        after = len(grid.columns) - before - len(shown)
        text = (
            f"{'◂' + str(before) if before else ''}{' ' if before and after else ''}{str(after) + '▸' if after else ''}"
        )
        return text.rjust(self.gap)[: self.gap] if len(text) <= self.gap else " " * self.gap


def arranged(grid: Grid, widths: Mapping[str, int], width: int, *, first: int, cursor: str) -> tuple[Columns, int]:
    """The columns for a pane of a width, and the first knob that is shown: as before where the cursor can then be seen."""
    names = max(len(row.title) for row in grid.rows) + 2
    costs = _costs(grid, width - names)
    room = width - names - sum(each + 1 for _, _, each in costs)
    at = grid.columns.index(cursor)
    first = min(first, at, len(grid.columns) - 1)
    while first < at and _width(grid.columns[first : at + 1], widths) > room:
        first += 1
    knobs = []
    start = names
    for name in grid.columns[first:]:
        if start + widths[name] + GAP > names + room:
            break
        knobs.append(Column(name, name, start, widths[name]))
        start += widths[name] + GAP
    gap = max(0, names + room - start)
    shown = {name: (name, heading, 0, each) for name, heading, each in costs}
    return Columns(tuple(knobs), tuple(Column(*shown[name]) for name in ORDER if name in shown), names, gap), first


def _width(names: tuple[str, ...], widths: Mapping[str, int]) -> int:
    return sum(widths[name] + GAP for name in names)


def _costs(grid: Grid, room: int) -> list[tuple[str, str, int]]:
    """The columns of costs that leave enough room for knobs."""
    found: list[tuple[str, str, int]] = []
    for name, heading, width in COSTS:
        width = width or max(len(getattr(row, name).text) for row in grid.rows)
        if room - width - 1 < KNOBS_LEAST:
            break
        room -= width + 1
        found.append((name, heading, width))
    return found
