"""Views as HTML for a notebook's page: cards, tables and problems, escaped, in the colours of the page's own theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from convlab.errors import Problem, visible
from convlab.views.cards import Card
from convlab.views.tables import Table

SOFT = "var(--jp-ui-font-color2, #666)"
LINE = "var(--jp-border-color2, #ddd)"
ALARM = "var(--jp-error-color1, #b00020)"
NUMBERS = "font-variant-numeric:tabular-nums"


def text(words: object) -> str:
    """Text that is shown letter by letter."""
    return escape(visible(str(words)))


def paragraph(words: object, *, soft: bool = False) -> str:
    """A line of text."""
    color = f";color:{SOFT}" if soft else ""
    return f'<div style="margin:2px 0{color}">{text(words)}</div>'


def heading(name: object, about: object = "") -> str:
    """What the page is about, and a few words beside it."""
    beside = f' <span style="color:{SOFT}">{text(about)}</span>' if about else ""
    return f'<div style="margin:2px 0 6px"><b>{text(name)}</b>{beside}</div>'


def cards_html(shown: Iterable[Card], titles: dict[str, str] | None = None) -> str:
    """Cards side by side: title, figure, and the change against the baseline; what each means shows under the pointer."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:6px;{NUMBERS}">{"".join(_card(card, titles or {}) for card in shown)}</div>'


def table_html(table: Table) -> str:
    """A table with its header; numbers at the right."""
    sides = ["right" if column.right else "left" for column in table.columns]
    whole = ["" if column.least else "nowrap" for column in table.columns]
    head = "".join(_cell("th", text(column.title), side) for column, side in zip(table.columns, sides, strict=True))
    rows = (
        "".join(
            _cell("td", _preserved(cell.text), side, wrap=wrap)
            for cell, side, wrap in zip(row, sides, whole, strict=True)
        )
        for row in table.rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse;{NUMBERS};margin:4px 0">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts_html(facts: Sequence[tuple[str, str]]) -> str:
    """Labels and texts, a pair a line."""
    rows = "".join(
        f"<tr>{_cell('td', text(label), 'left', SOFT)}{_cell('td', text(told), 'left')}</tr>" for label, told in facts
    )
    return f'<table style="border-collapse:collapse;{NUMBERS}">{rows}</table>'


def problems_html(problems: Iterable[Problem]) -> str:
    """What is refused, why, and a way out."""
    return "".join(
        f'<div style="margin:2px 0"><b style="color:{ALARM}">not taken:</b> {text(problem.message)}'
        + (f"; {text(problem.label)}" if problem.label else "")
        + (f' <span style="color:{SOFT}">{text(problem.help)}</span>' if problem.help else "")
        + "</div>"
        for problem in problems
    )


def source_html(source: str) -> str:
    """TOML, folded away."""
    return (
        f'<details><summary style="cursor:pointer;color:{SOFT}">TOML</summary><pre>{text_lines(source)}</pre></details>'
    )


def text_lines(source: str) -> str:
    """Text of several lines, escaped."""
    return "\n".join(text(line) for line in source.splitlines())


def _card(card: Card, titles: dict[str, str]) -> str:
    title = titles.get(card.name, card.figure.title)
    change = f'<div style="font-size:85%">{text(card.delta.text)}</div>' if card.delta else ""
    return (
        f'<div class="convlab-card" data-figure="{text(card.name)}" title="{text(_meaning(card))}" '
        f'style="border:1px solid {LINE};border-radius:4px;padding:3px 10px;min-width:84px;line-height:1.35">'
        f'<div style="color:{SOFT};font-size:85%">{text(title)}</div>'
        f'<div style="font-size:115%"><b>{text(card.text)}</b></div>'
        f"{change}</div>"
    )


def _meaning(card: Card) -> str:
    return "; ".join(filter(None, (card.figure.help, card.detail)))


def _cell(tag: str, inner: str, side: str, color: str = "", *, wrap: str = "") -> str:
    look = f"text-align:{side};padding:2px 10px 2px 0;vertical-align:top" + (f";color:{color}" if color else "")
    look += f";white-space:{wrap}" if wrap else ""
    return f'<{tag} style="{look}">{inner}</{tag}>'


def _preserved(words: str) -> str:
    """The text of a cell; bars and curves of blocks in letters of one width, with their spaces."""
    drawn = any("\u2581" <= letter <= "\u258f" for letter in words) or "   " in words
    return f'<span style="font-family:monospace;white-space:pre">{text(words)}</span>' if drawn else text(words)
