"""Receipts name what is missing; what became of records is found without reading every observation."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Receipts made so far named nothing."""
    op.add_column("receipt", sa.Column("missing", sa.Text, nullable=False, server_default="[]"))
    where = sa.text("field = 'presence'")
    op.create_index(
        "observation_presence", "observation", ["source", "record"], sqlite_where=where, postgresql_where=where
    )
