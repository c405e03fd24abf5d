"""Proofs that an entry stands in a log (C2SP tlog-proof): index, audit path and the checkpoint it leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.translog.checkpoint import CheckpointBody, body_of, plain_number
from policies.translog.errors import CheckpointError, ProofError
from policies.translog.merkle import HASH_BYTES, verify_inclusion
from policies.translog.note import Note, Verifier, read_note
from policies.translog.strict_base64 import decoded, encoded

PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
PATH_MAX = 63


@dataclass(frozen=True)
class TlogProof:
    """An audit path and the checkpoint it leads to; nothing holds before `check_proof`."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Note

    def written(self) -> str:
        hashes = "".join(f"{encoded(value)}\n" for value in self.path)
        return f"{PROOF_FORMAT}\nindex {self.index}\n{hashes}\n{self.checkpoint.written()}"


def read_proof(text: str) -> TlogProof:
    """The parts of a proof; extra data are let pass and never used. Raises ProofError PROOF-002 or NoteError."""
    head, parted, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not parted or lines[0] != PROOF_FORMAT:
        raise ProofError("this is no proof of a log", "PROOF-002")
    rest = lines[2:] if lines[1:2] and lines[1].startswith("extra ") else lines[1:]
    if not rest or not rest[0].startswith("index "):
        raise ProofError("the proof names no index", "PROOF-002")
    return TlogProof(_index(rest[0].removeprefix("index ")), read_hashes(rest[1:]), read_note(checkpoint))


def read_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Hashes of 32 bytes, one a line in base64; raises ProofError PROOF-002."""
    hashes = tuple(decoded(line) or b"" for line in lines)
    if len(hashes) > PATH_MAX or any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError("a hash of the proof is not 32 bytes in base64, or there are too many", "PROOF-002")
    return hashes


def check_proof(proof: TlogProof, leaf: bytes, log: Verifier) -> CheckpointBody:
    """The checkpoint under which the leaf stands; raises TranslogError of the part that does not hold."""
    body = body_of(proof.checkpoint, log)
    verify_inclusion(leaf, proof.index, size=body.size, root=body.root, proof=proof.path)
    return body


def _index(text: str) -> int:
    try:
        return plain_number(text)
    except CheckpointError as error:
        raise ProofError("the proof's index is not a plain number", "PROOF-002") from error
