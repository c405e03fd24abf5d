"""Requests for further tables: partners ask, contributors comment, the officer decides.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of requests and comments."""
    op.create_table(
        "table_requests",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("indicator", sa.String(40), nullable=False),
        sa.Column("dimensions", sa.JSON(), nullable=False),
        sa.Column("agreement", sa.String(40), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("comments_until", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("cost", sa.JSON(none_as_null=True)),
        sa.Column("decided_by", sa.String(80)),
        sa.Column("decided_at", UtcDateTime()),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("joined_release", sa.String(40)),
        sa.ForeignKeyConstraint(["joined_release"], ["releases.id"], name="fk_table_requests_joined_release_releases"),
        sa.PrimaryKeyConstraint("id", name="pk_table_requests"),
    )
    for column in ("organisation", "state", "joined_release"):
        op.create_index(f"ix_table_requests_{column}", "table_requests", [column])
    op.create_table(
        "table_request_comments",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("request", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("stance", sa.String(10), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request"], ["table_requests.id"], name="fk_table_request_comments_request_table_requests"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_table_request_comments"),
    )
    op.create_index("ix_table_request_comments_request", "table_request_comments", ["request"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("table_request_comments")
    op.drop_table("table_requests")
