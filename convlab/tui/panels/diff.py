"""The diff panel: in which knobs the design differs from the baseline and the pinned ones, and what that does to the figures."""

from __future__ import annotations

from typing import final

from convlab.costs import Profile
from convlab.tui.drawing.picture import Picture, Size
from convlab.tui.drawing.sheet import NOTHING
from convlab.tui.panels.panel import Shown, Turned
from convlab.tui.panels.pictures.diff import diff_picture
from convlab.tui.panels.sheet_panel import SheetPanel
from convlab.views.knob_paths import differences


@final
class DiffPanel(SheetPanel):
    """Baseline, pinned designs and the present one side by side."""

    title = "Diff"
    key = "diff"
    help = (
        "The knobs in which the design differs from the baseline and the pinned designs, then the figures of all. b makes the present "
        "design the baseline, p pins it. Enter on a knob gives it the baseline's value again."
    )

    def __init__(self) -> None:
        super().__init__()
        self._profiles: tuple[Profile, ...] = ()

    def show(self, shown: Shown) -> None:
        """Compare the designs."""
        self._profiles = (shown.baseline, *shown.pinned, shown.profile)
        self.sheet.redraw()

    def choose(self, key: str) -> None:
        """Give a knob the baseline's value again."""
        found = differences([profile.design for profile in self._profiles])
        value = next((item.values[0] for item in found if item.path == key), None)
        if value is not None:
            self.post_message(Turned(key, list(value) if isinstance(value, tuple) else value))

    def _picture(self, size: Size, pointed: str) -> Picture:
        return diff_picture(self._profiles, size) if self._profiles else NOTHING
