"""What persons of a provider's office say of a submission: certified, withdrawn. Two are needed for each.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of statements."""
    op.create_table(
        "submission_statements",
        sa.Column("submission", sa.String(64), nullable=False),
        sa.Column("act", sa.String(10), nullable=False),
        sa.Column("person", sa.String(80), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission"], ["submissions.id"], name="fk_submission_statements_submission_submissions"
        ),
        sa.PrimaryKeyConstraint("submission", "act", "person", name="pk_submission_statements"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("submission_statements")
