"""The upload protocol: what is accepted, held and refused, and what stays behind."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from hub.audit.verify import Trusted, verify_log
from hub.files import analysis_store
from hub.submissions.facts import Permitted, check_facts
from hub.submissions.service import accepted
from hub.submissions.tables import Submission
from policies.dictionary import FactError
from policies.submission import pack_facts, read_facts
from policies.translog.note import read_vkey
from tests.integration.hub.conftest import accepted_ids, stored_files


def test_a_submission_is_opened_received_checked_and_accepted_with_a_receipt(made_up_hub):
    edge = made_up_hub.enrol("novato")
    prepared = edge.prepare(range(30))

    opened, again = edge.open(prepared), edge.open(prepared)
    committed = edge.send(prepared)
    made_up_hub.work()
    told = edge.state(prepared)

    assert (opened.status_code, again.status_code, committed.status_code) == (201, 200, 202)
    assert opened.json() == {"submission": prepared.id, "state": "receiving", "missing": list(prepared.chunks)}
    assert committed.json() == {"state": "checking"}
    assert (told["state"], told["owner"], told["findings"]) == ("accepted", "nobody", [])
    assert json.loads(told["receipt"]["detail"])["resource"] == f"submission:{prepared.id}"
    assert "submission.accepted" in told["receipt"]["entry"]
    with made_up_hub.database.reading() as session:
        assert verify_log(session, Trusted(read_vkey(made_up_hub.facts["log_verifier"]))).whole is True


def test_a_small_submission_carries_its_chunks_and_is_committed_in_one_request(made_up_hub):
    edge = made_up_hub.enrol("novato")
    prepared = edge.prepare(range(30))

    sent, again = edge.carry(prepared, prepared.chunks), edge.carry(prepared, prepared.chunks)
    made_up_hub.work()

    assert (sent.status_code, again.status_code) == (201, 200)
    assert sent.json() == {"submission": prepared.id, "state": "checking", "missing": []}
    assert again.json() == sent.json()
    assert accepted_ids(made_up_hub) == [prepared.id]
    assert list(made_up_hub.home.inbox.iterdir()) == []


def test_a_submission_that_carries_a_part_is_not_committed_and_tells_what_is_missing(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.prepare(range(12))
    name, *others = prepared.chunks

    opened = edge.carry(prepared, {name: prepared.chunks[name]}, commit=False)
    early = edge.carry(prepared, {})

    assert (opened.json()["state"], opened.json()["missing"]) == ("receiving", others)
    assert (early.status_code, early.json()["code"]) == (409, "chunks-missing")


def test_a_carried_chunk_is_checked_like_any_other(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.prepare(range(12))
    name = next(iter(prepared.chunks))

    cut = edge.carry(prepared, {**prepared.chunks, name: prepared.chunks[name][:-1]})
    unknown = edge.carry(prepared, {**prepared.chunks, "0" * 64: b"x"})
    whole = edge.carry(prepared, prepared.chunks)

    assert (cut.status_code, cut.json()["code"]) == (422, "SUB-003")
    assert unknown.status_code == 404
    assert (whole.status_code, whole.json()["state"]) == (200, "checking")


def test_every_step_leaves_its_event(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    before = len(sqlite_hub.events())

    edge.state(edge.deliver(range(12)))

    assert sqlite_hub.events()[before:] == [
        "submission.opened", "submission.committed", "submission.checked", "submission.checked",
        "submission.accepted", "submission.read",
    ]  # fmt: skip


def test_accepted_facts_can_be_read_and_the_inbox_is_empty(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(12))

    with sqlite_hub.database.reading() as session:
        (found,) = accepted(session)
    rows = [row for file in found.facts_files for row in read_facts(analysis_store(sqlite_hub.home).get(file))]
    assert rows == edge.facts_of(range(12))
    assert list(sqlite_hub.home.inbox.iterdir()) == []


def test_nothing_in_the_inbox_can_be_read_without_a_role_key(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    edge.send(edge.prepare(range(12)))

    received = [path.read_bytes() for path in sqlite_hub.home.inbox.rglob("*") if path.is_file()]

    assert received
    assert not [content for content in received if content.startswith(b"\x1f\x8b") or edge.reference(3) in content]


def test_a_submission_of_facts_alone_is_accepted(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    row = {"t": "college_search", "r": edge.reference(1).hex(), "searched_on": "2026-10-01", "result": "found"}

    prepared = edge.deliver([], kind="clearinghouse", facts=[row])

    assert edge.state(prepared)["state"] == "accepted"


def test_chunks_may_come_in_any_order_and_twice_and_missing_ones_are_told(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.prepare(range(12))
    names = list(reversed(prepared.chunks))
    edge.open(prepared)

    for name in [names[0], names[0], names[1]]:
        edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", prepared.chunks[name])
    missing = edge.ask("GET", f"/v1/submissions/{prepared.id}/missing").json()["missing"]
    early = edge.ask("POST", f"/v1/submissions/{prepared.id}/commit")

    assert set(missing) == set(names[2:])
    assert (early.status_code, early.json()["code"]) == (409, "chunks-missing")


def test_the_same_submission_many_times_at_once_is_one(made_up_hub):
    edge = made_up_hub.enrol("novato")
    prepared = edge.prepare(range(12))

    with ThreadPoolExecutor(6) as senders:
        list(senders.map(lambda _: edge.send(prepared), range(12)))
    made_up_hub.work()
    receipts = {json.dumps(edge.state(prepared)["receipt"]) for _ in range(3)}

    assert accepted_ids(made_up_hub) == [prepared.id]
    assert made_up_hub.events().count("submission.accepted") == 1
    assert len(receipts) == 1


def test_a_new_submission_of_the_same_year_replaces_the_old_one(made_up_hub):
    edge = made_up_hub.enrol("novato")
    first = edge.deliver(range(30))
    made_up_hub.clock.advance(days=1)

    second = edge.deliver(range(1, 31))

    assert accepted_ids(made_up_hub) == [second.id]
    assert edge.state(first)["state"] == "replaced"


REFUSED_MANIFESTS = [
    ({"epoch": 2}, 422, "epoch-wrong"),
    ({"schema_hash": "0" * 64}, 422, "schema-wrong"),
    ({"profile": {"dob": {"values": 2, "largest": 21}}}, 422, "view_too_common"),
    ({"agreement": {"id": "DSA-K12", "version": 2}}, 403, "R-21"),
    ({"agreement": {"id": "DSA-COM", "version": 1}}, 403, "R-20"),
    ({"provider": "reed"}, 403, "R-02"),
]


@pytest.mark.parametrize(
    ("changes", "status", "code"), REFUSED_MANIFESTS, ids=[code for _, _, code in REFUSED_MANIFESTS]
)
def test_a_manifest_that_does_not_fit_is_refused_and_nothing_is_stored(sqlite_hub, changes, status, code):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.prepare(range(12), **changes)

    answer = edge.open(prepared)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["next_step"]
    with sqlite_hub.database.reading() as session:
        assert session.scalars(select(Submission)).all() == []
    assert sqlite_hub.events()[-1] == "request.refused"


def test_a_manifest_signed_by_another_key_is_refused(sqlite_hub):
    edge, other = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    prepared = edge.prepare(range(12))
    prepared.signature = other.sign(prepared.manifest, {}).signature

    assert edge.open(prepared).json()["code"] == "SUB-002"


NO_ENVELOPES = [
    b"", b"[]", b"{", b'{"manifest": {}}', b'{"manifest": {}, "signature": "x"}',
    b'{"manifest": {}, "signature": "x", "chunks": []}',
    b'{"manifest": {}, "signature": "x", "chunks": {"a": "QORVAX"}}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_ENVELOPES)
def test_a_body_that_is_no_signed_manifest_is_refused_without_repeating_it(sqlite_hub, body):
    answer = sqlite_hub.enrol("novato").ask("POST", "/v1/submissions", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "SUB-001")


def test_a_chunk_altered_on_the_way_is_refused_and_can_be_sent_again(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.prepare(range(12))
    name, content = next(iter(prepared.chunks.items()))
    edge.open(prepared)

    cut = edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", content[:-1])
    whole = edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", content)

    assert (cut.status_code, cut.json()["code"]) == (422, "SUB-003")
    assert whole.status_code == 204


WRONG_FACTS = [
    ({"t": "demographics", "r": "0" * 32, "gender": "QORVAX"}, "FACT-005"),
    ({"t": "nowhere", "r": "0" * 32}, "FACT-001"),
    ({"t": "demographics", "r": "QORVAX", "gender": "F"}, "FACT-003"),
]


@pytest.mark.parametrize(("row", "code"), WRONG_FACTS, ids=[code for _, code in WRONG_FACTS])
def test_facts_outside_the_dictionary_refuse_the_submission_and_nothing_is_stored(sqlite_hub, row, code):
    edge = sqlite_hub.enrol("novato")
    good = edge.prepare(range(12))
    ((content, count),) = pack_facts([*edge.facts_of(range(12)), row])
    name = hashlib.sha256(content).hexdigest()
    entries = [entry for entry in good.manifest["chunks"] if entry["holds"] != "facts"]
    entries.append({"sha256": name, "size": len(content), "holds": "facts", "view": "", "count": count})
    prepared = edge.sign({**good.manifest, "chunks": entries}, {**good.chunks, name: content})
    edge.open(prepared)

    answer = edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", prepared.chunks[name])
    carried = edge.carry(prepared, prepared.chunks)
    sqlite_hub.work()

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (carried.status_code, carried.json()["state"]) == (200, "refused")
    assert "QORVAX" not in answer.text
    assert edge.state(prepared)["state"] == "refused"
    assert stored_files(sqlite_hub) == []


def test_an_element_that_the_agreement_does_not_name_is_refused():
    ((content, count),) = pack_facts([{"t": "demographics", "r": "0" * 32, "gender": "F", "race_ethnicity": "500"}])

    with pytest.raises(FactError) as refused:
        check_facts(content, kind="k12", count=count, permitted=Permitted(frozenset({("demographics", "gender")})))

    assert (refused.value.code, refused.value.place) == ("FACT-007", "demographics.race_ethnicity")


def test_an_older_submission_that_is_checked_late_does_not_replace_a_newer_one(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    older = edge.prepare(range(30))
    edge.open(older)
    sqlite_hub.clock.advance(minutes=1)
    newer = edge.deliver(range(31))

    edge.send(older)
    sqlite_hub.work()

    assert accepted_ids(sqlite_hub) == [newer.id]
    assert edge.state(older)["state"] == "replaced"


def test_another_organisation_gets_the_answer_of_an_absent_submission(sqlite_hub):
    edge, other = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    prepared = edge.deliver(range(12))
    name = next(iter(prepared.chunks))

    hidden = other.ask("GET", f"/v1/submissions/{prepared.id}")
    absent = other.ask("GET", f"/v1/submissions/{'0' * 64}")
    chunk = other.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", prepared.chunks[name])

    assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert chunk.content == absent.content


def test_a_chunk_that_the_manifest_does_not_name_is_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.prepare(range(12))
    edge.open(prepared)

    answer = edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{'0' * 64}", b"x")

    assert answer.status_code == 404


def test_a_chunk_sent_again_after_the_commit_is_nothing_and_other_bytes_are_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.deliver(range(12))
    name = next(iter(prepared.chunks))

    again = edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", prepared.chunks[name])
    other = edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", b"x")

    assert (again.status_code, other.status_code) == (204, 422)
    assert list(sqlite_hub.home.inbox.iterdir()) == []


def test_a_provider_lists_its_own_submissions_only(sqlite_hub):
    edge, other = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    prepared = edge.deliver(range(12))

    own, others = edge.ask("GET", "/v1/submissions").json(), other.ask("GET", "/v1/submissions").json()

    assert [found["submission"] for found in own["submissions"]] == [prepared.id]
    assert others == {"submissions": []}


def test_a_body_over_the_limit_is_refused_before_it_is_read(sqlite_hub):
    edge = sqlite_hub.enrol("novato")

    answer = edge.ask("POST", "/v1/submissions", b"x" * (9 * 1024 * 1024))

    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
