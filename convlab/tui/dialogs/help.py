"""The dialog that lists every action with its key, and sets another key for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, final

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, DataTable, Static

from convlab.tui.actions import ACTIONS, Action, action, key_text
from convlab.tui.dialogs.dialog import Dialog

HINT = "⏎ another key for the action, Backspace the usual one, Esc leaves"
INTRODUCTION = (
    "Arrows move in the grid; a digit or ⏎ edits; what differs from the baseline has a * behind it. "
    "Tab goes from pane to pane, Esc back to the grid. With the mouse: click a cell, click it again to edit it; "
    "the wheel moves; every action is in the palette (^p, or a click at the right of the footer)."
)

BRIEF = "Arrows move, a digit or ⏎ edits, Tab changes the pane, Esc goes back."
"""The same where there are few lines."""


@final
class Help(Dialog[None]):
    """``set_key`` gives an action another key, "" the usual one; it says what stands in the way, "" where nothing does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("backspace", "usual", "Usual key")]

    def __init__(self, keymap: Mapping[str, str], *, set_key: Callable[[str, str], str]) -> None:
        super().__init__()
        self._keymap = dict(keymap)
        self._set_key = set_key
        self._waiting: Action | None = None

    def compose(self) -> ComposeResult:
        """What is good to know, the table, and a line for what is asked."""
        box = self.box("Help", HINT)
        box.add_class("large")
        with box:
            yield Static(INTRODUCTION, markup=False, classes="introduction")
            yield Static(BRIEF, markup=False, classes="brief")
            yield DataTable(cursor_type="row", id="actions")
            yield Static(id="asked", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Another key", id="change", compact=True)
                yield Button("The usual key", id="usual", compact=True)
                yield Button("Leave", id="leave", compact=True)

    def on_mount(self) -> None:
        """Every action in a row."""
        table = self.query_one(DataTable)
        for name, width in (("key", 10), ("action", 20), ("what it does", None)):
            table.add_column(name, key=name, width=width)
        for item in ACTIONS:
            table.add_row(Text(self._key(item), "bold"), item.title, item.help, key=item.name)
        table.focus()

    def on_key(self, event: events.Key) -> None:
        """The key that is to be set."""
        if self._waiting is None:
            return
        event.stop()
        event.prevent_default()
        waiting, self._waiting = self._waiting, None
        self._tell("" if event.key == "escape" else self._given(waiting, event.key))

    def action_usual(self) -> None:
        """The usual key for the highlighted action."""
        self._tell(self._given(self._highlighted(), ""))

    @on(DataTable.RowSelected)
    def _chosen(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self._ask()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.query_one(DataTable).focus()
        {"change": self._ask, "usual": self.action_usual, "leave": self.action_leave}[str(event.button.id)]()

    def _ask(self) -> None:
        """Wait for the key of the highlighted action."""
        self._waiting = self._highlighted()
        self._tell(f"Press the key for “{self._waiting.title}”, or Esc.")

    def _highlighted(self) -> Action:
        table = self.query_one(DataTable)
        return action(str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value))

    def _given(self, item: Action, key: str) -> str:
        refused = self._set_key(item.name, key)
        if refused:
            return refused
        self._keymap = {name: each for name, each in self._keymap.items() if name != item.name}
        self._keymap |= {item.name: key} if key else {}
        self.query_one(DataTable).update_cell(item.name, "key", Text(self._key(item), "bold"), update_width=False)
        return f"“{item.title}” is {self._key(item)} from now on."

    def _key(self, item: Action) -> str:
        return key_text(self._keymap.get(item.name, item.key))

    def _tell(self, text: str) -> None:
        self.query_one("#asked", Static).update(text)
