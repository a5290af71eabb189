"""The heartbeat of a run: a thread that now and then says that its process is alive, for those who look from another host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from convlab.errors import ConvlabError
from convlab.runs.provenance import BEAT_S


@contextmanager
def beating(beat: Callable[[], None], *, every_s: float = BEAT_S) -> Iterator[None]:
    """Call ``beat`` every so many seconds, in a thread that ends with the block and holds no process up."""
    over = Event()

    def run() -> None:
        while not over.wait(every_s):
            with suppress(
                ConvlabError
            ):  # the store is busy or full: rows tell that, and the next beat may come through
                beat()

    thread = Thread(target=run, name="convlab-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
