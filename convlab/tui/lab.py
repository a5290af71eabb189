"""The lab: the one screen, over one session. It pours the session into its widgets and hands what a person asks for to the deeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static, TextArea

from convlab.costs import Profile, profile
from convlab.errors import ConvlabError
from convlab.language.design import Design
from convlab.session import Session
from convlab.session.walking import Step, step_of
from convlab.tui.actions import bindings
from convlab.tui.cards import CardStrip
from convlab.tui.deeds import DEEDS, SOMETIMES, ask, available
from convlab.tui.deeds.editing import typed
from convlab.tui.drawing.picture import shortened
from convlab.tui.grid import DesignGrid
from convlab.tui.headline import banner, card_row, headline
from convlab.tui.knob_line import KnobLine
from convlab.tui.panels.panel import Asked, LayerChosen, Shown, TextWritten, Turned
from convlab.tui.panes import Panes
from convlab.tui.prompt import Prompt
from convlab.views.grid import grid

if TYPE_CHECKING:
    from convlab.tui.app import LabApp

LEAST = (60, 15)
"""Below this nothing is legible."""

BANNER_LINES, BANNER_MARGIN = 2, 2
"""As the style sheet has them."""


@final
class Lab(Screen[None]):
    """The session, what is shown of it, and what a person does."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(), Binding("escape", "to_grid", "Back to the grid", show=False)]

    app: LabApp

    def __init__(self, session: Session, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.session = session
        self.walking = False
        """Whether the banner of the walk is shown where the design stands on it."""
        self.chosen = ""
        """What is selected, for panels."""
        self.measured: dict[str, Design] = {}
        """The designs that jobs measured, by the job's id."""
        self.last_command: tuple[str, ...] | None = ()
        """The command line of the last deed, () where it was an edit, None where no command line does the same."""
        self._problems = problems
        self._spoken_at: tuple[int, str] | None = None
        """Where the cursor stood when something else than its knob was put into the line under the panes."""
        self._available: tuple[str, ...] = ()
        self._profiles: dict[int, tuple[object, Profile]] = {}

    def compose(self) -> ComposeResult:
        """Title, cards, banner, panes, the line of the knob, the prompt, the footer."""
        yield Static(id="title", markup=False)
        yield CardStrip(id="cards")
        yield Static(id="banner", markup=False)
        yield Panes(id="panes")
        yield KnobLine(id="knob")
        yield Prompt(id="prompt")
        yield Footer(compact=True)
        yield Static(id="small", markup=False)

    def on_mount(self) -> None:
        """Begin at the grid, with the first panel beside it."""
        self.query_one(Prompt).display = False
        self.grid.begin = self._begin
        self.grid.typed_ahead = self.query_one(Prompt).typed_ahead
        self.grid.focus()
        self.go(self.session)
        self.grid.select("stages.0.depth")
        self.mend()
        for problem in self._problems:
            self.notify(problem, severity="warning", timeout=10, markup=False)

    def mend(self) -> None:
        """Where the file is no design yet: see its text, and where it is wrong."""
        if self.session.broken is None:
            return
        self.panes.choose("source")
        self.panes.focus_tab()

    # What is shown

    def go(self, session: Session) -> None:
        """Take another session, and show it."""
        self.session = session
        self.last_command = ()
        self._spoken_at = None
        shown = self.shown()
        before = len(self.grid.grid.rows)
        self.grid.grid = grid(shown.profile, session.baseline)
        if len(self.grid.grid.rows) != before:
            self.grid.refresh(layout=True)
            self.panes.lay_out()
        self.show_figures(shown)
        self.panes.show(shown)
        self._moved()  # what was said of the session before holds no longer
        self._refresh_keys()

    def show_figures(self, shown: Shown) -> None:
        """Title, cards and banner."""
        step, line = self.step, self.query_one("#banner", Static)
        self.query_one("#title", Static).update(headline(shown, step), layout=False)
        self.query_one(CardStrip).cards = card_row(shown, self.app.calibration, self.measured)
        text = banner(shown, step, save=self.app.key_of("save"))
        line.display = bool(text)
        if text:
            room = self.size.width - BANNER_MARGIN
            line.update(shortened(text, room, BANNER_LINES))

    @property
    def step(self) -> Step | None:
        """The step of the walk that the design is; None beside the walk, and for who has not set out on it."""
        return step_of(self.session.design) if self.walking else None

    def shown(self) -> Shown:
        """What there is to show."""
        session = self.session
        designs = (session.design, session.baseline, *session.pinned)
        found = [self._profile(design) for design in designs]
        self._profiles = {id(one): (one, each) for one, each in zip(designs, found, strict=True)}
        return Shown(session, found[0], found[1], tuple(found[2:]), self.chosen, self.app.job_states)

    def jobs_changed(self) -> None:
        """Something that runs has told something."""
        shown = self.shown()
        self.show_figures(shown)
        self.panes.show(shown)
        self._refresh_keys()

    def _refresh_keys(self) -> None:
        """Dim what has nothing to do; the footer is made anew then, which takes longer than everything else."""
        now = tuple(name for name in DEEDS if available(self, name))
        if now != self._available:
            self._available = now
            self.refresh_bindings()

    def _profile(self, design: object) -> Profile:
        """The costs of a design, those of the baseline and of pinned ones once."""
        known = self._profiles.get(id(design))
        return known[1] if known is not None and known[0] is design else profile(design)  # type: ignore[arg-type]

    # What a person does

    def action_do(self, name: str) -> None:
        """Do what an action says; what is refused is told, and nothing changes."""
        self.attempt(lambda: DEEDS[name](self))

    def attempt(self, deed: Callable[[], None]) -> None:
        """Do something; what is refused is told, and nothing changes. What was said of the deed before goes."""
        self._hush()
        try:
            deed()
        except ConvlabError as error:
            self._spoken_at = self.grid.row, self.grid.column
            self.query_one(KnobLine).refuse(error)

    def say(self, words: str) -> None:
        """Something in the line under the panes, until the cursor moves or the design changes."""
        self._spoken_at = self.grid.row, self.grid.column
        self.query_one(KnobLine).say(words)

    def unsay(self, words: str) -> None:
        """Take words back from the line under the panes, where they still stand."""
        if str(self.query_one(KnobLine).content) == words:
            self._hush()

    def _hush(self) -> None:
        """The knob under the cursor again in the line under the panes, where something else was said there."""
        cell = self.grid.cell
        if self._spoken_at is not None and cell is not None:
            self._spoken_at = None
            self.query_one(KnobLine).show(cell)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Actions that have nothing to do are dimmed."""
        if action != "do" or not parameters:
            return True
        return True if available(self, str(parameters[0])) else None

    def action_to_grid(self) -> None:
        """Back to the grid."""
        self.panes.to_grid()

    def turn(self, path: str, value: object) -> None:
        """Turn a knob. Raises ConvlabError."""
        self.go(self.session.turned(path, value))

    @property
    def panes(self) -> Panes:
        """The grid and the panels."""
        return self.query_one(Panes)

    @property
    def grid(self) -> DesignGrid:
        """The grid."""
        return self.panes.grid

    def on_resize(self, event: events.Resize) -> None:
        """Panes for the new room, or a polite word."""
        width, height = event.size
        self.set_class(width < LEAST[0] or height < LEAST[1], "-small")
        self.query_one("#small", Static).update(
            f"convlab needs {LEAST[0]} x {LEAST[1]} characters; this is {width} x {height}.\nMake the window larger, or q quits."
        )
        self.panes.lay_out()
        if self.query_one("#banner", Static).display:
            self.show_figures(self.shown())

    # What widgets tell

    def on_key(self, event: events.Key) -> None:
        """The key of an action that is dimmed, which no binding takes: the action says why it has nothing to do."""
        for name in SOMETIMES:
            if event.key in self.app.keys_for(name) and not available(self, name):
                self.action_do(name)

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        if event.text_area.has_focus:  # not where the text follows the design
            self._hush()

    @on(DesignGrid.Moved)
    def _moved(self) -> None:
        cell = self.grid.cell
        if cell is not None and self._spoken_at != (self.grid.row, self.grid.column):
            self._spoken_at = None
            self.chosen = self.grid.here.path
            self.query_one(KnobLine).show(cell)

    @on(DesignGrid.Edited)
    def _edited(self, event: DesignGrid.Edited) -> None:
        self._begin(event.seed)

    def _begin(self, seed: str) -> None:
        if self.grid.cell is not None:
            self.query_one(Prompt).ask(self.grid.cell, seed)

    @on(Prompt.Entered)
    def _entered(self, event: Prompt.Entered) -> None:
        prompt = self.query_one(Prompt)
        try:
            typed(self, event.path, event.text)
        except ConvlabError as error:
            prompt.refuse(error)
        else:
            prompt.close()
            self.grid.focus()

    @on(Prompt.Left)
    def _left(self) -> None:
        self.grid.focus()

    @on(Turned)
    def _turned(self, event: Turned) -> None:
        self.attempt(lambda: self.turn(event.path, event.value))

    @on(TextWritten)
    def _written(self, event: TextWritten) -> None:
        self.attempt(lambda: self.go(self.session.written(event.text)))

    @on(LayerChosen)
    def _layer_chosen(self, event: LayerChosen) -> None:
        self.chosen = event.path
        parts = event.path.split(".")
        any(self.grid.select(".".join(parts[:length])) for length in range(len(parts), 0, -1))

    @on(Asked)
    def _asked(self, event: Asked) -> None:
        name, _, about = event.action.partition(" ")
        self.attempt(lambda: ask(self, name, about))
