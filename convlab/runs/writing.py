"""Recording a run: it is there from its beginning, each row is a transaction of its own, and the end says how it ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, final

from sqlalchemy import Connection, Table, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from convlab.errors import ConvlabError, Problem, quote
from convlab.runs import schema
from convlab.runs.beating import beating
from convlab.runs.database import Database
from convlab.runs.ids import new_id
from convlab.runs.plain import clean, digest, finite, plain, without_passwords
from convlab.runs.provenance import code_version, command_line, this_process
from convlab.runs.reading import find_runs
from convlab.runs.records import ResolvedDesign, Row, Selection

FIGURES = ("median", "low", "high")


@final
@dataclass
class Recording:
    """A run that is under way."""

    database: Database
    id: str
    ending: str = "complete"
    """The status of a run that ends without an error."""
    note: str = ""
    """What is noted of it at its end."""

    def put(self, position: int, row: Row) -> None:
        """Store a row, in the place of the one that is there at this position; it is kept once this returns. Raises ConvlabError."""
        values = _values(row) | {"run": self.id, "position": position, "written": datetime.now(UTC)}
        with self.database.writing() as connection:
            if row.design is not None:
                _keep_design(connection, row.design)
            try:
                _put(connection, values)
            except IntegrityError:
                message = f"the run {quote(self.id)} is not in the store any more"
                help = "it was removed while it ran; what it measures now is not stored"
                raise ConvlabError(Problem("unknown-run", message, help=help), exit_code=2) from None

    def stop(self) -> None:
        """Let the run end as "stopped": not all that was asked for was done, and what there is was kept."""
        self.ending = "stopped"

    def fail(self, why: str = "") -> None:
        """Let the run end as "failed": nothing came of it, for a reason that is noted."""
        self.ending = "failed"
        self.add_note(why)

    def add_note(self, sentences: str) -> None:
        """Note something more of the run, which is written down at its end."""
        self.note = _noted(self.note, sentences)


@contextmanager
def recorded(
    database: Database,
    kind: str,
    *,
    name: str,
    settings: Mapping[str, Any],
    environment: Mapping[str, Any],
    note: str,
    command: str | None,
) -> Iterator[Recording]:
    """A run that lasts as long as the block. Raises ConvlabError where the store does not take it."""
    started = datetime.now(UTC)
    writer, code = this_process(), code_version()
    recording = Recording(database, new_id(started))
    with database.writing() as connection:
        sha = digest(environment)
        kept = {"sha": sha, "facts": plain(environment)}
        connection.execute(_insert(connection, schema.environments).values(kept).on_conflict_do_nothing())
        connection.execute(
            insert(schema.runs).values(
                id=recording.id,
                kind=clean(kind),
                name=clean(name),
                status="running",
                started=started,
                command=clean(command_line() if command is None else without_passwords(command)),
                settings=plain(settings),
                version=code.version,
                git_commit=code.commit,
                dirty=code.dirty,
                environment=sha,
                note=clean(note),
                host=clean(writer.host),
                process=writer.process,
                process_started=writer.started,
                heartbeat=started,
            )
        )
    try:
        with beating(lambda: _update(recording, status="running", heartbeat=datetime.now(UTC))):
            yield recording
    except (KeyboardInterrupt, GeneratorExit):
        _end_after_error(recording, status="stopped")
        raise
    except BaseException as error:
        _end_after_error(recording, status="failed", note=_noted(note, _said(error)))
        raise
    _update(recording, status=recording.ending, finished=datetime.now(UTC), note=_noted(note, recording.note))


def mark_interrupted(database: Database) -> None:
    """Write down of runs whose process died that they are interrupted, so that SQL sees it too; where it cannot be written, it waits."""
    dead = [run.id for run in find_runs(database, Selection(status="interrupted", deleted=None))]
    table = schema.runs.c
    with suppress(ConvlabError):
        if dead:
            with database.writing() as connection:
                running = update(schema.runs).where(table.id.in_(dead), table.status == "running")
                connection.execute(running.values(status="interrupted"))


def _said(error: BaseException) -> str:
    """What an error says, in a line."""
    if not isinstance(error, ConvlabError):
        return f"{type(error).__name__}: {error}"
    return "; ".join("; ".join(filter(None, (each.message, each.label))) for each in error.problems)


def _noted(*sentences: str) -> str:
    return clean("\n".join(filter(None, sentences)))


def _end_after_error(recording: Recording, **values: Any) -> None:
    """Say how the run ended; what the store says to that would hide the error."""
    with suppress(ConvlabError):
        _update(recording, **values, finished=datetime.now(UTC))


def _update(recording: Recording, **values: Any) -> None:
    with recording.database.writing() as connection:
        connection.execute(update(schema.runs).where(schema.runs.c.id == recording.id).values(values))


def _put(connection: Connection, values: dict[str, Any]) -> None:
    statement = _insert(connection, schema.rows).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in ("run", "position")}
    connection.execute(statement.on_conflict_do_update(index_elements=["run", "position"], set_=changed))


def _keep_design(connection: Connection, design: ResolvedDesign) -> None:
    kept = {"sha": design.sha, "key": design.key, "text": design.text}
    connection.execute(_insert(connection, schema.designs).values(kept).on_conflict_do_nothing())


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that may say what happens where the row is there already."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _values(row: Row) -> dict[str, Any]:
    """The row's columns."""
    values = {item.name: getattr(row, item.name) for item in dataclasses.fields(row)}
    values |= {name: finite(values[name]) for name in FIGURES}
    values |= {name: clean(value) for name, value in values.items() if isinstance(value, str)}
    return values | {"details": plain(row.details), "design": None if row.design is None else row.design.sha}
