"""Jobs: what runs in workers and what has run, as frozen states that events turn into other states, and the holder of their processes."""

from __future__ import annotations

import dataclasses
import itertools
import math
import shlex
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias, final

from convlab.errors import ConvlabError, Problem
from convlab.progress import Progress
from convlab.runs.provenance import COMMAND
from convlab.tui.forms.order import Order
from convlab.views.job_notes import notes_of
from convlab.workers import Begun, Ended, Event, Noted, Told, Worker

Curve: TypeAlias = tuple[tuple[float, float, float], ...]
"""Step, loss of the last step, accuracy on the validation split (NaN before it is looked at)."""

MOST_POINTS: Final = 2000
"""Points of a curve, after which it is thinned: no screen has so many columns."""

GRACE_S: Final = 20.0
"""What is cancelled has so long to put away what it has."""

CLOSING_S: Final = 5.0
"""What still runs when the app ends has so long; it writes its checkpoint in less than a second."""

_KEPT_OPTIONS: Final = ("--device", "--store")
"""Options that a training is resumed with; all others are those that it was begun with."""


@final
@dataclass(frozen=True)
class JobState:
    """A job as it stands."""

    id: str
    kind: str
    """The command: bench, train, export, ..."""
    title: str
    argv: tuple[str, ...]
    progress: Progress | None = None
    curves: Mapping[tuple[str, int], Curve] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    """By design and seed, in the order in which they were begun."""
    notes: tuple[Noted, ...] = ()
    result: Mapping[str, Any] | None = None
    error: tuple[Problem, ...] = ()
    tail: str = ""
    """The last lines of what the process said besides; a crash's message."""
    running: bool = True
    stopping: bool = False
    """Whether it was asked to stop."""
    run: str = ""
    """The run of the store, where there is one."""
    folder: str = ""
    """Where a training's checkpoints go."""
    about: str = ""
    """What is done, where the title does not say it all: of a training which proxies."""
    command: str = ""
    """The command line that does the same in any shell, which the run is stored with; empty where only files can say the designs."""

    @property
    def status(self) -> str:
        """In a word: running, stopping, done, stopped or failed."""
        if self.running:
            return "stopping" if self.stopping else "running"
        return "stopped" if self.stopping else "failed" if self.error else "done"

    @property
    def resumable(self) -> bool:
        """Whether it is a training that was broken off, with something to go on with."""
        return self.kind == "train" and self.status in ("stopped", "failed") and bool(self.folder)


def after(state: JobState, event: Event) -> JobState:
    """The state after an event."""
    match event:
        case Begun():
            return dataclasses.replace(state, run=event.run, folder=event.folder, about=event.about or state.about)
        case Told(progress):
            return dataclasses.replace(state, progress=progress, curves=_drawn_on(state.curves, progress))
        case Noted():
            return dataclasses.replace(state, notes=(*state.notes, event))
        case Ended():
            return _ended(state, event)


def cancelled(state: JobState) -> JobState:
    """The state when it has been asked to stop."""
    return dataclasses.replace(state, stopping=True) if state.running else state


def resumed(state: JobState) -> JobState:
    """The state of a training that goes on: its curves go on too, from where the last checkpoint was."""
    assert state.resumable
    pairs = itertools.pairwise(state.argv)
    options = [word for option, value in pairs if option in _KEPT_OPTIONS for word in (option, value)]
    argv = ("convlab", "train", "--resume", state.folder, *options)
    return JobState(
        state.id,
        state.kind,
        state.title,
        argv,
        progress=state.progress,
        curves=state.curves,
        folder=state.folder,
        about=state.about,
        command=shlex.join(argv),
    )


def _ended(state: JobState, ended: Ended) -> JobState:
    told = [Noted(note.message, note.help, note.path) for note in notes_of(ended.result or {})]
    fresh = tuple(note for note in told if note not in state.notes)
    stopped = state.stopping or ended.code == 130
    error = () if stopped and ended.signal else ended.error  # it was we who ended it
    return dataclasses.replace(
        state,
        running=False,
        stopping=stopped,
        result=ended.result,
        error=error,
        tail=ended.tail,
        notes=(*state.notes, *fresh),
    )


def _drawn_on(curves: Mapping[tuple[str, int], Curve], progress: Progress) -> Mapping[tuple[str, int], Curve]:
    """The curves with a point more. A resumed training goes back to its last checkpoint: what came after is drawn anew."""
    name, _, seed = progress.subject.rpartition("#")
    step, loss = progress.figures.get("step"), progress.figures.get("loss")
    if not name or not seed.isdecimal() or step is None or loss is None:
        return curves
    point = (step, loss, progress.figures.get("accuracy", math.nan))
    key = (name, int(seed))
    before = tuple(each for each in curves.get(key, ()) if each[0] < step)
    return MappingProxyType({**curves, key: _thinned((*before, point))})


