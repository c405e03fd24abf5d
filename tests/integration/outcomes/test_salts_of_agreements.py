"""Salts of agreements: made once with their event, destroyed with the agreement, and nothing is made of them again."""

import pytest

from hub.agreements.salts import destroy_salts, drop_salts_job, pseudonyms_under, undestroyed
from hub.audit.tables import Detail
from hub.errors import Conflict
from hub.jobs import Job, Ticket
from hub.outcomes.service import blocks, newest_snapshot, open_snapshot, read_snapshot, take_snapshot
from hub.outcomes.tables import SnapshotRow
from policies.disclosure.types import TableDeclaration

PERSON = "1" * 32
TABLES = {"third-grade-reading": (TableDeclaration(name="preschool", dimensions=("preschool",), priority=1),)}


def under(filled, trail, *agreements):
    return pseudonyms_under(filled.database, agreements, analysis=filled.analysis, audit=trail)


def events(database, *kinds):
    with database.reading() as session:
        rows = session.query(Detail).filter(Detail.event.in_(kinds)).order_by(Detail.sequence)
        return [(row.event, row.actor, row.agreement, row.versions) for row in rows]


def destroy(filled, trail, agreement="a"):
    """Destroy as an agreement's end does, and let the resolver do its job."""
    with filled.database.transaction() as session:
        count = destroy_salts(session, agreement, audit=trail)
        jobs = [(job.id, job.kind, job.key, dict(job.payload)) for job in session.query(Job)]
    work = drop_salts_job(filled.database, salts=filled.analysis.salts, clock=trail.clock)
    for number, kind, key, payload in jobs:
        outcome = work(Ticket(number, kind, key, payload, 1))
        with filled.database.transaction() as session:
            outcome.write(session)
    return count


def test_a_salt_is_made_once_with_its_event_and_never_lies_in_the_database_or_the_analysis_store(unlinked, trail):
    first, second = (under(unlinked, trail, ("DSA-K12", 1)) for _ in range(2))

    assert first == second
    assert events(unlinked.database, "salt.made") == [("salt.made", "person:tester", "DSA-K12", {"DSA-K12": "1"})]
    (file,) = unlinked.analysis.salts.names()
    assert unlinked.analysis.names() == []
    assert len(unlinked.analysis.salts.get(file)) == 32


def test_persons_of_a_snapshot_stand_in_it_by_pseudonyms_of_the_agreements_that_its_manifest_names(filled, trail):
    snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    persons = set(open_snapshot(snapshot, analysis=filled.analysis)["demographics"]["person_id"].to_pylist())

    assert snapshot.manifest["agreements"] == [["a", 1]]
    key = under(filled, trail, ("a", 1))
    assert persons == {key.of(digit * 32) for digit in "123"}
    assert persons.isdisjoint(digit * 32 for digit in "123")


def test_a_destroyed_salt_is_gone_from_the_disk_and_makes_no_pseudonym_again(filled, trail):
    snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    assert destroy(filled, trail) == 1

    assert filled.analysis.salts.names() == []
    with filled.database.reading() as session:
        assert undestroyed(session, "a") == 0
    assert events(filled.database, "salt.destroyed") == [("salt.destroyed", "resolver", "a", {"a": "1"})]
    how = {"analysis": filled.analysis, "audit": trail}
    for again in (
        lambda: under(filled, trail, ("a", 1)),
        lambda: take_snapshot(filled.database, **how),
        lambda: blocks(filled.database, snapshot, tables=TABLES, **how),
    ):
        with pytest.raises(Conflict) as refused:
            again()
        assert refused.value.code == "salt-destroyed"


def test_destroying_again_or_another_agreement_changes_nothing(filled, trail):
    under(filled, trail, ("a", 1), ("a", 2), ("b", 1))

    assert [destroy(filled, trail, one) for one in ("c", "a", "a")] == [0, 2, 0]

    assert len(filled.analysis.salts.names()) == 1
    assert under(filled, trail, ("b", 1)).of(PERSON)


def test_a_destroyed_snapshot_is_as_if_it_were_not_there(filled, trail):
    first = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)
    trail.clock.advance(hours=1)
    filled.link(list(first.manifest["submissions"]), version=2)
    second = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    with filled.database.transaction() as session:
        session.get_one(SnapshotRow, second.id).files = {}
    with filled.database.reading() as session:
        found = (read_snapshot(session, first.id), read_snapshot(session, second.id), newest_snapshot(session))

    assert [one and one.id for one in found] == [first.id, None, first.id]


def test_one_version_can_be_destroyed_alone(filled, trail):
    under(filled, trail, ("a", 1), ("a", 2))

    with filled.database.transaction() as session:
        assert destroy_salts(session, "a", version=1, audit=trail) == 1

    assert under(filled, trail, ("a", 2)).of(PERSON)
    with pytest.raises(Conflict):
        under(filled, trail, ("a", 1))


def test_a_salt_that_another_process_made_first_is_the_one_that_holds(filled, trail):
    class Racing(type(filled.analysis)):
        """Lets another process be first between the look and the writing."""

        raced = False

        @property
        def salts(self):
            if not self.raced:
                self.raced = True
                under(filled, trail, ("r", 1))
            return filled.analysis.salts

        @salts.setter
        def salts(self, value):
            pass

    racing = Racing(filled.analysis.place, b"k" * 32, pepper=filled.analysis.pepper, salts=filled.analysis.salts)

    found = pseudonyms_under(filled.database, [("r", 1)], analysis=racing, audit=trail)

    assert found == under(filled, trail, ("r", 1))
    assert len(filled.analysis.salts.names()) == 1
