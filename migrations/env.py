"""Runs the migrations against the database that the caller names, in one transaction.

On PostgreSQL it waits a few seconds for a lock and then gives up: a migration that stands in line for a table would
hold up everybody who comes after it.
"""

from alembic import context

from hub.db import Base, Database

LOCK_SECONDS = 5


def run() -> None:
    database = Database(context.config.attributes["url"])
    try:
        with database.engine.begin() as connection:
            if not database.is_sqlite:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=database.is_sqlite)
            with context.begin_transaction():
                context.run_migrations()
    finally:
        database.close()


run()
