"""A log of a thousand events: any stored value altered, anywhere, is found and its first entry named; so is every
trick of an operator who may write everything and signs with the log's own key, by what a district kept."""

import datetime as dt
import json
import random
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import text

from hub.audit.events import EventType
from hub.audit.service import append, checkpoint_note, head, open_log
from hub.audit.signer import Signer
from hub.audit.tables import Checkpoint, Detail, Entry
from hub.audit.verify import Trusted, verify_log
from hub.db import Database
from tests.databases import address_of, copy_of
from tests.integration.hub.test_audit_log import KEY, ORIGIN, VERIFIER, rewrite

EVENTS, EVERY = 1_000, 100
PARTS = 20
"""So many tests for one: where tests run side by side, files of many tests are begun first."""
COLUMNS = [
    (table.__tablename__, column.name)
    for table in (Entry, Detail)
    for column in table.__table__.columns
]  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory, migrated_sqlite):
    """A thousand events of several kinds under ten checkpoints, and the last of these as a district kept it."""
    import shutil

    from hub.audit.events import AuditTrail
    from tests.conftest import StandingClock

    folder, clock = tmp_path_factory.mktemp("thousand"), StandingClock()
    shutil.copyfile(migrated_sqlite, folder / "hub.db")
    database = Database(address_of(folder))
    trail = AuditTrail("person:1", "novato", "request-1", "GET /", clock, agreement="DUL-7", purpose="close-gap")
    signer = Signer(database, KEY, ORIGIN, folder / "last", clock)
    with database.transaction() as session:
        open_log(session)
    for start in range(0, EVENTS, EVERY):
        with database.transaction() as session:
            for number in range(start, start + EVERY):
                clock.advance(seconds=1)
                append(
                    session, trail, list(EventType)[number % 60], resource=f"page:{number}", decision="permitted",
                    rule="R-00", counts={"rows": number}, versions={"DUL-7": "1"},
                )  # fmt: skip
        signer.sign()
    with database.reading() as session:
        kept = checkpoint_note(session, EVENTS - EVERY).written()
    yield database, signer, kept
    database.close()


def altered(stored):
    """The stored value with one bit of its last byte altered."""
    if isinstance(stored, int):
        return stored + 10 * EVENTS
    if isinstance(stored, dict):  # PostgreSQL gives values of its own types
        return json.dumps(stored | {"altered": 1})
    if isinstance(stored, dt.datetime):
        return stored + dt.timedelta(seconds=1)
    content = stored if isinstance(stored, bytes) else str(stored).encode()
    changed = content[:-1] + bytes([content[-1] ^ 1])
    return changed if isinstance(stored, bytes) else changed.decode()


def found_in(session, table, column, sequence):
    """What verification says with one stored value altered; the change is taken back."""
    stored = session.execute(text(f"SELECT {column} FROM {table} WHERE sequence = {sequence}")).scalar_one()
    session.execute(text(f"UPDATE {table} SET {column} = :new WHERE sequence = {sequence}"), {"new": altered(stored)})
    try:
        return verify_log(session, Trusted(VERIFIER))
    finally:
        session.rollback()


def missed(database, places):
    """Where a value of these entries and columns was altered and not found, or another entry was named."""
    wrong = []
    with database.reading() as session:
        for sequence, (table, column) in places:
            found = found_in(session, table, column, sequence)
            if (found.whole, found.first_bad) != (False, sequence):
                wrong.append((table, column, sequence, found))
    return wrong


def test_a_value_altered_in_any_column_is_found_and_its_entry_named(log):
    chance = random.Random(7)

    assert missed(log[0], [(chance.randrange(EVENTS), one) for one in 3 * COLUMNS]) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_stored_value_altered_in_turn_is_found_and_its_entry_named(log, part):
    assert missed(log[0], product(range(part, EVENTS, PARTS), COLUMNS)) == []


