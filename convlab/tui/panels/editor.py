"""The editor of the source panel: a text area that colours TOML."""

from __future__ import annotations

from typing import ClassVar, final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from convlab.tui.drawing.toml_lines import toml_spans


@final
class Editor(TextArea):
    """A text area that colours TOML by its parts."""

    DEFAULT_CSS = "Editor { height: 1fr; border: none; padding: 0; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "new_line", "New line"),
        Binding("escape", "screen.to_grid", "Leave the text"),
    ]

    def get_line(self, line_index: int) -> Text:
        """A line in colours."""
        text = super().get_line(line_index)
        for start, end, role in toml_spans(text.plain):
            text.stylize(self._colour(role), start, end)
        return text

    def action_new_line(self) -> None:
        """The area itself does so at the key; the footer says it, and a click there does it."""
        self.replace("\n", *self.selection)

    def reveal(self, row: int) -> None:
        """Scroll so that the cursor and a row of the text are seen, where there is room for both; else the cursor."""
        row = min(row, self.document.line_count - 1)
        here, there = (self.wrapped_document.location_to_offset(place).y for place in (self.cursor_location, (row, 0)))
        room = self.scrollable_content_region.height
        top, bottom = (min(here, there), max(here, there)) if abs(here - there) < room else (here, here)
        self.scroll_to(y=min(top, max(self.scroll_offset.y, bottom - room + 1)), animate=False)

    def _colour(self, role: str) -> str:
        variables = self.app.theme_variables
        colours = {"good": "text-success", "strong": "text-primary", "accent": "text-accent", "warning": "text-warning"}
        if role == "muted":
            return "dim italic"
        colour = variables.get(colours[role], "")
        weight = "bold" if role == "strong" else ""
        return f"{weight} {colour}".strip() if colour.startswith("#") else weight or "none"
