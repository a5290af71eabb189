"""Bars of where a figure lies, with percent, figures, and the change against a baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence

from convlab import units
from convlab.tui.drawing.bars import bar
from convlab.tui.drawing.picture import Line, Span, padded, paths_in
from convlab.views.shares import Share

WIDE = 76
"""From so many columns on it is told what a block or layer is, and what changed against the baseline."""

LEAST_BAR = 8
"""Names are shortened before bars are shorter, and changes left out."""

NOT_CALIBRATED = "no time: `convlab calibrate` measures this device"


def cost_lines(rows: Sequence[Share], before: Sequence[float | None], width: int) -> tuple[Line, ...]:
    """A line a row: its name, a bar (the largest fills the room), percent and figure; with room what it is and what changed.

    ``before`` is what each row's members had in the baseline, None where they are new; or empty.
    """
    names = [_name(row) for row in rows]
    value_width = max((len(row.text) for row in rows), default=0)
    wide = width >= WIDE
    name_width = min(max(map(len, names), default=0), width - value_width - 9 - LEAST_BAR)
    names = paths_in(names, name_width)
    label_width = min(max((len(row.label) for row in rows), default=0), 30) * wide
    changes = [_change(row.value, value) for row, value in zip(rows, before, strict=True)] if before and wide else []
    changes = changes or [""] * len(rows)
    delta_width = max(map(len, changes), default=0)
    delta_width += 2 * bool(delta_width)
    room = width - name_width - (label_width + 2) * wide - value_width - 10
    delta_width *= room - delta_width >= LEAST_BAR
    bar_width = max(0, room - delta_width)
    largest = max((row.share for row in rows), default=0.0) or 1.0
    lines = []
    for row, name, changed in zip(rows, names, changes, strict=True):
        label = (Span(f"{padded(row.label, label_width)}  ", "muted"),) if wide else ()
        change = (Span(changed.rjust(delta_width), "warning"),) if delta_width else ()
        lines.append(
            (
                Span(f"{padded(name, name_width)} "),
                *label,
                Span(bar(row.share / largest, bar_width), "series0"),
                Span(f" {100 * row.share:5.1f} % "),
                Span(row.text.rjust(value_width), "strong"),
                *change,
            )
        )
    return tuple(lines)


def _name(row: Share) -> str:
    return (
        f"{row.name} x{row.count}" if row.count > 1 and row.name == row.path and row.path.count(".") > 1 else row.name
    )


def _change(value: float, before: float | None) -> str:
    if before is None:
        return "new"
    if math.isclose(value, before):
        return ""
    return units.percent((value - before) / before) if before else "new"
