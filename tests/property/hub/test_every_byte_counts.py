"""Every byte of what is sent, sealed, signed or told back counts: with one altered it is refused, by its own code."""

import base64
import datetime as dt
import gzip
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from linkage.sealing import SUITE_ID, SealingError, generate_recipient_key, seal
from policies import submission as form
from policies.epochs import (
    COMMITMENT,
    ENVELOPE,
    Commitment,
    Envelope,
    EpochError,
    check_signed,
    commitment_of,
    envelope_context,
    read_commitment,
    read_envelope,
    read_signed,
    signed,
)
from policies.signing import Message, SigningError, sign_request, verify_request
from policies.submission import canonical_json
from policies.translog.errors import TranslogError
from policies.translog.receipt import check_receipt, read_receipt
from tests.unit.policies.made_up_log import LOG, receipt_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
RECIPIENT = generate_recipient_key()
SHARE, ROSTER = b"s" * 32, "ab" * 32


def flips(content):
    """The content with one bit of each byte altered in turn, another bit from byte to byte; then without its last."""
    for at in range(len(content)):
        yield content[:at] + bytes([content[at] ^ (1 << (at % 8))]) + content[at + 1 :]
    yield content[:-1]


def last_digits(content):
    """Every other spelling of the last digits of base64, whose spare bits a lenient reader would not look at."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = content.decode()
    for at in [place - 1 for place in range(1, len(text)) if text[place] == "=" and text[place - 1] != "="]:
        yield from (f"{text[:at]}{digit}{text[at + 1 :]}".encode() for digit in alphabet if digit != text[at])


def codes_of(content, read, *, errors):
    """By code how many of the altered were refused; "taken" where one was not."""
    found = {}
    for altered in (*flips(content), *last_digits(content)):
        try:
            read(altered)
            code = "taken"
        except errors as error:
            code = error.code
        except ValueError:
            code = "no JSON"
        found[code] = found.get(code, 0) + 1
    return found


def test_a_sealed_envelope_opens_with_no_byte_altered():
    envelope = seal(RECIPIENT.public(), SHARE, b"place")
    found = {}
    for altered in flips(envelope):
        with pytest.raises(SealingError) as refused:
            RECIPIENT.open(altered, b"place")
        found[refused.value.code] = found.get(refused.value.code, 0) + 1

    assert RECIPIENT.open(envelope, b"place") == SHARE
    assert found == {"SEAL-002": len(envelope) + 1}


def share_envelope():
    bound = {"format": ENVELOPE, "epoch": 2, "roster": ROSTER, "custodian": "reed", "recipient": "novato"}
    place = envelope_context(Envelope(**bound, suite=SUITE_ID, sealed="AAAA"))
    sealed = base64.b64encode(seal(RECIPIENT.public(), SHARE, place)).decode()
    return canonical_json(signed(Envelope(**bound, suite=SUITE_ID, sealed=sealed), KEY))


def commitment():
    digest = commitment_of(SHARE, roster=ROSTER, custodian="reed")
    told = Commitment(format=COMMITMENT, epoch=2, roster=ROSTER, custodian="reed", commitment=digest)
    return canonical_json(signed(told, KEY))


@pytest.mark.parametrize(
    ("content", "read"),
    [(share_envelope(), read_envelope), (commitment(), read_commitment)],
    ids=["envelope", "commitment"],
)
def test_a_statement_of_the_ceremony_is_refused_with_any_byte_altered(content, read):
    def take(altered):
        told = read_signed(json.loads(altered))
        check_signed(read(told.statement), told.signature, PUBLIC)

    take(content)
    found = codes_of(content, take, errors=EpochError)

    assert found.keys() == {"EPO-001", "EPO-002", "no JSON"}


def manifest():
    facts = gzip.compress(b'{"r":"' + b"0" * 32 + b'","t":"demographics"}\n', mtime=0)
    entry = {"sha256": hashlib.sha256(facts).hexdigest(), "size": len(facts), "holds": "facts", "view": "", "count": 1}
    value = {
        "format": "promise-submission/1", "provider": "novato", "kind": "k12", "school_year": 2026, "epoch": 1,
        "schema_hash": "0" * 64, "agreement": {"id": "DSA-K12", "version": 1}, "created_at": "2026-11-22T10:00:00Z",
        "records": 0, "padded": False, "submission_key": "", "chunks": [entry], "profile": {},
        "facts": {"demographics": 1}, "findings": {}, "agent_key": "novato:1",
    }  # fmt: skip
    return form.read_manifest(value), facts


def test_a_manifest_and_its_signature_are_refused_with_any_byte_altered():
    told, _ = manifest()
    content = canonical_json({"manifest": told.model_dump(mode="json"), "signature": form.sign_manifest(told, KEY)})

    def take(altered):
        value = json.loads(altered)
        if not isinstance(value, dict) or value.keys() != {"manifest", "signature"}:
            raise form.SubmissionError("SUB-001", "manifest", "send the manifest and its signature")
        form.check_signature(form.read_manifest(value["manifest"]), value["signature"], KEY.public_key())

    take(content)
    found = codes_of(content, take, errors=form.SubmissionError)

    assert found.keys() == {"SUB-001", "SUB-002", "no JSON"}


def test_a_chunk_is_refused_with_any_byte_altered():
    told, facts = manifest()

    form.check_chunk(told.chunks[0], facts)
    found = {}
    for altered in flips(facts):
        with pytest.raises(form.SubmissionError) as refused:
            form.check_chunk(told.chunks[0], altered)
        found[refused.value.code] = found.get(refused.value.code, 0) + 1

    assert found == {"SUB-003": len(facts) + 1}


def request():
    message = Message("PUT", "https://hub.test/v1/submissions/x/chunks/y?part=1")
    headers = sign_request(message, b"content", key=KEY, key_id="novato:1", nonce="n-1", now=NOW)
    return {"method": message.method, "url": message.url, "body": "content", **headers}


@pytest.mark.parametrize("part", request())
def test_a_request_is_refused_with_any_byte_of_it_altered(part):
    whole = request()

    def take(altered):
        value = {**whole, part: altered.decode("latin-1")}
        headers = {name: value[name] for name in ("Content-Digest", "Signature-Input", "Signature")}
        message = Message(value["method"], value["url"], headers)
        return verify_request(message, value["body"].encode(), key_of=lambda name: KEY.public_key(), now=NOW)

    assert take(whole[part].encode()).key_id == "novato:1"
    assert codes_of(whole[part].encode(), take, errors=SigningError).keys() == {"SIG-001"}


def test_a_receipt_is_refused_with_any_byte_altered():
    content = canonical_json(vars(receipt_of()))

    def take(altered):
        return check_receipt(read_receipt(json.loads(altered)), LOG)

    assert take(content).event
    found = codes_of(content, take, errors=TranslogError)

    assert "taken" not in found
    assert found.keys() <= {
        "no JSON", "ENTRY-001", "ENTRY-002", "PROOF-001", "PROOF-002", "NOTE-001", "NOTE-002", "NOTE-003",
        "CHECKPOINT-001", "CHECKPOINT-002",
    }  # fmt: skip
