"""One worker process, seen from the thread that uses it.

It is a fresh interpreter and not a fork: forks of a process with threads, or with a GPU, break in ways that nobody can mend. It asks for no
``if __name__ == "__main__"`` in the caller's script, ends when its caller ends, however it does, and does not hear Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from io import BufferedReader
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, final

from convlab.errors import ConvlabError, Problem, quote
from convlab.training.batches.preparation import Pictures, Pixels, Preparation, name_of
from convlab.training.batches.serving import PREPARED, READY, REFUSED, Task

if TYPE_CHECKING:
    from torch import Tensor

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

COMMAND: Final = "import sys; sys.path[:] = sys.argv[1:]; from convlab.training.batches.serving import main; main()"

PATIENCE_S: Final = 10.0
"""A process that has closed its output has so long to end."""


@final
class Process:
    """A worker process, started when there is something to do. One thread at a time may use it; any may kill it."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._told: set[int] = set()
        self._ended = threading.Event()

    def prepare(self, pictures: Pictures, task: Task, out: Tensor) -> None:
        """Have the task's images prepared into ``out``, uint8, N x H x W x C.

        Raises ConvlabError, with the picture's name, for one that cannot be read or that ends the process.
        """
        process = self._process or self._started()
        assert process.stdin is not None
        assert isinstance(process.stdout, BufferedReader)
        with contextlib.suppress(BrokenPipeError):  # the answer, which is none, tells more
            pickle.dump(self._complete(pictures, task), process.stdin)
            process.stdin.flush()
        for place, image in enumerate(task.images.tolist()):
            answer = process.stdout.read(1)
            if answer == REFUSED:
                raise pickle.load(process.stdout)
            pixels = out[place].numpy()
            if answer != PREPARED or process.stdout.readinto(pixels.data) != pixels.nbytes:
                raise self._crashed(process, name_of(pictures, image))

    def _complete(self, pictures: Pictures, task: Task) -> Task:
        """The task with what the process does not know of the pictures: those in memory come one by one, files are read by itself."""
        if isinstance(pictures, Pixels):
            return task._replace(pictures=pictures.only(task.images))
        if task.number in self._told:
            return task
        self._told.add(task.number)
        return task._replace(pictures=pictures)

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._ended.set()
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Wait for its end, and close its pipes."""
        self.kill()
        self._forget()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._ended.is_set():
            raise InterruptedError
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the process
        self._process = process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
            env={**os.environ, **ONE_THREAD},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            pickle.dump(self._preparation, process.stdin)
            process.stdin.flush()
        if self._ended.is_set():  # meanwhile, by who could not see the process yet
            process.kill()
        if process.stdout.read(1) != READY:
            self._complaints.seek(0)
            complaints = self._complaints.read().decode(errors="replace")
            self._forget()
            raise RuntimeError(f"a worker process did not start: {complaints}")
        return process

    def _forget(self) -> None:
        """Wait for its end, which is near, and close its pipes; the next task starts another process."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.wait()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
        if self._complaints is not None:
            self._complaints.close()
        self._told.clear()

    def _crashed(self, process: subprocess.Popen[bytes], name: str) -> ConvlabError:
        try:
            code = process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        self._forget()
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        problem = Problem(
            "damaged-data",
            f"a worker process ended {how} while it read {quote(Path(name).name)}",
            help="look at that file; or the machine ran out of memory, which fewer worker processes need less of",
            path=name,
        )
        return ConvlabError(problem)
