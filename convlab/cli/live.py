"""Progress on stderr: one line that is written anew on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, TextIO, final

from convlab.cli.terminal import is_terminal
from convlab.errors import visible

if TYPE_CHECKING:
    from convlab.progress import Progress

EVERY_S = 10.0
"""How often a line is written where nobody is looking."""

FRAME_S = 0.1
"""How often the line is written anew where somebody is."""


@final
class Live:
    """Shows progress; ``close`` takes the line away."""

    def __init__(self, stream: TextIO | None = None, *, silent: bool = False):
        self._stream = sys.stderr if stream is None else stream
        self._terminal = is_terminal(self._stream)
        self._silent = silent
        self._last = 0.0 if self._terminal else time.monotonic()
        self._shown = False

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._silent or now - self._last < (FRAME_S if self._terminal else EVERY_S):
            return
        self._last = now
        text = visible(line(progress))
        if not self._terminal:
            print(text, file=self._stream, flush=True)
            return
        room = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[2K{text if len(text) <= room else text[: room - 1] + '…'}")
        self._stream.flush()
        self._shown = True

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = False


def line(progress: Progress) -> str:
    """Progress in a line: how far, how long it may take, of what."""
    if progress.figures:
        return _training_line(progress)
    count = f"{progress.done}" if progress.total is None else f"{progress.done}/{progress.total}"
    left = "" if progress.remaining_s is None else f", at most {duration(progress.remaining_s)} left"
    return f"{count:>4}  {duration(progress.elapsed_s)}{left}  {progress.what}"


def _training_line(progress: Progress) -> str:
    """Progress of trainings: the share that is done, the rest by the rate so far, and how well the network does."""
    share = f"{100 * progress.done / progress.total:3.0f} %  " if progress.total else ""
    left = "" if progress.remaining_s is None else f"about {duration(progress.remaining_s)} left  "
    accuracy = progress.figures.get("accuracy")
    judged = "" if accuracy is None else f", accuracy {100 * accuracy:.1f} %"
    return f"{share}{left}{progress.what}{judged}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
