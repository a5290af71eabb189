"""The tables of the store, as the newest version has them, and the views that people query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

VERSION = 2
VERSION_TABLE = "convlab_version"


@final
class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, in databases with time zones and without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


_JSON = JSON().with_variant(JSONB(), "postgresql")

metadata = MetaData()

designs = Table(
    "stored_designs",
    metadata,
    Column("sha", Text, primary_key=True),
    _text("key"),
    _text("text"),
)

environments = Table(
    "stored_environments",
    metadata,
    Column("sha", Text, primary_key=True),
    Column("facts", _JSON, nullable=False),
)

runs = Table(
    "stored_runs",
    metadata,
    Column("id", Text, primary_key=True),
    _text("kind"),
    _text("name"),
    _text("status"),
    Column("started", UtcTime, nullable=False),
    Column("finished", UtcTime),
    _text("command"),
    Column("settings", _JSON, nullable=False),
    _text("version"),
    _text("git_commit"),
    Column("dirty", Boolean, nullable=False),
    Column("environment", Text, ForeignKey("stored_environments.sha"), nullable=False),
    _text("note"),
    # since version 2
    _text("host", server_default=""),
    Column("process", Integer),
    Column("process_started", Double),
    Column("heartbeat", UtcTime),
    Column("deleted", UtcTime),
    Index("stored_runs_by_start", "started"),
    Index("stored_runs_by_environment", "environment"),
)

rows = Table(
    "stored_rows",
    metadata,
    Column("run", Text, ForeignKey("stored_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _text("kind"),
    _text("subject"),
    Column("design", Text, ForeignKey("stored_designs.sha")),
    _text("task"),
    _text("device"),
    _text("dtype"),
    _text("layout"),
    _text("mode"),
    Column("batch", Integer),
    Column("image_height", Integer),
    Column("image_width", Integer),
    Column("threads", Integer),
    Column("n", Integer),
    Column("median", Double),
    Column("low", Double),
    Column("high", Double),
    _text("unit"),
    Column("details", _JSON, nullable=False),
    Column("written", UtcTime, nullable=False),
    Index("stored_rows_by_design", "design"),
    Index("stored_rows_by_subject", "subject"),
)

version = Table(
    VERSION_TABLE,
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)

VIEWS = {
    "runs": "SELECT id, kind, name, status, started, finished, command, settings, version, git_commit, dirty, environment, note, host, "
    "process, heartbeat, (SELECT count(*) FROM stored_rows WHERE run = id) AS row_count FROM stored_runs WHERE deleted IS NULL",
    "rows": "SELECT stored_rows.run, position, stored_rows.kind, subject, stored_designs.key AS design_key, design, task, device, dtype, "
    "layout, mode, batch, image_height, image_width, threads, n, median, low, high, unit, details, written FROM stored_rows "
    "JOIN stored_runs ON stored_runs.id = stored_rows.run LEFT JOIN stored_designs ON stored_designs.sha = design "
    "WHERE deleted IS NULL",
    "designs": "SELECT sha, key, text FROM stored_designs",
    "environments": "SELECT sha, facts FROM stored_environments",
}
"""What `convlab runs query` is meant for: names that stay, without what is marked for removal. A changed view is a new version."""


def create(connection: Connection) -> None:
    """Make the tables and views of the newest version in an empty database."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(version).values(version_num=f"{VERSION:04}"))
    create_views(connection)


def create_views(connection: Connection) -> None:
    """Make the views."""
    for name, select in VIEWS.items():
        connection.execute(text(f"CREATE VIEW {name} AS {select}"))


def drop_views(connection: Connection) -> None:
    """Take the views away, whichever there are: a table below a view cannot be changed everywhere."""
    for name in reversed(VIEWS):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
