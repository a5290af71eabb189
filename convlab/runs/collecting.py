"""Marking runs for removal, taking the mark away, and removing what is marked for good, with what then belongs to no run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import final

from sqlalchemy import ColumnElement, delete, exists, func, select, text, update

from convlab.runs import schema
from convlab.runs.database import Database
from convlab.runs.faults import told
from convlab.runs.reading import find_runs
from convlab.runs.records import Run, Selection

_AT_A_TIME = 500
"""Runs that one statement removes; databases limit what a statement may name."""


@final
@dataclass(frozen=True, slots=True)
class Garbage:
    """What is removed: marked runs that are over, their rows, and what belongs to no other run."""

    runs: tuple[Run, ...]
    rows: int
    designs: int
    environments: int

    def __bool__(self) -> bool:
        return bool(self.runs or self.designs or self.environments)


def mark(database: Database, runs: Sequence[Run], *, deleted: bool) -> None:
    """Mark runs for removal, or take the mark away; a run that is marked keeps its first mark."""
    table = schema.runs.c
    now = datetime.now(UTC) if deleted else None
    with database.writing() as connection:
        for run in runs:
            unmarked = table.deleted.is_(None) if deleted else table.deleted.is_not(None)
            connection.execute(update(schema.runs).where(table.id == run.id, unmarked).values(deleted=now))


def garbage(database: Database, *, older_than: timedelta = timedelta()) -> Garbage:
    """What a removal would remove: runs that were marked so long ago and whose process is over, and what is left alone then."""
    before = datetime.now(UTC) - older_than
    marked = find_runs(database, Selection(deleted=True))
    runs = tuple(run for run in marked if run.deleted is not None and run.deleted <= before and run.status != "running")
    going = {run.id for run in runs}
    with database.reading() as connection:
        designs = connection.execute(select(schema.rows.c.design, schema.rows.c.run).distinct()).all()
        environments = connection.execute(select(schema.runs.c.environment, schema.runs.c.id)).all()
        totals = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in _SHARED]
    kept = [len({shared for shared, run in pairs if shared and run not in going}) for pairs in (designs, environments)]
    return Garbage(
        runs, sum(run.rows for run in runs), *(total - left for total, left in zip(totals, kept, strict=True))
    )


def remove(database: Database, found: Garbage) -> None:
    """Remove what was found, except for runs that were restored since, and give the room back to the disk."""
    table = schema.runs.c
    with database.writing() as connection:
        if not database.embedded:  # a writer must not refer to a design while it goes
            names = ", ".join(item.name for item in (schema.runs, schema.rows, *_SHARED))
            connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        for start in range(0, len(found.runs), _AT_A_TIME):
            ids = [run.id for run in found.runs[start : start + _AT_A_TIME]]
            connection.execute(delete(schema.runs).where(table.id.in_(ids), table.deleted.is_not(None)))
        for shared, alone in zip(_SHARED, _alone(), strict=True):
            connection.execute(delete(shared).where(alone))
    vacuum(database)


def vacuum(database: Database) -> None:
    """Give the room of what was removed back to the disk."""
    if database.embedded:
        with database.directly() as driver:
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    names = ", ".join(item.name for item in (schema.runs, schema.rows, *_SHARED))
    with told(database.place), database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"VACUUM {names}")


def occupied(database: Database) -> int | None:
    """The bytes that a SQLite store has on the disk."""
    path = database.address
    if not isinstance(path, Path):
        return None
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


_SHARED = (schema.designs, schema.environments)
"""What several runs may have in common."""


def _alone() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Which designs and environments belong to no run."""
    return (
        ~exists().where(schema.rows.c.design == schema.designs.c.sha),
        ~exists().where(schema.runs.c.environment == schema.environments.c.sha),
    )
