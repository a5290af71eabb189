"""Folders of trainings: made where they are not there, and held by one process while it trains in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from convlab.errors import ConvlabError, Problem, quote

LOCK: Final = ".lock"

JOB: Final = "job.json"
"""What was asked for, in the folder of a job."""

RESULT: Final = "result.json"
"""What lies beside the checkpoints of a network whose training came to its end."""


def trainings() -> Path:
    """Where the folders of jobs lie by default, by the ids of their runs."""
    from platformdirs import user_data_path

    return Path(user_data_path("convlab", appauthor=False)) / "trainings"


def folder_of(settings: Mapping[str, Any], run: str) -> Path:
    """Where a run of the store has its checkpoints: where its settings say, otherwise among the user's, by its id."""
    return Path(settings.get("folder") or trainings() / run)


def refuse_at_work(folder: Path) -> None:
    """Raise ConvlabError where a process is training one of the networks of a job's folder."""
    for lock in sorted(folder.glob(f"*/{LOCK}")):
        with held_alone(lock.parent):
            pass


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
