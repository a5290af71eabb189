"""A dialog that asks for one of a few: a theme, a run to resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from convlab.tui.dialogs.dialog import Dialog


@final
class Choose(Dialog[str]):
    """``options`` are answers and what is shown for them; ``preview`` hears of the highlighted one."""

    def __init__(
        self,
        title: str,
        options: Sequence[tuple[str, str]],
        *,
        chosen: str = "",
        preview: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._chosen = chosen
        self._preview = preview

    def compose(self) -> ComposeResult:
        """The options."""
        with self.box(self._title, "⏎ take, Esc leave"):
            yield OptionList(*(Option(text, id=answer) for answer, text in self._options), markup=False)

    def on_mount(self) -> None:
        """The one that holds is highlighted."""
        answers = [answer for answer, _ in self._options]
        options = self.query_one(OptionList)
        options.highlighted = answers.index(self._chosen) if self._chosen in answers else 0
        options.focus()

    def action_leave(self) -> None:
        """What was previewed is taken back."""
        if self._preview and self._chosen:
            self._preview(self._chosen)
        self.dismiss(None)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._preview:
            self._preview(str(event.option.id))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(str(event.option.id))
