"""Saving from a notebook, whose cells are run again and again: over the explorer's own files, never unasked over another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import final

from convlab.errors import ConvlabError, Problem, quote
from convlab.session import Session
from convlab.session.files import is_same, text_there


@final
class Files:
    """The files that one explorer has written, with their texts."""

    def __init__(self) -> None:
        self._written: dict[Path, str] = {}

    def saved(self, session: Session, path: Path, *, overwrite: bool, numbered: bool) -> Session:
        """The session written to a file. Raises ConvlabError where there is one that holds what was not written here."""
        if numbered and not overwrite:
            path = next(each for each in _numbers(path) if self._may_write(session, each))
        elif not overwrite and not self._may_write(session, path):
            help = "numbered=True takes the next free name, overwrite=True writes over it; or name another file"
            message = f"{quote(path.name)} is already there, and holds another text than was saved here"
            raise ConvlabError(Problem("already-there", message, help=help), exit_code=2)
        done = session.saved(path)
        self._written[path.resolve()] = done.on_disk
        return done

    def _may_write(self, session: Session, path: Path) -> bool:
        """Whether nothing is lost: no file, one that is as it was read or written here, or one of the same text."""
        if not path.exists() and not path.is_symlink():
            return True
        there = text_there(path)
        if there is None:
            return False
        if session.path is not None and is_same(path, session.path):
            return there in (session.on_disk, session.text)
        return there in (self._written.get(path.resolve()), session.history.present.of_file(path, {}).text)


def _numbers(path: Path) -> Iterator[Path]:
    """mine.toml, mine-2.toml, mine-3.toml and so on."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
