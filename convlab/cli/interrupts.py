"""Ctrl-C while modules are imported: an import may swallow it, or make another error of it, so it is noted as well."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import final


@final
class Interrupts:
    """Notes a Ctrl-C, which still raises KeyboardInterrupt; only where Python's own handler is there to be replaced.

    A shell that ignores Ctrl-C, other handlers and other threads are left alone.
    """

    def __init__(self) -> None:
        self.heard = False
        self._listening = False

    def listen(self) -> None:
        """Begin to note."""
        self.heard = False
        if threading.current_thread() is threading.main_thread():
            self._listening = signal.getsignal(signal.SIGINT) is signal.default_int_handler
            if self._listening:
                signal.signal(signal.SIGINT, self._note)

    def leave(self) -> None:
        """Give the handler back; what was heard stays known."""
        if self._listening and signal.getsignal(signal.SIGINT) == self._note:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._listening = False

    def settle(self) -> None:
        """What was asked for is imported: from now on Ctrl-C is the work's. Raises KeyboardInterrupt for one that was swallowed."""
        if not self._listening:
            return
        self.leave()
        if self.heard:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.heard = True
        signal.default_int_handler(number, frame)


interrupts = Interrupts()
"""Those of this process."""
