"""The application: themes, keys and what is remembered of them, the jobs that run, and the screen to begin with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from convlab.errors import ConvlabError, Problem
from convlab.session import Session, opened_draft
from convlab.tui.actions import ACTIONS, action, key_text
from convlab.tui.deeds.working import RUNS
from convlab.tui.dialogs.picker import Picker
from convlab.tui.jobs import Jobs, JobState
from convlab.tui.lab import Lab
from convlab.tui.remembered import Remembered, recall, remember
from convlab.tui.themes import THEMES
from convlab.views.live_learning import outcome

if TYPE_CHECKING:
    from convlab.prediction import Calibration

REDRAW_S = 0.2
"""What jobs tell is drawn at most so often."""


@final
class LabApp(App[None]):
    """``convlab tui``. Without a session it asks for a preset first; ``theme`` holds for this time; one that is chosen is remembered."""

    TITLE = "convlab"
    CSS_PATH = "lab.tcss"
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True

    class JobChanged(Message):
        """A job has told something."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    def __init__(self, session: Session | None = None, *, folder: Path, theme: str = "") -> None:
        super().__init__()
        self._session = session
        self._problems: tuple[str, ...] = ()
        self._remembered, told = recall(folder)
        if told:
            self._problems += (told,)
        self._first_theme = theme or self._remembered.theme
        self.folder = folder
        """Where it is remembered."""
        self.jobs = Jobs(lambda id: self.post_message(self.JobChanged(id)))
        self._told_of: set[str] = set()
        self._redraws = False
        self.calibration: Calibration | None = None
        """What predicts speed on this device, once it was looked for."""
        for known in THEMES.values():
            self.register_theme(known)

    @property
    def job_states(self) -> tuple[JobState, ...]:
        """What runs and what ran."""
        return self.jobs.states

    @property
    def keys(self) -> dict[str, str]:
        """The keys that a person set, by action."""
        return dict(self._remembered.keymap)

    def key_of(self, name: str) -> str:
        """The keys of an action as people write them."""
        return key_text(",".join(self.keys_for(name)))

    def keys_for(self, name: str) -> list[str]:
        """The keys of an action."""
        return self._remembered.keymap.get(name, action(name).key).split(",")

    def on_mount(self) -> None:
        """Begin, and look for a calibration meanwhile."""
        self.theme = self._first_theme
        self.set_keymap(self._remembered.keymap)
        if self._session is not None:
            self.push_screen(Lab(self._session, problems=self._problems))
        else:
            self.push_screen(Picker(), self._picked)
        self.run_worker(self._look_for_calibration, thread=True, exit_on_error=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action, for the command palette."""
        if not isinstance(screen, Lab):
            return
        for item in ACTIONS:
            yield SystemCommand(
                item.title, f"{item.help} ({self.key_of(item.name)})", lambda name=item.name: screen.action_do(name)
            )
        for key in screen.panes.tabs:
            yield SystemCommand(f"Tab: {key}", "see this tab", lambda key=key: screen.panes.choose(key))

    async def action_quit(self) -> None:
        """Leave, after unsaved changes were asked about."""
        if isinstance(self.screen, Lab):
            self.screen.action_do("quit")
        elif not any(isinstance(screen, Lab) for screen in self.screen_stack):
            self.end()

    def action_help_quit(self) -> None:
        """Ctrl+C, where nothing is selected to be copied: in a terminal it ends programs, here it might end work that runs."""
        if isinstance(self.screen, Lab):
            leave, cancel = self.key_of("quit"), self.key_of("cancel")
            self.screen.say(f"Ctrl+C copies what is selected; {leave.split()[-1]} leaves, {cancel} cancels what runs.")
        else:
            self.notify("Ctrl+C copies what is selected; Esc leaves this.", markup=False)

    def end(self) -> None:
        """Ask what runs to stop, and leave."""
        self.jobs.stop()
        self.exit()

    def on_unmount(self) -> None:
        """However it ends, what runs is asked to stop; who runs the app waits for that when the screen is the terminal's again."""
        self.jobs.stop()

    def on_lab_app_job_changed(self, message: JobChanged) -> None:
        """Show it soon, five times a second at most; tell once how a job ended."""
        state = next(job for job in self.job_states if job.id == message.id)
        if state.running:
            self._told_of.discard(state.id)
        elif state.id not in self._told_of:
            self._told_of.add(state.id)
            self._tell_end(state)
        if not self._redraws:
            self._redraws = True
            self.set_timer(REDRAW_S, self._redraw)

    def _redraw(self) -> None:
        self._redraws = False
        for screen in self.screen_stack:
            if isinstance(screen, Lab):
                screen.jobs_changed()

    def _tell_end(self, state: JobState) -> None:
        if state.error:
            self.notify(f"{state.title} failed: {_first(state.error)}", severity="error", timeout=10, markup=False)
        else:
            self.notify(f"{state.title}: {outcome(state.result or {}, state.status)}.", markup=False)
        for screen in self.screen_stack:
            if isinstance(screen, Lab):
                screen.unsay(RUNS.format(state.title))

    def keep_theme(self, name: str) -> None:
        """Use a theme, and remember it."""
        self.theme = name
        self._keep(replace(self._remembered, theme=name))

    def keep_key(self, name: str, key: str) -> str:
        """Give an action another key, "" its usual one, and remember it; what stands in the way, "" where nothing does."""
        taken = self._user_of(key, name)
        if taken:
            return f"{key_text(key)} is the key of “{taken}”; choose another one."
        keymap = {other: each for other, each in self._remembered.keymap.items() if other != name}
        self._keep(replace(self._remembered, keymap=keymap | ({name: key} if key else {})))
        self.set_keymap(self._remembered.keymap)
        return ""

    def _user_of(self, key: str, name: str) -> str:
        """The title of the other action that has a key, and the digits and arrows, which edit and move."""
        if key.isdigit() or key in (
            "up",
            "down",
            "left",
            "right",
            "home",
            "end",
            "tab",
            "shift+tab",
            "escape",
            "ctrl+p",
        ):
            return "moving and editing"
        found = (
            item
            for item in ACTIONS
            if item.name != name and key and key in self._remembered.keymap.get(item.name, item.key).split(",")
        )
        return next((action(item.name).title for item in found), "")

    def _keep(self, remembered: Remembered) -> None:
        self._remembered = remembered
        try:
            remember(self.folder, remembered)
        except ConvlabError as error:
            self.notify(_first(error.problems), severity="warning", markup=False)

    def _picked(self, source: str | None) -> None:
        """Begin with what was picked; without it there is nothing to do here."""
        if source is None:
            self.exit()
            return
        try:
            session = opened_draft(source)
        except ConvlabError as error:
            self.notify(_first(error.problems), severity="error", timeout=10, markup=False)
            self.push_screen(Picker(), self._picked)
            return
        self.push_screen(Lab(session, problems=self._problems))

    def _look_for_calibration(self) -> None:
        from convlab.settings import read_settings, settings_of
        from convlab.views.predictions import calibration_here

        try:
            found = calibration_here(settings_of(read_settings()))
        except ConvlabError:  # wrong settings are told by `convlab config`; there are no predictions then
            return
        if found is not None:
            self.call_from_thread(self._calibrated, found)

    def _calibrated(self, found: Calibration) -> None:
        self.calibration = found
        self._redraw()


def _first(problems: tuple[Problem, ...]) -> str:
    problem = problems[0]
    return f"{problem.message}. {problem.label or problem.help}".strip()
