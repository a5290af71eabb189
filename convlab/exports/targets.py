"""Where an export goes: nothing is overwritten unasked, and what is written appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

from convlab.errors import ConvlabError, Problem, quote


@final
@dataclass(frozen=True, slots=True)
class Target:
    """A file or folder to be; ``force`` puts it in the place of one that is there, ``push`` names a repository for a copy."""

    path: Path
    force: bool = False
    push: str = ""

    def beside(self, suffix: str) -> Target:
        """A second file of the same export."""
        return Target(self.path.with_name(self.path.name + suffix), self.force)

    def refuse_occupied_file(self) -> None:
        """Raise ConvlabError where no file can be written, or one is there and must stay."""
        path = self.path
        with self.on_disk():
            if path.is_dir() or not path.absolute().parent.is_dir():
                raise _unwritable(
                    path, "it is a folder, or its folder is not there", "name a file in a folder that is there"
                )
            if path.exists() and not path.is_file():
                raise _unwritable(path, "it is a pipe or a device", "name a file")
            if path.exists() and not self.force:
                raise _already_there(path)

    def refuse_occupied_folder(self, own: frozenset[str]) -> None:
        """Raise ConvlabError where no folder can be written, or one is there that holds more than files of ``own`` names."""
        path = self.path
        with self.on_disk():
            if not path.absolute().parent.is_dir() or (path.exists() and not path.is_dir()):
                help = "name a folder in one that is there"
                raise _unwritable(path, "it is a file, or its folder is not there", help)
            there = {item.name for item in path.iterdir()} if path.is_dir() else set()
        if there and not self.force:
            raise _already_there(path)
        if there - own:
            other = quote(min(there - own))
            raise _unwritable(
                path, f"the folder holds {other}, which no export wrote", "take another folder, or empty it"
            )

    @contextmanager
    def on_disk(self) -> Iterator[None]:
        """Raise ConvlabError where the disk refuses: a folder that may not be searched, a name that is too long, no space."""
        try:
            yield
        except OSError as error:
            raise _unwritable(self.path, error.strerror or str(error), "choose another place") from None

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """A place to write under the target's name; it takes the target's place at the end, with all that lies beside it.

        Where something fails, what was there is still there. Raises ConvlabError where the disk does not take it.
        """
        path = self.path.resolve()
        stage = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            with self.on_disk():
                stage.mkdir()
                yield stage / path.name
                _move(stage, path)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _move(stage: Path, path: Path) -> None:
    """Put what was staged into its place: what stands beside the target first, so that a target that is there is whole."""
    for item in sorted(stage.iterdir(), key=lambda item: item.name == path.name):
        place = path.with_name(item.name)
        if not item.is_dir():
            _settle(item, place)
        elif place.exists():
            _exchange(item, place)
        else:
            item.replace(place)


def _settle(item: Path, place: Path) -> None:
    """A file into its place, on the disk before it is there, with the mode of the one that was there."""
    with item.open("rb+") as file:
        os.fsync(file.fileno())
    if place.exists():
        item.chmod(stat.S_IMODE(place.stat().st_mode))
    item.replace(place)


def _exchange(item: Path, place: Path) -> None:
    """A folder into the place of another, which goes away with the stage."""
    old = item.with_name(item.name + ".old")
    place.replace(old)
    try:
        item.replace(place)
    except OSError:
        old.replace(place)
        raise


def _unwritable(path: Path, why: str, help: str) -> ConvlabError:
    return ConvlabError(Problem("unreadable-file", f"cannot write {quote(str(path))}: {why}", help=help), exit_code=2)


def _already_there(path: Path) -> ConvlabError:
    help = "--force overwrites it (force=True in Python); or name another place"
    return ConvlabError(Problem("already-there", f"{quote(str(path))} is already there", help=help), exit_code=2)
