"""A dialog that asks for a line of text: a file's path, an image size."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from convlab.errors import ConvlabError
from convlab.tui.dialogs.dialog import Dialog
from convlab.tui.prompt import told


@final
class AskText(Dialog[str]):
    """``take`` does what the text asks for; what it refuses is told under the line, and the dialog stays.

    ``anew``: what is typed takes the place of the whole text; otherwise it is put behind it.
    """

    def __init__(self, title: str, value: str, hint: str, *, take: Callable[[str], None], anew: bool = False) -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._hint = hint
        self._take = take
        self._anew = anew

    def compose(self) -> ComposeResult:
        """The line, and the error under it."""
        with self.box(self._title, self._hint):
            yield Input(self._value, select_on_focus=False, id="answer")
            yield Static(id="refusal", markup=False)

    def on_mount(self) -> None:
        """The cursor stands behind the text, which is selected where it is written anew."""
        line = self.query_one(Input)
        line.selection = Selection(0 if self._anew else len(line.value), len(line.value))
        self.query_one("#refusal").display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        try:
            self._take(text)
        except ConvlabError as error:
            refusal = self.query_one("#refusal", Static)
            refusal.update("\n".join(map(told, error.problems[:3])))
            refusal.display = True
        else:
            self.dismiss(text)
