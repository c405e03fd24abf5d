"""The audit log: event and effect together, proofs that hold outside, and every change found."""

import threading
from base64 import b64decode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, select, text, update

from hub.audit.events import EventType
from hub.audit.service import append, head, prove
from hub.audit.signer import Signer
from hub.audit.tables import Checkpoint, Detail, Entry, Head, Node
from hub.audit.verify import Trusted, verify_log
from hub.errors import StoreError
from policies.translog import merkle
from policies.translog.checkpoint import open_checkpoint
from policies.translog.entries import detail_hash, entry_bytes
from policies.translog.note import Verifier

ORIGIN = "test.hub/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = Verifier(ORIGIN, KEY.public_key())


@pytest.fixture
def signer(database, clock, tmp_path):
    return Signer(database, KEY, ORIGIN, tmp_path / "last-checkpoint", clock)


def write(database, trail, count):
    for number in range(count):
        with database.transaction() as session:
            append(session, trail, EventType.PAGE_READ, resource=f"page:{number}", counts={"rows": number})


def verdict(database):
    with database.reading() as session:
        return verify_log(session, Trusted(VERIFIER))


def test_events_get_dense_numbers_and_a_log_that_verifies(database, trail, signer):
    write(database, trail, 11)
    signer.sign()

    found = verdict(database)

    assert (found.whole, found.events, found.checkpoints) == (True, 11, 1)


def test_an_event_goes_with_its_transaction_or_not_at_all(database, trail):
    with pytest.raises(RuntimeError), database.transaction() as session:
        append(session, trail, EventType.PAGE_READ, resource="page")
        raise RuntimeError("the business failed")

    with database.reading() as session:
        assert head(session) == (0, merkle.EMPTY_ROOT)
        assert session.scalar(select(func.count()).select_from(Entry)) == 0


def test_the_detail_holds_everything_that_was_said(database, trail, clock):
    under = trail.under(agreement="DUL-7", purpose="close-equity-gap-2028")
    with database.transaction() as session:
        append(
            session, under, EventType.QUERY_ANSWERED, resource="observations", decision="permitted", rule="R-00",
            counts={"cells": 3}, versions={"DUL-7": "1"},
        )  # fmt: skip

    with database.reading() as session:
        detail = session.get_one(Detail, 0)
        told = {
            name: getattr(detail, name)
            for name in [column.key for column in Detail.__table__.columns]
            if name != "salt"
        }
    assert told == {
        "sequence": 0, "time": clock(), "event": "query.answered", "actor": "person:tester",
        "organisation": "novato", "request_id": "request-1", "method": "test", "agreement": "DUL-7",
        "purpose": "close-equity-gap-2028", "resource": "observations", "decision": "permitted", "rule": "R-00",
        "outcome": "done", "counts": {"cells": 3}, "versions": {"DUL-7": "1"},
    }  # fmt: skip


def test_eight_writers_at_once_leave_a_dense_log_without_a_double(database, trail, signer):
    writers = [threading.Thread(target=write, args=(database, trail, 12)) for _ in range(8)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    signer.sign()
    assert verdict(database).whole is True
    assert verdict(database).events == 96


def test_a_proof_shows_an_event_to_somebody_without_the_hub(database, trail, signer):
    write(database, trail, 13)
    signer.sign()

    with database.reading() as session:
        proof = prove(session, 5)

    lines = proof.proof.split("\n\n", 1)
    hashes = [b64decode(line) for line in lines[0].split("\n")[2:]]
    body = open_checkpoint(lines[1], VERIFIER)
    merkle.verify_inclusion(merkle.leaf_hash(proof.entry.encode()), 5, size=body.size, root=body.root, proof=hashes)
    assert proof.entry.split("\n")[1:4:2] == ["5", "page.read"]


def test_there_is_no_proof_before_a_checkpoint_covers_the_event(database, trail, signer):
    write(database, trail, 2)
    signer.sign()
    write(database, trail, 1)

    with database.reading() as session:
        assert prove(session, 1) is not None
        assert prove(session, 2) is None


COLUMNS = [
    (Entry.entry, b"other"), (Entry.leaf, b"\x01" * 32), (Detail.salt, b"\x01" * 16), (Detail.event, "audit.read"),
    (Detail.actor, "person:other"), (Detail.organisation, None), (Detail.request_id, "request-2"),
    (Detail.method, "other"), (Detail.agreement, "DUL-9"), (Detail.purpose, "other"), (Detail.resource, "other"),
    (Detail.decision, "permitted"), (Detail.rule, "R-01"), (Detail.outcome, "refused"), (Detail.counts, {"rows": 99}),
    (Detail.versions, {"a": "1"}),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), COLUMNS, ids=[str(column) for column, _ in COLUMNS])
def test_a_changed_column_is_found_and_its_entry_named(database, trail, signer, column, value):
    write(database, trail, 9)
    signer.sign()

    with database.transaction() as session:
        session.execute(update(column.class_).where(column.class_.sequence == 4).values({column.key: value}))

    found = verdict(database)
    assert (found.whole, found.first_bad) == (False, 4)


