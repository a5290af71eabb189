"""What a report is made of: sections of pieces as plain data, which a page and Markdown show each in their own way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from convlab.views.cards import Card
from convlab.views.notes import Note
from convlab.views.tables import Table

if TYPE_CHECKING:
    import plotly.graph_objects as go


@final
@dataclass(frozen=True, slots=True)
class Cards:
    """Headline figures."""

    cards: tuple[Card, ...]


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and texts, a pair a line."""

    facts: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True, slots=True)
class Notes:
    """What a reader should know of a design that is valid."""

    notes: tuple[Note, ...]


@final
@dataclass(frozen=True, slots=True)
class Source:
    """Text of a file, in a language."""

    text: str
    language: str


@final
@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, drawn in a theme when it is asked for: Markdown has none. ``shown`` says in words what can be seen."""

    shown: str
    draw: Callable[[str], go.Figure]


@final
@dataclass(frozen=True, slots=True)
class Folded:
    """Pieces that are seen when their title is clicked."""

    title: str
    pieces: tuple[Piece, ...]


Piece: TypeAlias = Cards | Facts | Notes | Source | Chart | Folded | Table | str
"""A string is a paragraph."""


@final
@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report under its own heading; ``about`` stands beside the heading."""

    anchor: str
    title: str
    pieces: tuple[Piece, ...]
    about: str = ""


@final
@dataclass(frozen=True, slots=True)
class Contents:
    """A whole report."""

    title: str
    about: str
    sections: tuple[Section, ...]


def section(anchor: str, title: str, pieces: Iterable[Piece], about: str = "") -> Section:
    """A section of the pieces that an iterator gives."""
    return Section(anchor, title, tuple(pieces), about)
