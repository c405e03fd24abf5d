"""Dangerous acts that wait for a second person, their approvals, and people whose removal was asked for.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the two-person queue."""
    op.add_column("people", sa.Column("suspended_until", UtcDateTime(), nullable=True))
    op.create_table(
        "acts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("organisations", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("why", sa.String(400), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("asked_sequence", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("settled_by", sa.String(120), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_acts"),
    )
    op.create_index("ix_acts_digest", "acts", ["digest"])
    op.create_index("ix_acts_state", "acts", ["state"])
    op.create_table(
        "act_approvals",
        sa.Column("act", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("person", sa.String(120), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name="fk_act_approvals_act_acts"),
        sa.PrimaryKeyConstraint("act", "role", name="pk_act_approvals"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("act_approvals")
    op.drop_index("ix_acts_state", "acts")
    op.drop_index("ix_acts_digest", "acts")
    op.drop_table("acts")
    op.drop_column("people", "suspended_until")
