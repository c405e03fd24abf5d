"""From every earlier revision a database with a lived-in hub's rows goes forward, and back, and loses no row or value.

What a table held at one revision is compared column by column with what it holds at another, by hashes of its rows.
"""

import json
from hashlib import sha256

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

from hub.audit.tables import Entry
from hub.audit.verify import Trusted, verify_log
from hub.linking import service
from hub.operations.installation import alembic_config, downgrade, upgrade
from hub.operations.table_copy import parts_of, sum_of, tables_of
from policies.translog.note import read_vkey

REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
"""Newest first."""
FIRST = REVISIONS[-1]
FIRST_TABLES = (
    "submissions",
    "submission_chunks",
    "organisations",
    "agents",
    "jobs",
    "links",
    "audit_entries",
    "audit_details",
)
SMALL = {"audit_head", "audit_checkpoints", "agents", "organisations", "agreements"}
"""Tables that never hold more than thousands of rows: one of them may be written anew by a migration."""
LET_GO = {"audit_checkpoints": {"signed_at"}}
"""Columns that a migration drops on purpose (0009: nothing vouched for that time)."""


def counts(database):
    with database.snapshot() as connection:
        return {table.name: sum_of(connection, table).rows for table in tables_of(connection)}


def columns_of(database):
    with database.snapshot() as connection:
        return {
            table.name: sorted(set(table.columns.keys()) - LET_GO.get(table.name, set()))
            for table in tables_of(connection)
        }


def held(database, columns):
    """By table how often each row stands in it, of these columns alone, as far as they are there."""
    found = {}
    with database.snapshot() as connection:
        for table in tables_of(connection):
            if table.name in columns:
                names = sorted(set(columns[table.name]) & set(table.columns.keys()))
                rows = sorted(
                    sha256(json.dumps([json.loads(line)[name] for name in names]).encode()).hexdigest()
                    for lines in parts_of(connection, table)
                    for line in lines
                )
                found[table.name] = (names, rows)
    return found


@pytest.fixture
def lived_in(made_up_hub):
    """A hub with submissions of two offices, a run that holds, and a signed log."""
    made_up_hub.enrol("novato").deliver(range(10))
    made_up_hub.enrol("reed").deliver(range(5, 15), year=2025)
    with made_up_hub.database.transaction() as session:
        run = service.request_run(session, audit=made_up_hub.trail)
    made_up_hub.work()
    with made_up_hub.database.transaction() as session:
        service.accept_run(session, run, audit=made_up_hub.trail)
    return made_up_hub


@pytest.mark.slow
def test_no_row_and_no_value_is_lost_from_any_revision_forward_and_back(lived_in):
    database, url, lost = lived_in.database, lived_in.database.url, []
    for revision in REVISIONS[1:]:
        downgrade(url, revision)
    for older, newer in zip(reversed(REVISIONS), reversed(REVISIONS[:-1]), strict=False):
        columns = columns_of(database)
        before = held(database, columns)
        upgrade(url, newer)
        after = held(database, columns)
        lost += [f"{newer}: {table}" for table in before if after.get(table) != before[table]]
        downgrade(url, older)
        back = held(database, columns)
        lost += [f"back to {older}: {table}" for table in before if back.get(table) != before[table]]
        upgrade(url, newer)

    assert lost == []
    assert len(REVISIONS) >= 20
    assert all(counts(database)[name] > 0 for name in FIRST_TABLES)


@pytest.mark.slow
def test_from_every_revision_one_step_goes_to_the_newest_and_loses_nothing(lived_in):
    database, url, lost = lived_in.database, lived_in.database.url, []
    for revision in REVISIONS[1:]:
        downgrade(url, revision)
        columns = columns_of(database)
        before = held(database, columns)
        upgrade(url)
        after = held(database, columns)
        lost += [f"{revision}: {table}" for table in before if after.get(table) != before[table]]

    assert lost == []


@pytest.mark.slow
def test_no_migration_writes_a_large_table_anew_which_would_lock_it_for_as_long_as_that_takes(lived_in):
    database, url, rewritten = lived_in.database, lived_in.database.url, []
    if database.is_sqlite:
        pytest.skip("SQLite locks the whole file for a migration, whatever it does")
    downgrade(url, FIRST)
    for newer in reversed(REVISIONS[:-1]):
        before = files_of(database)
        upgrade(url, newer)
        after = files_of(database)
        rewritten += [f"{newer}: {table}" for table in before if after.get(table) != before[table]]

    assert [one for one in rewritten if one.split(": ")[1] not in SMALL] == []


def files_of(database):
    """By table the file that holds its rows on PostgreSQL; another one means that all rows were written again."""
    query = "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    with database.snapshot() as connection:
        return {row[0]: row[1] for row in connection.execute(text(query))}


def test_a_hub_of_the_first_revision_works_on_after_one_step_to_the_newest(lived_in):
    url = lived_in.database.url
    downgrade(url, FIRST)
    columns = columns_of(lived_in.database)
    before = held(lived_in.database, columns)

    upgrade(url)

    assert held(lived_in.database, columns) == before
    with lived_in.database.reading() as session:
        entries = len(before["audit_entries"][1])
        assert session.scalar(select(func.count()).select_from(Entry)) == entries > 0
        log = read_vkey(lived_in.facts["log_verifier"])
        assert verify_log(session, Trusted(log)).whole is not False
