"""`python -m convlab.notebook.serving`: JupyterLab as `convlab lab` starts it, which asks nothing and ends with whoever started it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

PARENT: Final = "_CONVLAB_LAB_PARENT"
"""The variable with the number of a pipe that the parent holds open."""

SETTINGS = Path(__file__).with_name("jupyter")
"""A folder as Jupyter looks for settings in; those of the user come before it."""


def main(words: Sequence[str]) -> None:
    """Serve until it is ended."""
    follow()
    others = os.environ.get("JUPYTER_CONFIG_PATH", "")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, (others, str(SETTINGS))))
    import_module("jupyterlab.labapp").main(list(words))


def follow() -> None:
    """End with the parent that holds a pipe for it, if there is one."""
    pipe = os.environ.pop(PARENT, "")
    if pipe:
        threading.Thread(target=_end_with, args=(int(pipe),), name="parent", daemon=True).start()


def _end_with(pipe: int) -> None:
    """Stop, and let the kernels stop, when the pipe's other end is gone."""
    while os.read(pipe, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
