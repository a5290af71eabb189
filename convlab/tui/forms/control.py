"""A control for a knob: a switch, a choice, or a line of text, with what it may be beside it, or why it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select, Static

from convlab.errors import visible
from convlab.language.knobs import Knob, Refused, plain
from convlab.tui.forms.kinds import EMPTY, taken
from convlab.tui.forms.marks import Choice, Mark

_YES, _NO = "yes", "no"


@final
class Control(Horizontal):
    """One knob of a form in one line: its name, its value, and a hint."""

    DEFAULT_CSS = """
    Control { height: 1; width: 1fr; }
    Control > .name { width: 11; }
    Control > .value { width: 24; height: 1; }
    Control > Input, Dialog Control > Input { border: none; padding: 0 1; }
    Control > .hint { width: 1fr; height: 1; padding-left: 1; text-wrap: nowrap; text-overflow: ellipsis; color: $text-muted; }
    Control:focus-within { background: $panel; }
    Control:focus-within > .name { text-style: reverse; }
    Control.refused > .hint { color: $text-error; text-style: bold; }
    """

    class Changed(Message):
        """The value is another one, or is refused now, or no longer."""

    def __init__(self, knob: Knob, value: Any, suggestions: Sequence[str] = ()) -> None:
        super().__init__(id=f"knob-{knob.name}")
        self.knob = knob
        self.taken: Any = taken(knob, value)
        """The value, or ``Refused``."""
        self._suggestions = tuple(suggestions)

    def compose(self) -> ComposeResult:
        """Name, value, hint."""
        yield Static(self.knob.name.replace("_", " "), classes="name", markup=False)
        yield self._editor()
        hint = Static(self.about, classes="hint", markup=False)
        hint.tooltip = visible(self.knob.help)
        yield hint

    @property
    def about(self) -> str:
        """All that there is to say of it."""
        return hint_of(self.knob, self._suggestions)

    def _editor(self) -> Widget:
        value = self.taken
        match self.knob.kind:
            case "boolean":
                return Mark(_YES if value else _NO, value, compact=True, classes="value")
            case "choice":
                choice = Choice(self.knob.choices, value)
                choice.add_class("value")
                return choice
        shown = "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)
        words = SuggestFromList(self._suggestions, case_sensitive=False) if self._suggestions else None
        empty = self.knob.help.partition(EMPTY)[2]
        return Input(shown, placeholder=empty, suggester=words, compact=True, classes="value")

    @on(Checkbox.Changed)
    def _switched(self, event: Checkbox.Changed) -> None:
        event.stop()
        event.checkbox.label = _YES if event.value else _NO
        self._take(event.value)

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._take(event.value)

    @on(Input.Changed)
    def _written(self, event: Input.Changed) -> None:
        event.stop()
        text = event.value.strip()
        self._take(text if self.knob.kind == "text" else _number(self.knob, text))

    def _take(self, value: Any) -> None:
        self.taken = taken(self.knob, value)
        refused = isinstance(self.taken, Refused)
        self.set_class(refused, "refused")
        hint = f"! {bounds(self.knob)}" if refused else self.about
        self.query_one(".hint", Static).update(hint)
        self.post_message(self.Changed())


def bounds(knob: Knob) -> str:
    """What a number may be, in few characters: "1 to 1000 images"."""
    if knob.low is None or knob.high is None or knob.kind not in ("integer", "number"):
        return knob.bounds()
    return f"{plain(knob.low)} to {_short(knob.high)} {knob.unit}".rstrip()


def hint_of(knob: Knob, suggestions: Sequence[str] = ()) -> str:
    """What stands beside a control: the bounds of a number, likely words, and what it is for."""
    if knob.kind in ("integer", "number"):
        return f"{bounds(knob)}; {knob.help}"
    return f"{knob.help}: {', '.join(suggestions)}" if 0 < len(suggestions) <= _FEW else knob.help


_FEW = 12


def _short(number: float) -> str:
    return plain(number) if number < 1_000_000 else f"{number:.0e}".replace("e+0", "e").replace("e+", "e")


def _number(knob: Knob, text: str) -> Any:
    """What the text means to the knob; None for none, and the text itself where it is no number."""
    if not text:
        return None if knob.default is None else text
    try:
        return int(text.replace(",", "").replace("_", ""))
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
