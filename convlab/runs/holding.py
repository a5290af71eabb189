"""Holding Ctrl-C back while a transaction is under way: cut short in its driver, it would leave a library's traceback behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within, Ctrl-C and a SIGTERM that is listened to wait for the end of the block; a second Ctrl-C is raised at once.

    Threads other than the main one never see signals: there this does nothing.
    """
    main = threading.current_thread() is threading.main_thread()
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)} if main else {}
    heard: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and number in heard:
            raise KeyboardInterrupt
        heard.append(number)

    held = {each: handler for each, handler in handlers.items() if callable(handler)}
    for each in held:
        signal.signal(each, note)
    try:
        yield
    finally:
        for each, handler in held.items():
            signal.signal(each, handler)
        for number in dict.fromkeys(heard):
            signal.raise_signal(number)
