"""A new epoch: rows of the old one are not compared any more, and persons keep their ids."""

import datetime as dt

import pytest

from hub.epochs.tables import Epoch, EpochAcceptance
from hub.errors import Conflict
from hub.jobs import enqueue
from hub.linking import service
from hub.linking.tables import LinkageRun
from hub.submissions.tables import Submission, SubmissionChunk


def run(hub):
    with hub.database.transaction() as session:
        version = service.request_run(session, audit=hub.trail)
    hub.work()
    with hub.database.transaction() as session:
        service.accept_run(session, version, audit=hub.trail)
        return len(session.get_one(LinkageRun, version).inputs)


def links_of(hub):
    with hub.database.reading() as session:
        found = service.current_links(session)
    return dict(zip(zip(found.provider, found.reference, strict=True), found.person, strict=True))


def begin_epoch_2(hub, *accepted):
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    with hub.database.transaction() as session:
        session.add(Epoch(number=2, roster="{}", digest="0" * 64, accept_by=now, proposed_at=now, begun_at=now))
        session.flush()
        session.add_all(EpochAcceptance(epoch=2, organisation=name, signed={}, accepted_at=now) for name in accepted)


def test_persons_keep_their_ids_while_providers_encode_again_one_by_one(sqlite_hub):
    novato, reed = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    novato.deliver(range(40))
    reed.deliver(range(20, 50), year=2025)
    assert run(sqlite_hub) == 2
    before = links_of(sqlite_hub)
    begin_epoch_2(sqlite_hub, "novato", "reed")

    sqlite_hub.clock.advance(days=1)
    novato.deliver(range(40), epoch=2)
    assert run(sqlite_hub) == 1
    assert links_of(sqlite_hub) == before
    reed.deliver(range(20, 50), year=2025, epoch=2)
    assert run(sqlite_hub) == 2

    assert links_of(sqlite_hub) == before


def test_encodings_of_an_ended_epoch_are_deleted_and_facts_and_persons_stay(sqlite_hub):
    novato, reed = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    novato.deliver(range(40))
    reed.deliver(range(20, 50), year=2025)
    run(sqlite_hub)
    before = links_of(sqlite_hub)
    begin_epoch_2(sqlite_hub, "novato", "reed")
    sqlite_hub.clock.advance(days=1)
    novato.deliver(range(40), epoch=2)

    with sqlite_hub.database.transaction() as session:
        for kind in ("rows.end_epoch", "spans.end_epoch"):
            enqueue(session, kind, key=kind, payload={"epoch": 2}, now=sqlite_hub.clock())
    sqlite_hub.work()

    with sqlite_hub.database.reading() as session:
        chunks = session.query(SubmissionChunk, Submission.epoch).join(
            Submission, Submission.id == SubmissionChunk.submission
        )
        left = {(epoch, chunk.holds) for chunk, epoch in chunks if chunk.file is not None}
        assert {row.key_file is None for row in session.query(Submission) if row.epoch == 1} == {True}
    assert left >= {(1, "facts"), (2, "rows"), (2, "spans"), (2, "facts")}
    assert not left & {(1, "rows"), (1, "spans")}
    assert run(sqlite_hub) == 1
    assert links_of(sqlite_hub) == before
    assert sqlite_hub.events().count("encodings.deleted") == 2


def test_nothing_of_an_old_epoch_is_taken_or_linked(sqlite_hub):
    novato = sqlite_hub.enrol("novato")
    novato.deliver(range(30))
    begin_epoch_2(sqlite_hub, "novato")

    with sqlite_hub.database.transaction() as session, pytest.raises(Conflict) as nothing:
        service.request_run(session, audit=sqlite_hub.trail)
    late = novato.open(novato.prepare(range(30)))
    early = sqlite_hub.enrol("reed").open(sqlite_hub.enrol("marin-coe").prepare(range(5), epoch=2))

    assert nothing.value.code == "nothing-to-link"
    assert (late.status_code, late.json()["code"]) == (422, "epoch-wrong")
    assert early.status_code in (403, 422)


def test_a_provider_that_has_not_accepted_the_epoch_may_not_send(sqlite_hub):
    reed = sqlite_hub.enrol("reed")
    begin_epoch_2(sqlite_hub, "novato")

    answer = reed.open(reed.prepare(range(5), epoch=2))

    assert (answer.status_code, answer.json()["code"]) == (422, "epoch-not-accepted")
