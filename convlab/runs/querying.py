"""Answering a person's own SQL: the database itself refuses whatever would do more than read."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from convlab.errors import ConvlabError, Problem
from convlab.runs.database import Database
from convlab.runs.faults import problem_of, told
from convlab.runs.plain import plain
from convlab.runs.schema import VIEWS

_SPACE = r"\s|--[^\n]*+(?:\n|$)|/\*(?>.*?\*/)"
_EMPTY = re.compile(rf"(?:{_SPACE})*+$", re.DOTALL)
_BEGINNING = re.compile(rf"(?:{_SPACE}|\()*+(?:select|with)\b", re.DOTALL | re.IGNORECASE)

_INTERRUPTIBLE = 100_000
"""Steps of SQLite's machine after which Ctrl-C is looked for."""


class Answer(NamedTuple):
    """The columns and rows that a query gives."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def answer(database: Database, sql: str) -> Answer:
    """What one SELECT gives, with WITH before it or without. Raises ConvlabError for everything else."""
    if not _BEGINNING.match(sql):
        only = "only SELECT, or WITH and SELECT, is answered"
        raise _refused(f"it is empty; {only}" if _EMPTY.match(sql) else only)
    if isinstance(database.address, Path):
        return _from_sqlite(database.address, database, sql)
    return _from_postgresql(database, sql)


def _from_sqlite(path: Path, database: Database, sql: str) -> Answer:
    with told(database.place), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        # A read-only connection would still write other files: ATTACH makes them, and VACUUM INTO attaches.
        connection.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
        )
        connection.set_progress_handler(lambda: 0, _INTERRUPTIBLE)
        try:
            return _read(lambda: connection.execute(sql))
        except (sqlite3.Error, sqlite3.Warning) as error:
            match getattr(error, "sqlite_errorname", ""):
                case "SQLITE_INTERRUPT":
                    raise KeyboardInterrupt from None
                case "SQLITE_AUTH" | "SQLITE_READONLY":
                    raise _refused("it would do more than read") from None
                case "" | "SQLITE_ERROR" | "SQLITE_MISMATCH" | "SQLITE_RANGE" | "SQLITE_TOOBIG":
                    raise _refused(str(error)) from None
            raise


def _from_postgresql(database: Database, sql: str) -> Answer:
    with database.reading() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            try:
                # A prepared statement is one statement: none can end the transaction and begin another.
                return _read(lambda: cursor.execute(sql.encode(), prepare=True))
            except driver_error() as error:
                if (getattr(error, "sqlstate", None) or "")[:2] in ("", "08", "53", "57", "58"):
                    raise ConvlabError(problem_of(error, database.place), exit_code=2) from None
                raise _refused(str(error).splitlines()[0]) from None


def driver_error() -> type[Exception]:
    """What psycopg raises."""
    import psycopg

    return psycopg.Error


def _read(execute: Callable[[], Any]) -> Answer:
    cursor = execute()
    if cursor.description is None:
        raise _refused("it gives no rows")
    columns = tuple(column[0] for column in cursor.description)
    return Answer(columns, tuple(tuple(map(_plain, row)) for row in cursor))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return float(value)
    try:
        return plain(value)
    except TypeError:
        return str(value)


def _refused(why: str) -> ConvlabError:
    help = f"one SELECT over the views {', '.join(VIEWS)}; convlab runs query --help lists their columns"
    return ConvlabError(Problem("bad-query", f"the query is not run: {why}", help=help), exit_code=2)
