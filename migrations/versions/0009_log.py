"""The log that its operator cannot rewrite: cosignatures of witnesses, their rounds, kept searches, nonces.

A checkpoint's `signed_at` goes: nothing vouched for it, and a witness's signature carries a time of its own. A
release that is approved names the event that approved it, so that it waits until that event is cosigned.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, and let the column go."""
    with op.batch_alter_table("audit_checkpoints") as table:
        table.drop_column("signed_at")
    with op.batch_alter_table("releases") as table:
        table.add_column(sa.Column("approved_sequence", sa.BigInteger()))
    op.create_table(
        "audit_cosignatures",
        sa.Column("size", NUMBER, autoincrement=False, nullable=False),
        sa.Column("agent", sa.String(80), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", "agent", name="pk_audit_cosignatures"),
    )
    op.create_table(
        "witness_rounds",
        sa.Column("size", NUMBER, autoincrement=False, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_witness_rounds"),
    )
    op.create_table(
        "audit_searches",
        sa.Column("person", sa.String(120), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("query", sa.String(400), nullable=False),
        sa.PrimaryKeyConstraint("person", "name", name="pk_audit_searches"),
    )
    op.create_table(
        "request_nonces",
        sa.Column("key_id", sa.String(80), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("forget_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "nonce", name="pk_request_nonces"),
    )
    op.create_index("ix_request_nonces_forget_at", "request_nonces", ["forget_at"])


def downgrade() -> None:
    """Drop them; a checkpoint gets the time of its going back."""
    for table in ("request_nonces", "audit_searches", "witness_rounds", "audit_cosignatures"):
        op.drop_table(table)
    with op.batch_alter_table("releases") as batch:
        batch.drop_column("approved_sequence")
    with op.batch_alter_table("audit_checkpoints") as batch:
        batch.add_column(sa.Column("signed_at", UtcDateTime(), nullable=False, server_default=sa.func.now()))
