"""Row-level security on PostgreSQL: what belongs to one provider is shown to its own people, whatever a query asks.

Each transaction says who it is for (`hub.db.Scope`); where it says nothing, nothing is shown. It holds for the owner
of the tables too, but not for a superuser: the hub's database user is none (docs/operations.md).

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OF_PROVIDER = {
    "submissions": ("submissions", "provider"),
    "review_items": ("reviews", "provider"),
    "links": ("links", "provider"),
    "threshold_links": ("links", "provider"),
}
OF_SUBMISSION = ("submission_chunks", "submission_statements")
FAMILY = "'{family}' = ANY(string_to_array(current_setting('promise.{reach}', true), ','))"
SHOWN = "{whole} OR ({own} AND {column} = current_setting('promise.organisation', true))"


def upgrade() -> None:
    """Set the policies, where the database has them."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, (family, column) in OF_PROVIDER.items():
        whole, own = (FAMILY.format(family=family, reach=reach) for reach in ("whole", "own"))
        _guard(table, SHOWN.format(whole=whole, own=own, column=column))
    for table in OF_SUBMISSION:
        _guard(table, f"EXISTS (SELECT 1 FROM submissions WHERE submissions.id = {table}.submission)")


def downgrade() -> None:
    """Take them away."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in (*OF_PROVIDER, *OF_SUBMISSION):
        op.execute(f"DROP POLICY of_provider ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _guard(table: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY of_provider ON {table} USING ({condition}) WITH CHECK ({condition})")
