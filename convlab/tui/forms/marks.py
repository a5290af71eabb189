"""A mark and a choice that read without colour, and leave the arrows up and down to the form."""

from __future__ import annotations

from typing import ClassVar, final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Checkbox, Select


@final
class Mark(Checkbox):
    """A box that is empty where it is off."""

    def render(self) -> Content:
        """The cross comes and goes; on its own it would only change its colour."""
        self.BUTTON_INNER = "X" if self.value else " "
        return super().render()


@final
class Choice(Select[str], inherit_bindings=False):
    """One of some words: left and right go through them, Enter shows all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "show_overlay", "All choices", show=False),
        Binding("left", "turn(-1)", "Choice before", show=False),
        Binding("right", "turn(1)", "Next choice", show=False),
    ]

    def __init__(self, words: tuple[str, ...], value: str) -> None:
        super().__init__([(word, word) for word in words], value=value, allow_blank=False, compact=True)
        self._words = words

    def action_turn(self, by: int) -> None:
        """The next word, or the one before; around at the ends."""
        self.value = self._words[(self._words.index(str(self.value)) + by) % len(self._words)]
