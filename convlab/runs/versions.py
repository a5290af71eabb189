"""Which version of the tables a database has, and the lock under which that changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, inspect, select, text

from convlab.errors import ConvlabError, Problem, quote
from convlab.runs import schema
from convlab.runs.database import Database

EMPTY = 0
"""The version of a database without a store."""

_LOCK = int.from_bytes(b"convlab")
"""The number of PostgreSQL's lock that is held by who makes or migrates a store."""


def version_of(connection: Connection, database: Database) -> int:
    """The version of the store in a database. Raises ConvlabError for another application's database, and for a newer store."""
    tables = set(inspect(connection).get_table_names())
    if schema.VERSION_TABLE in tables:
        name = connection.execute(select(schema.version.c.version_num)).scalar() or ""
        if not name.isdecimal() or int(name) == EMPTY:
            raise _not_a_store(database, f"its version is {quote(name)}, which no convlab wrote")
        if int(name) > schema.VERSION:
            raise _newer(database, int(name))
        return int(name)
    views = set(inspect(connection).get_view_names())
    occupied = (tables | views) & {*schema.metadata.tables, *schema.VIEWS}
    if database.embedded:
        occupied = tables | views
    if occupied:
        raise _not_a_store(database, f"another application's tables are in it ({_some(occupied)})")
    return EMPTY


@contextmanager
def locked(database: Database) -> Iterator[Connection]:
    """A transaction that nobody else who makes or migrates this store is in."""
    with database.writing() as connection:
        if not database.embedded:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        yield connection


def _not_a_store(database: Database, why: str) -> ConvlabError:
    place = "an empty database" if not database.embedded else "another file, or one that is not there yet"
    problem = Problem("not-a-store", f"{quote(database.place)} is not a store: {why}", help=f"name {place}")
    return ConvlabError(problem, exit_code=2)


def _newer(database: Database, found: int) -> ConvlabError:
    message = (
        f"the store {quote(database.place)} has version {found}; this convlab knows versions up to {schema.VERSION}"
    )
    help = "update convlab (pip install -U convlab), or name another store with --store; nothing was changed"
    return ConvlabError(Problem("newer-store", message, help=help), exit_code=2)


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (", ..." if len(names) > len(first) else "")
