"""What was found out about groups of blocks, so that a refresh protects again only what has changed.

Revision ID: 0020
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "kept_protections",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("states", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_kept_protections"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("kept_protections")
