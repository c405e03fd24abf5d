"""Accounts of people: passwords, codes, passkeys, attempts, invitations; sessions know when a factor was shown.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
TABLES = ("invitations", "sign_in_attempts", "passkey_challenges", "passkeys", "accounts")


def upgrade() -> None:
    """Make the tables of accounts."""
    op.add_column("sign_in_links", sa.Column("sets_up", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sign_in_links", sa.Column("code_hash", sa.String(64), nullable=True))
    op.add_column("sessions", sa.Column("proved_at", UtcDateTime(), nullable=True))
    op.add_column("sessions", sa.Column("sets_up", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "accounts",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_accounts_person_people"),
        sa.PrimaryKeyConstraint("person", name="pk_accounts"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
    )
    op.create_table(
        "passkeys",
        sa.Column("credential", sa.String(1400), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_passkeys_person_people"),
        sa.PrimaryKeyConstraint("credential", name="pk_passkeys"),
    )
    op.create_index("ix_passkeys_person", "passkeys", ["person"])
    op.create_table(
        "passkey_challenges",
        sa.Column("ticket_hash", sa.String(64), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.String(32), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_hash", name="pk_passkey_challenges"),
    )
    op.create_index("ix_passkey_challenges_expires_at", "passkey_challenges", ["expires_at"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_subject", "sign_in_attempts", ["subject"])
    op.create_index("ix_sign_in_attempts_at", "sign_in_attempts", ["at"])
    op.create_table(
        "invitations",
        sa.Column("act", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("link_made_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name="fk_invitations_act_acts"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_invitations_person_people"),
        sa.PrimaryKeyConstraint("act", name="pk_invitations"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in TABLES:
        op.drop_table(table)
    for table, column in (
        ("sessions", "sets_up"),
        ("sessions", "proved_at"),
        ("sign_in_links", "code_hash"),
        ("sign_in_links", "sets_up"),
    ):
        op.drop_column(table, column)
