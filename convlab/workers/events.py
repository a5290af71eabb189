"""What is heard of a worker: that its run has begun, how far it is, notes, and how it ended."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from convlab.errors import Problem
from convlab.progress import Progress


@final
@dataclass(frozen=True, slots=True)
class Begun:
    """A run is kept under this id in this store, and checkpoints in this folder; each is empty where there is none."""

    run: str = ""
    store: str = ""
    folder: str = ""
    about: str = ""
    """What is about to be done, where the command line does not say it all."""


@final
@dataclass(frozen=True, slots=True)
class Told:
    """How far the work is."""

    progress: Progress


@final
@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a reader should know, a way out, and the layer or knob that it is about."""

    message: str
    help: str = ""
    path: str = ""


@final
@dataclass(frozen=True, slots=True)
class Ended:
    """The end: the exit code (minus the signal's number for a process that was killed), and what is left behind."""

    code: int
    result: Mapping[str, Any] | None = None
    """What the command printed with ``--json``; also of work that was stopped, which keeps what it has."""
    error: tuple[Problem, ...] = ()
    """What the command told, or that the process was killed or crashed; empty where all went well or was stopped."""
    tail: str = ""
    """The last lines that were neither: warnings, the traceback of a crash."""

    @property
    def signal(self) -> str:
        """The name of the signal that ended the process, such as SIGKILL; empty where none did."""
        if self.code >= 0:
            return ""
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"


Event: TypeAlias = Begun | Told | Noted | Ended
