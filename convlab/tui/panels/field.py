"""The receptive field panel: how far a pixel sees after each layer, as a curve and as squares on the image."""

from __future__ import annotations

from typing import final

from textual import on

from convlab.tui.drawing.picture import Picture, Size
from convlab.tui.drawing.sheet import NOTHING, Sheet
from convlab.tui.panels.panel import Shown
from convlab.tui.panels.pictures.field import field_picture
from convlab.tui.panels.sheet_panel import SheetPanel
from convlab.views.receptive_field import growth


@final
class FieldPanel(SheetPanel):
    """The growth of the receptive field, layer by layer."""

    title = "Field"
    key = "field"
    help = (
        "The receptive field: the side of what one pixel sees after each layer that has a window, against the image. The squares are "
        "what a pixel in the middle sees after each stage; the layer under the cursor has its own. Enter selects the layer."
    )

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None

    def show(self, shown: Shown) -> None:
        """Draw the growth."""
        self._shown = shown
        self.sheet.redraw()

    @on(Sheet.Pointed)
    def _point(self) -> None:
        self.sheet.redraw()

    def _picture(self, size: Size, pointed: str) -> Picture:
        if self._shown is None:
            return NOTHING
        return field_picture(growth(self._shown.profile), size, pointed)
