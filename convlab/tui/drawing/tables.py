"""Tables in the room that there is: columns of the highest rank are left out first, then the widest text is cut."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from convlab.tui.drawing.picture import Line, Span, clipped, padded
from convlab.views.tables import Cell, Column, Table

GAP = 2
LEAST = 6
"""No column that is not left out is cut to less, unless there is no other way."""


def table_lines(table: Table, width: int, *, roles: Sequence[str] = ()) -> tuple[Line, ...]:
    """The header and the rows; ``roles`` are those of the rows where they are not plain text."""
    places = _fitting(table, width)
    widths = _widths(table, places, width)
    columns = [table.columns[place] for place in places]
    head = (Span(_joined([column.title for column in columns], columns, widths), "muted"),)
    rows = [(Span(_joined([row[place].text for place in places], columns, widths)),) for row in table.rows]
    for number, role in enumerate(roles):
        rows[number] = (rows[number][0]._replace(role=role),)
    return (head, *rows)


def without(table: Table, names: Sequence[str]) -> Table:
    """The table without some columns."""
    kept = [place for place, column in enumerate(table.columns) if column.name not in names]
    rows: list[tuple[Cell, ...]] = [tuple(row[place] for place in kept) for row in table.rows]
    return Table(tuple(table.columns[place] for place in kept), tuple(rows))


def _joined(texts: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    cells = (
        padded(text, width, right=column.right) for text, column, width in zip(texts, columns, widths, strict=True)
    )
    return (" " * GAP).join(cells).rstrip()


def _fitting(table: Table, width: int) -> list[int]:
    """The columns that stay: while those that may not be wrapped leave no room, the highest rank goes."""
    places = list(range(len(table.columns)))
    while True:
        needed = sum(_least(table, place) for place in places) + GAP * (len(places) - 1)
        worst = max(places, key=lambda place: (table.columns[place].rank, place))
        if needed <= width or table.columns[worst].rank == 0:
            return places
        places.remove(worst)


def _widths(table: Table, places: Sequence[int], width: int) -> list[int]:
    widths = [_full(table, place) for place in places]
    while sum(widths) + GAP * (len(widths) - 1) > width:
        loose = [at for at, place in enumerate(places) if widths[at] > max(table.columns[place].least, LEAST)]
        flexible = [at for at in loose if table.columns[places[at]].least]
        pool = flexible or loose or [at for at, wide in enumerate(widths) if wide > 1]
        if not pool:
            break
        widths[max(pool, key=lambda at: widths[at])] -= 1
    return widths


def _full(table: Table, place: int) -> int:
    texts = [table.columns[place].title, *(row[place].text for row in table.rows)]
    return max(map(cell_len, texts))


def _least(table: Table, place: int) -> int:
    column = table.columns[place]
    return min(column.least, _full(table, place)) if column.least else _full(table, place)


def facts_lines(facts: Sequence[tuple[str, str]], width: int) -> tuple[Line, ...]:
    """Labels with what there is to say beside them."""
    margin = max((len(label) for label, _ in facts), default=0) + GAP
    margin = min(margin, width // 2)
    return tuple(
        (Span(padded(label, margin), "muted"), Span(clipped(text, max(1, width - margin)))) for label, text in facts
    )
