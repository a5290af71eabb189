"""The memory panel: activation memory at inference over the order of execution, its peak, and which maps hold it."""

from __future__ import annotations

from typing import ClassVar, final

from textual.binding import Binding, BindingType

from convlab.tui.drawing.picture import Picture, Size
from convlab.tui.drawing.sheet import NOTHING
from convlab.tui.panels.panel import Shown
from convlab.tui.panels.pictures.memory import memory_picture, place_of
from convlab.tui.panels.sheet_panel import SheetPanel
from convlab.views.memory_line import MemoryLine, Moment, memory_line


@final
class MemoryPanel(SheetPanel):
    """Live memory from the image to the classifier."""

    title = "Memory"
    key = "memory"
    help = (
        "Live activation memory at inference (eager, float32, one image, weights on top) over the order of execution. Left and right "
        "go through the moments, x to the peak; below stand the maps that are live then. Enter selects the layer."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Before", show=False),
        Binding("right", "step(1)", "After", show=False),
        Binding("x", "peak", "Peak", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None
        self._line: MemoryLine | None = None
        self._place: tuple[str, str, int] | None = None

    def show(self, shown: Shown) -> None:
        """Draw the line."""
        self._shown, self._line = shown, memory_line(shown.profile)
        self.sheet.redraw()

    def action_step(self, by: int) -> None:
        """The moment before or after."""
        if self._line is not None:
            places = [place_of(moment) for moment in self._line.moments]
            at = places.index(place_of(self._moment(self._line)))
            self._place = places[min(max(0, at + by), len(places) - 1)]
            self.sheet.redraw()

    def action_peak(self) -> None:
        """Back to the peak."""
        self._place = None
        self.sheet.redraw()

    def _moment(self, line: MemoryLine) -> Moment:
        return next((moment for moment in line.moments if place_of(moment) == self._place), line.peak)

    def _picture(self, size: Size, pointed: str) -> Picture:
        if self._shown is None or self._line is None:
            return NOTHING
        return memory_picture(self._shown.profile, self._line, self._moment(self._line), size)
