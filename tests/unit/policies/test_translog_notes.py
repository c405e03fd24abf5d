"""Signed notes, checkpoints, cosignatures and verifier keys, held to the examples of their specifications."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody, body_of, read_body
from policies.translog.errors import (
    CheckpointError,
    CosignatureError,
    NoteError,
)
from policies.translog.note import Note, Signature, Verifier, read_note, read_vkey, signed_by
from tests.unit.policies.made_up_log import (
    KEY,
    LOG,
    NOW,
    ORIGIN,
    SPEC_NOTE,
    WITNESS_KEYS,
    WITNESSES,
    cosigned,
    leaves_of,
    note_of,
)


def test_the_example_of_the_cosignature_specification_is_read_and_written_back():
    note = read_note(SPEC_NOTE)

    assert note.written() == SPEC_NOTE
    assert read_body(note.text).size == 20852163
    assert int.from_bytes(note.signatures[1].content[:8], "big") == 1679315147


def test_a_cosignature_is_over_its_time_and_the_whole_text_and_stands_for_no_other_signature():
    note = cosigned(note_of(leaves_of(3)), "fenbrook")
    line = note.signatures[1]
    key = WITNESS_KEYS["fenbrook"].public_key()

    key.verify(line.content[8:], f"cosignature/v1\ntime {NOW}\n{note.text}".encode())
    assert signed_by(note, [LOG, WITNESSES["fenbrook"]]) == {LOG: 0, WITNESSES["fenbrook"]: NOW}
    assert WITNESSES["fenbrook"].key_id != Verifier(WITNESSES["fenbrook"].name, key).key_id
    assert LOG != "another thing"


@pytest.mark.parametrize("at", range(8 + 64))
def test_every_changed_byte_of_a_cosignature_refuses_the_note(at):
    note = cosigned(note_of(leaves_of(3)), "fenbrook")
    line = note.signatures[1]
    content = bytes(byte ^ (at == place) for place, byte in enumerate(line.content))
    changed = Note(note.text, (note.signatures[0], Signature(line.name, line.key_id, content)))

    with pytest.raises(CosignatureError) as refused:
        signed_by(changed, [LOG, WITNESSES["fenbrook"]])

    assert refused.value.code == "COSIGN-002"


def test_a_time_beyond_the_format_is_refused():
    note = note_of(leaves_of(1))
    verifier = WITNESSES["fenbrook"]
    beyond = Signature(verifier.name, verifier.key_id, b"\xff" * 72)

    with pytest.raises(CosignatureError):
        signed_by(Note(note.text, (beyond,)), [verifier])


def test_signatures_of_unknown_keys_are_ignored_and_alone_they_are_not_enough():
    note = cosigned(note_of(leaves_of(2)), "fenbrook")

    assert signed_by(note, [LOG]) == {LOG: 0}
    with pytest.raises(NoteError) as refused:
        signed_by(note, [WITNESSES["zarnholt"]])
    assert refused.value.code == "NOTE-003"


def test_a_false_signature_of_a_known_key_refuses_the_note():
    other = note_of(leaves_of(2), key=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    forged = Note(other.text, (Signature(LOG.name, LOG.key_id, other.signatures[0].content),))

    with pytest.raises(NoteError) as refused:
        signed_by(forged, [LOG])

    assert refused.value.code == "NOTE-002"


def test_a_checkpoint_under_a_good_signature_but_of_another_origin_is_refused():
    text = f"other.test/log\n0\n{b64encode(merkle.EMPTY_ROOT).decode()}\n"
    note = Note(text, (Signature(LOG.name, LOG.key_id, KEY.sign(text.encode())),))

    with pytest.raises(CheckpointError) as refused:
        body_of(note, LOG)

    assert refused.value.code == "CHECKPOINT-002"


def test_extension_lines_of_a_checkpoint_are_let_pass_and_empty_ones_are_not():
    text = CheckpointBody(ORIGIN, 1, bytes(32)).text()

    assert read_body(f"{text}extension\n").size == 1
    for wrong in (f"{text}\nafter nothing\n", text[:-1], "\n1\nAAAA\n"):
        with pytest.raises(CheckpointError):
            read_body(wrong)


def test_a_note_that_is_too_long_or_has_control_characters_is_refused():
    for wrong in ("x" * 70_000, SPEC_NOTE.replace("example", "exa\tmple"), SPEC_NOTE + SPEC_NOTE.split("\n\n")[1] * 70):
        with pytest.raises(NoteError):
            read_note(wrong)


BASE64_OF_OTHER_SPELLING = LOG.vkey()[:-2] + ("B=" if LOG.vkey()[-2] != "B" else "C=")


@pytest.mark.parametrize(
    "vkey",
    ["", "name", "name+00000000+AAAA", LOG.vkey().replace("+", "", 1), LOG.vkey() + "x", BASE64_OF_OTHER_SPELLING],
)
def test_a_verifier_key_that_does_not_hold_together_is_refused(vkey):
    with pytest.raises(NoteError):
        read_vkey(vkey)


def test_a_verifier_key_under_another_name_or_type_is_refused():
    name, key_id, encoded = LOG.vkey().split("+", 2)

    for wrong in (
        f"other+{key_id}+{encoded}",
        f"a b+{key_id}+{encoded}",
        f"{name}+{key_id}+{b64encode(bytes(33)).decode()}",
    ):
        with pytest.raises(NoteError):
            read_vkey(wrong)
