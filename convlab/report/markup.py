"""Pieces of a report as HTML: everything that was written by others is escaped, nothing is asked of the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from convlab.errors import visible
from convlab.report.pieces import Cards, Facts, Folded, Notes, Section, Source
from convlab.views.cards import Card
from convlab.views.tables import Cell, Column, Table

SHARES = ("macs_share", "of_best")
"""Columns whose value is a share from 0 to 1, which a bar shows."""
ARROWS = ("▲", "▼")


def text(words: object) -> str:
    """Text that is shown letter by letter."""
    return escape(visible(str(words)))


def paragraph(words: str) -> str:
    """A paragraph; what stands between backquotes is code."""
    parts = text(words).split("`")
    if len(parts) % 2 == 0:
        return f"<p>{text(words)}</p>"
    return "<p>" + "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)) + "</p>"


def cards(shown: Cards) -> str:
    """Cards side by side."""
    return f'<div class="cards">{"".join(map(_card, shown.cards))}</div>'


def table(shown: Table) -> str:
    """A table that scrolls where the page is too narrow for it."""
    head = "".join(f"<th{_side(column)}>{text(column.title)}</th>" for column in shown.columns)
    body = "".join(f"<tr>{''.join(_cells(shown.columns, row))}</tr>" for row in shown.rows)
    return f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(shown: Facts) -> str:
    """Labels and texts."""
    return "<dl>" + "".join(f"<dt>{text(label)}</dt><dd>{text(told)}</dd>" for label, told in shown.facts) + "</dl>"


def notes(shown: Notes) -> str:
    """Notes with their ways out."""
    return (
        '<ul class="notes">'
        + "".join(f'<li>{text(note.message)} <span class="soft">{text(note.help)}</span></li>' for note in shown.notes)
        + "</ul>"
    )


def source(shown: Source) -> str:
    """A file, line by line."""
    lines = "\n".join(map(text, shown.text.splitlines()))
    return f'<pre class="wide" tabindex="0"><code>{lines}</code></pre>'


def folded(shown: Folded, inner: str) -> str:
    """Pieces that are seen when their title is clicked."""
    return f"<details><summary>{text(shown.title)}</summary>{inner}</details>"


def section(shown: Section, inner: str) -> str:
    """A section under its heading."""
    about = f' <span class="soft">{text(shown.about)}</span>' if shown.about else ""
    anchor = text(shown.anchor)
    return f'<section id="{anchor}"><h2>{text(shown.title)}{about}</h2>{inner}</section>'


def links(sections: Sequence[Section]) -> str:
    """The sections as links."""
    return "".join(f'<a href="#{text(each.anchor)}">{text(each.title)}</a>' for each in sections)


def _card(card: Card) -> str:
    change = f'<div class="delta">{text(card.delta.text)}</div>' if card.delta else ""
    return (
        f'<div class="card" data-figure="{text(card.name)}" title="{text(card.figure.help)}">'
        f'<div class="soft">{text(card.figure.title)}</div>'
        f'<div class="figure">{text(card.text)}</div>{change}<div class="detail">{text(card.detail)}</div></div>'
    )


def _cells(columns: Sequence[Column], row: Sequence[Cell]) -> Iterator[str]:
    for column, cell in zip(columns, row, strict=True):
        yield f"<td{_side(column)}>{_cell(column, cell)}</td>"


def _cell(column: Column, cell: Cell) -> str:
    if column.name in SHARES and isinstance(cell.value, int | float):
        share = min(max(cell.value, 0), 1)
        words = cell.text.split()
        return f'<span class="bar"><i style="width:{100 * share:.1f}%"></i></span>{text(" ".join(words[-2:]))}'
    for arrow in ARROWS:
        figure, found, change = cell.text.partition(arrow)
        if found:
            return f'{text(figure.rstrip())} <span class="delta">{text(found + change)}</span>'
    return text(cell.text)


def _side(column: Column) -> str:
    if column.right:
        return ' class="right"'
    return ' class="long"' if column.least >= 20 else ' class="wrapped"' if column.least >= 16 else ""
