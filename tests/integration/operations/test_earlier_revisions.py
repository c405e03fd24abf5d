"""From every earlier revision a database with a lived-in hub's rows goes forward, and back, and loses no row."""

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import func, select

from hub.audit.tables import Entry
from hub.audit.verify import Trusted, verify_log
from hub.operations.installation import alembic_config, downgrade, upgrade
from hub.operations.table_copy import sum_of, tables_of
from policies.translog.note import read_vkey

REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
"""Newest first."""
FIRST_TABLES = (
    "submissions",
    "submission_chunks",
    "organisations",
    "agents",
    "jobs",
    "audit_entries",
    "audit_details",
)


def counts(database):
    with database.snapshot() as connection:
        return {table.name: sum_of(connection, table).rows for table in tables_of(connection)}


@pytest.fixture
def lived_in(made_up_hub):
    made_up_hub.enrol("novato").deliver(range(10))
    made_up_hub.enrol("reed").deliver(range(5, 15), year=2025)
    return made_up_hub


@pytest.mark.slow
def test_rows_are_there_at_every_revision_on_the_way_back_and_forth(lived_in):
    database, url, at = lived_in.database, lived_in.database.url, {}
    newest = counts(database)
    for revision in REVISIONS[1:]:
        downgrade(url, revision)
        at[revision] = counts(database)

    for revision in reversed(REVISIONS[1:-1]):
        upgrade(url, revision)
        found = counts(database)
        assert {name: found[name] for name in at[REVISIONS[-1]]} == at[REVISIONS[-1]], revision
    upgrade(url)

    assert len(REVISIONS) >= 15
    after = counts(database)
    assert all(after[name] == newest[name] for name in at[REVISIONS[-1]]), "tables of the first revision"
    assert all(after[name] > 0 for name in FIRST_TABLES)


def test_a_hub_of_the_first_revision_works_on_after_one_step_to_the_newest(lived_in):
    url = lived_in.database.url
    downgrade(url, REVISIONS[-1])
    before = counts(lived_in.database)

    upgrade(url)

    after = counts(lived_in.database)
    assert {name: after[name] for name in before} == before
    with lived_in.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == before["audit_entries"]
        log = read_vkey(lived_in.facts["log_verifier"])
        assert verify_log(session, Trusted(log)).whole is not False
