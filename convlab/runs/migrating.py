"""Bringing an older store up to date: under a lock, as one transaction, after a copy of a SQLite file is kept beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from convlab.errors import ConvlabError, Problem, quote
from convlab.runs import schema
from convlab.runs.database import Database
from convlab.runs.versions import locked, version_of

SCRIPTS = Path(__file__).with_name("migrations")


def migrate(database: Database) -> None:
    """Bring the tables to the newest version, unless another process was first. Raises ConvlabError; the store is then as it was."""
    with locked(database) as connection:
        found = version_of(connection, database)
        if found == schema.VERSION:
            return
        if isinstance(database.address, Path):
            keep_copy(database.address, found)
        schema.drop_views(connection)
        upgrade(connection, schema.VERSION)
        schema.create_views(connection)


def upgrade(connection: Connection, version: int) -> None:
    """Run the scripts up to a version, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = schema.VERSION_TABLE
    command.upgrade(config, f"{version:04}")


def keep_copy(path: Path, version: int) -> Path:
    """A copy of a SQLite file as it is, beside it, whole or not at all. Raises ConvlabError where it cannot be written."""
    kept = path.with_name(f"{path.stem}.version-{version}.{datetime.now(UTC):%Y%m%d-%H%M%S}{path.suffix}")
    partial = kept.with_name(f".{kept.name}.{os.getpid()}")
    try:
        # Closed by hand: sqlite3's own block ends a transaction only.
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(partial)) as target,
        ):
            source.backup(target)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        shutil.copymode(path, partial)
        partial.replace(kept)
    except (OSError, sqlite3.Error) as error:
        message = f"the store {quote(str(path))} is of an older version, and no copy of it could be kept before it is changed: {error}"
        help = "make room beside it, or copy it to another place and name that with --store; nothing was changed"
        raise ConvlabError(Problem("store-failed", message, help=help), exit_code=2) from None
    finally:
        partial.unlink(missing_ok=True)
    return kept
