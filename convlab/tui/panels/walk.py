"""The walk panel: ConvNeXt's road from ResNet-50, step by step, with the published accuracies and where the present design stands."""

from __future__ import annotations

from typing import final

from textual import on

from convlab.language.design import Design
from convlab.tui.drawing.picture import Picture, Size
from convlab.tui.drawing.sheet import NOTHING, Sheet
from convlab.tui.panels.panel import Asked, Shown
from convlab.tui.panels.pictures.walk import roadmap, step_of, walk_picture
from convlab.tui.panels.sheet_panel import SheetPanel


@final
class WalkPanel(SheetPanel):
    """The steps of the roadmap."""

    title = "Walk"
    key = "walk"
    help = (
        "The road from ResNet-50 to ConvNeXt-T: published top-1, exact multiply-adds, and what each step turned; above the list, what the "
        "step under the cursor did to the figures of the one that it starts from. The arrow marks the step that the present design is. "
        "Enter goes to a step; w and W go on and back."
    )

    def __init__(self) -> None:
        super().__init__()
        self._design: Design | None = None

    def show(self, shown: Shown) -> None:
        """Mark where the design stands."""
        moved = self._design is None or self._design.key != shown.session.design.key
        self._design = shown.session.design
        self.sheet.redraw()
        here = step_of(self._design, roadmap())
        if moved and here:
            self.sheet.point(here)

    @on(Sheet.Pointed)
    def _point(self) -> None:
        self.sheet.redraw()

    def choose(self, key: str) -> None:
        """Go to a step."""
        self.post_message(Asked(f"walk_to {key}"))

    def _picture(self, size: Size, pointed: str) -> Picture:
        return (
            NOTHING
            if self._design is None
            else walk_picture(roadmap(), step_of(self._design, roadmap()), size, pointed)
        )
