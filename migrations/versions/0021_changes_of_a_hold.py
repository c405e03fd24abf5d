"""What a submission changes against the last one, in counts, so that who decides about a hold sees it.

Revision ID: 0021
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; submissions of before have nothing in it."""
    op.add_column("submissions", sa.Column("changes", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("submissions", "changes")
