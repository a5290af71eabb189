"""Nested squares in the middle of a small image: what a pixel sees after one layer, after another, after all."""

from __future__ import annotations

from collections.abc import Sequence

from convlab.tui.drawing.picture import Line, Span

SHADES = "█▓▒░"
"""From the smallest square to the largest."""

COLUMNS_A_ROW = 2
"""A character is about twice as high as wide."""


def frame(height: float, width: float, rows: int) -> tuple[int, int]:
    """Rows and columns inside the frame of an image of so many pixels that is drawn in at most so many rows, the frame among them."""
    inner = max(1, rows - 2)
    return inner, max(1, round(COLUMNS_A_ROW * inner * width / height))


def nested(sides: Sequence[tuple[float, float]], inner: tuple[int, int], *, pointed: int = -1) -> tuple[Line, ...]:
    """Squares, the smallest first, as shares of the image's height and width; ``pointed`` is the one that stands out."""
    rows, columns = inner
    boxes = [(_extent(high, rows), _extent(wide, columns)) for high, wide in sides]
    lines: list[Line] = [(Span("┌" + "─" * columns + "┐", "muted"),)]
    for row in range(rows):
        lines.append((Span("│", "muted"), *_row(row, columns, boxes, pointed), Span("│", "muted")))
    return (*lines, (Span("└" + "─" * columns + "┘", "muted"),))


def shade(place: int, number: int) -> str:
    """The shade of a square among so many, the smallest first."""
    return (
        SHADES[-1 - round((number - 1 - place) * (len(SHADES) - 1) / max(1, number - 1))] if number > 1 else SHADES[0]
    )


def _row(row: int, columns: int, boxes: Sequence[tuple[tuple[int, int], tuple[int, int]]], pointed: int) -> Line:
    spans: list[Span] = []
    for column in range(columns):
        place = next(
            (index for index, (down, across) in enumerate(boxes) if _in(row, down) and _in(column, across)), None
        )
        sign = "·" if place is None else shade(place, len(boxes))
        role = "muted" if place is None else "accent" if place == pointed else "series0"
        if spans and spans[-1].role == role:
            spans[-1] = Span(spans[-1].text + sign, role)
        else:
            spans.append(Span(sign, role))
    return tuple(spans)


def _extent(share: float, length: int) -> tuple[int, int]:
    """First and last character of a stretch in the middle, of the parity of the whole, so that it stands there."""
    wide = min(length, max(1, round(share * length)))
    wide += (length - wide) % 2
    first = (length - wide) // 2
    return first, first + wide - 1


def _in(place: int, extent: tuple[int, int]) -> bool:
    return extent[0] <= place <= extent[1]
