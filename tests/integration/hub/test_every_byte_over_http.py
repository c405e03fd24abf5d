"""Every byte of a request, a manifest and a chunk counts at the hub's door: one altered is refused by its own code.

The same as tests/property/hub/test_every_byte_counts.py holds for the checking code, here through the routes.
"""

import json
import secrets
from dataclasses import replace

import pytest

from hub.submissions.tables import Submission
from policies.signing import Message, sign_request
from tests.property.hub.test_every_byte_counts import flips

pytestmark = pytest.mark.doors
EVERY = [pytest.param(1, marks=pytest.mark.slow), 29]
"""All of them where there is time, else one in twenty-nine."""


@pytest.fixture
def edge(sqlite_hub):
    """An edge that may ask as often as it likes."""
    parts = sqlite_hub.app.state.hub
    sqlite_hub.app.state.hub = replace(
        parts, settings=parts.settings.model_copy(update={"requests_per_minute": 1_000_000})
    )
    return sqlite_hub.enrol("novato")


@pytest.fixture
def small(edge):
    """Facts of one child under one manifest, which is what is smallest."""
    return edge.prepare((), facts=edge.facts_of([1]))


def told_of(answers):
    """By status and code how many answers there were."""
    found = {}
    for answer in answers:
        key = (answer.status_code, answer.json()["code"] if answer.content else "")
        found[key] = found.get(key, 0) + 1
    return found


def stored(hub):
    with hub.database.reading() as session:
        return [one.state for one in session.query(Submission)]


def body_of(prepared):
    return json.dumps({"manifest": prepared.manifest, "signature": prepared.signature}).encode()


def other_signs(text):
    """A header with one sign altered in turn, to another that a header may hold; then without its last."""
    for at, sign in enumerate(text):
        other = chr(ord(sign) ^ 1)
        yield text[:at] + (other if other.isprintable() and other != " " else "~") + text[at + 1 :]
    yield text[:-1]


@pytest.mark.parametrize("step", EVERY)
def test_a_manifest_that_was_altered_before_the_request_was_signed_is_refused(sqlite_hub, edge, small, step):
    altered = list(flips(body_of(small)))[::step]

    answers = told_of(edge.ask("POST", "/v1/submissions", one) for one in altered)

    assert answers.keys() <= {(422, "SUB-001"), (422, "SUB-002"), (422, "text-wrong")}
    assert sum(answers.values()) == len(altered)
    assert stored(sqlite_hub) == []


@pytest.mark.parametrize("step", EVERY)
def test_a_chunk_that_was_altered_is_refused_and_the_whole_one_is_taken_after_it(sqlite_hub, edge, small, step):
    edge.open(small)
    ((name, content),) = small.chunks.items()
    path, altered = f"/v1/submissions/{small.id}/chunks/{name}", list(flips(content))[::step]

    answers = told_of(edge.ask("PUT", path, one) for one in altered)

    assert answers.keys() <= {(422, "SUB-003")}
    assert stored(sqlite_hub) == ["receiving"]
    assert edge.ask("PUT", path, content).status_code == 204


def altered_requests(edge, body, step):
    """One signed request, with one byte of its address, of its headers or of its body altered at a time."""
    path = "/v1/submissions"
    plain = edge.hub.client.build_request("POST", path, content=body)
    signed = sign_request(
        Message("POST", str(plain.url)), body, key=edge.key, key_id=edge.key_id,
        nonce=secrets.token_urlsafe(12), now=edge.hub.clock(),
    )  # fmt: skip

    def request(*, at=path, headers=signed, content=body):
        made = edge.hub.client.build_request("POST", at, content=content)
        made.headers.update(headers)
        return edge.hub.client.send(made)

    for name, value in signed.items():
        for one in list(other_signs(value))[::step]:
            yield request(headers={**signed, name: one})
    for one in list(flips(body))[::step]:
        yield request(content=one)
    for at in ("/v1/submissions/", "/v1/submission", "/v1/submissions?x=1", f"/v1/submissions/{'0' * 64}/commit"):
        yield request(at=at)


@pytest.mark.parametrize("step", EVERY)
def test_a_request_that_was_altered_on_its_way_is_refused(sqlite_hub, edge, small, step):
    answers = told_of(altered_requests(edge, body_of(small), step))

    assert answers.keys() <= {
        (401, "SIG-001"),
        (401, "SIG-002"),
        (404, "not-found"),
        (405, "not-found"),
        (422, "text-wrong"),
    }
    assert stored(sqlite_hub) == []
