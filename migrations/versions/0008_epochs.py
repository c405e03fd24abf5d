"""Epochs of the linkage secret: rosters, commitments, envelopes, acceptances.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the ceremony."""
    op.create_table(
        "epochs",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("roster", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("accept_by", UtcDateTime(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("begun_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("number", name="pk_epochs"),
    )
    op.create_table(
        "epoch_commitments",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("custodian", sa.String(40), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("signed", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_epoch_commitments_epoch_epochs"),
        sa.PrimaryKeyConstraint("epoch", "custodian", name="pk_epoch_commitments"),
    )
    op.create_table(
        "epoch_envelopes",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("custodian", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(40), nullable=False),
        sa.Column("signed", sa.JSON(), nullable=False),
        sa.Column("left_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_epoch_envelopes_epoch_epochs"),
        sa.PrimaryKeyConstraint("epoch", "custodian", "recipient", name="pk_epoch_envelopes"),
    )
    op.create_table(
        "epoch_acceptances",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("signed", sa.JSON(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_epoch_acceptances_epoch_epochs"),
        sa.PrimaryKeyConstraint("epoch", "organisation", name="pk_epoch_acceptances"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("epoch_acceptances", "epoch_envelopes", "epoch_commitments", "epochs"):
        op.drop_table(table)
