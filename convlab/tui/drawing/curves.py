"""Curves over a common axis: braille lines with round numbers along both axes; series differ by line, sign and colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from convlab.tui.drawing.axes import Axis, Scale, scale
from convlab.tui.drawing.braille import ACROSS, PATTERNS, Canvas
from convlab.tui.drawing.picture import MARKS, SERIES, Line, Size, Span, clipped

ROWS_A_TICK = 3
COLUMNS_A_TICK = 12
ROOMY = 6
"""From so many rows on the axis ends at round numbers."""

Point = tuple[float, float | None]


@final
@dataclass(frozen=True, slots=True)
class Curve:
    """Points from left to right; a value of None is a gap."""

    points: tuple[Point, ...]
    series: int = 0
    """Which sign, line and colour it has."""


@final
@dataclass(frozen=True, slots=True)
class Level:
    """A height with a meaning, drawn as a dotted line with its name."""

    value: float
    name: str


def chart(curves: Sequence[Curve], size: Size, *, x: Axis, y: Axis, levels: Sequence[Level] = ()) -> tuple[Line, ...]:
    """The curves with their axes, in exactly ``size`` lines and at most so many columns. At least 12 by 4."""
    rows = max(1, size.height - 3)
    values = [value for curve in curves for _, value in curve.points if value is not None] or [0.0]
    values += [level.value for level in levels]
    up = scale(*_ends(values, y), max(2, rows // ROWS_A_TICK + 1), outward=rows >= ROOMY)
    labels = {tick: y.text(tick) for tick in up.ticks}
    margin = max(map(len, labels.values()))
    width = max(4, size.width - margin - 1)
    places = [place for curve in curves for place, _ in curve.points] or [0.0]
    across = scale(*_ends(places, x), max(2, width // COLUMNS_A_TICK), outward=False, whole=x.whole)
    canvas = Canvas(width, rows)
    for level in levels:
        height = canvas.dot(0, up.place(level.value))[1]
        canvas.line((0, height), (width * ACROSS - 1, height), "muted", pattern=(1, 4))
    for curve in curves:
        _draw(canvas, curve, across, up)
    body = [_named(line, row, rows, up, levels) for row, line in enumerate(canvas.lines())]
    by_row = {_row(tick, up, rows): label for tick, label in labels.items()}
    lines: list[Line] = [(Span(clipped(y.title, size.width), "muted"),)]
    for row, line in enumerate(body):
        label = by_row.get(row, "")
        lines.append((Span(label.rjust(margin), "muted"), Span("┤" if label else "│", "muted"), *line))
    return (*lines, *_foot(across, x, margin, width))


def legend_mark(series: int) -> Span:
    """The sign of a series in its colour."""
    return Span(MARKS[series % len(MARKS)], SERIES[series % len(SERIES)])


def _draw(canvas: Canvas, curve: Curve, across: Scale, up: Scale) -> None:
    role, pattern = SERIES[curve.series % len(SERIES)], PATTERNS[curve.series % len(PATTERNS)]
    dots = [
        None if value is None else canvas.dot(across.place(place), up.place(value))
        for place, value in _thinned(curve.points, 4 * canvas.width)
    ]
    drawn = 0
    for one, other in pairwise(dots):
        if one is not None and other is not None:
            drawn = canvas.line(one, other, role, pattern=pattern, drawn=drawn)
    last = next((dot for dot in reversed(dots) if dot is not None), None)
    if last is not None:
        canvas.mark(last, MARKS[curve.series % len(MARKS)], role)


def _thinned(points: Sequence[Point], most: int) -> Iterable[Point]:
    """At most so many points: of neighbours the least and the greatest, so that peaks stay."""
    if len(points) <= most:
        return points
    group = -(-2 * len(points) // most)
    kept: list[Point] = []
    for start in range(0, len(points), group):
        known = [(value, place) for place, value in points[start : start + group] if value is not None]
        if known:
            kept += sorted({(place, value) for value, place in (min(known), max(known))})
    return [*kept, points[-1]]


def _ends(values: Sequence[float], axis: Axis) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low if axis.low is None else min(low, axis.low), high if axis.high is None else max(high, axis.high)


def _row(value: float, up: Scale, rows: int) -> int:
    return round((1 - up.place(value)) * (rows - 1))


def _named(line: Line, row: int, rows: int, up: Scale, levels: Sequence[Level]) -> Line:
    """The line with the name of the level that lies in it, at its right end."""
    name = next((level.name for level in levels if _row(level.value, up, rows) == row), "")
    text = "".join(span.text for span in line)
    if not name or len(name) + 2 > len(text) or text[-len(name) - 1 :].strip("⠁⠂⠄⡀⠈⠐⠠⢀ "):
        return line
    room = len(text) - len(name) - 1
    kept: list[Span] = []
    for span in line:
        if room <= 0:
            break
        kept.append(span._replace(text=span.text[:room]))
        room -= len(span.text)
    return (*kept, Span(f" {name}", "muted"))


def _foot(across: Scale, axis: Axis, margin: int, width: int) -> tuple[Line, Line]:
    rule, numbers = ["─"] * width, [" "] * (width + 2)
    free = 0
    for tick in across.ticks:
        place = round(across.place(tick) * (width - 1))
        text = axis.text(tick)
        start = min(max(0, place - len(text) // 2), width - len(text))
        if start < free:
            continue
        rule[place] = "┬"
        numbers[start : start + len(text)] = text
        free = start + len(text) + 1
    line = _with_title("".join(numbers)[:width], axis.title, width)
    return (Span(" " * margin + "└" + "".join(rule), "muted"),), (Span(" " * (margin + 1) + line, "muted"),)


def _with_title(numbers: str, title: str, width: int) -> str:
    """The title behind the last number, or else in the last gap between numbers that holds it."""
    taken = len(numbers.rstrip())
    if width - taken > len(title):
        return numbers.rstrip().ljust(width - len(title)) + title
    place = numbers.rstrip().rfind(" " * (len(title) + 2))
    return numbers if place < 0 or not title else numbers[: place + 1] + title + numbers[place + 1 + len(title) :]
