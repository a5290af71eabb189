"""The notebooks that come along: where they are, and copying them into a folder of the user's, never over a file of his."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from convlab.errors import ConvlabError, Problem
from convlab.paths import expanded

PLACE = "convlab-notebooks"
"""The folder where the user names none."""

QUIET = ("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
"""It asks no other host for anything."""


@final
@dataclass(frozen=True)
class Copied:
    """What was copied into a folder, and what was there already and is as it was."""

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]


def notebooks() -> tuple[Path, ...]:
    """The notebooks' files, in the order in which they are read: inside an installed wheel, or beside the package in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "notebooks"
    found = sorted((installed if installed.is_dir() else package.parent / "notebooks").glob("*.ipynb"))
    if not found:
        help = "install convlab again, or run it from a whole checkout"
        raise ConvlabError(Problem("unreadable-file", "the notebooks are not here", help=help), exit_code=2)
    return tuple(found)


def copy_notebooks(where: str | os.PathLike[str] = PLACE) -> Copied:
    """Copy the notebooks into a folder, which is made where there is none. Raises ConvlabError where it cannot be written."""
    folder = expanded(where)
    written: list[str] = []
    kept: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in notebooks():
            taken = _create(folder / source.name, source.read_bytes())
            (written if taken else kept).append(source.name)
    except FileExistsError:
        raise _unwritable(folder, "it is a file") from None
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from None
    return Copied(folder.resolve(), tuple(written), tuple(kept))


def server_command(folder: Path, *, port: int, browser: bool) -> Sequence[str]:
    """The arguments of Python that serve a folder on this machine alone; port 0 is any that is free from 8888 on."""
    words = ["-m", "convlab.notebook.serving", f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1", *QUIET]
    words += [f"--LabApp.default_url={first_page(folder)}"]
    words += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"] if port else []
    words += (
        ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    )  # in a container there is nobody else
    return words if browser else [*words, "--no-browser"]


def first_page(folder: Path) -> str:
    """Where JupyterLab opens: the first notebook, in a workspace of the folder's own, which has no tabs of another folder."""
    workspace = f"convlab-{zlib.crc32(os.fsencode(folder)):08x}"
    return f"/lab/workspaces/{workspace}/tree/{notebooks()[0].name}"


def _create(path: Path, content: bytes) -> bool:
    """Write a file that is not there; False where one is, of whatever kind. A file that could not be written whole is taken away."""
    if path.is_symlink() or path.exists():
        return False
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return True


def _unwritable(folder: Path, why: str) -> ConvlabError:
    problem = Problem(
        "unreadable-file", f"the notebooks cannot be copied into {folder}: {why}", help="name another folder"
    )
    return ConvlabError(problem, exit_code=2)
