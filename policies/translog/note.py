"""Signed notes (C2SP signed-note): a text and signatures under named keys, of a log or of a witness.

A witness signs with a time (C2SP tlog-cosignature, `cosignature/v1`); its key is the same Ed25519 key under another
type, so that neither signature can stand for the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from policies.translog.errors import CosignatureError, NoteError
from policies.translog.strict_base64 import decoded, encoded

ED25519, COSIGNATURE = b"\x01", b"\x04"
KEY_BYTES = 32
KEY_ID_BYTES = 4
TIME_BYTES = 8
NOTE_BYTES_MAX = 64 * 1024
SIGNATURES_MAX = 64
DASH = "\u2014"


@dataclass(frozen=True, eq=False)
class Verifier:
    """A named public key, of a log (ED25519) or of a witness (COSIGNATURE); written as a vkey, `name+id+base64`."""

    name: str
    key: Ed25519PublicKey
    kind: bytes = ED25519

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || newline || type || key)."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.key.public_bytes_raw()).digest()[:KEY_ID_BYTES]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verifier) and self.vkey() == other.vkey()

    def __hash__(self) -> int:
        return hash((self.name, self.key_id))

    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encoded(self.kind + self.key.public_bytes_raw())}"


@dataclass(frozen=True)
class Signature:
    """One signature line as it was read; it holds nothing until a verifier checked it."""

    name: str
    key_id: bytes
    content: bytes

    def line(self) -> str:
        return f"{DASH} {self.name} {encoded(self.key_id + self.content)}\n"


@dataclass(frozen=True)
class Note:
    """A text with its final newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def written(self) -> str:
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)


def read_vkey(text: str) -> Verifier:
    """The verifier of a vkey; raises NoteError when name, id and key do not belong together."""
    name, _, rest = text.strip().partition("+")
    key_id, _, key = rest.partition("+")
    raw = decoded(key)
    if raw is None or len(raw) != 1 + KEY_BYTES or raw[:1] not in (ED25519, COSIGNATURE):
        raise NoteError("the verifier key cannot be read, or is of another algorithm")
    verifier = Verifier(name, Ed25519PublicKey.from_public_bytes(raw[1:]), raw[:1])
    if not is_name(name) or verifier.key_id.hex() != key_id:
        raise NoteError("the verifier key's id is not that of its name and key")
    return verifier


def read_note(written: str) -> Note:
    """The parts of a note; raises NoteError. Text and signatures are parted by the last empty line."""
    if len(written) > NOTE_BYTES_MAX or any(letter < " " and letter != "\n" for letter in written):
        raise NoteError("the note is too long or holds control characters")
    text, parted, tail = written.rpartition("\n\n")
    lines = tail.split("\n")
    if not parted or len(lines) < 2 or lines[-1] or len(lines) > SIGNATURES_MAX + 1:
        raise NoteError("the note has no signatures under it, or too many")
    return Note(text + "\n", tuple(read_signature(line) for line in lines[:-1]))


def read_signature(line: str) -> Signature:
    """One signature line without its newline; raises NoteError."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != DASH or not is_name(parts[1]):
        raise NoteError("a signature line is malformed")
    raw = decoded(parts[2])
    if raw is None or len(raw) <= KEY_ID_BYTES:
        raise NoteError("a signature is not base64, or too short")
    return Signature(parts[1], raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def is_name(name: str) -> bool:
    """Whether this may name a key: not empty, no space, no plus."""
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def sign_text(text: str, *, name: str, key: Ed25519PrivateKey) -> Note:
    """The text as a note signed by the key under the name."""
    verifier = Verifier(name, key.public_key())
    return Note(text, (Signature(name, verifier.key_id, key.sign(text.encode())),))


def cosign_text(text: str, *, name: str, key: Ed25519PrivateKey, at: int) -> Signature:
    """A witness's signature over a checkpoint's text at a time (POSIX seconds)."""
    verifier = Verifier(name, key.public_key(), COSIGNATURE)
    return Signature(name, verifier.key_id, at.to_bytes(TIME_BYTES, "big") + key.sign(_cosigned(text, at)))


def check_signature(text: str, signature: Signature, verifier: Verifier) -> int:
    """The time a witness signed at, 0 for a log's signature; raises NoteError or CosignatureError."""
    if verifier.kind == ED25519:
        _check(verifier, signature.content, text.encode(), NoteError("the signature does not hold", "NOTE-002"))
        return 0
    refused = CosignatureError("the cosignature does not hold", "COSIGN-002")
    at = int.from_bytes(signature.content[:TIME_BYTES], "big")
    if at >= 1 << 63:
        raise refused
    _check(verifier, signature.content[TIME_BYTES:], _cosigned(text, at), refused)
    return at


def signed_by(note: Note, verifiers: Iterable[Verifier]) -> Mapping[Verifier, int]:
    """Which of these keys signed the note, and when; a known key's signature that does not hold refuses the note.

    Signatures of unknown keys are ignored, as C2SP signed-note asks; raises NoteError NOTE-003 when none is known.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found: dict[Verifier, int] = {}
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is not None:
            found[verifier] = check_signature(note.text, signature, verifier)
    if not found:
        raise NoteError("the note is not signed by a known key", "NOTE-003")
    return found


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _check(verifier: Verifier, signature: bytes, message: bytes, refused: Exception) -> None:
    try:
        verifier.key.verify(signature, message)
    except InvalidSignature:
        raise refused from None
