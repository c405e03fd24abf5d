"""What a witness does (C2SP tlog-witness): cosigns a log only as it grows out of what it cosigned before.

The agents of the partnership stand behind their districts' firewalls, so the two ends of HTTP are exchanged: the agent
asks for the body of `add-checkpoint` and sends back the signature lines that would be the answer.
A log that did not grow so gives a fork proof: two checkpoints under one key that cannot both be of one history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.translog.checkpoint import CheckpointBody, body_of, plain_number
from policies.translog.errors import ProofError, TranslogError, WitnessError
from policies.translog.merkle import consistency_roots, verify_consistency
from policies.translog.note import Note, Verifier, read_note, read_vkey
from policies.translog.proof import read_hashes
from policies.translog.strict_base64 import encoded

FORK_FORMAT = "promise-fork/1"


@dataclass(frozen=True)
class Seen:
    """A checkpoint whose signature by the log was verified."""

    note: Note
    body: CheckpointBody


@dataclass(frozen=True)
class Growth:
    """The body of `add-checkpoint`: from which size, the consistency proof, and the newer checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Note

    def written(self) -> str:
        hashes = "".join(f"{encoded(value)}\n" for value in self.proof)
        return f"old {self.old}\n{hashes}\n{self.checkpoint.written()}"


@dataclass(frozen=True)
class Fork:
    """What shows that a log has two histories: a checkpoint that was seen, one that does not grow out of it."""

    log: Verifier
    seen: Note
    shown: Note
    proof: tuple[bytes, ...]

    def written(self) -> str:
        """The file to show to anybody."""
        value = {
            "format": FORK_FORMAT,
            "log": self.log.vkey(),
            "seen": self.seen.written(),
            "shown": self.shown.written(),
            "proof": [encoded(value) for value in self.proof],
        }
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


class ForkError(WitnessError):
    """The log did not grow out of what was seen; `fork` is to be kept and shown."""

    def __init__(self, sentence: str, code: str, fork: Fork) -> None:
        super().__init__(sentence, code)
        self.fork = fork


def read_growth(text: str) -> Growth:
    """The parts of an `add-checkpoint` body; raises ProofError, NoteError or CheckpointError."""
    head, parted, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not parted or not lines[0].startswith("old "):
        raise ProofError("this is no growth of a log", "PROOF-002")
    return Growth(plain_number(lines[0].removeprefix("old ")), read_hashes(lines[1:]), read_note(checkpoint))


def check_growth(growth: Growth, *, seen: Seen | None, log: Verifier) -> Seen:
    """The newer checkpoint, to be cosigned; raises ForkError where it does not grow out of what was seen.

    Other TranslogErrors say that the growth itself is not one of this log.
    """
    newer = Seen(growth.checkpoint, body_of(growth.checkpoint, log))
    if seen is None:
        if growth.old != 0 or growth.proof:
            raise ProofError("the growth begins elsewhere than at nothing", "PROOF-002")
        return newer
    fork = Fork(log, seen.note, newer.note, growth.proof)
    if newer.body.size < seen.body.size:
        raise ForkError("the log is shorter than it was", "WITNESS-001", fork)
    if growth.old != seen.body.size:
        raise ProofError("the growth begins elsewhere than at the checkpoint that was seen", "PROOF-002")
    check_grew(seen, newer, fork=fork)
    return newer


def check_grew(seen: Seen, newer: Seen, *, fork: Fork) -> None:
    """Raises ForkError unless the proof shows the seen tree to be the beginning of the newer one."""
    if seen.body.size == 0:
        return  # every log grows out of nothing
    try:
        verify_consistency(
            seen.body.size,
            newer.body.size,
            old_root=seen.body.root,
            new_root=newer.body.root,
            proof=fork.proof,
        )
    except ProofError:
        raise ForkError(
            "the log did not grow out of what was seen: it has two histories", "WITNESS-002", fork
        ) from None


def read_fork(text: str) -> Fork:
    """The parts of a fork proof; raises TranslogError."""
    try:
        value: Mapping[str, Any] = json.loads(text)
        if value["format"] != FORK_FORMAT or not all(isinstance(line, str) for line in value["proof"]):
            raise WitnessError("this is no fork proof", "WITNESS-003")
        log = read_vkey(str(value["log"]))
        return Fork(log, read_note(str(value["seen"])), read_note(str(value["shown"])), read_hashes(value["proof"]))
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, TranslogError):
            raise
        raise WitnessError("this is no fork proof", "WITNESS-003") from None


def is_proven(fork: Fork, log: Verifier) -> bool:
    """Whether the two checkpoints cannot both be of one history, whatever the log's operator says.

    Proven: two roots of one size; or a proof that leads to the longer log's root and to another root of the shorter
    one's size. Else the two stand as a challenge: the operator must show how the one grew out of the other.
    Raises TranslogError where a checkpoint is not signed by this log.
    """
    shorter, longer = sorted((body_of(fork.seen, log), body_of(fork.shown, log)), key=lambda body: body.size)
    if shorter.size == longer.size:
        return shorter.root != longer.root
    roots = consistency_roots(shorter.size, longer.size, proof=fork.proof)
    return roots is not None and roots[1] == longer.root and roots[0] != shorter.root
