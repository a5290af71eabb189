"""Jump mode: letters over the panes, tabs and rows; the letter that is typed goes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

from textual import events
from textual.app import ComposeResult
from textual.widgets import Label

from convlab.tui.dialogs.dialog import Dialog

LETTERS = "asdfghklqwertzuiopyxcvbnm1234567890"


@final
class Target(NamedTuple):
    """A place to go to: its name, and where its letter stands."""

    name: str
    x: int
    y: int


@final
class Jump(Dialog[str]):
    """Its answer is the name of a target."""

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self._targets = dict(zip(LETTERS, targets, strict=False))

    def compose(self) -> ComposeResult:
        """A letter a target."""
        for letter, target in self._targets.items():
            label = Label(f" {letter} ", classes="jump", markup=False)
            label.styles.offset = (target.x, target.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go there; any other key leaves."""
        event.stop()
        event.prevent_default()
        target = self._targets.get(event.character or "")
        self.dismiss(target.name if target else None)

    def on_click(self, event: events.Click) -> None:
        """A click leaves, on a letter it goes there."""
        letter = (
            event.widget.content.strip()
            if isinstance(event.widget, Label) and isinstance(event.widget.content, str)
            else ""
        )
        self.dismiss(self._targets[letter].name if letter in self._targets else None)
