"""Views as lines of text: what a notebook shows where there is no HTML, and what ``print`` shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convlab.errors import visible
from convlab.views.cards import Card
from convlab.views.tables import Table

GAP = "  "


def table_lines(table: Table) -> list[str]:
    """A table with its header, columns aligned."""
    rows = [[visible(column.title) for column in table.columns]]
    rows += [[visible(cell.text) for cell in row] for row in table.rows]
    return aligned(rows, [column.right for column in table.columns])


def card_lines(shown: Iterable[Card]) -> list[str]:
    """Cards, one a line: title, figure, change against the baseline, detail."""
    rows = [[card.figure.title, card.text, card.delta.text if card.delta else "", card.detail] for card in shown]
    kept = [place for place in range(4) if any(row[place] for row in rows)]
    right = (False, True, True, False)
    return aligned([[row[place] for place in kept] for row in rows], [right[place] for place in kept])


def fact_lines(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Labels and texts, a pair a line."""
    return aligned([list(fact) for fact in facts], [False, False])


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Rows of texts as lines, each column as wide as its longest text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            text.rjust(width) if at_right else text.ljust(width)
            for text, width, at_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
