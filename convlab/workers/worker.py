"""A worker: a command of convlab in a process of its own, heard by a thread."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Final, final

from convlab.errors import ConvlabError, Problem
from convlab.workers.events import Ended, Event
from convlab.workers.lines import Heard, event_of, problems_of, result_of
from convlab.workers.orphans import INTERRUPTED, MARKS

TAIL_LINES: Final = 20
TAIL_CHARACTERS: Final = 500
"""So much of each of the last lines is kept: a library may write a megabyte without an end of line."""

LONGEST_LINE: Final = 1 << 20
"""Characters of a line, after which it is taken for two."""

LAST_WORDS_S: Final = 2.0
"""What a process started may hold its pipes open when it is gone; so long is waited for what is still in them."""

_POSIX: Final = os.name == "posix"


@final
class Worker:
    """A command that is running, or has ended. Made by ``Worker.start``; its methods may be called from any thread."""

    def __init__(self, process: subprocess.Popen[str], on: Callable[[Event], None]):
        self._process = process
        self._on = on
        self._heard: SimpleQueue[Heard | None] = SimpleQueue()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._output = ""
        self._running = True
        self._ended = threading.Event()
        self._readers = (
            threading.Thread(target=self._read_output, name="worker's result", daemon=True),
            threading.Thread(target=self._read_lines, name="worker's lines", daemon=True),
        )
        self._reaper = threading.Thread(target=self._await_end, name="worker's end", daemon=True)
        self._listener = threading.Thread(target=self._listen, name="worker", daemon=True)

    @classmethod
    def start(
        cls, argv: Sequence[str], *, on: Callable[[Event], None], environment: Mapping[str, str] | None = None
    ) -> Worker:
        """Start a command, such as ("convlab", "bench", "convnext_t"); it prints JSON whether that says so or not.

        ``on`` is called with every event, one after the other, in a thread of the worker's; ``Ended`` is the last one, and always
        comes. ``environment`` is added to this process's. Raises ConvlabError where no process can be started.
        """
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "convlab", *_as_json(argv)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=_environment(environment or {}),
                start_new_session=_POSIX,  # Ctrl-C in the parent's terminal is the parent's to pass on
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            message = f"no process could be started for the work: {error.strerror or error}"
            raise ConvlabError(Problem("worker-ended", message, help="close other programs"), exit_code=3) from None
        worker = cls(process, on)
        for thread in (*worker._readers, worker._reaper, worker._listener):
            thread.start()
        return worker

    @property
    def running(self) -> bool:
        """Whether it is at work; False from ``Ended`` on."""
        return self._running

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def interrupt(self) -> None:
        """Have it stop as by Ctrl-C: it keeps what it has, and ends with a result where there is one."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def terminate(self) -> None:
        """End it at once. What it stored and saved before is there, and a training can be resumed."""
        if self.running:
            self._process.kill()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until ``Ended`` has been heard; False where that does not come in time."""
        return self._ended.wait(timeout_s)

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            self._output = output.read()

    def _read_lines(self) -> None:
        """Read at once what is told, however long whoever listens takes: the process shall not wait for that."""
        assert self._process.stderr is not None
        with self._process.stderr as told:
            while line := told.readline(LONGEST_LINE):
                event = event_of(line)
                if event is not None:
                    self._heard.put(event)
                elif words := line.rstrip():
                    self._tail.append(words[:TAIL_CHARACTERS])

    def _await_end(self) -> None:
        """Wait for the end of the process and of those that it started."""
        _reap(self._process)
        for reader in self._readers:
            reader.join(LAST_WORDS_S)
        self._heard.put(None)

    def _listen(self) -> None:
        """Pass on what is heard, one after the other, and the end last; who fails to listen ends the process."""
        try:
            while (event := self._heard.get()) is not None:
                self._on(event)
        finally:
            self.terminate()
            self._reaper.join()
            self.interrupt()
            self._running = False
            try:
                self._on(self._end())
            finally:
                self._ended.set()

    def _end(self) -> Ended:
        code = self._process.returncode
        tail = "\n".join(list(self._tail))  # at once: something that it started may still be writing
        result = result_of(self._output)
        error = () if result is None else problems_of(result)
        if error:
            return Ended(code, None, error, tail)
        if result is None and code not in (0, INTERRUPTED):
            return Ended(code, None, (_silent(Ended(code)),), tail)
        return Ended(code, result, (), tail)


def _as_json(argv: Sequence[str]) -> list[str]:
    """The arguments of the command line, without the program's name, with ``--json`` before any that are no options."""
    words = list(argv[1:] if argv and argv[0] == "convlab" else argv)
    options = words[: words.index("--")] if "--" in words else words
    return words if "--json" in options else [*options, "--json", *words[len(options) :]]


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's variables, those of a worker, and a path on which it finds the same convlab."""
    root = Path(__file__).parents[2]
    found = {**os.environ, **more, **MARKS, "NO_COLOR": "1", "CONVLAB_COLOR": "never", "PYTHONIOENCODING": "utf-8"}
    if root.name not in ("site-packages", "dist-packages"):  # a checkout
        found["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [found.get("PYTHONPATH")])])
    return found


def _reap(process: subprocess.Popen[str]) -> None:
    """Wait for the process, and end what it started and left behind: while it is a zombie its number is that of its group only."""
    if _POSIX and hasattr(os, "waitid"):
        with contextlib.suppress(OSError):  # also where this process ignores the ends of others, and none is told
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _silent(ended: Ended) -> Problem:
    """What is to be said of a process that said nothing itself."""
    if ended.signal:
        message = f"the process was ended by {ended.signal}"
        because = "somebody ended it, or the machine ran out of memory" if ended.signal == "SIGKILL" else "it crashed"
        return Problem("worker-ended", message, label=because, help="its last lines may say more")
    message = f"the process ended with code {ended.code} and without a result"
    return Problem("worker-ended", message, help="its last lines may say more")
