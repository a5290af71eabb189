"""Whether a stream is a terminal, whether colour is wanted on it, and how wide it is."""

from __future__ import annotations

import os
import shutil
from typing import TextIO


def wants_color(stream: TextIO, choice: str = "auto") -> bool:
    """Whether to colour what goes to a stream: "always", "never", or "auto", which asks NO_COLOR, FORCE_COLOR, TERM and the stream."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return is_terminal(stream) and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody is looking."""
    return not stream.closed and stream.isatty()


def width(stream: TextIO) -> int | None:
    """The columns of a terminal (COLUMNS goes first); None where nothing has to be cut, as in a pipe."""
    return shutil.get_terminal_size().columns if is_terminal(stream) else None
