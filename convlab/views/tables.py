"""Tables and bars as plain data: every cell holds the value and the text that is shown for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from convlab import display
from convlab.layers import Shape

_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
BAR_WIDTH = 8


class Cell(NamedTuple):
    """One cell: the exact value, and how it is written."""

    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column, for a layout to follow where there is little room.

    ``least`` is the width below which its text should not be wrapped, 0 where it is not to be wrapped at all; columns of the highest
    ``rank`` are left out first, those of rank 0 never.
    """

    name: str
    title: str
    right: bool = False
    least: int = 0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of cells, in the columns' order."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    def records(self) -> list[dict[str, Any]]:
        """The rows' values by the columns' names."""
        names = [column.name for column in self.columns]
        return [{name: cell.value for name, cell in zip(names, row, strict=True)} for row in self.rows]


def words(text: object) -> Cell:
    """A cell of text."""
    return Cell(text, str(text))


def bar(share: float) -> str:
    """A share from 0 to 1 as a bar of eighth blocks, always of the same width."""
    full, eighths = divmod(round(min(max(share, 0.0), 1.0) * BAR_WIDTH * 8), 8)
    return ("█" * full + _EIGHTHS[eighths]).ljust(BAR_WIDTH)


def size_text(shape: Shape) -> str:
    """A feature map as channels x height x width; a vector as its length."""
    return f"{shape.channels}" if shape.positions == 1 else f"{shape.channels}x{shape.height}x{shape.width}"


def plain_shape(shape: Shape) -> dict[str, int]:
    """A feature map as JSON holds it."""
    return {"channels": shape.channels, "height": shape.height, "width": shape.width}


def value_text(value: Any) -> str:
    """A knob's value for people: text without quotes, lists in brackets, a dash where it is not used."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}".replace("e-0", "e-")
    return str(value)


def plain(value: Any) -> Any:
    """A knob's value as JSON holds it: tuples as lists."""
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
