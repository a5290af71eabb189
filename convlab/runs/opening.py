"""Opening a store: what lies at the address is looked at cheaply, an empty place gets the tables, an older store is migrated."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL

from convlab.errors import ConvlabError, Problem, quote
from convlab.runs import schema
from convlab.runs.database import Database, connected
from convlab.runs.versions import EMPTY, locked, version_of

_MAGIC = b"SQLite format 3\0"
"""How every SQLite file begins."""


def opened(address: Path | URL, *, patience_s: float) -> Database:
    """The store's database, with the newest tables. Raises ConvlabError where it cannot be had."""
    if isinstance(address, Path):
        _look_at(address)
    database = connected(address, patience_s=patience_s)
    try:
        _bring_up_to_date(database)
        if database.embedded:
            _write_ahead(database)
    except BaseException:
        database.close()
        raise
    return database


def refuse_missing(address: Path | URL) -> None:
    """Raise ConvlabError where a file is not there: one who reads has misspelled its name."""
    if isinstance(address, Path) and not address.exists():
        problem = Problem(
            "unreadable-file", f"there is no store {quote(str(address))}", help="check the spelling and the folder"
        )
        raise ConvlabError(problem, exit_code=2)


def _bring_up_to_date(database: Database) -> None:
    with database.reading() as connection:
        found = version_of(connection, database)
    if found == EMPTY:
        with locked(database) as connection:
            if version_of(connection, database) == EMPTY:  # nobody else was first
                schema.create(connection)
    elif found < schema.VERSION:
        from convlab.runs.migrating import migrate  # alembic takes long to import

        migrate(database)


def _write_ahead(database: Database) -> None:
    """Let the file keep a write-ahead log: readers and a writer work at once. It stays so; where it cannot be had, only speed is lost."""
    with database.directly() as driver:
        if driver.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            with suppress(sqlite3.OperationalError):  # others are writing, and one who opens it later does it
                driver.execute("PRAGMA journal_mode = WAL")


def _look_at(path: Path) -> None:
    """Raise ConvlabError where a file cannot be a store, before SQLite puts anything beside it."""
    try:
        if path.is_dir():
            raise _refused(
                "not-a-store",
                f"{quote(str(path))} is a folder, not a store",
                f"name a file in it: {path / 'runs.sqlite'}",
            )
        if path.exists() and not path.is_file():
            raise _refused("not-a-store", f"{quote(str(path))} is a pipe or a device, not a store", "name a file")
        if path.exists():
            with path.open("rb") as file:
                start = file.read(len(_MAGIC))
            if start and start != _MAGIC:
                help = "name another file, or one that is not there yet"
                raise _refused("not-a-store", f"{quote(str(path))} is not a store: it is no SQLite file", help)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the store {quote(str(path))} cannot be opened: {error.strerror or error}"
        raise _refused("store-failed", message, "look at the permissions, or name another with --store") from None


def _refused(code: str, message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem(code, message, help=help), exit_code=2)
