"""Views as text: tables with rich, laid out for the width at hand, and plain and whole where nobody is looking."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from convlab.cli.terminal import wants_color, width
from convlab.errors import visible
from convlab.views.cards import Card
from convlab.views.tables import Cell, Column, Table

GAP = 2
UNLIMITED = 100_000


def print_table(table: Table, color: str) -> None:
    """Print a table with its header; where the terminal is too narrow, columns of the highest rank are left out."""
    limit = width(sys.stdout)
    left_out = set() if limit is None else _left_out(table, limit)
    kept = [index for index, column in enumerate(table.columns) if index not in left_out]
    shown = _grid([table.columns[index] for index in kept], header=True)
    for row in table.rows:
        shown.add_row(*(_text(row[index].text) for index in kept))
    _write(shown, color)


def print_cards(cards: Sequence[Card], color: str) -> None:
    """Print cards, one a line: its name, its figure, its change against the baseline, what stands beside it."""
    compared = any(card.delta is not None for card in cards)
    columns = [Column("title", "", rank=0), Column("text", "", right=True)]
    columns += [Column("delta", "", right=True)] * compared + [Column("detail", "", least=20)]
    shown = _grid(columns, header=False)
    for card in cards:
        delta = [_text(card.delta.text if card.delta else "")] * compared
        figure = Text(visible(card.text), style="bold")
        shown.add_row(_text(card.figure.title), figure, *delta, Text(visible(card.detail), style="dim"))
    _write(shown, color)


def print_facts(facts: Sequence[tuple[str, str]], color: str) -> None:
    """Print labels and texts, a pair a line."""
    shown = _grid([Column("label", ""), Column("text", "", least=20)], header=False)
    for label, text in facts:
        shown.add_row(Text("  " + visible(label)), _text(text))
    _write(shown, color)


def print_text(text: str, color: str, style: str = "") -> None:
    """Print a paragraph; on a terminal it is wrapped between words."""
    _write(Text(visible(text), style=style), color)


def _grid(columns: Sequence[Column], *, header: bool) -> RichTable:
    grid = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=header, header_style="bold")
    for column in columns:
        grid.add_column(
            _text(column.title), justify="right" if column.right else "left", no_wrap=not column.least, overflow="fold"
        )
    return grid


def _text(text: str) -> Text:
    return Text(visible(text))


def _left_out(table: Table, limit: int) -> set[int]:
    """The columns that have to go: the highest rank first, until the others fit."""
    needs = [_least(column, [row[index] for row in table.rows]) for index, column in enumerate(table.columns)]
    ranked = sorted(
        (index for index, column in enumerate(table.columns) if column.rank),
        key=lambda index: -table.columns[index].rank,
    )
    left_out: set[int] = set()
    for index in ranked:
        kept = [need for place, need in enumerate(needs) if place not in left_out]
        if sum(kept) + GAP * (len(kept) - 1) <= limit:
            break
        left_out.add(index)
    return left_out


def _least(column: Column, cells: Sequence[Cell]) -> int:
    widest = max([cell_len(cell.text) for cell in cells] + [cell_len(column.title)])
    return min(widest, column.least or widest)


def _write(shown: RichTable | Text, color: str) -> None:
    colored = wants_color(sys.stdout, color)
    console = Console(
        file=sys.stdout,
        width=width(sys.stdout) or UNLIMITED,
        color_system="standard" if colored else None,
        force_terminal=colored,
        no_color=not colored,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    with console.capture() as captured:
        console.print(shown)
    # rich fills the last column with spaces, which a terminal does not show and a file should not hold
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
