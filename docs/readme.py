"""Puts the real output of every command under its `<!-- output: COMMAND -->` mark in README.md. Run: python docs/readme.py"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
MARK = re.compile(r"<!-- output: (?P<command>[^\n]+?) -->\n(?:\n```text\n.*?\n```\n)?", re.DOTALL)


def commands(text: str) -> list[str]:
    """The commands whose output a text shows."""
    return [match["command"] for match in MARK.finditer(text)]


def output(command: str) -> str:
    """What a command prints to a pipe, stdout and stderr in turn, at 110 columns."""
    nothing = str(README.parent / "docs" / "no-data")  # what is shown hangs on no calibration of this machine
    environment = {**os.environ, "COLUMNS": "110", "NO_COLOR": "1", "XDG_DATA_HOME": nothing}
    arguments = [sys.executable, "-m", *shlex.split(command)]
    ended = subprocess.run(arguments, cwd=README.parent, env=environment, capture_output=True, text=True, check=False)
    return (ended.stdout + ended.stderr).rstrip()


def filled(text: str) -> str:
    """The text with the output of each command that it names."""
    return MARK.sub(lambda match: f"<!-- output: {match['command']} -->\n\n{block(match['command'])}", text)


def block(command: str) -> str:
    """A command and what it prints, as README shows them."""
    return f"```text\n$ {command}\n{output(command)}\n```\n"


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
