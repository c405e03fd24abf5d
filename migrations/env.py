"""Runs the migrations against the database that the caller names, in one transaction.

On PostgreSQL it waits a few seconds for a lock and then gives up: a migration that stands in line for a table would
hold up everybody who comes after it. SQLite writes a table anew to change its columns, and drops the old one; rows of
other tables that refer to it would forbid that, so references are let go meanwhile and all of them checked at the end.
"""

from alembic import context
from sqlalchemy.engine import Connection

from hub.db import Base, Database
from hub.errors import StoreError

LOCK_SECONDS = 5


def run() -> None:
    database = Database(context.config.attributes["url"])
    try:
        with database.engine.connect() as connection:
            if database.is_sqlite:
                _let_references_go(connection)
            with connection.begin():
                if not database.is_sqlite:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                context.configure(
                    connection=connection, target_metadata=Base.metadata, render_as_batch=database.is_sqlite
                )
                with context.begin_transaction():
                    context.run_migrations()
                if database.is_sqlite:
                    _check_references(connection)
    finally:
        database.close()


def _let_references_go(connection: Connection) -> None:
    """Before the transaction begins, since SQLite ignores it within one; the connection is closed at the end."""
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute("PRAGMA foreign_keys=OFF")


def _check_references(connection: Connection) -> None:
    broken = {str(row[0]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check").all()}
    if broken:
        raise StoreError(
            f"After the migration rows of {', '.join(sorted(broken))} refer to rows that are not there.",
            code="migration-references", next_step="Nothing was changed. Run promise-hub doctor, and restore a backup.",
        )  # fmt: skip


run()
