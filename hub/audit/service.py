"""Appends to the audit log inside the business transaction, and proves what stands in it.

The log is an RFC 6962 Merkle tree. A leaf's entry holds sequence, time, event and a salted SHA-256 of the
detail; the detail lies beside and can be erased. An append is the last statement of its transaction, under the
lock of the head row: event and effect together or neither.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.tables import Checkpoint, Cosignature, Detail, Entry, Head, Node
from hub.errors import NotFound, StoreError
from policies.translog import merkle
from policies.translog.entries import DETAIL_FIELDS, SALT_BYTES, detail_hash, detail_json, entry_bytes
from policies.translog.errors import ProofError
from policies.translog.note import Note, read_note, read_signature
from policies.translog.proof import TlogProof
from policies.translog.receipt import Receipt


@dataclass(frozen=True)
class _Statements:
    """The append's statements for the driver itself: it is the hub's most frequent write."""

    lock: str
    entry: str
    detail: str
    node: str
    head: str


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
    sql = _statements(connection.dialect.name)
    connection.exec_driver_sql(sql.entry, (size, entry, leaf))
    connection.exec_driver_sql(sql.detail, (size, salt, _stored_time(connection, time), *_stored(detail)))
    if completed:
        connection.exec_driver_sql(sql.node, completed)
    root = merkle.frontier_root(frontier)
    connection.exec_driver_sql(sql.head, (size + 1, root, b"".join(frontier)))
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


def newest_time(session: Session, event: EventType) -> datetime | None:
    """When the newest event of a kind happened; None where there is none."""
    return session.scalar(select(func.max(Detail.time)).where(Detail.event == event.value))


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


@cache
def _statements(dialect: str) -> _Statements:
    mark = "?" if dialect == "sqlite" else "%s"
    lock = "SELECT size, frontier FROM audit_head" + ("" if dialect == "sqlite" else " FOR UPDATE")
    columns = ("sequence", "salt", "time", *DETAIL_FIELDS)

    def insert(table: str, *names: str) -> str:
        return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"

    return _Statements(
        lock=lock,
        entry=insert("audit_entries", "sequence", "entry", "leaf"),
        detail=insert("audit_details", *columns),
        node=insert("audit_nodes", "level", "position", "hash"),
        head=f"UPDATE audit_head SET size = {mark}, root = {mark}, frontier = {mark}",
    )


def _stored(detail: Mapping[str, Any]) -> list[Any]:
    return [json.dumps(value) if isinstance(value, dict) else value for value in map(detail.get, DETAIL_FIELDS)]


def _stored_time(connection: Connection, time: datetime) -> datetime | str:
    """A time as the column's type would store it."""
    utc = time.astimezone(UTC)
    return utc.strftime("%Y-%m-%d %H:%M:%S.%f") if connection.dialect.name == "sqlite" else utc


def _lock_head(session: Session) -> tuple[int, list[bytes]]:
    connection = session.connection()
    row = connection.exec_driver_sql(_statements(connection.dialect.name).lock).one_or_none()
    if row is None:
        raise StoreError("The audit log has no head.", code="audit-head-missing", next_step="Run promise-hub migrate.")
    step = merkle.HASH_BYTES
    return row.size, [bytes(row.frontier[at : at + step]) for at in range(0, len(row.frontier), step)]
