"""Progress of long work: what a long verb yields while it runs, and how a caller drains it down to its result."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeVar, final

Result = TypeVar("Result")


@final
@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come; ``total`` and ``remaining_s`` are None while nobody can know them.

    ``figures`` are what the work is about at this moment, by name: a loss, a rate. ``subject`` is which of several pieces of work
    this is about: a network, for a training with its seed ("convnext_t#0"); empty where it is all of them.
    """

    done: int
    total: int | None
    what: str
    elapsed_s: float
    remaining_s: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    subject: str = ""


Work = Generator[Progress, None, Result]
"""A long verb at work. KeyboardInterrupt, raised inside or thrown into it, makes it keep and return what it has."""


def finished(work: Work[Result], show: Callable[[Progress], None] | None = None) -> Result:
    """The result of a long verb; ``show`` sees every step.

    Ctrl-C stops the work, which returns what it has; a second one, while it puts things away, is raised. SIGTERM, by which schedulers end
    what ran too long, is taken for Ctrl-C, however often it comes.
    """
    try:
        with _terminable():
            while True:
                try:
                    progress = next(work)
                    if show is not None:
                        show(progress)
                except KeyboardInterrupt:
                    work.throw(KeyboardInterrupt)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def retold(work: Work[Result], tell: Callable[[Progress], Progress]) -> Work[Result]:
    """The same work, each of its steps as ``tell`` has it; Ctrl-C goes on to the work, which ends when this does."""
    try:
        progress = next(work)
        while True:
            try:
                yield tell(progress)
            except KeyboardInterrupt:
                progress = work.throw(KeyboardInterrupt)
            else:
                progress = next(work)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        work.close()


@contextmanager
def _terminable() -> Iterator[None]:
    """Within, the first SIGTERM raises KeyboardInterrupt; a program that hears it by itself, and other threads, are left alone."""
    heard = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        if not heard:
            heard = True
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
