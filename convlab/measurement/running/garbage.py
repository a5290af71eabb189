"""Garbage: Python's collector kept out of what is timed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collecting() -> Iterator[None]:
    """Let Python collect nothing by itself: a collection takes as long as some steps, and falls on any of them.

    What is there already is frozen, so that a ``gc.collect()`` between samples takes microseconds; what of it is garbage is kept until
    the end, so collect before, as ``release`` does after a network is made ready.
    """
    enabled = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()
