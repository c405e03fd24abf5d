"""Salts of agreements: where each lies, and that a destroyed one is never made again.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "agreement_salts",
        sa.Column("agreement", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.String(64)),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("destroyed_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("agreement", "version", name="pk_agreement_salts"),
    )


def downgrade() -> None:
    """Drop it; snapshots taken since have pseudonyms that nobody can make again."""
    op.drop_table("agreement_salts")
