"""The models are what the migrations make, and every migration has its way back."""

import importlib
import pkgutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import hub
from hub.db import Base, Database
from hub.operations.installation import downgrade, upgrade


@pytest.fixture(autouse=True)
def every_table_declared():
    for folder in pkgutil.iter_modules(hub.__path__):
        if folder.ispkg and importlib.util.find_spec(f"hub.{folder.name}.tables"):
            importlib.import_module(f"hub.{folder.name}.tables")
    importlib.import_module("hub.jobs")


def test_the_models_are_what_the_migrations_make(database):
    with database.engine.connect() as connection:
        differences = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata
        )

    assert differences == []


def test_every_migration_goes_back_to_an_empty_database(database_url):
    downgrade(database_url, "base")

    database = Database(database_url)
    left = set(inspect(database.engine).get_table_names())
    database.close()
    assert left <= {"alembic_version"}


def test_migrating_again_after_going_back_makes_the_same_tables(database_url):
    downgrade(database_url, "base")
    upgrade(database_url)

    database = Database(database_url)
    tables = set(inspect(database.engine).get_table_names())
    database.close()
    assert tables == {*Base.metadata.tables, "alembic_version"}
