"""The first tables: designs, environments, runs and their rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "stored_designs",
        sa.Column("sha", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "stored_environments",
        sa.Column("sha", sa.Text, primary_key=True),
        sa.Column("facts", json, nullable=False),
    )
    op.create_table(
        "stored_runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("finished", moment),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("settings", json, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("git_commit", sa.Text, nullable=False),
        sa.Column("dirty", sa.Boolean, nullable=False),
        sa.Column("environment", sa.Text, sa.ForeignKey("stored_environments.sha"), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "stored_rows",
        sa.Column("run", sa.Text, sa.ForeignKey("stored_runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("design", sa.Text, sa.ForeignKey("stored_designs.sha")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("task", "device", "dtype", "layout", "mode")),
        *(sa.Column(name, sa.Integer) for name in ("batch", "image_height", "image_width", "threads", "n")),
        *(sa.Column(name, sa.Double) for name in ("median", "low", "high")),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("details", json, nullable=False),
        sa.Column("written", moment, nullable=False),
    )
