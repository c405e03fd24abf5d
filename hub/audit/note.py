"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint): how the log's size and root are vouched for."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_ID_BYTES = 4
NOTE_BYTES_MAX = 64 * 1024


class NoteError(ValueError):
    """A note, checkpoint or key that cannot be read, or whose signature does not hold."""


@dataclass(frozen=True)
class Verifier:
    """A named public key; written as a vkey, `name+id+base64`."""

    name: str
    key: Ed25519PublicKey

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || newline || algorithm || key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key.public_bytes_raw()).digest()[:KEY_ID_BYTES]

    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.key.public_bytes_raw()).decode()}"


@dataclass(frozen=True)
class CheckpointBody:
    """What a checkpoint says: of which log, how many entries, which root."""

    origin: str
    size: int
    root: bytes


def read_vkey(text: str) -> Verifier:
    """The verifier of a vkey; raises NoteError when name, id and key do not belong together."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        raw = b64decode(encoded, validate=True)
        if raw[:1] != ED25519:
            raise NoteError("the key is of another algorithm")
        verifier = Verifier(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
    except (ValueError, binascii.Error) as error:
        raise NoteError("the verifier key cannot be read") from error
    if not _is_name(name) or verifier.key_id.hex() != key_id:
        raise NoteError("the verifier key's id is not that of its name and key")
    return verifier


def sign_checkpoint(body: CheckpointBody, *, key: Ed25519PrivateKey) -> str:
    """The checkpoint as a note signed under the origin's name."""
    text = f"{body.origin}\n{body.size}\n{b64encode(body.root).decode()}\n"
    key_id = Verifier(body.origin, key.public_key()).key_id
    signature = b64encode(key_id + key.sign(text.encode())).decode()
    return f"{text}\n\u2014 {body.origin} {signature}\n"


def open_checkpoint(note: str, verifier: Verifier) -> CheckpointBody:
    """What a checkpoint says, once its signature by this verifier holds; raises NoteError."""
    text, signatures = _split(note)
    for name, raw in signatures:
        if name == verifier.name and raw[:KEY_ID_BYTES] == verifier.key_id:
            _check(text, raw[KEY_ID_BYTES:], verifier)
            return _body(text, verifier.name)
    raise NoteError("the checkpoint is not signed by this key")


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    if len(note.encode()) > NOTE_BYTES_MAX or any(ord(letter) < 0x20 and letter != "\n" for letter in note):
        raise NoteError("the note is not plain text of ordinary size")
    text, found, tail = note.rpartition("\n\n")
    if not found or not tail.endswith("\n"):
        raise NoteError("the note has no signatures")
    return text + "\n", [_signature(line) for line in tail[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or not _is_name(parts[1]):
        raise NoteError("a signature line is malformed")
    try:
        raw = b64decode(parts[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("a signature is not base64") from error
    if len(raw) <= KEY_ID_BYTES:
        raise NoteError("a signature is too short")
    return parts[1], raw


def _check(text: str, signature: bytes, verifier: Verifier) -> None:
    try:
        verifier.key.verify(signature, text.encode())
    except InvalidSignature as error:
        raise NoteError("the checkpoint's signature does not hold") from error


def _body(text: str, origin: str) -> CheckpointBody:
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != origin or not lines[1].isascii() or not lines[1].isdigit():
        raise NoteError("the checkpoint's lines are not origin, size and root")
    if len(lines[1]) > 19 or (lines[1] != "0" and lines[1].startswith("0")):
        raise NoteError("the checkpoint's size is not a plain number")
    try:
        root = b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("the checkpoint's root is not base64") from error
    if len(root) != 32 or b64encode(root).decode() != lines[2]:
        raise NoteError("the checkpoint's root is not 32 bytes")
    return CheckpointBody(origin, int(lines[1]), root)


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)
