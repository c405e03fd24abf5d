"""A signed request is taken once, whatever came of it: readings by the transaction that logs them, others before."""

import secrets

import pytest

from policies.signing import Message, sign_request


@pytest.fixture
def edge(made_up_hub):
    return made_up_hub.enrol("novato")


def sent_twice(edge, method, path, body=b""):
    """The same signed request twice, and once more: status and code of each answer."""
    hub = edge.hub
    request = hub.client.build_request(method, path, content=body)
    signed = sign_request(
        Message(method, str(request.url)), body, key=edge.key, key_id=edge.key_id,
        nonce=secrets.token_urlsafe(12), now=hub.clock(),
    )  # fmt: skip
    request.headers.update(signed)
    answers = [hub.client.send(request) for _ in range(3)]
    return [(one.status_code, one.json().get("code") if one.status_code >= 400 else None) for one in answers]


REPLAYED = (401, "SIG-004")


def test_a_reading_is_answered_once_by_one_signature(edge, made_up_hub):
    prepared = edge.deliver(range(6))

    answers = sent_twice(edge, "GET", f"/v1/submissions/{prepared.id}")

    assert answers == [(200, None), REPLAYED, REPLAYED]
    assert made_up_hub.events()[-3:] == ["submission.read", "request.refused", "request.refused"]


def test_a_reading_that_was_refused_cannot_be_sent_again_either(edge):
    assert sent_twice(edge, "GET", f"/v1/submissions/{'f' * 64}") == [(404, "not-found"), REPLAYED, REPLAYED]


def test_what_changes_something_is_taken_once(edge):
    prepared = edge.prepare(range(6))
    edge.open(prepared)
    name = next(iter(prepared.chunks))
    path = f"/v1/submissions/{prepared.id}/chunks/{name}"

    assert sent_twice(edge, "PUT", path, prepared.chunks[name]) == [(204, None), REPLAYED, REPLAYED]
