"""Sign-in by an identity provider: who its subjects are here, who was sent there, and whose session came from there.

Revision ID: 0016
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0016"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the column."""
    op.add_column("sessions", sa.Column("provider", sa.String(40), nullable=True))
    op.create_table(
        "sign_in_bindings",
        sa.Column("subject_hash", sa.String(64), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("bound_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_sign_in_bindings_person_people"),
        sa.PrimaryKeyConstraint("subject_hash", name="pk_sign_in_bindings"),
    )
    op.create_index("ix_sign_in_bindings_person", "sign_in_bindings", ["person"])
    op.create_table(
        "provider_visits",
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("session", sa.String(64), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_provider_visits"),
    )
    op.create_index("ix_provider_visits_expires_at", "provider_visits", ["expires_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("provider_visits")
    op.drop_table("sign_in_bindings")
    op.drop_column("sessions", "provider")
