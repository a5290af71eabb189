"""Who writes a run: the command, the version and commit of the code, this host and this process."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple, final

import convlab
from convlab.runs.plain import argument_without_passwords

COMMAND = "_CONVLAB_COMMAND"
"""What starts a process with designs in passing files tells it here which command does the same and lasts."""

BEAT_S = 30.0
"""How often a run says that it is alive."""

SILENT_S = 300.0
"""How long another host's run may say nothing before it counts as dead."""

_START_TOLERANCE_S = 60.0
"""Clocks are set: a process that started at another time than this is another one with the same number."""


class CodeVersion(NamedTuple):
    """convlab's version; the git commit of its checkout, empty where it is none; whether something there is not committed."""

    version: str
    commit: str
    dirty: bool


@final
@dataclass(frozen=True, slots=True)
class Writer:
    """A process: its host, its number there, and when it started, in seconds since 1970."""

    host: str
    process: int | None
    started: float | None


@cache
def code_version() -> CodeVersion:
    """The version of the code that runs."""
    root = Path(convlab.__file__).parents[1]
    top = _git(root, "rev-parse", "--show-toplevel")
    # A package that is installed inside somebody's repository is no checkout of convlab.
    if not top or Path(top).resolve() != root.resolve():
        return CodeVersion(convlab.__version__, "", False)
    return CodeVersion(
        convlab.__version__,
        _git(root, "rev-parse", "HEAD"),
        bool(_git(root, "status", "--porcelain", "--untracked-files=normal", "--", "convlab", "presets")),
    )


def command_line() -> str:
    """The command that does what this process does: the one that it was started with, unless it was told another; without passwords."""
    if told := os.environ.get(COMMAND):
        return shlex.join(map(argument_without_passwords, shlex.split(told)))
    program = Path(sys.argv[0] if sys.argv else "")
    name = "convlab" if program.name in ("convlab", "__main__.py") else program.name
    return shlex.join([name, *map(argument_without_passwords, sys.argv[1:])])


def this_process() -> Writer:
    """Who is writing."""
    return Writer(platform.node(), os.getpid(), _start_of(os.getpid()))


def is_alive(writer: Writer, heartbeat: datetime | None, now: datetime) -> bool:
    """Whether who writes a run still does: the process itself on this host, its heartbeat on another."""
    if writer.host == platform.node() and writer.process is not None:
        started = _start_of(writer.process)
        return started is not None and (writer.started is None or abs(started - writer.started) <= _START_TOLERANCE_S)
    return heartbeat is not None and now - heartbeat <= timedelta(seconds=SILENT_S)


def _start_of(process: int) -> float | None:
    """When a process started, None where there is none of this number."""
    import psutil

    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else float(found.create_time())
    except psutil.Error:
        return None


def _git(folder: Path, *arguments: str) -> str:
    """What git says of a folder, empty where it says nothing or is not there."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        ended = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
