"""Objections of families, by record reference; each office sees its own.

Revision ID: 0018
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0018"
down_revision = "0022"
branch_labels = None
depends_on = None

FAMILY = "'opt_outs' = ANY(string_to_array(current_setting('promise.{reach}', true), ','))"
SHOWN = "{whole} OR ({own} AND provider = current_setting('promise.organisation', true))"


def upgrade() -> None:
    """Make the table, and its policy where the database has them."""
    op.create_table(
        "opt_outs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("scope", sa.String(10), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["provider"], ["organisations.id"], name="fk_opt_outs_provider_organisations"),
        sa.PrimaryKeyConstraint("id", name="pk_opt_outs"),
    )
    op.create_index("ix_opt_outs_provider", "opt_outs", ["provider"])
    if op.get_bind().dialect.name != "postgresql":
        return
    condition = SHOWN.format(whole=FAMILY.format(reach="whole"), own=FAMILY.format(reach="own"))
    op.execute("ALTER TABLE opt_outs ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE opt_outs FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY of_provider ON opt_outs USING ({condition}) WITH CHECK ({condition})")


def downgrade() -> None:
    """Drop it; the policy goes with it."""
    op.drop_index("ix_opt_outs_provider", "opt_outs")
    op.drop_table("opt_outs")
