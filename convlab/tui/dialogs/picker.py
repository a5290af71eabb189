"""The dialog that opens a design: presets, found by typing, with what the highlighted one is and costs; or a file by its path."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.language.files import load
from convlab.presets import preset_names
from convlab.tui.dialogs.dialog import Dialog
from convlab.tui.prompt import told
from convlab.views.cards import cards
from convlab.views.portrait import portrait

FIGURES = ("params", "macs", "activations", "peak_bytes", "receptive_field")


@final
class Picker(Dialog[str]):
    """Its answer is a preset's name, or the path of a file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Before", show=False, priority=True),
        Binding("down", "move(1)", "Next", show=False, priority=True),
        Binding("pageup", "move(-10)", "Far before", show=False, priority=True),
        Binding("pagedown", "move(10)", "Far after", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        """The line at the top, the names at the left, the highlighted preset at the right."""
        box = self.box("Open a design", "type to filter, or the path of a .toml file")
        box.add_class("large")
        with box:
            yield Input(placeholder="a preset, or designs/mine.toml", id="filter")
            yield Static(id="refusal", markup=False)
            with Horizontal():
                yield OptionList(id="names", compact=True)
                with VerticalScroll(id="about", can_focus=False):
                    yield Static(id="summary", markup=False)

    def on_mount(self) -> None:
        """All presets, and the cursor in the line."""
        self.query_one("#refusal").display = False
        self._filter("")
        self.query_one(Input).focus()

    def action_move(self, step: int) -> None:
        """Highlight another one while the cursor stays in the line."""
        names = self.query_one(OptionList)
        if names.option_count:
            names.highlighted = min(max((names.highlighted or 0) + step, 0), names.option_count - 1)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#refusal").display = False
        self._filter(event.value.strip())

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.query_one("#summary", Static).update(about(str(event.option.id)))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(str(event.option.id))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        names = self.query_one(OptionList)
        typed = event.value.strip()
        if typed.endswith(".toml") or not names.option_count:
            self.dismiss(typed)
        elif names.highlighted is not None:
            self.dismiss(str(names.get_option_at_index(names.highlighted).id))

    def _filter(self, typed: str) -> None:
        names = self.query_one(OptionList)
        words = typed.lower().split()
        found = [name for name in (*preset_names(), *preset_names("roadmap")) if all(word in name for word in words)]
        names.clear_options()
        names.add_options([Option(name, id=name) for name in found])
        names.highlighted = 0 if found else None
        if not found:
            self.query_one("#summary", Static).update("No preset is called so.\n\nEnter opens the file of this path.")


@lru_cache(maxsize=256)
def about(name: str) -> Text:
    """What a preset is, and its figures."""
    try:
        found = profile(load(name))
    except ConvlabError as error:
        return Text("\n".join(map(told, error.problems)))
    text = Text()
    text.append(f"{name}\n", "bold")
    text.append(f"{found.design.summary}\n\n")
    for card in cards(found):
        if card.name in FIGURES:
            text.append(f"{card.figure.title:<16}", "dim")
            text.append(f"{card.text}\n", "bold")
    text.append("\n" + "\n".join(portrait(found.design)))
    return text
