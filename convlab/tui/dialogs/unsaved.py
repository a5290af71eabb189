"""The dialog that asks before unsaved changes are lost."""

from __future__ import annotations

from typing import ClassVar, final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from convlab.tui.dialogs.dialog import Dialog

SAVE = "save"
DISCARD = "discard"


@final
class Unsaved(Dialog[str]):
    """Its answer is ``SAVE``, ``DISCARD``, or None to stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "answer('save')", "Save"),
        Binding("d", "answer('discard')", "Discard"),
        Binding("right,left", "other", "The other button", show=False),
    ]

    def __init__(self, what: str, *, running: int = 0) -> None:
        super().__init__()
        self._what = what
        self._jobs = running

    def compose(self) -> ComposeResult:
        """What would be lost, and the ways out."""
        title, keys = (
            ("Unsaved changes", "s save, d discard") if self._what else ("Work is running", "d stop and leave")
        )
        with self.box(title, f"{keys}, Esc stay"):
            if self._what:
                yield Static(f"{self._what} has changes that are in no file.", markup=False)
            if self._jobs:
                jobs = "1 job runs" if self._jobs == 1 else f"{self._jobs} jobs run"
                yield Static(f"{jobs}; leaving stops it, and what was reached is kept.", markup=False)
            with Horizontal(classes="buttons"):
                if self._what:
                    yield Button("Save", id=SAVE, variant="primary")
                yield Button("Discard" if self._what else "Stop and leave", id=DISCARD)
                yield Button("Stay", id="stay")

    def action_answer(self, answer: str) -> None:
        """Answer by a letter."""
        if self.query(f"#{answer}"):
            self.dismiss(answer)

    def action_other(self) -> None:
        """To the next button."""
        self.focus_next(Button)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(None if event.button.id == "stay" else event.button.id)
