"""A profile of standing bars, one a column, against an axis with round numbers: a quantity over the order of things."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from convlab.tui.drawing.axes import Axis, scale
from convlab.tui.drawing.bars import column
from convlab.tui.drawing.picture import Line, Span, clipped

ROWS_A_TICK = 3


def margin_of(high: float, rows: int, axis: Axis) -> int:
    """How many columns the numbers of the axis take, its line among them."""
    return 1 + max(len(axis.text(tick)) for tick in scale(0, high, _ticks(rows), outward=False).ticks)


def profile(
    values: Sequence[float], rows: int, axis: Axis, *, accented: Collection[int] = (), pointed: Collection[int] = ()
) -> tuple[Line, ...]:
    """Bars from zero in so many rows with the title above. ``accented`` columns stand out, ``pointed`` ones carry the cursor."""
    high = max([*values, 0]) or 1
    up = scale(0, high, _ticks(rows), outward=False)
    labels = {round((1 - up.place(tick)) * (rows - 1)): axis.text(tick) for tick in up.ticks}
    margin = max(map(len, labels.values()))
    bars = [column(up.place(value), rows) for value in values]
    lines: list[Line] = [(Span(clipped(axis.title, margin + 1 + len(values)), "muted"),)]
    for row in range(rows):
        label = labels.get(row, "")
        start = (Span(label.rjust(margin), "muted"), Span("┤" if label else "│", "muted"))
        lines.append((*start, *_row([bar[row] for bar in bars], accented, pointed)))
    return tuple(lines)


def _row(signs: Sequence[str], accented: Collection[int], pointed: Collection[int]) -> Line:
    spans: list[Span] = []
    for place, sign in enumerate(signs):
        role = "accent" if place in pointed else "warning" if place in accented else "series0"
        if place in pointed and sign == " ":
            sign = "┊"
        if spans and spans[-1].role == role:
            spans[-1] = Span(spans[-1].text + sign, role)
        else:
            spans.append(Span(sign, role))
    return tuple(spans)


def _ticks(rows: int) -> int:
    return max(2, rows // ROWS_A_TICK + 1)
