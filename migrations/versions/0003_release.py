"""Releases and the ledger: every cell ever released is kept, so that the next release is audited against all of them.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BLOCK_KEY = ["indicator", "cohort_year", "vintage"]


def upgrade() -> None:
    """Make the five tables of releases."""
    op.create_table(
        "releases",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("prepared_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("catalogue_version", sa.Integer(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
    )
    op.create_table(
        "released_blocks",
        sa.Column("indicator", sa.String(40), nullable=False),
        sa.Column("cohort_year", sa.Integer(), nullable=False),
        sa.Column("vintage", sa.String(16), nullable=False),
        sa.Column("first_release", sa.String(40), nullable=False),
        sa.Column("definition_version", sa.String(40), nullable=False),
        sa.Column("equations", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["first_release"], ["releases.id"], name="fk_released_blocks_first_release_releases"),
        sa.PrimaryKeyConstraint(*BLOCK_KEY, name="pk_released_blocks"),
    )
    op.create_index("ix_released_blocks_first_release", "released_blocks", ["first_release"])
    op.create_table(
        "release_blocks",
        sa.Column("release", sa.String(40), nullable=False),
        sa.Column("indicator", sa.String(40), nullable=False),
        sa.Column("cohort_year", sa.Integer(), nullable=False),
        sa.Column("vintage", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name="fk_release_blocks_release_releases"),
        _to_block("fk_release_blocks_block"),
        sa.PrimaryKeyConstraint("release", *BLOCK_KEY, name="pk_release_blocks"),
    )
    op.create_table(
        "released_cells",
        sa.Column("indicator", sa.String(40), nullable=False),
        sa.Column("cohort_year", sa.Integer(), nullable=False),
        sa.Column("vintage", sa.String(16), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(80), nullable=False),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("known", sa.Integer(), nullable=True),
        sa.Column("k", sa.Integer(), nullable=True),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("rate_low", sa.Integer(), nullable=True),
        sa.Column("rate_high", sa.Integer(), nullable=True),
        sa.Column("coverage_low", sa.Integer(), nullable=True),
        sa.Column("coverage_high", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("status_reason", sa.String(80), nullable=False),
        _to_block("fk_released_cells_block"),
        sa.PrimaryKeyConstraint(*BLOCK_KEY, "ordinal", name="pk_released_cells"),
    )
    op.create_index("ix_released_cells_slice", "released_cells", ["indicator", "table_name", "cohort_year", "vintage"])
    op.create_table(
        "release_evidence",
        sa.Column("release", sa.String(40), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name="fk_release_evidence_release_releases"),
        sa.PrimaryKeyConstraint("release", name="pk_release_evidence"),
    )


def downgrade() -> None:
    """Take them away again; the ledger goes with them."""
    op.drop_table("release_evidence")
    op.drop_index("ix_released_cells_slice", "released_cells")
    op.drop_table("released_cells")
    op.drop_table("release_blocks")
    op.drop_index("ix_released_blocks_first_release", "released_blocks")
    op.drop_table("released_blocks")
    op.drop_table("releases")


def _to_block(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(BLOCK_KEY, [f"released_blocks.{column}" for column in BLOCK_KEY], name=name)
