"""What only the matcher and only the resolver can refuse, and that nothing of it stays."""

import hashlib

import numpy as np

from hub.submissions.service import accepted
from linkage.sealing import seal
from policies.submission import context


def accepted_ids(hub):
    with hub.database.reading() as session:
        return [found.submission for found in accepted(session)]


def reseal(edge, prepared, holds, content, count, **bound):
    """The same submission with one piece replaced by other bytes sealed to the right role."""
    key = "matcher_public_key" if holds == "rows" else "resolver_public_key"
    where = {name: prepared.manifest[name] for name in ("provider", "kind", "school_year", "epoch")} | bound
    sealed = seal(edge.hub.facts[key], content, context(holds, **where))
    name = hashlib.sha256(sealed).hexdigest()
    entries = list(prepared.manifest["chunks"])
    at = next(index for index, entry in enumerate(entries) if entry["holds"] == holds)
    entries[at] = {**entries[at], "sha256": name, "size": len(sealed), "count": count}
    return edge.sign({**prepared.manifest, "chunks": entries}, {**prepared.chunks, name: sealed})


def stored_files(hub):
    folders = (hub.home.inbox, hub.home.linkage, hub.home.analysis)
    return sorted(path.name for folder in folders for path in folder.rglob("*") if path.is_file())


def test_a_truncated_rows_chunk_is_refused_by_the_matcher_and_nothing_stays(made_up_hub):
    edge = made_up_hub.enrol("novato")
    prepared = reseal(edge, edge.prepare(range(12)), "rows", bytes(119), 1)

    edge.send(prepared)
    made_up_hub.work()
    made_up_hub.work()

    told = edge.state(prepared)
    assert (told["state"], told["findings"][0]["code"]) == ("refused", "truncated_chunk")
    assert stored_files(made_up_hub) == []
    assert accepted_ids(made_up_hub) == []


def test_two_records_with_one_reference_are_refused_by_the_resolver(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    first = edge.prepare(range(12))
    spans = edge._encoded(range(12), 2026, bytes(32)).spans
    spans = np.array(spans)
    spans["reference"][1] = spans["reference"][0]
    prepared = reseal(edge, first, "spans", spans.tobytes(), len(spans))

    edge.send(prepared)
    sqlite_hub.work()
    sqlite_hub.work()

    assert edge.state(prepared)["findings"][0]["code"] == "reference_repeated"
    assert stored_files(sqlite_hub) == []


def test_a_piece_sealed_for_another_year_does_not_open(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    first = edge.prepare(range(12))
    prepared = reseal(edge, first, "spans", bytes(32), 1, school_year=2025)

    edge.send(prepared)
    sqlite_hub.work()

    assert edge.state(prepared)["findings"][0]["code"] == "SEAL-002"


def test_rows_fewer_than_named_are_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = reseal(edge, edge.prepare(range(12)), "rows", b"", 1)

    edge.send(prepared)
    sqlite_hub.work()

    assert edge.state(prepared)["findings"][0]["code"] == "SUB-006"


def test_facts_fewer_than_named_are_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.prepare(range(12))
    prepared = edge.sign({**prepared.manifest, "facts": {"demographics": 13}}, prepared.chunks)

    edge.send(prepared)
    sqlite_hub.work()

    assert edge.state(prepared)["findings"][0]["code"] == "SUB-007"


def test_a_chunk_for_a_refused_submission_is_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = reseal(edge, edge.prepare(range(12)), "rows", b"", 1)
    edge.send(prepared)
    sqlite_hub.work()
    name = prepared.manifest["chunks"][-1]["sha256"]

    answer = edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", prepared.chunks[name])

    assert (answer.status_code, answer.json()["code"]) == (409, "submission-closed")
