"""Appends to the audit log inside the business transaction, and proves what stands in it.

The log is an RFC 6962 Merkle tree. A leaf's entry holds sequence, time, event and a salted SHA-256 of the
detail; the detail lies beside and can be erased. An append is the last statement of its transaction, under the
lock of the head row: event and effect together or neither.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from hub.audit import merkle
from hub.audit.events import AuditTrail, EventType
from hub.audit.tables import Checkpoint, Detail, Entry, Head, Node
from hub.db import Base
from hub.errors import NotFound, StoreError
from policies.submission import canonical_json

SALT_BYTES = 16
ENTRY_FORMAT = "promise-audit/1"
PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
DETAIL_FIELDS = (
    "event", "actor", "organisation", "request_id", "method", "agreement", "purpose", "resource", "decision",
    "rule", "outcome", "counts", "versions",
)  # fmt: skip


# Statements of the tables themselves, not of the mapped classes: the append is the hub's most frequent write.
_TABLES = Base.metadata.tables
_INSERT_ENTRY, _INSERT_DETAIL, _INSERT_NODE = (
    insert(_TABLES[mapped.__tablename__]) for mapped in (Entry, Detail, Node)
)
_UPDATE_HEAD = update(_TABLES[Head.__tablename__])
_LOCK_HEAD = select(*(_TABLES[Head.__tablename__].c[name] for name in ("size", "frontier"))).with_for_update()


@dataclass(frozen=True)
class Proof:
    """What shows somebody without the hub that an event stands in the log: entry, detail, tlog-proof."""

    sequence: int
    entry: str
    detail: str
    salt: str
    proof: str


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


def detail_hash(detail: Mapping[str, Any], salt: bytes) -> str:
    """SHA-256 over salt and canonical detail, 64 hex digits."""
    return sha256(salt + canonical_json({name: detail[name] for name in DETAIL_FIELDS})).hexdigest()


def entry_bytes(sequence: int, *, time: datetime, event: str, detail_hash: str) -> bytes:
    """The bytes of a leaf: five lines of text."""
    return f"{ENTRY_FORMAT}\n{sequence}\n{time.isoformat(timespec='microseconds')}\n{event}\n{detail_hash}\n".encode()


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
    except merkle.ProofError as error:
        raise NotFound("The log has no such sizes.", code="log-size-unknown") from error


def latest_checkpoint(session: Session, *, size_at_least: int = 0) -> Checkpoint | None:
    """The newest signed checkpoint, if it covers that many entries."""
    newest = session.execute(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).scalar_one_or_none()
    return newest if newest is not None and newest.size >= size_at_least else None


def prove(session: Session, sequence: int) -> Proof | None:
    """The proof of one event under the newest checkpoint; None until a checkpoint covers it."""
    checkpoint = latest_checkpoint(session, size_at_least=sequence + 1)
    entry = session.get(Entry, sequence)
    detail = session.get(Detail, sequence)
    if checkpoint is None or entry is None or detail is None:
        return None
    path = merkle.inclusion_proof(sequence, checkpoint.size, read=node_reader(session))
    return Proof(
        sequence=sequence,
        entry=entry.entry.decode(),
        detail=canonical_json({name: getattr(detail, name) for name in DETAIL_FIELDS}).decode(),
        salt=detail.salt.hex(),
        proof=proof_text(sequence, path, checkpoint.note),
    )


def proof_text(index: int, path: list[bytes], checkpoint: str) -> str:
    """A proof as C2SP tlog-proof writes it: index, hashes, empty line, checkpoint."""
    lines = [PROOF_FORMAT, f"index {index}", *(b64encode(value).decode() for value in path), ""]
    return "\n".join(lines) + "\n" + checkpoint


def _node_rows(completed: list[tuple[int, int, bytes]]) -> list[dict[str, Any]]:
    return [{"level": level, "position": position, "hash": value} for level, position, value in completed]


def _lock_head(session: Session) -> tuple[int, list[bytes]]:
    row = session.connection().execute(_LOCK_HEAD).one_or_none()
    if row is None:
        raise StoreError("The audit log has no head.", code="audit-head-missing", next_step="Run promise-hub migrate.")
    step = merkle.HASH_BYTES
    return row.size, [row.frontier[at : at + step] for at in range(0, len(row.frontier), step)]
