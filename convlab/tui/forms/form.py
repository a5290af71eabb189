"""A form: a dialog of knobs over long work, with the command line that it will run, live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Checkbox, Static

from convlab.errors import ConvlabError, Problem, visible
from convlab.language.knobs import Refused, knobs_of
from convlab.settings import Settings
from convlab.tui.dialogs.dialog import Dialog
from convlab.tui.forms.control import Control, bounds
from convlab.tui.forms.kinds import Asked
from convlab.tui.forms.marks import Mark
from convlab.tui.forms.order import Order, Subject

LEAST_KNOBS = 3
AROUND = 8
"""Lines around the knobs: the border, two of explanation, up to three of the command, the buttons."""

UNSAID = "  (of designs in no file: save them, and a shell can do the same)"


@final
class Form(Dialog[Order]):
    """Asks how; its answer is the order, or None. ``last`` are the values of the last time, the first subject is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "begin", "Start"),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]

    DEFAULT_CSS = """
    Form { align: center middle; }
    Form > .box { width: 92; max-width: 100%; height: auto; max-height: 100%; padding: 0 1; border: round $primary; }
    Form #knobs { height: auto; }
    Form .subjects { height: 1; }
    Form .subjects > .name { width: 11; }
    Form .subjects > Checkbox { width: auto; margin-right: 2; }
    Form #about { color: $text-muted; height: 2; }
    Form #command { max-height: 3; }
    Form #refusal { color: $text-error; text-style: bold; max-height: 3; }
    Form #buttons { height: 1; align-horizontal: right; }
    Form #buttons > Button { margin-left: 2; }
    Form Button:focus { text-style: reverse; }
    """

    def __init__(
        self,
        asked: type[Asked],
        subjects: Sequence[Subject],
        *,
        settings: Settings | None = None,
        last: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._asked = asked
        self._subjects = tuple(subjects)
        self._usual = asked.usual(settings or Settings())
        self._start = asked.filled(last or {}, self._usual)
        self._order: Order | None = None

    def compose(self) -> ComposeResult:
        """Designs, knobs, the command line, and two buttons."""
        with self.box(self._asked.title, "ctrl+s starts, escape leaves"):
            with VerticalScroll(id="knobs", can_focus=False):
                if self._asked.introduction:
                    yield Static(self._asked.introduction, classes="introduction", markup=False)
                if self._asked.several and len(self._subjects) > 1:
                    for number, subject in enumerate(self._subjects):
                        yield self._chooser(number, subject)
                for name, knob in knobs_of(self._asked).items():
                    yield Control(knob, getattr(self._start, name), self._asked.suggestions(name))
            yield Static(id="about", markup=False)
            yield Static(id="command", markup=False)
            yield Static(id="refusal", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Start", id="start", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """The command line of what is there at the beginning; the first knob has the focus."""
        self._refresh_order()
        self.query(Control).first().query_one(".value").focus()

    def on_resize(self, event: events.Resize) -> None:
        """The knobs scroll where the lines around them leave too little room."""
        self.query_one("#knobs").styles.max_height = max(LEAST_KNOBS, event.size.height - AROUND)

    @on(events.DescendantFocus)
    def _explain(self, event: events.DescendantFocus) -> None:
        """What the knob with the focus is for, in full."""
        control = event.widget.parent
        self.query_one("#about", Static).update(visible(control.about) if isinstance(control, Control) else "")

    @property
    def chosen(self) -> tuple[Subject, ...]:
        """The designs that it will be about."""
        boxes = self.query(".subject").results(Checkbox)
        marked = [box.value for box in boxes] or [True]
        return tuple(subject for subject, is_in in zip(self._subjects, marked, strict=False) if is_in)

    def action_begin(self) -> None:
        """Answer with the order, where there is one; otherwise go to what stands in its way."""
        if self._order is not None:
            self.dismiss(self._order)
            return
        refused = self.query("Control.refused")
        if refused:
            refused.first().query_one(".value").focus()

    @on(Button.Pressed, "#start")
    def _start_pressed(self) -> None:
        self.action_begin()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @on(Control.Changed)
    @on(Checkbox.Changed, ".subject")
    def _refresh_order(self) -> None:
        """The order of what is there now: shown as a command line, or why there is none."""
        try:
            self._order, refusal = self._ordered(), ""
        except ConvlabError as error:
            problem = error.problems[0]
            self._order, refusal = None, f"{problem.message}: {problem.help}" if problem.help else problem.message
        command, told = self.query_one("#command", Static), self.query_one("#refusal", Static)
        command.display, told.display = self._order is not None, self._order is None
        if self._order is not None:
            command.update(visible(f"$ {self._order.shown}" + UNSAID * (not self._order.said)))
        told.update(visible(refusal))
        self.query_one("#start", Button).disabled = self._order is None

    def _ordered(self) -> Order:
        """Raises ConvlabError for the first thing that is refused."""
        values: dict[str, Any] = {}
        for control in self.query(Control):
            if isinstance(control.taken, Refused):
                raise ConvlabError(_problem(control))
            values[control.knob.name] = control.taken
        return self._asked(**values).order(self.chosen, self._usual)

    def _chooser(self, number: int, subject: Subject) -> Horizontal:
        mark = Mark(f"{subject.name} ({subject.title})", number == 0, compact=True, classes="subject")
        return Horizontal(Static("" if number else "designs", classes="name"), mark, classes="subjects")


def _problem(control: Control) -> Problem:
    refused: Refused = control.taken
    return Problem(refused.code, f"{control.knob.name.replace('_', ' ')} is {bounds(control.knob)}")
