"""Runs the migrations against the database that the caller names, in one transaction."""

from alembic import context

from hub.db import Base, Database


def run() -> None:
    database = Database(context.config.attributes["url"])
    with database.engine.begin() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=database.is_sqlite)
        with context.begin_transaction():
            context.run_migrations()
    database.close()


run()
