"""The form in which records cross the wall: manifest, signature, chunks, facts."""

import base64
import gzip
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies import submission as form
from policies.submission import SubmissionError

FACT = {"t": "demographics", "r": "0" * 32, "gender": "F"}
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def manifest_value(**changes):
    content = gzip.compress(b"{}", mtime=0)
    chunk = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "holds": "facts",
        "view": "",
        "count": 1,
    }
    value = {
        "format": "promise-submission/1",
        "provider": "novato",
        "kind": "k12",
        "school_year": 2026,
        "epoch": 1,
        "schema_hash": "a" * 64,
        "agreement": {"id": "DSA-K12", "version": 1},
        "created_at": "2026-11-22T10:00:00Z",
        "records": 1,
        "padded": False,
        "submission_key": "",
        "chunks": [chunk],
        "profile": {"dob": {"values": 1, "largest": 1}},
        "facts": {"demographics": 1},
        "findings": {"ENR-014": 2},
        "agent_key": "novato:1",
    }
    return {**value, **changes}


def rows_chunk(**changes):
    return {"sha256": "b" * 64, "size": 5, "holds": "rows", "view": "dob", "count": 1, **changes}


def test_the_identifier_is_the_digest_of_the_canonical_manifest():
    manifest = form.read_manifest(manifest_value())

    canonical = form.manifest_bytes(manifest)

    assert json.loads(canonical) == manifest_value()
    assert form.submission_id(manifest) == hashlib.sha256(canonical).hexdigest()
    assert canonical.startswith(b'{"agent_key":"novato:1","agreement":{"id":"DSA-K12","version":1},"chunks":[')


def test_a_sealed_submission_carries_its_key():
    value = manifest_value(chunks=[rows_chunk()], submission_key="AAAA")

    assert form.read_manifest(value).chunks[0].view == "dob"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": "promise-submission/2"}, "format"),
        ({"provider": "Qwixel Zzyzx"}, "provider"),
        ({"school_year": "2026"}, "school_year"),
        ({"records": -1}, "records"),
        ({"nick_name": "Qwixel"}, "item"),
        ({"Qwixel Zzyzx": 1}, "item"),
        ({"chunks": [rows_chunk(view="")]}, "chunks.item"),
        ({"chunks": [rows_chunk(holds="spans")]}, "chunks.item"),
        ({"chunks": [rows_chunk(size=9_000_000)]}, "chunks.item.size"),
        ({"chunks": [rows_chunk(), rows_chunk()], "submission_key": "AAAA"}, "manifest"),
        ({"chunks": [rows_chunk()]}, "manifest"),
        ({"submission_key": "AAAA"}, "manifest"),
        ({"facts": {"award": 1}}, "manifest"),
        ({"facts": {"names": 1}}, "manifest"),
        ({"qwixel": 1}, "item"),
        ({"profile": {"qwixel": {"values": 1, "largest": "1"}}}, "profile.item.largest"),
    ],
)
def test_a_manifest_of_another_form_is_refused_by_field_and_never_by_value(change, place):
    with pytest.raises(SubmissionError) as refused:
        form.read_manifest(manifest_value(**change))

    assert (refused.value.code, refused.value.place) == ("SUB-001", place)
    assert "qwixel" not in str(refused.value).lower()


def test_only_the_agents_own_signature_over_this_very_manifest_holds():
    manifest = form.read_manifest(manifest_value())
    signature = form.sign_manifest(manifest, KEY)
    altered = form.read_manifest(manifest_value(records=2))
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()

    form.check_signature(manifest, signature, KEY.public_key())

    for refused in ((altered, signature, KEY.public_key()), (manifest, signature, stranger), (manifest, "*", stranger)):
        with pytest.raises(SubmissionError, match="SUB-002"):
            form.check_signature(*refused)


def test_a_chunk_cut_short_or_altered_is_refused():
    content = gzip.compress(b"{}", mtime=0)
    chunk = form.read_manifest(manifest_value()).chunks[0]

    form.check_chunk(chunk, content)

    for bad in (content[:-1], content[:-1] + b"x"):
        with pytest.raises(SubmissionError, match="SUB-003"):
            form.check_chunk(chunk, bad)


def test_facts_come_out_as_they_went_in_and_every_chunk_keeps_the_limit():
    rows = [{**FACT, "r": f"{number:032x}"} for number in range(200)]

    packed = list(form.pack_facts(rows, size_max=500))

    assert len(packed) > 1
    assert all(len(content) <= 500 for content, _ in packed)
    assert sum(count for _, count in packed) == 200
    assert [row for content, _ in packed for row in form.read_facts(content)] == rows
    assert list(form.pack_facts(rows, size_max=500)) == packed
    assert list(form.pack_facts([])) == []
    assert len(list(form.pack_facts(rows[:1], size_max=1))) == 1


@pytest.mark.parametrize(
    ("packed", "code", "place"),
    [
        (b"", "SUB-004", "line 1"),
        (b"not gzip", "SUB-004", "chunk"),
        (gzip.compress(b'{"t":1}\n', mtime=0)[:-6], "SUB-004", "chunk"),
        (gzip.compress(b'{"t":1}\n[1]\n', mtime=0), "SUB-004", "line 2"),
        (gzip.compress(b"Qwixel\n", mtime=0), "SUB-004", "line 1"),
        (gzip.compress(b"[" * 4000, mtime=0), "SUB-004", "line 1"),
        (gzip.compress(b'{"t":"' + b"a" * 5000 + b'"}', mtime=0), "SUB-004", "line 1"),
        (gzip.compress(b"\xff\xfe\n", mtime=0), "SUB-004", "line 1"),
    ],
)
def test_facts_that_are_not_whole_are_refused_by_line(packed, code, place):
    if packed == b"":
        packed = gzip.compress(b"\n", mtime=0)

    with pytest.raises(SubmissionError) as refused:
        list(form.read_facts(packed))

    assert (refused.value.code, refused.value.place) == (code, place)
    assert "Qwixel" not in str(refused.value)


def test_a_chunk_that_unpacks_without_end_is_refused():
    bomb = gzip.compress(bytes(form.FACTS_BYTES_MAX + 10), compresslevel=1, mtime=0)

    with pytest.raises(SubmissionError, match="SUB-005"):
        list(form.read_facts(bomb))


def test_a_context_binds_what_is_sealed_to_its_place():
    def bound(**changes):
        place = {"provider": "novato", "kind": "k12", "school_year": 2026, "epoch": 1}
        return form.context("rows", **{**place, **changes})

    contexts = {bound(), bound(provider="reed"), bound(kind="preschool"), bound(school_year=2025), bound(epoch=2)}

    assert len(contexts) == 5
    assert form.context("key", provider="novato", kind="k12", school_year=2026, epoch=1) not in contexts


def test_a_signature_is_base64_of_64_bytes():
    signature = form.sign_manifest(form.read_manifest(manifest_value()), KEY)

    assert len(base64.b64decode(signature)) == 64
