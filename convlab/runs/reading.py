"""Finding runs, and what belongs to them: rows, designs, environments."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row as Record
from sqlalchemy import Select, func, or_, select

from convlab.errors import ConvlabError, Problem, quote
from convlab.runs import schema
from convlab.runs.database import Database
from convlab.runs.ids import patterns
from convlab.runs.provenance import Writer, is_alive
from convlab.runs.records import ResolvedDesign, Row, Run, Selection

LATEST = "latest"

_NAMED = 5
"""Runs that a message names."""


def find_runs(database: Database, selection: Selection) -> tuple[Run, ...]:
    """The runs that are meant, the newest first."""
    # Whether a run is interrupted is not in the table: of those, more have to be looked at than are asked for.
    in_table = selection.status not in ("running", "interrupted")
    statement = _select(selection if in_table else dataclasses.replace(selection, limit=None))
    with database.reading() as connection:
        found = tuple(_run(record) for record in connection.execute(statement))
    if not in_table:
        found = tuple(run for run in found if run.status == selection.status)
    return found[: selection.limit]


def find_run(database: Database, given: str, *, deleted: bool = False) -> Run:
    """The run of a name, of how its name or its last letters begin, or the latest. Raises ConvlabError for none and for several.

    ``deleted``: the latest of those that are marked for removal.
    """
    if given == LATEST:
        found = find_runs(database, Selection(limit=1, deleted=deleted))
        if not found and deleted:
            raise _unknown(
                f"no run of the store {quote(database.place)} is marked for removal", "convlab runs list shows runs"
            )
        if not found:
            raise _unknown(
                f"the store {quote(database.place)} has no runs",
                "convlab bench and convlab calibrate store what they measure",
            )
        return found[0]
    name = schema.runs.c.id
    meant = or_(*(name.like(pattern) for pattern in patterns(given)), name == given)
    with database.reading() as connection:
        found = tuple(_run(record) for record in connection.execute(_select(Selection(deleted=None)).where(meant)))
    exact = [run for run in found if run.id == given]
    if not found:
        raise _unknown(f"there is no run {quote(given)}", "convlab runs list shows them")
    if len(found) > 1 and not exact:
        names = ", ".join(run.id for run in found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
        raise _unknown(f"{len(found)} runs begin with {quote(given)}: {names}", "give more of the name")
    return (exact or found)[0]


def kinds_of(database: Database) -> tuple[str, ...]:
    """The kinds of runs that there are, in the order of the alphabet."""
    kind = schema.runs.c.kind
    with database.reading() as connection:
        return tuple(connection.execute(select(kind).distinct().order_by(kind)).scalars())


def rows_of(database: Database, run: str) -> dict[int, Row]:
    """The rows of a run by their positions, in their order."""
    statement = (
        select(schema.rows, schema.designs.c.key, schema.designs.c.text)
        .outerjoin(schema.designs)
        .where(schema.rows.c.run == run)
        .order_by(schema.rows.c.position)
    )
    with database.reading() as connection:
        return {record.position: _row(record) for record in connection.execute(statement)}


def environment_of(database: Database, sha: str) -> dict[str, Any]:
    """The facts of an environment."""
    statement = select(schema.environments.c.facts).where(schema.environments.c.sha == sha)
    with database.reading() as connection:
        return dict(connection.execute(statement).scalar_one())


def _select(selection: Selection) -> Select[Any]:
    """The runs that are meant, as the table has them."""
    runs, rows = schema.runs.c, schema.rows.c
    count = select(func.count()).where(rows.run == runs.id).scalar_subquery()
    statement = select(schema.runs, count.label("rows")).order_by(runs.started.desc(), runs.id.desc())
    if selection.kind is not None:
        statement = statement.where(runs.kind == selection.kind)
    if selection.design is not None:
        of_design = select(rows.run).outerjoin(schema.designs)
        named = or_(
            rows.subject == selection.design, schema.designs.c.key.startswith(selection.design, autoescape=True)
        )
        statement = statement.where(runs.id.in_(of_design.where(named)))
    if selection.since is not None:
        statement = statement.where(runs.started >= selection.since)
    if selection.status is not None:
        stored = ("running", "interrupted") if selection.status in ("running", "interrupted") else (selection.status,)
        statement = statement.where(runs.status.in_(stored))
    if selection.deleted is not None:
        statement = statement.where(runs.deleted.is_not(None) if selection.deleted else runs.deleted.is_(None))
    return statement if selection.limit is None else statement.limit(selection.limit)


def _run(record: Record[Any]) -> Run:
    values = record._asdict()
    writer = Writer(values["host"], values["process"], values.pop("process_started"))
    if values["status"] == "running" and not is_alive(writer, values["heartbeat"], datetime.now(UTC)):
        values["status"] = "interrupted"
    del values["heartbeat"]
    return Run(commit=values.pop("git_commit"), **values)


def _row(record: Record[Any]) -> Row:
    values = record._asdict()
    key, text, sha = values.pop("key"), values.pop("text"), values["design"]
    for name in ("run", "position", "written"):
        del values[name]
    return Row(**values | {"design": None if sha is None else ResolvedDesign(key, text)})


def _unknown(message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem("unknown-run", message, help=help), exit_code=2)
