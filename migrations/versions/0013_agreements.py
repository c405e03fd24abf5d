"""Agreements are drafts until they are activated: keys of parties, signatures, withdrawals, destructions.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Versions that were loaded before go on holding."""
    with op.batch_alter_table("agreement_versions") as table:
        table.add_column(sa.Column("activated_at", UtcDateTime()))
    op.execute("UPDATE agreement_versions SET activated_at = loaded_at")
    op.create_table(
        "party_keys",
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name="fk_party_keys_organisation_organisations"
        ),
        sa.PrimaryKeyConstraint("organisation", name="pk_party_keys"),
    )
    op.create_table(
        "agreement_signatures",
        sa.Column("agreement", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("word", sa.JSON(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "version", "organisation", name="pk_agreement_signatures"),
    )
    op.create_table(
        "agreement_withdrawals",
        sa.Column("agreement", sa.String(40), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("up_to_version", sa.Integer(), nullable=False),
        sa.Column("word", sa.JSON(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "organisation", name="pk_agreement_withdrawals"),
    )
    op.create_table(
        "destructions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("agreement", sa.String(40), nullable=False),
        sa.Column("organisations", sa.JSON(), nullable=False),
        sa.Column("ended", sa.Date(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime()),
        sa.Column("certificate", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_destructions"),
    )
    op.create_index("ix_destructions_agreement", "destructions", ["agreement"])


def downgrade() -> None:
    """Drafts would hold without a signature: they go."""
    for table in ("destructions", "agreement_withdrawals", "agreement_signatures", "party_keys"):
        op.drop_table(table)
    op.execute("DELETE FROM agreement_versions WHERE activated_at IS NULL")
    with op.batch_alter_table("agreement_versions") as batch:
        batch.drop_column("activated_at")
