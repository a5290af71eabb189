"""The runs panel: the store's runs to filter, show, compare and delete. A store that cannot be read is a message here."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar, final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.worker import Worker, WorkerState

from convlab.errors import ConvlabError, Problem
from convlab.tui.drawing.picture import Picture, Size, Span, clipped, wrapped
from convlab.tui.drawing.sheet import Sheet
from convlab.tui.panels import stored
from convlab.tui.panels.panel import Panel, Shown
from convlab.tui.panels.pictures.runs import below, listing_picture, problem_lines, sheets_picture
from convlab.tui.panels.stored import Listing, Sheets

Result = TypeVar("Result")


@final
class RunsPanel(Panel):
    """The list of runs, and behind it a run in full or several compared."""

    title = "Runs"
    key = "runs"
    help = (
        "The runs of the store. Enter shows one, Escape goes back; / filters; Space marks, v compares the marked ones; Delete marks a "
        "run for removal, z takes that back; r reloads the list; R goes on with a training that was broken off."
    )
    DEFAULT_CSS = """
    RunsPanel { layout: vertical; }
    RunsPanel > Input { display: none; height: 1; border: none; padding: 0; }
    RunsPanel > Input.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("v", "compare", "Compare", show=False),
        Binding("delete", "delete", "Delete", show=False),
        Binding("z", "restore", "Take back", show=False),
        Binding("r", "reload", "Reload", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.sheet = Sheet(self._picture)
        self.input = Input(placeholder="filter by name, kind, status, id", select_on_focus=False, compact=True)
        self.listing: Listing | None = None
        self.sheets: Sheets | None = None
        self.problems: tuple[Problem, ...] = ()
        self.marked: tuple[str, ...] = ()
        self.deleted: tuple[str, ...] = ()
        self._jobs = -1
        self._run = ""
        """Where the cursor was when something was shown in the list's place."""

    def compose(self) -> ComposeResult:
        """The filter, which comes when it is asked for, and the sheet."""
        yield self.input
        yield self.sheet

    @property
    def chosen(self) -> str:
        """The run that is shown in full, or under the cursor; "" for none."""
        return self._run if self.sheets is not None else self.sheet.pointed

    def show(self, shown: Shown) -> None:
        """Read the store, at first and when a job has ended."""
        ended = sum(not job.running for job in shown.jobs)
        if ended != self._jobs:
            self._jobs = ended
            self.action_reload()

    def action_reload(self) -> None:
        """Read the list anew."""
        self._in_thread(stored.listed)

    def action_filter(self) -> None:
        """Show the filter and write in it."""
        self.action_back()
        self.input.add_class("-shown")
        self.input.focus()

    def action_mark(self) -> None:
        """Mark the run under the cursor for comparing, or no longer."""
        run = self.sheet.pointed
        if run and self.sheets is None:
            self.marked = tuple(one for one in self.marked if one != run) if run in self.marked else (*self.marked, run)
            self.sheet.redraw()

    def action_compare(self) -> None:
        """The marked runs side by side; with one of them, that and the one under the cursor."""
        chosen = tuple(dict.fromkeys((*self.marked, self.sheet.pointed) if len(self.marked) < 2 else self.marked))
        if len([run for run in chosen if run]) > 1:
            self._in_thread(lambda: stored.compared(chosen))
        else:
            self.notify("Mark two runs with Space, then v.", timeout=3)

    def action_delete(self) -> None:
        """Mark the run under the cursor for removal; z takes it back."""
        run = self.sheet.pointed
        if run and self.sheets is None:
            self.deleted = (run,)
            self._in_thread(lambda: _then_listed(lambda: stored.delete((run,))))

    def action_restore(self) -> None:
        """Take the last removal back."""
        if runs := self.deleted:
            self.deleted = ()
            self._in_thread(lambda: _then_listed(lambda: stored.restore(runs)))

    def action_back(self) -> None:
        """From a run to the list, from a filtered list to the whole one."""
        if self.sheets is None:
            self.input.value = ""
        self.sheets = None
        self.input.remove_class("-shown")
        self.sheet.focus()
        self.sheet.redraw()
        self.sheet.point(self._run)

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self.sheet.redraw()

    @on(Input.Submitted)
    def _filtered(self, event: Input.Submitted) -> None:
        event.stop()
        self.sheet.focus()

    @on(Sheet.Chosen)
    def _choose(self, event: Sheet.Chosen) -> None:
        event.stop()
        if self.sheets is None:
            run = event.key
            self._in_thread(lambda: stored.in_full(run))

    @on(Worker.StateChanged)
    def _read(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.state is WorkerState.ERROR:
            self.problems = _problems(event.worker.error)
        elif event.state is WorkerState.SUCCESS:
            self.problems = ()
            if isinstance(event.worker.result, Listing):
                self.listing = event.worker.result
            else:
                self.sheets, self._run = event.worker.result, self.sheet.pointed or self._run
                self.sheet.scroll_home(animate=False)
        else:
            return
        self.sheet.redraw()

    def _in_thread(self, work: Callable[[], Result]) -> None:
        self.run_worker(work, thread=True, exclusive=True, exit_on_error=False)

    def _picture(self, size: Size, pointed: str) -> Picture:
        told = problem_lines(self.problems, size.width)
        if self.sheets is not None:
            return below(told, sheets_picture(self.sheets, size))
        if self.listing is None:
            return Picture(told or wrapped("Reading the store ...", size.width, "muted"))
        found = listing_picture(self.listing, self.input.value, self.marked, size)
        for run in () if self.problems else self.deleted:
            told += ((Span(clipped(f"z takes the removal of {run} back", size.width), "warning"),),)
        return below(told, found)


def _problems(error: BaseException | None) -> tuple[Problem, ...]:
    """What to say of an error; one that nobody foresaw is named, and the lab goes on."""
    if isinstance(error, ConvlabError):
        return error.problems
    return (Problem("store-failed", f"the store could not be read: {type(error).__name__}: {error}"),)


def _then_listed(work: Callable[[], None]) -> Listing:
    work()
    return stored.listed()
