"""What a reader of the log's formats may complain of; each kind has its own code and none repeats what it read.

TranslogError               code, sentence
├── NoteError               NOTE-001 form, NOTE-002 a signature that does not hold, NOTE-003 not signed by a known key
├── CheckpointError         CHECKPOINT-001 form, CHECKPOINT-002 another log
├── CosignatureError        COSIGN-001 form, COSIGN-002 does not hold, COSIGN-003 too few witnesses
├── ProofError              PROOF-001 does not show it, PROOF-002 form
├── EntryError              ENTRY-001 form, ENTRY-002 not the entry of this detail
├── TileError               TILE-001 no tile of that name
├── PolicyError             POLICY-001 form
└── WitnessError            WITNESS-001 older than what was cosigned, WITNESS-002 two histories
"""

from __future__ import annotations


class TranslogError(ValueError):
    """The root; `code` is stable."""

    code = "TRANSLOG-000"

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code or self.code


class NoteError(TranslogError):
    """A note or a key that cannot be read, or whose signature does not hold."""

    code = "NOTE-001"


class CheckpointError(TranslogError):
    """A signed text that is no checkpoint of this log."""

    code = "CHECKPOINT-001"


class CosignatureError(TranslogError):
    """A witness's signature that does not hold, or too few of them."""

    code = "COSIGN-001"


class ProofError(TranslogError):
    """A proof that does not show what it claims."""

    code = "PROOF-001"


class EntryError(TranslogError):
    """An entry that is not what its detail says."""

    code = "ENTRY-001"


class TileError(TranslogError):
    """An address that names no tile."""

    code = "TILE-001"


class PolicyError(TranslogError):
    """A policy that cannot be read."""

    code = "POLICY-001"


class WitnessError(TranslogError):
    """A log that did not grow out of what the witness saw."""

    code = "WITNESS-001"
