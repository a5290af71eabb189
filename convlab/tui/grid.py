"""The editable grid: its rows and columns on the screen, the cursor, and what keys and mouse ask for there."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from convlab.tui.layout import Columns, arranged
from convlab.views.grid import Grid, GridCell, GridRow, title
from convlab.views.tables import bar

UNUSED = "·"
MARK = "*"
MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


@final
class DesignGrid(Widget, can_focus=True):
    """A row a part of the design, a column a knob; the costs of every row stay at the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *("grid--heading", "grid--title", "grid--value", "grid--unused", "grid--changed", "grid--cost", "grid--bar"),
        *("grid--cursor", "grid--cursor-blurred", "grid--row"),
    }
    grid: reactive[Grid] = reactive(Grid((), ()), init=False)
    row: reactive[int] = reactive(0)
    column: reactive[str] = reactive("kind")

    class Moved(Message):
        """The cursor stands on another cell."""

    class Edited(Message):
        """A person begins to edit the cell under the cursor; ``seed`` is the digit that was typed, "" to begin with the value."""

        def __init__(self, seed: str) -> None:
            super().__init__()
            self.seed = seed

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.begin: Callable[[str], None] | None = None
        """Begins an edit of the cell under the cursor with a digit."""
        self.typed_ahead: Callable[[events.Key], bool] | None = None
        """Takes keys that were typed for a prompt which opened while they were on their way; whether it did."""
        self._first_row = 0
        self._first_column = 0
        self._columns = Columns((), (), 0)
        self._widths: dict[str, int] = {}

    @property
    def cell(self) -> GridCell | None:
        """The knob under the cursor."""
        return self.grid.cell(self.row, self.column) if self.grid.rows else None

    @property
    def here(self) -> GridRow:
        """The row under the cursor."""
        return self.grid.rows[self.row]

    @property
    def visible_rows(self) -> list[tuple[int, int]]:
        """The rows that are seen, each with its line."""
        last = min(len(self.grid.rows), self._first_row + self.size.height - 1)
        return [(row, row - self._first_row + 1) for row in range(self._first_row, last)]

    def select(self, path: str) -> bool:
        """Put the cursor on a knob, or on a row by its path; whether there is one."""
        place = self.grid.place(path)
        rows = [index for index, row in enumerate(self.grid.rows) if row.path == path]
        if place is None and not rows:
            return False
        self.row, self.column = place or (rows[0], self._nearest(rows[0]))
        return True

    def watch_grid(self, grid: Grid) -> None:
        """Keep the cursor on a knob that is there, and columns as wide as they were."""
        self._widths = {
            name: max(
                self._widths.get(name, 0),
                len(title(name)),
                max(len(row.cells[name].text) + 1 for row in grid.rows if name in row.cells),
            )
            for name in grid.columns
        }
        self.row = min(self.row, len(grid.rows) - 1)
        if self.cell is None:
            self.column = self._nearest(self.row)
        self._arrange()
        self.post_message(self.Moved())

    def watch_row(self) -> None:
        self._arrange()
        self.post_message(self.Moved())

    def watch_column(self) -> None:
        self._arrange()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        self._arrange()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The headings, the rows, and a line of air."""
        return len(self.grid.rows) + 2

    def action_move(self, rows: int, columns: int) -> None:
        """To the next knob of the row, or the next row that uses this knob; where none does, to the next row."""
        if columns:
            used = self._used(self.row)
            at = used.index(self.column) + columns
            self.column = used[min(max(at, 0), len(used) - 1)]
            return
        ahead = range(self.row + rows, len(self.grid.rows) if rows > 0 else -1, rows)
        found = next((row for row in ahead if self.column in self.grid.rows[row].cells), None)
        if found is not None:
            self.row = found
        elif ahead:
            column = self._nearest(ahead[0])
            self.row, self.column = ahead[0], column

    def action_ends(self, direction: int) -> None:
        """To the first or last knob of the row."""
        self.column = self._used(self.row)[0 if direction < 0 else -1]

    def action_far(self, direction: int) -> None:
        """To the first or last row."""
        row = 0 if direction < 0 else len(self.grid.rows) - 1
        column = self.column if self.column in self.grid.rows[row].cells else self._nearest(row)
        self.row, self.column = row, column

    def on_key(self, event: events.Key) -> None:
        """Arrows move and a digit begins an edit, at once: bindings would act on them after the keys that were typed behind them."""
        digit = event.character or ""
        if self.typed_ahead is not None and self.typed_ahead(event):
            event.stop()
        elif event.key in MOVES:
            event.stop()
            self.action_move(*MOVES[event.key])
        elif event.key in ("home", "end"):
            event.stop()
            self.action_ends(-1 if event.key == "home" else 1)
        elif event.key in ("pageup", "pagedown"):
            event.stop()
            self.action_far(-1 if event.key == "pageup" else 1)
        elif digit.isascii() and digit.isdigit() and self.begin is not None:
            event.stop()
            self.begin(digit)

    def on_click(self, event: events.Click) -> None:
        """Choose a cell; a second click edits it."""
        row = self._first_row + event.y - 1
        name = self._columns.at(event.x)
        if event.y < 1 or row >= len(self.grid.rows):
            return
        if name is not None and name in self.grid.rows[row].cells:
            again = (row, name) == (self.row, self.column)
            self.row, self.column = row, name
            if again:
                self.post_message(self.Edited(""))
        elif row != self.row:
            column = self.column if self.column in self.grid.rows[row].cells else self._nearest(row)
            self.row, self.column = row, column

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Further down, or with shift to the right."""
        self.action_move(0, 1) if event.shift else self.action_move(1, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Further up, or with shift to the left."""
        self.action_move(0, -1) if event.shift else self.action_move(-1, 0)

    def on_mouse_scroll_right(self) -> None:
        """To the right."""
        self.action_move(0, 1)

    def on_mouse_scroll_left(self) -> None:
        """To the left."""
        self.action_move(0, -1)

    def render_line(self, y: int) -> Strip:
        """The headings, then a row a line."""
        row = self._first_row + y - 1
        if y == 0:
            segments = self._heading()
        elif row < len(self.grid.rows):
            segments = self._row(row)
        else:
            segments = []
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _used(self, row: int) -> list[str]:
        return [name for name in self.grid.columns if name in self.grid.rows[row].cells]

    def _nearest(self, row: int) -> str:
        """The knob of a row whose column is nearest to the cursor's."""
        columns = self.grid.columns
        at = columns.index(self.column) if self.column in columns else 0
        return min(self._used(row), key=lambda name: abs(columns.index(name) - at))

    def _arrange(self) -> None:
        """Choose the columns that fit, so that the cursor is among them."""
        if not self.grid.rows or not self.size.width:
            return
        self._columns, self._first_column = arranged(
            self.grid, self._widths, self.size.width, first=self._first_column, cursor=self.column
        )
        lines = max(1, self.size.height - 1)
        self._first_row = max(min(self._first_row, self.row, len(self.grid.rows) - lines), self.row - lines + 1, 0)
        self.refresh()

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"grid--{name}")

    def _heading(self) -> list[Segment]:
        style = self._style("heading")
        found = [Segment(" " * self._columns.title, style)]
        for place in self._columns.knobs:
            found.append(Segment(title(place.name).rjust(place.width) + "  ", style))
        found.append(Segment(self._columns.beyond(self.grid, self.size.width), style))
        for place in self._columns.costs:
            found.append(Segment(" " + place.title.rjust(place.width), style))
        return found

    def _row(self, index: int) -> list[Segment]:
        row = self.grid.rows[index]
        here = index == self.row
        base = self._style("row") if here else self._style("value")
        heading = ("▌" if here else " ") + row.title
        found = [Segment(heading.ljust(self._columns.title), self._style("title") + (base if here else Style()))]
        for place in self._columns.knobs:
            found += self._cell(row, place.name, place.width, base, here)
        found.append(Segment(" " * self._columns.gap, base))
        for place in self._columns.costs:
            style = self._style("bar" if place.name == "bar" else "cost") + (
                Style(bgcolor=base.bgcolor) if here else Style()
            )
            text = bar(row.share) if place.name == "bar" else getattr(row, place.name).text
            found.append(Segment(" " + (text if row.output.text else "").rjust(place.width), style))
        return found

    def _cell(self, row: GridRow, name: str, width: int, base: Style, here: bool) -> list[Segment]:
        cell = row.cells.get(name)
        if cell is None:
            return [Segment(UNUSED.rjust(width - 1) + " " * 3, self._style("unused") + Style(bgcolor=base.bgcolor))]
        changed = base + self._style("changed") + Style(bgcolor=base.bgcolor) if cell.changed else base
        style = changed
        if here and name == self.column:
            style = self._style("cursor" if self.has_focus else "cursor-blurred")
        pad = " " * (width - len(cell.text) - 1)
        mark = MARK if cell.changed else " "
        return [Segment(pad, base), Segment(cell.text, style), Segment(mark, changed), Segment("  ", base)]