@pytest.fixture
def copied(log, tmp_path):
    """The same log, to be spoilt."""
    database, signer, kept = log
    copy = Database(copy_of(database, tmp_path / "copy"))
    yield copy, replace(signer, database=copy, last_file=tmp_path / "last"), kept
    copy.close()


def test_a_history_rewritten_and_signed_anew_with_the_log_s_own_key_is_found_by_a_district_s_checkpoint(copied):
    database, signer, kept = copied
    rewrite(database, 450)
    with database.transaction() as session:
        session.execute(text("DELETE FROM audit_checkpoints"))
    signer.sign()

    with database.reading() as session:
        alone, held = (verify_log(session, Trusted(VERIFIER, notes=notes)) for notes in ((), (kept,)))

    assert alone.whole is True
    assert (held.whole, held.first_bad) == (False, 0)
    assert "signs another log" in held.reason


def test_a_log_cut_short_and_signed_anew_is_found_by_a_district_s_checkpoint(copied):
    database, signer, kept = copied
    with database.transaction() as session:
        for table in ("audit_entries", "audit_details"):
            session.execute(text(f"DELETE FROM {table} WHERE sequence >= 500"))
        session.execute(text("DELETE FROM audit_checkpoints"))
        rebuild(session)
    signer.sign()

    with database.reading() as session:
        alone, held = (verify_log(session, Trusted(VERIFIER, notes=notes)) for notes in ((), (kept,)))
        size, _ = head(session)

    assert (alone.whole, size) == (True, 500)
    assert (held.whole, held.first_bad) == (False, 500)


def rebuild(session):
    """Nodes and head as if the entries that are left were all."""
    from sqlalchemy import insert, select, update

    from hub.audit.tables import Head, Node
    from policies.translog import merkle

    session.execute(text("DELETE FROM audit_nodes"))
    frontier = []
    for number, leaf in enumerate(session.scalars(select(Entry.leaf).order_by(Entry.sequence)).all()):
        for level, position, value in merkle.push(frontier, number, leaf):
            session.execute(insert(Node).values(level=level, position=position, hash=value))
    size, root = number + 1, merkle.frontier_root(frontier)
    session.execute(update(Head).values(size=size, root=root, frontier=b"".join(frontier)))


TRICKS = {
    "an event inserted": "INSERT INTO audit_{0} SELECT 2000, {1} FROM audit_{0} WHERE sequence = 300",
    "an event told again": "UPDATE audit_{0} SET ({1}) = (SELECT {1} FROM audit_{0} WHERE sequence = 299)"
    " WHERE sequence = 300",
    "an event removed": "DELETE FROM audit_{0} WHERE sequence = 300",
    "two events told in another order": "UPDATE audit_{0} SET sequence = CASE sequence WHEN 300 THEN -1 ELSE 300 END"
    " WHERE sequence IN (300, 301)",
}
NAMED = {"an event inserted": 1_000}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_an_operator_does_to_the_tables_is_found_where_it_was_done(copied, trick):
    database, _, _ = copied
    with database.transaction() as session:
        for table in (Entry, Detail):
            name = table.__tablename__.removeprefix("audit_")
            others = ", ".join(column.name for column in table.__table__.columns if column.name != "sequence")
            session.execute(text(TRICKS[trick].format(name, others)))
            session.execute(text(f"UPDATE audit_{name} SET sequence = 301 WHERE sequence = -1"))

    with database.reading() as session:
        found = verify_log(session, Trusted(VERIFIER))

    assert (found.whole, found.first_bad) == (False, NAMED.get(trick, 300))


def test_a_checkpoint_of_another_place_put_in_the_place_of_one_is_found(copied):
    database, _, _ = copied
    with database.transaction() as session:
        old = session.get_one(Checkpoint, 300).note
        session.get_one(Checkpoint, 400).note = old

    with database.reading() as session:
        found = verify_log(session, Trusted(VERIFIER))

    assert (found.whole, found.first_bad) == (False, 300)
