"""Views as text: tables with rich, laid out for the width at hand, and plain and whole where nobody is looking."""

from __future__ import annotations

import re
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

GLUE = "\ue000"
"""Stands for a space at which no line ends; rich would end one at a no-break space."""

_UNIT = re.compile(r"(?<=\d) (?=(?:[kMGT]|[KMGT]iB|B|px|%)(?![\w/]))|(?<=[▲▼]) ")
"""The space between a number and its unit."""


def print_table(table: Table, color: str, *, by_pairs: bool = False) -> None:
    """Print a table with its header; where the terminal is too narrow, columns of the highest rank are left out.

    ``by_pairs`` cuts a table that is still too wide into tables of the first column and two others.
    """
    limit = width(sys.stdout)
    left_out = set() if limit is None else _left_out(table, limit)
    kept = [index for index in range(len(table.columns)) if index not in left_out]
    blocks = [kept]
    if by_pairs and limit is not None and _widths(table, kept, limit) is None:
        blocks = [[kept[0], *kept[start : start + 2]] for start in range(1, len(kept), 2)]
    for number, block in enumerate(blocks):
        if number:
            _write(Text(), color)
        widths = None if limit is None else _widths(table, block, limit)
        shown = _grid([table.columns[index] for index in block], header=True, widths=widths)
        for row in table.rows:
            shown.add_row(*(_text(row[index].text) for index in block))
        _write(shown, color)


def print_cards(cards: Sequence[Card], color: str) -> None:
    """Print cards, one a line: its name, its figure, its change against the baseline, what stands beside it."""
    compared = any(card.delta is not None for card in cards)
    columns = [Column("title", "", rank=0), Column("text", "", right=True)]
    columns += [Column("delta", "", right=True)] * compared + [Column("detail", "", least=20)]
    shown = _grid(columns, header=False)
    for card in cards:
        delta = [_text(card.delta.text if card.delta else "")] * compared
        figure = _text(card.text, "bold")
        shown.add_row(_text(card.figure.title), figure, *delta, _text(card.detail, "dim"))
    _write(shown, color)


def print_facts(facts: Sequence[tuple[str, str]], color: str) -> None:
    """Print labels and texts, a pair a line."""
    shown = _grid([Column("label", ""), Column("text", "", least=20)], header=False)
    for label, text in facts:
        shown.add_row(_text("  " + label), _text(text))
    _write(shown, color)


def print_text(text: str, color: str, style: str = "") -> None:
    """Print a paragraph; on a terminal it is wrapped between words."""
    _write(_text(text, style), color)


def _grid(columns: Sequence[Column], *, header: bool, widths: Sequence[int] | None = None) -> RichTable:
    grid = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=header, header_style="bold")
    for index, column in enumerate(columns):
        grid.add_column(
            _text(column.title),
            justify="right" if column.right else "left",
            no_wrap=not column.least,
            overflow="fold",
            width=None if widths is None else widths[index],
        )
    return grid


def _text(text: str, style: str = "") -> Text:
    return Text(_UNIT.sub(GLUE, visible(text)), style=style)


def _left_out(table: Table, limit: int) -> set[int]:
    """The columns that have to go: the highest rank first, until the others fit."""
    ranked = sorted(
        (index for index, column in enumerate(table.columns) if column.rank),
        key=lambda index: -table.columns[index].rank,
    )
    kept = list(range(len(table.columns)))
    for index in ranked:
        if _widths(table, kept, limit) is not None:
            break
        kept.remove(index)
    return set(range(len(table.columns))) - set(kept)


def _widths(table: Table, kept: Sequence[int], limit: int) -> list[int] | None:
    """The width of each kept column, none narrower than its longest word; None where they do not fit."""
    needs = [_needs(table.columns[index], [row[index] for row in table.rows]) for index in kept]
    room = limit - GAP * (len(kept) - 1) - sum(least for least, _ in needs)
    if room < 0:
        return None
    widths = [least for least, _ in needs]
    waiting = sorted(range(len(kept)), key=lambda place: needs[place][1] - needs[place][0])
    for count, place in enumerate(waiting):
        least, widest = needs[place]
        given = min(widest - least, room // (len(waiting) - count))
        widths[place] += given
        room -= given
    return widths


def _needs(column: Column, cells: Sequence[Cell]) -> tuple[int, int]:
    """The width that a column needs at least, and the one at which nothing is wrapped."""
    texts = [_text(text).plain for text in (column.title, *(cell.text for cell in cells))]
    widest = max(map(cell_len, texts))
    longest_word = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return (min(widest, max(column.least, longest_word)) if column.least else widest), widest


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
    lines = captured.get().replace(GLUE, " ").splitlines()
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in lines))
