"""A panel that is one sheet: what most of them are."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from convlab.tui.drawing.picture import Picture, Size
from convlab.tui.drawing.sheet import Sheet
from convlab.tui.panels.panel import LayerChosen, Panel


class SheetPanel(Panel):
    """Abstract: it draws a picture for the room that there is, with a cursor on its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.sheet = Sheet(self._picture)

    def compose(self) -> ComposeResult:
        """One sheet."""
        yield self.sheet

    def choose(self, key: str) -> None:
        """Do what Enter or a second click does on a line: mostly, select the layer that it stands for."""
        self.post_message(LayerChosen(key))

    @on(Sheet.Chosen)
    def _chosen(self, event: Sheet.Chosen) -> None:
        event.stop()
        self.choose(event.key)

    def _picture(self, size: Size, pointed: str) -> Picture:
        """What is drawn; ``pointed`` is the key under the cursor."""
        raise NotImplementedError
