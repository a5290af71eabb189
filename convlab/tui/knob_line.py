"""The line under the panes: the knob under the cursor, what it may be and what it is for; or why something was refused."""

from __future__ import annotations

from typing import final

from rich.text import Text
from textual.widgets import Static

from convlab.errors import ConvlabError
from convlab.tui.prompt import told
from convlab.views.grid import GridCell
from convlab.views.knob_texts import knob_text


@final
class KnobLine(Static):
    """One or two lines of text."""

    def show(self, cell: GridCell) -> None:
        """A knob with its value, that of the baseline where it differs, its constraint and its help."""
        knob = cell.knob
        value = knob_text(knob, cell.value)
        unit = f" {knob.unit}" if knob.unit and not knob.is_automatic(cell.value) else ""
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{cell.path} = {value}{unit}", "bold")
        if cell.changed:
            text.append(f"  (baseline {knob_text(knob, cell.baseline)})", "italic")
        text.append(f"  {knob.bounds()}\n")
        text.append(knob.help, "dim")
        self._put(text, refused=False)

    def refuse(self, error: ConvlabError) -> None:
        """Why something was refused, until the cursor moves."""
        self._put(Text("\n".join(map(told, error.problems[:3]))), refused=True)

    def say(self, words: str) -> None:
        """Something that is no error, until the cursor moves."""
        self._put(Text(words), refused=False)

    def _put(self, text: Text, *, refused: bool) -> None:
        """Laid out anew only after and for a refusal, which may take more lines."""
        layout = refused or self.has_class("-refused")
        self.set_class(refused, "-refused")
        self.update(text, layout=layout)
