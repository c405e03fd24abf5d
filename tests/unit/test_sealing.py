"""Sealing to one role: what is sealed opens for that role in that place, and for nobody else."""

import pickle

import pytest

from linkage.sealing import OVERHEAD_BYTES, SealingError, generate_recipient_key, read_recipient_key, seal

KEY = generate_recipient_key()


def test_what_is_sealed_opens_with_the_key_and_the_context_only():
    envelope = seal(KEY.public(), b"rows", b"context")

    assert KEY.open(envelope, b"context") == b"rows"
    assert len(envelope) == len(b"rows") + OVERHEAD_BYTES
    for key, info in ((generate_recipient_key(), b"context"), (KEY, b"elsewhere")):
        with pytest.raises(SealingError, match="SEAL-002"):
            key.open(envelope, info)


def test_any_byte_altered_or_missing_refuses_the_envelope():
    envelope = seal(KEY.public(), b"r", b"c")

    altered = [
        envelope[:place] + bytes([envelope[place] ^ 1]) + envelope[place + 1 :] for place in range(len(envelope))
    ]

    for bad in (*altered, envelope[:-1], b""):
        with pytest.raises(SealingError, match="SEAL-002"):
            KEY.open(bad, b"c")


def test_a_key_survives_its_file_and_is_masked_everywhere_else():
    again = read_recipient_key(KEY.private())

    assert again.public() == KEY.public()
    assert repr(again) == "RecipientKey(hidden)"
    with pytest.raises(TypeError):
        pickle.dumps(again)


@pytest.mark.parametrize("public", ["", "AAAA", "not base64!"])
def test_a_public_key_that_is_not_whole_is_refused(public):
    with pytest.raises(SealingError, match="SEAL-003"):
        seal(public, b"", b"")


def test_a_key_file_of_another_length_is_refused():
    with pytest.raises(SealingError, match="SEAL-001"):
        read_recipient_key(b"short")
