"""Interrupts: Ctrl-C and SIGTERM between steps, never within one, so that what is saved is a whole step; in all processes or in none."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import final

from convlab.training.running.distributed import Group


@final
class Interrupts:
    """Ctrl-C, and SIGTERM as schedulers send it, during one training."""

    def __init__(self, group: Group) -> None:
        self.pressed = False
        """Whether this process was interrupted. All of them learn of it in ``agree``, where the training stops."""
        self._group = group

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold them back, up to ``agree``. A second Ctrl-C is raised at once; a second SIGTERM is not: some senders send many.

        Threads other than the main one never see signals, and a process in the background may ignore them: there this does nothing.
        """

        def note(number: int, frame: FrameType | None) -> None:
            if self.pressed and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.pressed = True

        main = threading.current_thread() is threading.main_thread()
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)} if main else {}
        heard = {each: handler for each, handler in before.items() if handler not in (None, signal.SIG_IGN)}
        for each in heard:
            signal.signal(each, note)
        try:
            yield
        finally:
            for each, handler in heard.items():
                signal.signal(each, handler)

    @contextmanager
    def held_by_many(self) -> Iterator[None]:
        """As ``held`` for several processes, which wait for each other; one by itself is interrupted in the midst."""
        if self._group.world == 1:
            yield
            return
        with self.held():
            yield

    def agree(self) -> None:
        """Raise KeyboardInterrupt in all processes where one of them was interrupted."""
        if self._group.any(self.pressed):
            raise KeyboardInterrupt
