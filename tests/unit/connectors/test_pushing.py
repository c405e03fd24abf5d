"""Pushing over an unreliable wire, to a stand-in for the hub that checks every signature and hash by the law."""

import base64
import datetime as dt
import json
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from connectors.batches import Batch
from connectors.errors import HubUnreachableError, PushRefusedError, WorkspaceError
from connectors.prepare import prepare, sealing_of
from connectors.push import CARRIED_BYTES_MAX, Hub, carried, describe, push, send
from connectors.reading import read_file
from connectors.submitting import Preparation, unsent
from connectors.workspace import read_agreements
from linkage.rows import VIEW_ROW
from policies.signing import Message, verify_request
from policies.submission import check_chunk, check_signature, context, read_facts, read_manifest, submission_id
from tests.spec.connectors import source_files as made
from tests.unit.connectors.made_up_edge import MATCHER, RESOLVER, make_edge

NOW = dt.datetime(2026, 11, 22, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def workspace(tmp_path):
    return make_edge(tmp_path / "edge")


@pytest.fixture
def prepared(workspace):
    path = workspace.inbox / "senr.txt"
    path.write_text(made.lines(*(made.senr(f9=f"L{n}", f8=f"{1_000_000_000 + n}") for n in range(7))), encoding="utf-8")
    reading = read_file(path, latest=dt.date(2026, 6, 30))
    preparation = Preparation(workspace, sealing_of(workspace), agreement_named("DSA-K12"), NOW)
    return preparation.prepare(Batch("k12", 2026, [reading]))


def agreement_named(name):
    return next(one for one in read_agreements(Path("policies/agreements")) if one.id == name)


class StandIn:
    """Keeps what it is sent; breaks off after `breaks_at` requests, once; may leave what a manifest carries."""

    def __init__(self, public_key, *, ends="accepted", breaks_at=0, busy_at=0, carries=False):
        self.carries = carries
        self.key = Ed25519PublicKey.from_public_bytes(public_key)
        self.ends, self.breaks_at, self.busy_at = ends, breaks_at, busy_at
        self.seen, self.nonces, self.chunks, self.manifest, self.committed = [], set(), {}, None, 0

    def client(self):
        return httpx.Client(base_url="http://hub.test", transport=httpx.MockTransport(self.answer))

    def answer(self, request):
        self.seen.append((request.method, request.url.path))
        if len(self.seen) == self.breaks_at:
            raise httpx.ReadError("the line is dead")
        if len(self.seen) == self.busy_at:
            return httpx.Response(503, json={})
        signed = verify_request(
            Message(request.method, str(request.url), {name.title(): value for name, value in request.headers.items()}),
            request.content,
            key_of=lambda key_id: self.key if key_id == "novato:1" else None,
            now=NOW,
        )
        assert signed.nonce not in self.nonces
        self.nonces.add(signed.nonce)
        return self._route(request)

    def _route(self, request):
        match request.url.path.split("/")[2:]:
            case ["submissions"]:
                body = json.loads(request.content)
                self.manifest = read_manifest(body["manifest"])
                check_signature(self.manifest, body["signature"], self.key)
                if self.carries:
                    self._take(body)
                state = self.ends if self.committed else "receiving"
                return httpx.Response(201, json=self._state() | {"state": state, "missing": self._missing()})
            case ["submissions", _, "chunks", digest]:
                chunk = next(one for one in self.manifest.chunks if one.sha256 == digest)
                check_chunk(chunk, request.content)
                self.chunks[digest] = request.content
                return httpx.Response(204)
            case ["submissions", _, "commit"]:
                assert self._missing() == []
                self.committed += 1
                return httpx.Response(202, json={"state": "checking"})
            case ["submissions", _]:
                return httpx.Response(200, json=self._state() | {"state": self.ends, "next_step": "keep the receipt"})
        return httpx.Response(404, json={"code": "not-found", "title": "There is none.", "next_step": "Look again."})

    def _take(self, body):
        for chunk in self.manifest.chunks:
            self.chunks[chunk.sha256] = base64.b64decode(body["chunks"][chunk.sha256], validate=True)
            check_chunk(chunk, self.chunks[chunk.sha256])
        assert body["commit"] is True
        self.committed += 1

    def _missing(self):
        return [chunk.sha256 for chunk in self.manifest.chunks if chunk.sha256 not in self.chunks]

    def _state(self):
        return {"submission": submission_id(self.manifest)}


def hub_of(workspace, stand_in):
    return Hub(stand_in.client(), workspace.keys.agent(), workspace.key_id, lambda: NOW, sleep=lambda seconds: None)


def public_key(workspace):
    return workspace.keys.agent().signer().public_key().public_bytes_raw()


@pytest.mark.parametrize("carries", [True, False])
def test_a_submission_is_sent_whole_and_its_receipt_kept(workspace, prepared, carries):
    stand_in = StandIn(public_key(workspace), carries=carries)

    answer = push(hub_of(workspace, stand_in), prepared.folder, receipts=workspace.receipts)

    assert (answer.state, answer.next_step) == ("accepted", "keep the receipt")
    assert set(stand_in.chunks) == {chunk.sha256 for chunk in prepared.manifest.chunks}
    assert json.loads((workspace.receipts / f"{answer.submission}.json").read_text())["state"] == "accepted"
    assert unsent(workspace) == []


def test_a_padded_submission_is_described_with_its_made_up_people(prepared):
    assert "k12 2026, 200 records (made-up people that pad it among them), " in describe(prepared.folder)


def test_a_small_submission_is_one_request(workspace, prepared):
    stand_in = StandIn(public_key(workspace), carries=True)

    send(hub_of(workspace, stand_in), prepared.folder)

    assert stand_in.seen == [("POST", "/v1/submissions")]
    assert stand_in.committed == 1


def test_a_large_submission_carries_nothing(workspace):
    manifest = {"chunks": [{"sha256": "0" * 64, "size": CARRIED_BYTES_MAX + 1}]}

    assert carried(workspace.outbox, manifest) == {}


def test_what_was_sent_opens_for_the_right_role_and_names_nobody(workspace, prepared):
    stand_in = StandIn(public_key(workspace))
    send(hub_of(workspace, stand_in), prepared.folder)
    bound = {"provider": "novato", "kind": "k12", "school_year": 2026, "epoch": 1}

    opened = {}
    for chunk in prepared.manifest.chunks:
        content = stand_in.chunks[chunk.sha256]
        if chunk.holds == "facts":
            opened[chunk.sha256] = b"".join(json.dumps(row).encode() for row in read_facts(content))
        else:
            key = MATCHER if chunk.holds == "rows" else RESOLVER
            opened[chunk.sha256] = key.open(content, context(chunk.holds, **bound))

    rows = [opened[chunk.sha256] for chunk in prepared.manifest.chunks if chunk.holds == "rows"]
    assert all(len(part) % VIEW_ROW.itemsize == 0 for part in rows)
    assert (prepared.manifest.records, prepared.manifest.padded) == (200, True)
    everything = b"".join([*opened.values(), *stand_in.chunks.values(), prepared.manifest.model_dump_json().encode()])
    for word in (*made.MARKED, "2015-03-04", "20150304", "1000000003", '"L3"'):
        assert word.lower().encode() not in everything.lower()


def test_interrupted_at_every_request_it_resumes_and_commits_once(workspace, prepared):
    for breaks_at in range(1, 9):
        stand_in = StandIn(public_key(workspace), breaks_at=breaks_at)
        hub = hub_of(workspace, stand_in)

        push(hub, prepared.folder, receipts=workspace.receipts)
        push(hub, prepared.folder, receipts=workspace.receipts)

        assert stand_in.committed == 1
        puts = [path for method, path in stand_in.seen if method == "PUT"]
        assert len(puts) <= len(prepared.manifest.chunks) + 1


def test_a_busy_hub_is_asked_again(workspace, prepared):
    stand_in = StandIn(public_key(workspace), busy_at=2)

    answer = push(hub_of(workspace, stand_in), prepared.folder, receipts=workspace.receipts)

    assert answer.state == "accepted"


def test_a_silent_hub_leaves_everything_as_it_was(workspace, prepared):
    def silence(request):
        raise httpx.ConnectError("nobody there")

    client = httpx.Client(base_url="http://hub.test", transport=httpx.MockTransport(silence))
    hub = Hub(client, workspace.keys.agent(), workspace.key_id, lambda: NOW, sleep=lambda seconds: None)

    with pytest.raises(HubUnreachableError, match="PUSH-001"):
        push(hub, prepared.folder, receipts=workspace.receipts)

    assert unsent(workspace) == [prepared.folder]


def test_a_hub_that_checks_for_too_long_is_left_to_it(workspace, prepared):
    stand_in = StandIn(public_key(workspace), ends="checking")

    with pytest.raises(HubUnreachableError, match="PUSH-002"):
        push(hub_of(workspace, stand_in), prepared.folder, receipts=workspace.receipts, wait_seconds=3)


REFUSALS = {
    "with the hub's own code": (
        httpx.Response(409, json={"code": "SUB-002", "title": "No.", "next_step": "Sign it."}),
        "SUB-002",
    ),
    "without a word": (httpx.Response(500, content=b"<html>"), "HTTP-500"),
    "with something else than an object": (httpx.Response(200, json=[1]), "HTTP-200"),
    "for another submission": (
        httpx.Response(201, json={"submission": "0" * 64, "state": "receiving", "missing": []}),
        "PUSH-003",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_told_with_its_code(name, workspace, prepared):
    response, code = REFUSALS[name]
    client = httpx.Client(base_url="http://hub.test", transport=httpx.MockTransport(lambda request: response))
    hub = Hub(client, workspace.keys.agent(), workspace.key_id, lambda: NOW)

    with pytest.raises(PushRefusedError) as refused:
        send(hub, prepared.folder)

    assert refused.value.code == code


def test_a_hub_that_asks_for_a_path_gets_nothing(workspace, prepared):
    answer = {"submission": prepared.submission, "state": "receiving", "missing": ["../manifest.json"]}
    client = httpx.Client(
        base_url="http://hub.test", transport=httpx.MockTransport(lambda request: httpx.Response(201, json=answer))
    )

    with pytest.raises(PushRefusedError, match="PUSH-003"):
        send(Hub(client, workspace.keys.agent(), workspace.key_id, lambda: NOW), prepared.folder)


def test_a_folder_that_is_no_submission_is_told(workspace, tmp_path):
    stand_in = StandIn(public_key(workspace))

    with pytest.raises(WorkspaceError, match="EDGE-006"):
        send(hub_of(workspace, stand_in), tmp_path)


def test_a_chunk_that_was_lost_is_told(workspace, prepared):
    (prepared.folder / "chunks" / prepared.manifest.chunks[0].sha256).unlink()

    with pytest.raises(WorkspaceError, match="EDGE-007"):
        send(hub_of(workspace, StandIn(public_key(workspace))), prepared.folder)


def test_preparing_facts_again_in_the_same_second_is_the_same_submission(workspace):
    path = workspace.inbox / "wages.csv"
    path.write_text(made.lines(made.WAGE_TITLES, "2020,6,F,999,U,20,15,12"), encoding="utf-8")
    reading = read_file(path, latest=dt.date(2026, 6, 30))
    common = {
        "workspace": workspace,
        "sealing": sealing_of(workspace),
        "kind": "employment",
        "school_year": 2026,
        "now": NOW,
    }

    one, other = (prepare([reading], agreement=agreement_named("DSA-EMP"), **common) for _ in range(2))

    assert one.submission == other.submission
    assert one.manifest.submission_key == ""
