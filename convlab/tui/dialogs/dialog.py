"""What all dialogs share: a box with a title over the screen, which Escape leaves without an answer."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from rich.markup import escape
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

Answer = TypeVar("Answer")

LOW = 20
"""Below so many lines a dialog does without air, and without what is not needed."""


class Dialog(ModalScreen[Answer | None]):
    """A question; its answer is None where it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel", priority=False)]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-high")]  # noqa: RUF012  # no ClassVar to textual

    def box(self, title: str, hint: str = "") -> Vertical:
        """The box that holds everything, with its title and a hint in its border."""
        box = Vertical(classes="box")
        box.border_title = escape(title)
        box.border_subtitle = hint
        return box

    def action_leave(self) -> None:
        """Without an answer."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A click beside the box leaves it."""
        if event.widget is self:
            self.action_leave()
