"""Who writes a run, so that one whose process died can be told; the mark of what is to be removed; indices for finding runs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns and indices."""
    moment = sa.DateTime(timezone=True)
    op.add_column("stored_runs", sa.Column("host", sa.Text, nullable=False, server_default=""))
    op.add_column("stored_runs", sa.Column("process", sa.Integer))
    op.add_column("stored_runs", sa.Column("process_started", sa.Double))
    op.add_column("stored_runs", sa.Column("heartbeat", moment))
    op.add_column("stored_runs", sa.Column("deleted", moment))
    op.create_index("stored_runs_by_start", "stored_runs", ["started"])
    op.create_index("stored_runs_by_environment", "stored_runs", ["environment"])
    op.create_index("stored_rows_by_design", "stored_rows", ["design"])
    op.create_index("stored_rows_by_subject", "stored_rows", ["subject"])
