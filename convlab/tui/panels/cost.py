"""The cost panel: where multiply-adds, parameters, activations, saved memory or time lie, as bars by stage, block or layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from textual.binding import Binding, BindingType

from convlab.prediction import choice
from convlab.tui.drawing.picture import Picture, Size, Span, padded, switches
from convlab.tui.drawing.sheet import NOTHING
from convlab.tui.panels.panel import Shown
from convlab.tui.panels.sheet_panel import SheetPanel
from convlab.views.costs import GROUPINGS
from convlab.views.shares import MEASURES, by_size, shares, values_before

if TYPE_CHECKING:
    from convlab.prediction import Calibration
from convlab.tui.panels.pictures.cost import NOT_CALIBRATED, cost_lines


@final
class CostPanel(SheetPanel):
    """Bars with percent and figures, in the order of the network or by size."""

    title = "Cost"
    key = "cost"
    help = (
        "Where a figure lies: f goes through MACs, params, activations, saved memory and predicted time; g groups by stage, block "
        "or layer; s sorts by size; Enter selects the layer. With room the rightmost column is "
        "the change against the baseline."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "figure", "Figure", show=False),
        Binding("g", "group", "Group", show=False),
        Binding("s", "order", "Order", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.measure, self.by, self.sorted = "macs", "block", False
        self._shown: Shown | None = None
        self._calibration: Calibration | None = None

    def show(self, shown: Shown) -> None:
        """Draw the bars of the profile."""
        self._shown = shown
        self.sheet.redraw()
        if shown.layer:
            self.sheet.point(_key_of(self.sheet.picture, shown.layer))

    def action_figure(self) -> None:
        """The next figure."""
        self.measure = _next(tuple(MEASURES), self.measure)
        if self.measure == "seconds" and self._calibration is None:
            self._calibration = choice().calibration
        self.sheet.redraw()

    def action_group(self) -> None:
        """The next grouping."""
        self.by = _next(GROUPINGS, self.by)
        self.sheet.redraw()

    def action_order(self) -> None:
        """By size, or in the order of the network."""
        self.sorted = not self.sorted
        self.sheet.redraw()

    def _picture(self, size: Size, pointed: str) -> Picture:
        if self._shown is None:
            return NOTHING
        order = "by size" if self.sorted else "in order"
        title = MEASURES[self.measure].title
        head = switches(("f", title, "figure"), ("g", f"by {self.by}", "group"), ("s", order, "order"))
        if self.measure == "seconds" and self._calibration is None:
            return Picture((head, (Span(NOT_CALIBRATED, "muted"),)), head=2)
        found = shares(self._shown.profile, self.measure, by=self.by, calibration=self._calibration)
        before = shares(self._shown.baseline, self.measure, by=self.by, calibration=self._calibration)
        rows = by_size(found) if self.sorted else found
        lines = cost_lines(rows, values_before(rows, before), size.width)
        total, text = sum(share.value for share in found), MEASURES[self.measure].text
        whole = (Span(padded(f"{text(total)} {MEASURES[self.measure].unit}", size.width), "muted"),)
        return Picture((head, whole, *lines), head=2, keys=("", "", *(share.path for share in rows)))


def _key_of(picture: Picture, layer: str) -> str:
    """The line of a layer, or of what holds it."""
    holders = [key for key in picture.keys if key and (layer == key or layer.startswith(f"{key}."))]
    return max(holders, key=len, default="")


def _next(values: Sequence[str], value: str) -> str:
    return values[(values.index(value) + 1) % len(values)]
