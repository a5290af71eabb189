"""The prompt: a docked line that asks for a knob's value, with what it may be in its border and what is wrong under it."""

from __future__ import annotations

from typing import ClassVar, final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.input import Selection
from textual.widgets.option_list import Option

from convlab.errors import ConvlabError, Problem, visible
from convlab.views.grid import GridCell
from convlab.views.tables import plain, value_text


@final
class Prompt(Vertical):
    """It is shown while a value is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", show=False),
        Binding("up", "choose(-1)", "Choice before", show=False, priority=False),
        Binding("down", "choose(1)", "Next choice", show=False, priority=False),
    ]

    class Entered(Message):
        """A person gave a value for a knob, as text."""

        def __init__(self, path: str, text: str) -> None:
            super().__init__()
            self.path = path
            self.text = text

    class Left(Message):
        """The prompt was closed without a value."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._path = ""

    def compose(self) -> ComposeResult:
        """The choices, where there are some, the line, and the error under it."""
        yield OptionList(id="choices", compact=True)
        yield Input(select_on_focus=False, id="value")
        yield Static(id="refusal", markup=False)

    def ask(self, cell: GridCell, seed: str = "") -> None:
        """Ask for the value of a knob; ``seed`` begins it anew, "" begins with the value that it has."""
        self._path = cell.path
        line = self.query_one(Input)
        line.border_title = f"{cell.path}, {cell.knob.unit}" if cell.knob.unit else cell.path
        line.border_subtitle = cell.knob.bounds()
        line.value = seed or (cell.knob.zero if cell.knob.is_automatic(cell.value) else editable(cell.value))
        # What is typed takes the place of the former value, or goes on with what began it.
        line.selection = Selection(len(seed) and len(line.value), len(line.value))
        self._choices(cell)
        self._say("")
        self.display = True
        line.focus()

    def typed_ahead(self, event: events.Key) -> bool:
        """A key that came to another widget while this was opening; whether it was taken."""
        line = self.query_one(Input)
        if not self.display or line.has_focus:
            return False
        if event.key == "enter":
            self.post_message(self.Entered(self._path, line.value.strip()))
        elif event.key == "backspace":
            line.action_delete_left()
        elif event.key == "escape":
            self.action_leave()
        elif event.is_printable and event.character:
            line.replace(event.character, *sorted(line.selection))
        return True

    def refuse(self, error: ConvlabError) -> None:
        """Tell under the line why the value was refused."""
        self._say("\n".join(map(told, error.problems[:3])))

    def close(self) -> None:
        """Put it away."""
        self.display = False

    def action_leave(self) -> None:
        """Without a value."""
        self.close()
        self.post_message(self.Left())

    def action_choose(self, step: int) -> None:
        """Put the choice after or before into the line."""
        options = self.query_one(OptionList)
        if options.display:
            at = options.highlighted
            options.highlighted = (0 if at is None else at + step) % options.option_count
            self._put(str(options.get_option_at_index(options.highlighted).id))

    @on(OptionList.OptionSelected)
    def _option_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Entered(self._path, str(event.option.id)))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self._path, event.value.strip()))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say("")

    def _choices(self, cell: GridCell) -> None:
        options = self.query_one(OptionList)
        knob = cell.knob
        choices = ("true", "false") if knob.kind == "boolean" else knob.choices if knob.kind == "choice" else ()
        options.display = bool(choices)
        options.clear_options()
        options.add_options([Option(choice, id=choice) for choice in choices])
        shown = value_text(cell.value)
        options.highlighted = choices.index(shown) if shown in choices else None

    def _put(self, text: str) -> None:
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)

    def _say(self, text: str) -> None:
        refusal = self.query_one("#refusal", Static)
        refusal.update(text)
        refusal.display = bool(text)
        self.set_class(bool(text), "-refused")


def editable(value: object) -> str:
    """A knob's value as a person types it: a word without quotes, anything else as TOML."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(f'"{item}"' if isinstance(item, str) else editable(item) for item in plain(value)) + "]"
    return value_text(value)


def told(problem: Problem) -> str:
    """A problem in a line or two: what, and a way out."""
    label = f" ({visible(problem.label)})" if problem.label else ""
    help = f"\n  help: {visible(problem.help)}" if problem.help else ""
    return f"error: {visible(problem.message)}{label}{help}"
