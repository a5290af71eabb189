"""What databases say when something is wrong, told to people: what it is about, and a way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from convlab.errors import ConvlabError, Problem, quote

_KEPT = "what was stored before is still there"

_TRY_AGAIN = "end that process, or try again when it is done"
_ALLOW = "allow it (chmod u+w, also for its folder), copy it elsewhere, or name another with --store"

_Table = tuple[tuple[str, str, str, str], ...]

_SQLITE: _Table = (
    ("SQLITE_FULL", "store-failed", "the disk is full", f"make room on it; {_KEPT}"),
    ("SQLITE_BUSY", "store-busy", "another process keeps it locked", _TRY_AGAIN),
    ("SQLITE_LOCKED", "store-busy", "another process keeps it locked", _TRY_AGAIN),
    ("SQLITE_READONLY", "store-failed", "it may not be written", _ALLOW),
    ("SQLITE_PERM", "store-failed", "it may not be written", _ALLOW),
    ("SQLITE_CANTOPEN", "store-failed", "it cannot be opened", _ALLOW),
    ("SQLITE_NOTADB", "not-a-store", "it is no SQLite file", "name another file with --store"),
    ("SQLITE_CORRUPT", "not-a-store", "the file is damaged", "sqlite3 FILE .recover saves what can be read"),
    ("SQLITE_IOERR", "store-failed", "the disk could not be read or written", f"see df and ulimit -f; {_KEPT}"),
)
"""How the names of SQLite's result codes begin: our code, what is wrong, a way out."""

_POSTGRESQL: _Table = (
    ("53100", "store-failed", "the server's disk is full", f"make room on it; {_KEPT}"),
    ("55P03", "store-busy", "another process keeps it locked", _TRY_AGAIN),
    ("25006", "store-failed", "the server takes no writes", "name a server that does, not a standby"),
    ("28", "store-failed", "the server refuses the user", "look at the URL's user and password, and at pg_hba.conf"),
    ("3D000", "store-failed", "there is no such database", "make it first: createdb NAME"),
    ("42501", "store-failed", "the user may not do that there", "GRANT it, or take another user"),
)
"""How PostgreSQL's error codes begin."""

_CONNECTION = ("08", "57P")
"""PostgreSQL's codes for a server that goes away."""


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what a database raises into a ConvlabError about the store at ``place``."""
    try:
        yield
    except DBAPIError as error:
        raise ConvlabError(problem_of(error.orig, place), exit_code=2) from None
    except sqlite3.Error as error:
        raise ConvlabError(problem_of(error, place), exit_code=2) from None


def problem_of(cause: BaseException | None, place: str) -> Problem:
    """What a driver's error means for the store at ``place``."""
    name, table = str(getattr(cause, "sqlite_errorname", None) or ""), _SQLITE
    if not name:
        name, table = str(getattr(cause, "sqlstate", None) or ""), _POSTGRESQL
    for start, code, what, help in table:
        if name.startswith(start):
            return Problem(code, f"the store {quote(place)}: {what}", help=help)
    said = (str(cause).strip().splitlines() or [type(cause).__name__])[0].strip().rstrip(".")
    if not name or name.startswith(_CONNECTION):
        help = "is the server there, and the URL right? postgresql://USER@HOST:PORT/DATABASE"
        return Problem("store-failed", f"the store {quote(place)} cannot be reached: {said}", help=help)
    return Problem("store-failed", f"the store {quote(place)}: {said}", help=f"({name}) {_KEPT}")
