"""Progress on stderr, as the setting ``progress`` says: one line that is written anew on a terminal, a line now and then, or JSON."""

from __future__ import annotations

import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO, final

from convlab.cli.interrupts import interrupts
from convlab.cli.terminal import is_terminal
from convlab.errors import visible
from convlab.progress import Progress, Result, Work, finished

if TYPE_CHECKING:
    from pathlib import Path

    from convlab.cli.bench_run import Keeping
    from convlab.cli.output import Output
    from convlab.views.notes import Note
    from convlab.workers.lines import Heard

EVERY_S = 10.0
"""How often a line is written where nobody is looking."""

FRAME_S = 0.1
"""How often the line is written anew where somebody is, or JSON where a program listens."""


def watched(output: Output, work: Work[Result]) -> Result:
    """The result of a long verb, its progress shown on stderr where somebody wants it."""
    interrupts.settle()
    with live(output) as show:
        return finished(work, show)


@contextmanager
def live(output: Output) -> Iterator[Live]:
    """What shows progress while a command is at work."""
    shown = _shown(output)
    try:
        yield shown
    finally:
        shown.close()


def begun(output: Output, kept: Keeping, folder: Path | None = None, *, about: str = "") -> None:
    """Tell a listening program what begins and where the results go, so that it finds them whatever happens; people read it at the end."""
    if output.progress == "json":
        run = "" if kept.recorder is None else kept.recorder.id
        from convlab.workers.events import Begun

        _tell(Begun(run, kept.place, "" if folder is None else str(folder), about), sys.stderr)


def noted(notes: Sequence[Note]) -> None:
    """Tell a listening program what a reader should know."""
    from convlab.workers.events import Noted

    for note in notes:
        _tell(Noted(note.message, note.help, note.path), sys.stderr)


class Live(ABC):
    """Shows progress; ``close`` takes away what need not stay."""

    @abstractmethod
    def __call__(self, progress: Progress) -> None:
        """Show how far the work is; often enough, not every time."""

    @abstractmethod
    def step(self, what: str) -> None:
        """Show what is done now, in work of few steps."""

    def close(self) -> None:  # noqa: B027  # what prints whole lines has nothing to take away
        """Take the line away."""


@final
class Silence(Live):
    """Shows nothing."""

    def __call__(self, progress: Progress) -> None:
        pass

    def step(self, what: str) -> None:
        pass


@final
class OneLine(Live):
    """One line of a terminal, written anew."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._last = 0.0
        self._shown = False

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= FRAME_S:
            self._last = now
            self._write(line(progress))

    def step(self, what: str) -> None:
        self._write(f"{what} ...")

    def close(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = False

    def _write(self, text: str) -> None:
        text, room = visible(text), shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[2K{text if len(text) <= room else text[: room - 1] + '…'}")
        self._stream.flush()
        self._shown = True


@final
class Lines(Live):
    """A line now and then."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= EVERY_S:
            self._last = now
            print(visible(line(progress)), file=self._stream, flush=True)

    def step(self, what: str) -> None:
        """Nothing: the end is a line of its own, and soon there."""


@final
class JsonLines(Live):
    """JSON objects, one a line; each that holds figures, since curves are made of them, and of the others some a second."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._began = time.monotonic()
        self._last = 0.0
        self._steps = 0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.figures or now - self._last >= FRAME_S:
            self._last = now
            self._write(progress)

    def step(self, what: str) -> None:
        self._write(Progress(self._steps, None, what, time.monotonic() - self._began))
        self._steps += 1

    def _write(self, progress: Progress) -> None:
        from convlab.workers.events import Told

        _tell(Told(progress), self._stream)


def line(progress: Progress) -> str:
    """Progress in a line: how far, how long it may take, of what."""
    if progress.figures:
        return _training_line(progress)
    count = f"{progress.done}" if progress.total is None else f"{progress.done}/{progress.total}"
    left = "" if progress.remaining_s is None else f", at most {duration(progress.remaining_s)} left"
    return f"{count:>4}  {duration(progress.elapsed_s)}{left}  {progress.what}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _tell(event: Heard, stream: TextIO) -> None:
    from convlab.workers.lines import line_of

    with suppress(OSError):  # nobody listens any more, or the disk is full: neither shall end the work
        print(line_of(event), file=stream, flush=True)


def _shown(output: Output) -> Live:
    how, stream = output.progress, sys.stderr
    if how == "auto":
        how = "line" if is_terminal(stream) else "none" if output.as_json else "lines"
    if how == "json":
        return JsonLines(stream)
    if how == "lines":
        return Lines(stream)
    return OneLine(stream) if how == "line" else Silence()


def _training_line(progress: Progress) -> str:
    """Progress of trainings: the share that is done, the rest by the rate so far, and how well the network does."""
    share = f"{100 * progress.done / progress.total:3.0f} %  " if progress.total else ""
    left = "" if progress.remaining_s is None else f"about {duration(progress.remaining_s)} left  "
    accuracy = progress.figures.get("accuracy")
    judged = "" if accuracy is None else f", accuracy {100 * accuracy:.1f} %"
    return f"{share}{left}{progress.what}{judged}"
