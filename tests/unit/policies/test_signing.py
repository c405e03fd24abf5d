"""Requests of an edge agent: signed by RFC 9421, refused when altered, stale or by a stranger."""

import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.signing import Message, SigningError, sign_request, signed_headers, verify_request

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
URL = "http://127.0.0.1:8000/v1/submissions/x?part=1"


def signed(method="PUT", url=URL, body=b"content"):
    headers = sign_request(Message(method, url), body, key=KEY, key_id="novato:1", nonce="n-1", now=NOW)
    return Message(method, url, headers)


def verify(message, body=b"content", *, now=NOW, key=KEY):
    return verify_request(message, body, key_of=lambda _: key.public_key() if key else None, now=now)


def test_a_signed_request_names_its_key_nonce_and_time():
    result = verify(signed())

    assert (result.key_id, result.nonce, result.created) == ("novato:1", "n-1", NOW)


def test_a_request_without_a_body_is_signed_over_the_empty_digest():
    assert verify(signed("GET", body=b""), b"").key_id == "novato:1"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_request_at_the_edge_of_the_window_is_taken(seconds):
    assert verify(signed(), now=NOW + dt.timedelta(seconds=seconds)).nonce == "n-1"


@pytest.mark.parametrize("seconds", [-301, 301, 86_400, -86_400])
def test_a_request_outside_the_window_is_told_of_the_clock(seconds):
    with pytest.raises(SigningError) as refused:
        verify(signed(), now=NOW + dt.timedelta(seconds=seconds))

    assert refused.value.code == "SIG-002"
    assert "clock" in refused.value.next_step


def altered(message, **changes):
    return Message(
        changes.get("method", message.method),
        changes.get("url", message.url),
        {**message.headers, **changes.get("headers", {})},
    )


@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"},
        {"url": URL + "2"},
        {"url": URL.replace("127.0.0.1", "localhost")},
        {"headers": {"Content-Digest": "sha-256=:AAAA:"}},
        {"headers": {"Signature": "garbage"}},
        {"headers": {"Signature": ""}},
        {"headers": {"Signature-Input": 'pyhms=("@method");created=1795352831;keyid="novato:1";alg="ed25519"'}},
        {"headers": {"Signature-Input": "%%%"}},
    ],
)
def test_an_altered_request_is_refused(change):
    with pytest.raises(SigningError, match="SIG-001"):
        verify(altered(signed(), **change))


def test_an_altered_body_a_stranger_and_an_unsigned_request_are_refused():
    for message, body, key in (
        (signed(), b"other", KEY),
        (signed(), b"content", None),
        (Message("PUT", URL), b"", KEY),
    ):
        with pytest.raises(SigningError, match="SIG-001"):
            verify(message, body, key=key)


def test_a_signature_without_a_nonce_is_refused():
    headers = signed().headers
    without = {**headers, "Signature-Input": headers["Signature-Input"].replace(';nonce="n-1"', "")}

    with pytest.raises(SigningError, match="SIG-001"):
        verify(Message("PUT", URL, without))


def test_only_the_signature_headers_are_read():
    assert signed_headers({"Cookie": "x", "SIGNATURE": "y", "content-digest": "z"}) == {
        "SIGNATURE": "y",
        "content-digest": "z",
    }
