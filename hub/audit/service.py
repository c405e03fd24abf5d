"""Appends to the audit log inside the business transaction, and proves what stands in it.

The log is an RFC 6962 Merkle tree. A leaf's entry holds sequence, time, event and a salted SHA-256 of the
detail; the detail lies beside and can be erased. An append is the last statement of its transaction, under the
lock of the head row: event and effect together or neither.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.tables import Checkpoint, Cosignature, Detail, Entry, Head, Node
from hub.db import Base
from hub.errors import NotFound, StoreError
from policies.translog import merkle
from policies.translog.entries import DETAIL_FIELDS, SALT_BYTES, detail_hash, detail_json, entry_bytes
from policies.translog.errors import ProofError
from policies.translog.note import Note, read_note, read_signature
from policies.translog.proof import TlogProof
from policies.translog.receipt import Receipt

# Statements of the tables themselves, not of the mapped classes: the append is the hub's most frequent write.
_TABLES = Base.metadata.tables
_INSERT_ENTRY, _INSERT_DETAIL, _INSERT_NODE = (
    insert(_TABLES[mapped.__tablename__]) for mapped in (Entry, Detail, Node)
)
_UPDATE_HEAD = update(_TABLES[Head.__tablename__])
_LOCK_HEAD = select(*(_TABLES[Head.__tablename__].c[name] for name in ("size", "frontier"))).with_for_update()


def append(
    session: Session,
    trail: AuditTrail,
    event: EventType,
    *,
    resource: str,
    decision: str | None = None,
    rule: str | None = None,
    outcome: str = "done",
    counts: Mapping[str, int] | None = None,
    versions: Mapping[str, str] | None = None,
) -> int:
    """Add one event; its sequence number comes back. To be the last statement of the transaction."""
    detail: dict[str, Any] = {
        "event": event.value, "actor": trail.actor, "organisation": trail.organisation,
        "request_id": trail.request_id, "method": trail.method, "agreement": trail.agreement,
        "purpose": trail.purpose, "resource": resource, "decision": decision, "rule": rule, "outcome": outcome,
        "counts": dict(counts or {}), "versions": dict(versions or {}),
    }  # fmt: skip
    session.flush()
    size, frontier = _lock_head(session)
    # Read under the lock, so that times never fall while sequences rise.
    time = trail.clock()
    salt = secrets.token_bytes(SALT_BYTES)
    entry = entry_bytes(size, time=time, event=event.value, detail_hash=detail_hash(detail, salt))
    leaf = merkle.leaf_hash(entry)
    completed = merkle.push(frontier, size, leaf)
    connection = session.connection()
    connection.execute(_INSERT_ENTRY, {"sequence": size, "entry": entry, "leaf": leaf})
    connection.execute(_INSERT_DETAIL, {"sequence": size, "salt": salt, "time": time, **detail})
    if completed:
        connection.execute(_INSERT_NODE, _node_rows(completed))
    root = merkle.frontier_root(frontier)
    connection.execute(_UPDATE_HEAD, {"size": size + 1, "root": root, "frontier": b"".join(frontier)})
    return size


def open_log(session: Session) -> None:
    """Set the head of an empty log; a log that is open stays as it is."""
    if session.get(Head, 1) is None:
        session.add(Head(number=1, size=0, root=merkle.EMPTY_ROOT, frontier=b""))
        session.flush()


def head(session: Session) -> tuple[int, bytes]:
    """Size and root of the log now."""
    row = session.execute(select(Head.size, Head.root)).one_or_none()
    if row is None:
        raise StoreError("The audit log has no head.", code="audit-head-missing")
    return row.size, row.root


def node_reader(session: Session) -> merkle.NodeReader:
    """Reads nodes of the stored tree; raises StoreError for a missing one."""

    def read(level: int, position: int) -> bytes:
        if level == 0:
            found = session.execute(select(Entry.leaf).where(Entry.sequence == position)).scalar_one_or_none()
        else:
            found = session.execute(
                select(Node.hash).where(Node.level == level, Node.position == position)
            ).scalar_one_or_none()
        if found is None:
            raise StoreError(f"A node of the audit tree is missing: {level}/{position}.", code="audit-node-missing")
        return found

    return read


def consistency(session: Session, *, old: int, new: int) -> list[bytes]:
    """The proof that the log of size old is a prefix of the log of size new."""
    try:
        return merkle.consistency_proof(old, new, read=node_reader(session))
    except ProofError as error:
        raise NotFound("The log has no such sizes.", code="log-size-unknown") from error


def latest_checkpoint(session: Session, *, size_at_least: int = 0) -> Checkpoint | None:
    """The newest signed checkpoint, if it covers that many entries."""
    newest = session.execute(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).scalar_one_or_none()
    return newest if newest is not None and newest.size >= size_at_least else None


def checkpoint_note(session: Session, size: int) -> Note:
    """The checkpoint of a size with the cosignatures it has; raises NotFound."""
    checkpoint = session.get(Checkpoint, size)
    if checkpoint is None:
        raise NotFound("No checkpoint of this size is signed.", code="checkpoint-unknown")
    note = read_note(checkpoint.note)
    lines = session.scalars(select(Cosignature.line).where(Cosignature.size == size).order_by(Cosignature.agent))
    return Note(note.text, (*note.signatures, *(read_signature(line) for line in lines)))


def prove(session: Session, sequence: int, *, size: int | None = None) -> Receipt | None:
    """The proof of one event under the newest checkpoint, or that of a size; None until a checkpoint covers it."""
    newest = latest_checkpoint(session, size_at_least=sequence + 1)
    entry = session.get(Entry, sequence)
    detail = session.get(Detail, sequence)
    if newest is None or entry is None or detail is None:
        return None
    under = newest.size if size is None else size
    path = merkle.inclusion_proof(sequence, under, read=node_reader(session))
    return Receipt(
        sequence=sequence,
        entry=entry.entry.decode(),
        detail=detail_json({name: getattr(detail, name) for name in DETAIL_FIELDS}).decode(),
        salt=detail.salt.hex(),
        proof=TlogProof(sequence, tuple(path), checkpoint_note(session, under)).written(),
    )


def _node_rows(completed: list[tuple[int, int, bytes]]) -> list[dict[str, Any]]:
    return [{"level": level, "position": position, "hash": value} for level, position, value in completed]


def _lock_head(session: Session) -> tuple[int, list[bytes]]:
    row = session.connection().execute(_LOCK_HEAD).one_or_none()
    if row is None:
        raise StoreError("The audit log has no head.", code="audit-head-missing", next_step="Run promise-hub migrate.")
    step = merkle.HASH_BYTES
    return row.size, [row.frontier[at : at + step] for at in range(0, len(row.frontier), step)]
