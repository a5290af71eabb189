"""Knobs that differ and figures of designs side by side, as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from convlab.costs import Profile
from convlab.tui.drawing.picture import Line, Picture, Size, Span, clipped, wrapped
from convlab.tui.drawing.tables import table_lines, without
from convlab.views.comparison import comparison, knob_table
from convlab.views.tables import Cell, Table

WIDE = 60
"""Below so many columns a knob has a line of its own and its values stand below it."""


def diff_picture(profiles: Sequence[Profile], size: Size) -> Picture:
    """The knobs that differ, each a line to choose, then the figures."""
    names = ("baseline", *(f"pinned {number}" for number in range(1, len(profiles) - 1)), "now")
    knobs = _titled(knob_table(profiles), names)
    if not knobs.rows:
        told = wrapped("The design is as the baseline is.", size.width, "muted")
        lines, keys = told, ("",) * len(told)
    elif size.width >= WIDE:
        lines = table_lines(knobs, size.width)
        keys = ("", *(row[0].text for row in knobs.rows))
    else:
        rows = [row for row in knobs.rows if row[1].value != row[-1].value]
        lines = tuple(line for row in rows for line in _below(row, size.width))
        keys = tuple(key for row in rows for key in (row[0].text, ""))
    figures = _titled(comparison(profiles), names)
    others = [column.name for column in figures.columns[1:-1]]
    shown = without(figures, others) if size.width < WIDE else figures
    lines = (*lines, (), *table_lines(shown, size.width))
    return Picture(lines, 0, keys)


def _titled(table: Table, names: Sequence[str]) -> Table:
    """The table with columns named by their part here; pinned designs go first where there is no room."""
    first, *others = table.columns
    ranks = (1, *[2] * (len(names) - 2), 0)
    columns = [
        replace(column, title=name, least=8, rank=rank) for column, name, rank in zip(others, names, ranks, strict=True)
    ]
    return Table((first, *columns), table.rows)


def _below(row: Sequence[Cell], width: int) -> tuple[Line, Line]:
    path, *values = row
    shown = " → ".join(value.text for value in (values[0], values[-1]))
    return (Span(clipped(path.text, width)),), (Span(clipped(f"  {shown}", width), "strong"),)
