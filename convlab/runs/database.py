"""A connection to the store's database: transactions that read and that write, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from sqlalchemy import URL, Connection, Engine, create_engine, event

from convlab.errors import ConvlabError
from convlab.runs.address import shown
from convlab.runs.faults import told
from convlab.runs.holding import uninterrupted

_SQLITE_PRAGMAS = (
    "foreign_keys = ON",
    "synchronous = FULL",  # a commit is on the disk when it returns; NORMAL would lose the last ones when the power fails
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
    "wal_autocheckpoint = 0",  # see ``_shorten_log``
    "journal_size_limit = 0",
)

_LOG_BYTES = 4 * 2**20
"""The length of the write-ahead log at which it is written into the file."""


@final
@dataclass(frozen=True, slots=True)
class Database:
    """The engine, where the store is whatever becomes of the working folder, and what it is called in messages."""

    engine: Engine
    address: Path | URL
    place: str

    @property
    def embedded(self) -> bool:
        """Whether it is a SQLite file."""
        return isinstance(self.address, Path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store. Raises ConvlabError where the database does not do it."""
        with told(self.place), self.engine.connect() as connection:
            if not self.embedded:  # by default each of PostgreSQL's statements sees a state of its own
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed, on the disk, when the block is left; nothing of it is kept where the block fails.

        On SQLite it takes the lock at once: one that had read before could be refused it without any waiting. Ctrl-C waits for its end.
        """
        with uninterrupted():
            with told(self.place), self.engine.connect() as connection:
                connection = connection.execution_options(convlab_writes=True)
                with connection.begin():
                    yield connection
            if isinstance(self.address, Path):
                self._shorten_log(self.address)

    @contextmanager
    def directly(self) -> Iterator[Any]:
        """SQLite's own connection outside of transactions, for what it only does there. Raises ConvlabError."""
        with told(self.place), closing(self.engine.raw_connection()) as connection:
            yield connection.driver_connection

    def _shorten_log(self, path: Path) -> None:
        """Write SQLite's log into its file where it is long, while nobody can commit.

        Up to version 3.51.2 SQLite's own way of doing so can damage the file, rarely, where another process commits at the same moment
        (https://www.sqlite.org/wal.html, the WAL-reset bug).
        """
        with suppress(OSError, ConvlabError, sqlite3.Error):  # the commit is done; the next one tries again
            if path.with_name(path.name + "-wal").stat().st_size < _LOG_BYTES:
                return
            # Not the pool's: with many threads all of its connections may be waiting for the lock that is held here.
            with self.directly() as holder, closing(sqlite3.connect(path)) as writer:
                _prepare_sqlite(writer, None)
                holder.execute("BEGIN IMMEDIATE")
                try:
                    writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
                finally:
                    holder.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()


def connected(address: Path | URL, *, patience_s: float) -> Database:
    """The database at an address; nothing is opened yet."""
    if isinstance(address, Path):
        file = address.absolute()
        return Database(_sqlite(file, patience_s), file, shown(address))
    return Database(_postgresql(address, patience_s), address, shown(address))


def _sqlite(path: Path, patience_s: float) -> Engine:
    uri = f"{path.as_uri()}?mode=rwc"

    def connect() -> sqlite3.Connection:
        # No isolation level: Python's module would begin transactions late, and not at all before CREATE TABLE.
        return sqlite3.connect(uri, uri=True, timeout=patience_s, isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite+pysqlite:///store", creator=connect)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("convlab_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL, patience_s: float) -> Engine:
    engine = create_engine(
        url,
        connect_args={"connect_timeout": max(2, round(patience_s)), "application_name": "convlab"},
        pool_pre_ping=True,
    )

    def prepare(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {round(1000 * patience_s)}")
        connection.commit()

    event.listen(engine, "connect", prepare)
    return engine
