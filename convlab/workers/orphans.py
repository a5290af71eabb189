"""No orphans: a worker's stdin is a pipe that its parent holds, and ends with it, however that ends; the worker then stops as by Ctrl-C."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from collections.abc import Mapping
from typing import Final

VARIABLE: Final = "_CONVLAB_STDIN"
PARENTS: Final = "parent"
MARKS: Final[Mapping[str, str]] = {"CONVLAB_PROGRESS": "json", VARIABLE: PARENTS}
"""What a worker's environment says of it."""

DYING_S: Final = 0.05
"""The pipes of a process are closed some moments before it counts as gone."""

PATIENCE_S: Final = 60.0
"""Work that was interrupted has so long to put away what it has."""

INTERRUPTED: Final = 130


def is_worker() -> bool:
    """Whether this process was started as a worker."""
    return all(os.environ.get(name) == value for name, value in MARKS.items())


def follow_parent() -> None:
    """Stop as by Ctrl-C when stdin ends: when the parent closes it, or is gone. Once, from the main thread, before anything else."""
    del os.environ[VARIABLE]  # what this process starts has another stdin
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # nothing else may read from the pipe
    os.close(nothing)
    # A shell's background job ignores Ctrl-C, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_watch, args=(pipe,), name="parent", daemon=True).start()


def _watch(pipe: int) -> None:
    parent = os.getppid()
    while os.read(pipe, 4096):
        pass
    time.sleep(DYING_S)
    if os.getppid() != parent:
        _forget_output()
    _interrupt()
    threading.Event().wait(PATIENCE_S)
    os._exit(INTERRUPTED)  # it hangs; checkpoints and rows are whole at any moment


def _forget_output() -> None:
    """The reader is gone, but what is at work does not know: nothing that it writes while it puts things away shall fail."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)


def _interrupt() -> None:
    """What Ctrl-C does; on POSIX it also wakes a main thread that waits for something."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