def _thinned(curve: Curve) -> Curve:
    """The curve, of its older points every second one where it has too many."""
    return curve if len(curve) <= MOST_POINTS else (*curve[0:-1:2], curve[-1])


@final
@dataclass
class _Running:
    """A job, its worker, and the folder of its designs, where some are in no file of their own."""

    state: JobState
    folder: Path | None = None
    worker: Worker | None = None
    patience: threading.Timer | None = None


@final
class Jobs:
    """The jobs of an app. ``changed`` is called with a job's id whenever ``states`` holds a new one of it, in whatever thread that comes
    about: post a message there."""

    def __init__(self, changed: Callable[[str], object], *, grace_s: float = GRACE_S):
        self._changed = changed
        self._grace_s = grace_s
        self._jobs: dict[str, _Running] = {}
        self._lock = threading.RLock()
        self._closed = False

    @property
    def states(self) -> tuple[JobState, ...]:
        """All jobs, in the order in which they were begun."""
        with self._lock:
            return tuple(job.state for job in self._jobs.values())

    @property
    def running(self) -> tuple[JobState, ...]:
        """Those at work."""
        return tuple(state for state in self.states if state.running)

    def start(self, order: Order) -> JobState:
        """Begin what is ordered. Raises ConvlabError where it cannot be begun."""
        folder = _folder()
        try:
            argv = order.argv(folder)
            command = order.shown if order.said else ""
            state = JobState(self._next_id, order.kind, order.title, argv, command=command)
            return self._begin(_Running(state, folder))
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise _unwritable(folder, error) from None
        except ConvlabError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def resume(self, id: str) -> JobState:
        """Go on with a training that was broken off, in the same job. Raises ConvlabError where it cannot be begun."""
        job = self._jobs[id]
        return self._begin(_Running(resumed(job.state), job.folder))

    def resume_run(self, run: str, *, title: str) -> JobState:
        """Go on with a training of the store that was broken off, as a job of its own. Raises ConvlabError where it cannot be begun."""
        argv = ("convlab", "train", "--resume", run)
        return self._begin(_Running(JobState(self._next_id, "train", title, argv, command=shlex.join(argv))))

    @property
    def _next_id(self) -> str:
        return str(len(self._jobs) + 1)

    def cancel(self, id: str) -> None:
        """Have a job stop as by Ctrl-C, so that it keeps what it has; what does not stop in time is ended."""
        job = self._jobs[id]
        if job.worker is None or not job.worker.running:
            return
        self._become(job, cancelled)
        job.worker.interrupt()
        if job.patience is None:
            job.patience = threading.Timer(self._grace_s, job.worker.terminate)
            job.patience.daemon = True
            job.patience.start()

    def stop(self) -> None:
        """Ask all to stop, as when the app ends, and wait for none. Nothing is told of it any more."""
        self._closed = True
        for job in self._jobs.values():
            if job.worker is not None:
                job.worker.interrupt()

    def close(self, within_s: float = CLOSING_S) -> None:
        """Stop all, wait for them, and end what does not stop in time. After the app: it takes as long as a checkpoint does."""
        self.stop()
        workers = [job.worker for job in self._jobs.values() if job.worker is not None]
        until = time.monotonic() + within_s
        for worker in workers:
            if not worker.wait(max(0.0, until - time.monotonic())):
                worker.terminate()
                worker.wait(within_s)
        for job in self._jobs.values():
            self._tidy(job)

    def _begin(self, job: _Running) -> JobState:
        with self._lock:  # its first events wait until it is among the jobs
            told = {COMMAND: job.state.command} if job.state.command else {}
            job.worker = Worker.start(job.state.argv, on=lambda event: self._hear(job, event), environment=told)
            self._jobs[job.state.id] = job
            state = job.state
        self._changed(state.id)
        return state

    def _hear(self, job: _Running, event: Event) -> None:
        if isinstance(event, Ended):
            self._tidy(job)  # who hears of the end finds no temporary file
        self._become(job, lambda state: after(state, event))

    def _become(self, job: _Running, turn: Callable[[JobState], JobState]) -> None:
        with self._lock:
            job.state = turn(job.state)
        if not self._closed:
            self._changed(job.state.id)

    def _tidy(self, job: _Running) -> None:
        if job.patience is not None:
            job.patience.cancel()
        if job.folder is not None:
            shutil.rmtree(job.folder, ignore_errors=True)


def _folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="convlab-"))
    except OSError as error:
        raise _unwritable(Path(tempfile.gettempdir()), error) from None


def _unwritable(folder: Path, error: OSError) -> ConvlabError:
    message = f"the design cannot be written into {folder}: {error.strerror}"
    return ConvlabError(Problem("unreadable-file", message, help="make room there, or set TMPDIR"), exit_code=2)
