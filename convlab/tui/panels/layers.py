"""The layers panel: the network as an outline that opens and closes, with shapes, parameters and multiply-adds."""

from __future__ import annotations

from typing import ClassVar, final

from textual.binding import Binding, BindingType

from convlab.tui.drawing.picture import Picture, Size
from convlab.tui.drawing.sheet import NOTHING
from convlab.tui.panels.panel import Shown
from convlab.tui.panels.pictures.layers import Entry, entries, layer_lines
from convlab.tui.panels.sheet_panel import SheetPanel
from convlab.views.outline import Node, all_nodes, outline


@final
class LayersPanel(SheetPanel):
    """Stages, blocks and layers; those of repeated blocks are there once."""

    title = "Layers"
    key = "layers"
    help = (
        "The layers: right opens, left closes, x opens or closes everything, Enter selects the layer. Blocks that repeat are one entry; "
        "its figures are those of all of them."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "unfold", "Open", show=False),
        Binding("left", "fold", "Close", show=False),
        Binding("space", "turn", "Open or close", show=False),
        Binding("x", "all", "Open or close all", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._outline: tuple[Node, ...] = ()
        self._turned: set[str] = set()
        """Entries that are not as they are at first: stages open, all below closed."""

    def show(self, shown: Shown) -> None:
        """Show the outline of the design."""
        self._outline = outline(shown.profile)
        self.sheet.redraw()

    def action_unfold(self) -> None:
        """Open what the cursor stands on; what is open already, one line on."""
        found = self._under()
        if found is not None and found.is_open is False:
            self._turn(found)
        else:
            self.sheet.action_move(1)

    def action_fold(self) -> None:
        """Close what the cursor stands on, or go to what holds it."""
        found, seen = self._under(), self._seen()
        if found is None:
            return
        if found.is_open:
            self._turn(found)
            return
        before = seen[: seen.index(found)]
        holder = next((entry for entry in reversed(before) if entry.depth < found.depth), None)
        if holder is not None:
            self.sheet.point(holder.key)

    def action_turn(self) -> None:
        """Open or close what the cursor stands on."""
        found = self._under()
        if found is not None and found.is_open is not None:
            self._turn(found)

    def action_all(self) -> None:
        """Open everything; where everything is open, close it."""
        seen = list(entries(self._outline, set(), all_open=True))
        every = {entry.key for entry in seen if entry.is_open is not None and entry.depth > 0}
        self._turned = set() if every <= self._turned else every
        self.sheet.redraw()

    def choose(self, key: str) -> None:
        """Open what the cursor stands on, and select its layer."""
        found = self._under()
        if found is not None:
            self._turn(found) if found.is_open is False else None
            super().choose(found.node.path)

    def _turn(self, entry: Entry) -> None:
        self._turned ^= {entry.key}
        self.sheet.redraw()

    def _seen(self) -> list[Entry]:
        return list(entries(self._outline, self._turned))

    def _under(self) -> Entry | None:
        return next((entry for entry in self._seen() if entry.key == self.sheet.pointed), None)

    def _picture(self, size: Size, pointed: str) -> Picture:
        if not self._outline:
            return NOTHING
        seen = self._seen()
        # Widths hold for everything that can be opened: columns stay where they are.
        lines = layer_lines(seen, size.width, every=tuple(all_nodes(self._outline)))
        return Picture(lines, 1, ("", *(entry.key for entry in seen)))
