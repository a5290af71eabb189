"""Paths as people write them: with a ~ for a home folder, and perhaps not a path at all."""

from __future__ import annotations

import os
from pathlib import Path

from convlab.errors import ConvlabError, Problem, quote

SHOWN = 80
"""So many characters of a path that is none are shown."""


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path with the home folder in the place of ~, whether something is there or not.

    Raises ConvlabError where there is no such home, or where no file can ever have this name: it is too long, or holds a zero byte.
    """
    try:
        found = Path(path).expanduser()
    except RuntimeError:
        raise _refused(path, "there is no such home folder") from None
    try:
        found.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None
    except ValueError:
        raise _refused(path, "it holds a zero byte") from None
    return found


def _refused(path: str | os.PathLike[str], why: str) -> ConvlabError:
    text = os.fspath(path)
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    problem = Problem("unreadable-file", f"{quote(shown)} cannot be used: {why}", help="check the path")
    return ConvlabError(problem, exit_code=2)
