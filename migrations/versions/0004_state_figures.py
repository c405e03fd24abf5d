"""The state's published figures: they stand beside ours, with the file that they come from.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the state's files and figures."""
    op.create_table(
        "state_files",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("layout", sa.String(40), nullable=False),
        sa.Column("years", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_state_files"),
    )
    op.create_index("ix_state_files_layout", "state_files", ["layout"])
    op.create_table(
        "state_figures",
        sa.Column("measure", sa.String(40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("place", sa.String(40), nullable=False),
        sa.Column("dimension", sa.String(40), nullable=False),
        sa.Column("level", sa.String(40), nullable=False),
        sa.Column("n", sa.Integer()),
        sa.Column("k", sa.Integer()),
        sa.Column("rate", sa.Double()),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("file", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["file"], ["state_files.sha256"], name="fk_state_figures_file_state_files"),
        sa.PrimaryKeyConstraint("measure", "year", "place", "dimension", "level", name="pk_state_figures"),
    )
    op.create_index("ix_state_figures_file", "state_figures", ["file"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("state_figures")
    op.drop_table("state_files")
