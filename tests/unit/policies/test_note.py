"""Signed notes: written as the C2SP specification says, refused when anything differs."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.translog.checkpoint import CheckpointBody, open_checkpoint, sign_checkpoint
from policies.translog.errors import TranslogError
from policies.translog.note import Verifier, read_vkey

# The example of the signed-note specification: name, key and note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = Verifier("example.test/log", KEY.public_key())
BODY = CheckpointBody("example.test/log", 7, bytes(range(32)))
NOTE = sign_checkpoint(BODY, key=KEY)


def test_the_example_key_of_the_specification_is_read_and_written_back():
    assert read_vkey(PETER).vkey() == PETER


def test_a_checkpoint_is_three_lines_and_a_signature():
    lines = NOTE.split("\n")

    assert lines[:4] == ["example.test/log", "7", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith("\u2014 example.test/log ")
    assert lines[5:] == [""]


def test_a_signed_checkpoint_opens_to_what_was_signed():
    assert open_checkpoint(NOTE, read_vkey(VERIFIER.vkey())) == BODY


def test_other_signatures_beside_ours_are_no_harm():
    other = sign_checkpoint(BODY, key=Ed25519PrivateKey.from_private_bytes(bytes(32)))

    assert open_checkpoint(NOTE + other.split("\n")[4] + "\n", VERIFIER) == BODY


@pytest.mark.parametrize("at", range(0, len(NOTE) - 1))
def test_every_changed_character_is_refused(at):
    changed = NOTE[:at] + chr(ord(NOTE[at]) ^ 1) + NOTE[at + 1 :]

    with pytest.raises(TranslogError):
        open_checkpoint(changed, VERIFIER)


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "no signature\n", NOTE[:-1], NOTE.replace("\n\n", "\n"), NOTE + "x\n", "\u2014 a b\n\n\u2014 a b\n"],
)
def test_what_is_no_note_is_refused(text):
    with pytest.raises(TranslogError):
        open_checkpoint(text, VERIFIER)


def sign_text(text):
    from base64 import b64encode

    return f"{text}\n\u2014 {VERIFIER.name} {b64encode(VERIFIER.key_id + KEY.sign(text.encode())).decode()}\n"


ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    "text",
    [
        f"other.test/log\n7\n{ROOT}\n",
        f"example.test/log\n07\n{ROOT}\n",
        f"example.test/log\n-7\n{ROOT}\n",
        f"example.test/log\n{'9' * 30}\n{ROOT}\n",
        "example.test/log\n7\nAAEC\n",
        "example.test/log\n7\n!!!!\n",
        "example.test/log\n7\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(TranslogError):
        open_checkpoint(sign_text(text), VERIFIER)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+c74f20a3",
        "name+c74f20a3+!!!",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER[:-4],
        "x+00000000+AhpcQ",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_verifier_key_that_is_not_whole_is_refused(vkey):
    with pytest.raises(TranslogError):
        read_vkey(vkey)
