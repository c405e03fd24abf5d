"""A parent's question: who got anything made with this child's record; nothing of other providers, limited, logged."""

import json

import pytest

from hub.audit.events import EventType
from hub.audit.service import append
from hub.audit.tables import Detail
from hub.files import analysis_store
from hub.linking.service import accept_run, request_run
from hub.outcomes.service import take_snapshot
from hub.release.records import A_DAY
from hub.release.tables import ReleaseRow
from tests.integration.hub.conftest import sqlite_hub  # noqa: F401 (a fixture)

pytestmark = pytest.mark.access
RELEASE = "2026-11-22.1"


@pytest.fixture
def told(sqlite_hub):  # noqa: F811
    """A hub with a published release, counted from a run of novato and reed, that a partner has asked about twice."""
    hub = sqlite_hub
    novato, reed = hub.enrol("novato"), hub.enrol("reed")
    novato.deliver(range(30))
    reed.deliver(range(20, 50), year=2025)
    with hub.database.transaction() as session:
        version = request_run(session, audit=hub.trail)
    hub.work()
    with hub.database.transaction() as session:
        accept_run(session, version, audit=hub.trail)
    snapshot = take_snapshot(hub.database, analysis=analysis_store(hub.home), audit=hub.trail)
    with hub.database.transaction() as session:
        for name, published in ((RELEASE, hub.clock()), ("2026-11-22.2", None)):
            session.add(
                ReleaseRow(
                    id=name, state="published" if published else "prepared", prepared_at=hub.clock(),
                    published_at=published, snapshot=snapshot.id, catalogue_version=1, rules="{}",
                    content_sha256="0" * 64, content=b"{}", shown=1, withheld=0,
                )
            )  # fmt: skip
    asking = hub.trail.under(agreement="DUL-7", purpose="close-equity-gap-2028")
    for _ in range(2):
        with hub.database.transaction() as session:
            append(session, asking, EventType.QUERY_ANSWERED, resource="gaps", versions={"release": RELEASE})
    return hub, novato, reed


def ask(edge, reference):
    return edge.ask("POST", "/v1/records", json.dumps({"reference": reference}).encode())


def test_an_office_reads_who_got_results_made_with_one_of_its_own_records(told):
    hub, novato, _ = told

    answer = ask(novato, novato.reference(3).hex()).json()

    assert [one["school_year"] for one in answer["submissions"]] == ["2026"]
    assert answer["releases"] == [{"release": RELEASE, "published": "2026-11-22T13:00:00Z"}]
    public, partner = answer["recipients"]
    assert (public["organisation"], public["release"]) == ("public", RELEASE)
    assert (partner["agreement"], partner["purpose"], partner["times"]) == ("DUL-7", "close-equity-gap-2028", 2)
    with hub.database.reading() as session:
        event = session.query(Detail).filter(Detail.event == "record.read").one()
        assert (event.organisation, event.resource) == ("novato", "record")
        assert novato.reference(3).hex() not in repr(vars(event))


def test_another_office_s_record_and_one_that_there_is_not_are_answered_alike(told):
    _, novato, reed = told

    other, absent = ask(novato, reed.reference(45).hex()), ask(novato, "0" * 32)

    assert other.content == absent.content
    assert absent.json() == {"submissions": [], "releases": [], "recipients": [], "opt_outs": []}


def test_what_is_no_reference_is_refused_without_repeating_it(sqlite_hub):  # noqa: F811
    edge = sqlite_hub.enrol("novato")

    for body in (b"", b"[]", b'{"reference": 1}', b'{"reference": "12345"}'):
        answer = edge.ask("POST", "/v1/records", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "record-reference")
        assert "12345" not in answer.text


def test_an_office_asks_about_a_few_children_a_day(told):
    hub, novato, _ = told
    for _ in range(A_DAY):
        assert ask(novato, novato.reference(1).hex()).status_code == 200

    refused = ask(novato, novato.reference(1).hex())
    hub.clock.advance(hours=25)

    assert (refused.status_code, refused.json()["code"]) == (429, "records-many")
    assert ask(novato, novato.reference(1).hex()).status_code == 200
