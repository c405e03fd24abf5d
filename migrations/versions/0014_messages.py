"""Where offices are told of their submissions: e-mail addresses and webhooks.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "message_addresses",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name="fk_message_addresses_organisation_organisations"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message_addresses"),
    )
    op.create_index("ix_message_addresses_organisation", "message_addresses", ["organisation"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_message_addresses_organisation", "message_addresses")
    op.drop_table("message_addresses")
