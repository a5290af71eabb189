"""Folders of trainings: made where they are not there, and held by one process while it trains in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from convlab.errors import ConvlabError, Problem, quote

LOCK: Final = ".lock"


def made(folder: Path) -> Path:
    """The folder, made where it is not there. Raises ConvlabError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {quote(str(folder))}: {error.strerror}"
        raise ConvlabError(Problem("not-saved", message, help="name another folder"), exit_code=2) from None
    return folder


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Have the folder for oneself, and make it where it is not there. Raises ConvlabError where another training is at work in it.

    The system ends the lock with the process, however that ends: what was killed blocks nobody. A disk that knows no locks goes without.
    """
    lock = FileLock(made(folder) / LOCK, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        message = f"another training is at work in {quote(str(folder))}"
        help = "wait for its end, or stop it with Ctrl-C; --resume then goes on"
        raise ConvlabError(Problem("already-there", message, help=help), exit_code=2) from None
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        lock.release()
