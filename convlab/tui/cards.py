"""The strip of cards: the headline figures, always in view; three lines a card where there is room, in lines of text where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple, final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from convlab.views.cards import Card

TITLES = {
    "params": ("params", "params"),
    "macs": ("MACs", "MACs"),
    "activations": ("activations", "activations"),
    "peak_bytes": ("peak memory", "peak mem"),
    "saved_bytes": ("saved memory", "saved mem"),
    "receptive_field": ("receptive field", "recept. field"),
    "latency": ("predicted", "predicted"),
    "throughput": ("predicted", "predicted"),
    "measured": ("measured", "measured"),
    "trained": ("measured step", "measured step"),
}
"""The cards in their order, with their titles, and shorter ones where there is no room for those side by side."""

SEPARATOR = " │ "
BOX_LINES = 3


@final
class Shown(NamedTuple):
    """A card as it is drawn."""

    title: str
    text: str
    delta: str

    @property
    def width(self) -> int:
        """As a box."""
        return max(map(len, self)) + 2

    @property
    def line(self) -> int:
        """As words in a line."""
        return len(" ".join(filter(None, self)))


@final
class CardStrip(Widget):
    """The cards over the whole width."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "cards--title",
        "cards--value",
        "cards--up",
        "cards--down",
        "cards--same",
        "cards--line",
    }

    cards: reactive[tuple[Card, ...]] = reactive((), init=False)

    def watch_cards(self) -> None:
        """Lay out anew only where the lines become more or fewer."""
        self.refresh(layout=self.get_content_height(self.size, self.size, self.size.width) != self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Three lines of boxes, or as many lines of text as it takes."""
        return _height(self._shown(width), width)[1]

    def render_line(self, y: int) -> Strip:
        """One line of all boxes, or one line of text."""
        width = self.size.width
        shown = self._shown(width)
        if _boxes(shown, width):
            segments = list(self._boxes(shown, y))
        else:
            lines = _wrapped(shown, width)
            segments = list(self._words(lines[y])) if y < len(lines) else []
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _shown(self, width: int) -> list[Shown]:
        """The cards with their titles in full where they fit, side by side or in no more lines of text than with the short ones."""
        known = {card.name: card for card in self.cards}
        cards = [known[name] for name in TITLES if name in known]
        full, short = (
            [Shown(TITLES[card.name][form], card.text, card.delta.text if card.delta else "") for card in cards]
            for form in (0, 1)
        )
        return short if _height(short, width) != _height(full, width) else full

    def _boxes(self, shown: list[Shown], y: int) -> Iterator[Segment]:
        spare = (self.size.width - sum(card.width + 1 for card in shown)) // max(1, len(shown))
        for index, card in enumerate(shown):
            if index:
                yield Segment("│", self.get_component_rich_style("cards--line"))
            width = card.width + max(0, min(spare, 6))
            yield Segment(" " + card[y].ljust(width - 1), self._style(card, y))

    def _words(self, shown: list[Shown]) -> Iterator[Segment]:
        for index, card in enumerate(shown):
            if index:
                yield Segment(SEPARATOR, self.get_component_rich_style("cards--line"))
            else:
                yield Segment(" ", self.rich_style)
            parts = [(y, part) for y, part in enumerate(card) if part]
            for at, (y, part) in enumerate(parts):
                yield Segment(part + " " * (at < len(parts) - 1), self._style(card, y))

    def _style(self, card: Shown, y: int) -> Style:
        if y < 2:
            return self.get_component_rich_style(("cards--title", "cards--value")[y])
        change = {"▲": "up", "▼": "down"}.get(card.delta[:1], "same")
        return self.get_component_rich_style(f"cards--{change}")


def _boxes(shown: list[Shown], width: int) -> bool:
    """Whether all cards fit side by side."""
    return sum(card.width + 1 for card in shown) <= width


def _height(shown: list[Shown], width: int) -> tuple[bool, int]:
    """Whether the cards stand side by side, and how many lines they take."""
    return (True, BOX_LINES) if _boxes(shown, width) else (False, len(_wrapped(shown, width)))


def _wrapped(shown: list[Shown], width: int) -> list[list[Shown]]:
    """The cards in lines of text."""
    lines: list[list[Shown]] = [[]]
    left = width - 1
    for card in shown:
        need = card.line + (len(SEPARATOR) if lines[-1] else 0)
        if lines[-1] and need > left:
            lines.append([])
            left, need = width - 1, card.line
        lines[-1].append(card)
        left -= need
    return lines
