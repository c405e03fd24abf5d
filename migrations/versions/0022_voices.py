"""Voices beside numbers: what partners, families and young people say, and the two persons who read it first.

On PostgreSQL a voice that does not show is shown to its own organisation and to reviewers alone.

Revision ID: 0022
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0022"
down_revision = "0015"
branch_labels = None
depends_on = None

FAMILY = "'voices' = ANY(string_to_array(current_setting('promise.{reach}', true), ','))"
SHOWN = (
    "state = 'shown' OR "
    + FAMILY.format(reach="whole")
    + " OR ("
    + FAMILY.format(reach="own")
    + " AND organisation = current_setting('promise.organisation', true))"
)
OF_VOICE = "EXISTS (SELECT 1 FROM voices WHERE voices.id = voice_reviews.voice)"


def upgrade() -> None:
    """Make the tables, and the policies where the database has them."""
    op.create_table(
        "voices",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("indicator", sa.String(40), nullable=False),
        sa.Column("dimension", sa.String(40)),
        sa.Column("year", sa.Integer()),
        sa.Column("speaker", sa.String(10), nullable=False),
        sa.Column("english", sa.String(600), nullable=False),
        sa.Column("spanish", sa.String(600), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("ended_by", sa.String(80)),
        sa.Column("ended_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_voices"),
    )
    for column in ("indicator", "organisation", "state"):
        op.create_index(f"ix_voices_{column}", "voices", [column])
    op.create_table(
        "voice_reviews",
        sa.Column("voice", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["voice"], ["voices.id"], name="fk_voice_reviews_voice_voices"),
        sa.PrimaryKeyConstraint("voice", "actor", name="pk_voice_reviews"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, condition in (("voices", SHOWN), ("voice_reviews", OF_VOICE)):
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY of_voice ON {table} USING ({condition}) WITH CHECK ({condition})")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("voice_reviews")
    op.drop_table("voices")