def test_a_changed_time_is_found(database, trail, signer, clock):
    write(database, trail, 3)
    signer.sign()
    clock.advance(seconds=1)

    with database.transaction() as session:
        session.execute(update(Detail).where(Detail.sequence == 1).values(time=clock()))

    assert verdict(database).first_bad == 1


@pytest.mark.parametrize("sequence", [0, 4, 8])
def test_a_removed_event_is_found(database, trail, signer, sequence):
    write(database, trail, 9)
    signer.sign()

    with database.transaction() as session:
        for table in (Entry, Detail):
            session.execute(delete(table).where(table.sequence == sequence))

    assert (verdict(database).whole, verdict(database).first_bad) == (False, sequence)


def test_a_removed_detail_is_found(database, trail, signer):
    write(database, trail, 4)
    signer.sign()

    with database.transaction() as session:
        session.execute(delete(Detail).where(Detail.sequence == 2))

    assert verdict(database).first_bad == 2


def test_a_log_cut_short_with_its_head_put_back_is_found_by_the_checkpoint(database, trail, signer):
    write(database, trail, 3)
    with database.reading() as session:
        old = session.execute(select(Head.size, Head.root, Head.frontier)).one()
    write(database, trail, 3)
    signer.sign()

    with database.transaction() as session:
        for table in (Entry, Detail):
            session.execute(delete(table).where(table.sequence >= 3))
        session.execute(delete(Node).where(Node.position * (2**1) >= 2, Node.level == 1))
        session.execute(delete(Node).where(Node.level == 2))
        session.execute(update(Head).values(size=old.size, root=old.root, frontier=old.frontier))

    assert verdict(database).whole is False


def rewrite(database, sequence):
    """What an operator with the whole database could do: change one event and recompute the tree over it."""
    with database.transaction() as session:
        detail = session.get_one(Detail, sequence)
        detail.resource = "page:rewritten"
        session.flush()
        fields = {name: getattr(detail, name) for name in [column.key for column in Detail.__table__.columns]}
        entry = entry_bytes(
            sequence, time=detail.time, event=detail.event, detail_hash=detail_hash(fields, detail.salt)
        )
        session.execute(
            update(Entry).where(Entry.sequence == sequence).values(entry=entry, leaf=merkle.leaf_hash(entry))
        )
        frontier = []
        for number, leaf in enumerate(session.scalars(select(Entry.leaf).order_by(Entry.sequence)).all()):
            for level, position, value in merkle.push(frontier, number, leaf):
                session.execute(update(Node).where(Node.level == level, Node.position == position).values(hash=value))
        session.execute(update(Head).values(root=merkle.frontier_root(frontier), frontier=b"".join(frontier)))


def test_a_wholly_rewritten_log_is_found_by_its_checkpoints(database, trail, signer):
    write(database, trail, 4)
    signer.sign()
    write(database, trail, 4)
    signer.sign()

    rewrite(database, 6)

    found = verdict(database)
    assert (found.whole, found.first_bad) == (False, 4)


def test_the_signer_refuses_a_log_that_does_not_grow_out_of_what_it_signed(database, trail, signer):
    write(database, trail, 5)
    signer.sign()
    rewrite(database, 2)
    write(database, trail, 1)

    with pytest.raises(StoreError) as refused:
        signer.sign()

    assert refused.value.code == "log-rewritten"


def test_the_signer_refuses_a_log_that_fell_behind(database, trail, signer):
    write(database, trail, 5)
    signer.sign()
    with database.transaction() as session:
        session.execute(delete(Checkpoint))
        session.execute(update(Head).values(size=3))

    with pytest.raises(StoreError):
        signer.sign()


def test_the_signer_signs_nothing_where_nothing_is_new(database, trail, signer):
    assert signer.sign() is None
    write(database, trail, 1)

    assert signer.sign() == 1
    assert signer.sign() is None


def test_a_checkpoint_of_another_key_is_found(database, trail, signer):
    write(database, trail, 2)
    replace(signer, key=Ed25519PrivateKey.from_private_bytes(bytes(32))).sign()

    found = verdict(database)

    assert (found.whole, found.first_bad) == (False, 0)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_head SET size = size + 1",
        "DELETE FROM audit_nodes WHERE level = 1 AND position = 0",
        "INSERT INTO audit_nodes (level, position, hash) SELECT 9, 9, hash FROM audit_nodes WHERE level = 1 LIMIT 1",
    ],
)
def test_a_changed_tree_is_found(database, trail, signer, change):
    write(database, trail, 4)
    signer.sign()

    with database.transaction() as session:
        session.execute(text(change))

    assert verdict(database).whole is False


def test_a_log_that_nobody_signed_cannot_be_told(database, trail):
    write(database, trail, 2)

    assert verdict(database).whole is None


def test_a_log_without_a_head_cannot_be_told(database):
    with database.transaction() as session:
        session.execute(delete(Head))

    assert verdict(database).whole is None
