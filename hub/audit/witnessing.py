"""Rounds of cosigning: which checkpoint the witnesses are asked to sign, and the signatures they send.

All witnesses of a round get the same checkpoint, else no checkpoint would ever have a majority: each visit leaves
events of its own, and the log grows between two visits. A round ends with its quorum, after a little more than a day,
or when something that has to be cosigned soon lies behind it. Rounds only go forward, so no witness is asked to sign
an older checkpoint than it signed before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append, checkpoint_note, consistency, latest_checkpoint
from hub.audit.tables import Checkpoint, Cosignature, WitnessRound
from hub.errors import Conflict, Fault, Invalid, NotFound, Unavailable
from policies.translog.errors import CosignatureError, TranslogError
from policies.translog.note import Note, Verifier, check_signature, read_signature
from policies.translog.policy import Policy, check_cosigned
from policies.translog.witness import Growth

ROUND = timedelta(hours=26)
"""Daily visits of every witness fall into one round, also when one is late by two hours."""


@dataclass(frozen=True)
class Standing:
    """How far the witnesses are: the newest checkpoint with a quorum, and who signed what is asked now."""

    cosigned: int | None
    cosigned_by: tuple[str, ...]
    asked: int | None
    asked_of: tuple[str, ...]


def growth(session: Session, old: int, *, policy: Policy, must_cover: int | None, audit: AuditTrail) -> Growth:
    """What a witness that last signed the size `old` is asked to sign next (0 where it never did).

    Raises Unavailable until a checkpoint covers `must_cover` events, NotFound where nothing is signed at all.
    A log that is now shorter than `old` answers with what it has, so that the witness sees it.
    """
    size = _round(session, policy, must_cover=must_cover, now=audit.clock())
    proof = consistency(session, old=old, new=size) if 0 < old <= size else []
    asked = Growth(old, tuple(proof), checkpoint_note(session, size))
    append(session, audit, EventType.AUDIT_READ, resource=f"checkpoint:{size}", counts={"old": old})
    return asked


def store_cosignature(
    session: Session, size: int, line: str, *, agent: str, witness: Verifier, audit: AuditTrail
) -> Note:
    """Keep an agent's signature line under the checkpoint of a size; the note with all its lines comes back.

    Raises Invalid where the line is not that agent's signature over that checkpoint. The same again changes nothing.
    """
    note = checkpoint_note(session, size)
    try:
        signature = read_signature(line)
        if (signature.name, signature.key_id) != (witness.name, witness.key_id):
            raise CosignatureError("the line is under another key", "COSIGN-002")
        check_signature(note.text, signature, witness)
    except TranslogError as error:
        raise Invalid(
            "The line is not this agent's signature over this checkpoint.",
            code="cosignature-wrong",
            next_step="Ask for the checkpoint again and sign it with the key on the roster.",
            faults=(Fault("body", "cosignature-wrong"),),
        ) from error
    if session.get(Cosignature, (size, agent)) is None:
        session.add(Cosignature(size=size, agent=agent, line=signature.line().rstrip("\n")))
        append(session, audit, EventType.CHECKPOINT_COSIGNED, resource=f"checkpoint:{size}")
    else:
        append(session, audit, EventType.AUDIT_READ, resource=f"checkpoint:{size}")
    return checkpoint_note(session, size)


def is_witnessed(note: Note, policy: Policy) -> bool:
    """Whether enough witnesses have cosigned."""
    try:
        check_cosigned(note, policy)
    except TranslogError:
        return False
    return True


def cosigned_notes(session: Session) -> Sequence[Note]:
    """The newest checkpoint of each witness, oldest first: what witnesses compare with each other."""
    newest: dict[str, int] = {}
    for size, agent in session.execute(select(Cosignature.size, Cosignature.agent).order_by(Cosignature.size)):
        newest[agent] = size
    return [checkpoint_note(session, size) for size in sorted(set(newest.values()))]


def newest_witnessed(session: Session, *, policy: Policy, at_least: int = 0) -> Note | None:
    """The newest checkpoint that the policy's witnesses have cosigned."""
    sizes = session.scalars(
        select(Cosignature.size).where(Cosignature.size >= at_least).distinct().order_by(Cosignature.size.desc())
    )
    return next((note for size in sizes if is_witnessed(note := checkpoint_note(session, size), policy)), None)


def standing(session: Session, *, policy: Policy) -> Standing:
    """How far the witnesses are, for people."""
    note = newest_witnessed(session, policy=policy)
    asked = _open_round(session)
    return Standing(
        cosigned=None if note is None else int(note.text.split("\n")[1]),
        cosigned_by=() if note is None else _names(note),
        asked=None if asked is None else asked.size,
        asked_of=() if asked is None else _names(checkpoint_note(session, asked.size)),
    )


def _round(session: Session, policy: Policy, *, must_cover: int | None, now: datetime) -> int:
    newest = latest_checkpoint(session)
    if newest is None:
        raise NotFound("No checkpoint is signed yet.", code="log-unsigned")
    if must_cover is not None and newest.size < must_cover:
        raise Unavailable("The log's newest events are not signed yet.", code="checkpoint-behind")
    present = _open_round(session)
    if present is not None and present.size < newest.size:
        over = now - present.opened_at > ROUND or (must_cover is not None and present.size < must_cover)
        over = over or is_witnessed(checkpoint_note(session, present.size), policy)
        present = None if over else present
    if present is None:
        _open(session, newest.size, now=now)
    return newest.size if present is None else present.size


def _open(session: Session, size: int, *, now: datetime) -> None:
    """Open a round; on PostgreSQL another witness may have opened it in the same moment."""
    with suppress(IntegrityError), session.begin_nested():
        session.add(WitnessRound(size=size, opened_at=now))
        session.flush()


def _open_round(session: Session) -> WitnessRound | None:
    found = session.scalars(select(WitnessRound).order_by(WitnessRound.size.desc()).limit(1)).one_or_none()
    if found is not None and session.get(Checkpoint, found.size) is None:
        raise Conflict("The checkpoint that was asked for is gone.", code="checkpoint-unknown")
    return found


def _names(note: Note) -> tuple[str, ...]:
    return tuple(sorted({one.name.rpartition("/witness/")[2] for one in note.signatures if "/witness/" in one.name}))
