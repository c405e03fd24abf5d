"""Runs that continue another: links as changes, memories, links at other thresholds, records to verify.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs that stood before hold all their links and remember nothing."""
    with op.batch_alter_table("linkage_runs") as table:
        table.add_column(sa.Column("whole", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("continues", sa.Integer()))
        table.add_column(sa.Column("providers", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("memory", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("linkage_runs") as table:
        for column in ("whole", "providers", "memory"):
            table.alter_column(column, server_default=None)
    op.create_table(
        "review_items",
        sa.Column("item", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("listed_at", UtcDateTime(), nullable=False),
        sa.Column("answers", sa.JSON()),
        sa.Column("answered_by", sa.String(120)),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("approved_by", sa.String(120)),
        sa.Column("approved_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("item", name="pk_review_items"),
    )
    op.create_index("ix_review_items_provider", "review_items", ["provider"])
    op.create_table(
        "threshold_links",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("threshold", sa.String(10), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["linkage_runs.version"], name="fk_threshold_links_run_linkage_runs"),
        sa.PrimaryKeyConstraint("run", "threshold", "provider", "reference", name="pk_threshold_links"),
    )


def downgrade() -> None:
    """Runs that continue another lose what stands in that other: link again afterwards."""
    op.drop_table("threshold_links")
    op.drop_table("review_items")
    with op.batch_alter_table("linkage_runs") as table:
        for column in ("memory", "providers", "continues", "whole"):
            table.drop_column(column)
