"""Checkpoints (C2SP tlog-checkpoint): a signed note that tells a log's size and root."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.translog.errors import CheckpointError
from policies.translog.merkle import HASH_BYTES
from policies.translog.note import Note, Verifier, read_note, sign_text, signed_by
from policies.translog.strict_base64 import decoded, encoded

SIZE_DIGITS_MAX = 19


@dataclass(frozen=True)
class CheckpointBody:
    """What a checkpoint says: of which log, how many entries, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"


def sign_checkpoint(body: CheckpointBody, *, key: Ed25519PrivateKey) -> str:
    """The checkpoint as a note signed under the origin's name."""
    return sign_text(body.text(), name=body.origin, key=key).written()


def open_checkpoint(note: str, verifier: Verifier) -> CheckpointBody:
    """What a checkpoint says, once its signature by the log holds; raises NoteError or CheckpointError."""
    return body_of(read_note(note), verifier)


def body_of(note: Note, verifier: Verifier) -> CheckpointBody:
    """The same of a note that is read already."""
    signed_by(note, [verifier])
    body = read_body(note.text)
    if body.origin != verifier.name:
        raise CheckpointError("the checkpoint is of another log", "CHECKPOINT-002")
    return body


def read_body(text: str) -> CheckpointBody:
    """Origin, size and root of a checkpoint's text; nothing vouches for them yet. Extension lines are let pass."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or lines[-1] or not all(lines[3:-1]):
        raise CheckpointError("the checkpoint's lines are not origin, size and root")
    root = decoded(lines[2])
    if root is None or len(root) != HASH_BYTES:
        raise CheckpointError("the checkpoint's root is not 32 bytes in base64")
    return CheckpointBody(lines[0], plain_number(lines[1]), root)


def plain_number(text: str) -> int:
    """A number as the formats write it: decimal, no sign, no leading zero; raises CheckpointError."""
    if not (text.isascii() and text.isdigit()) or len(text) > SIZE_DIGITS_MAX or (text[0] == "0" and text != "0"):
        raise CheckpointError("a number is not written plainly")
    return int(text)
