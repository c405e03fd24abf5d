"""Checks the whole log: every detail against its entry, every entry against the tree, the tree against its notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.audit import merkle
from hub.audit.note import NoteError, Verifier, open_checkpoint
from hub.audit.service import DETAIL_FIELDS, detail_hash, entry_bytes
from hub.audit.tables import Checkpoint, Detail, Entry, Head, Node

BATCH = 5_000


@dataclass(frozen=True)
class Verdict:
    """What the check found. `whole` is False with the first bad entry, None when it cannot tell."""

    whole: bool | None
    events: int
    checkpoints: int
    first_bad: int | None
    reason: str


def verify_log(session: Session, verifier: Verifier) -> Verdict:
    """Read the log from its first entry and compare everything that is stored about it."""
    head = session.execute(select(Head.size, Head.root, Head.frontier)).one_or_none()
    if head is None:
        return Verdict(None, 0, 0, None, "the log has no head: it was never opened, or this is another database")
    notes = {row.size: row.note for row in session.execute(select(Checkpoint.size, Checkpoint.note))}
    frontier: list[bytes] = []
    size = signed_until = 0
    for batch in _batches(session):
        expected: dict[tuple[int, int], tuple[bytes, int]] = {}
        for row in batch:
            reason = _fault_of(row, size)
            if reason:
                return Verdict(False, size, 0, size, reason)
            for level, position, value in merkle.push(frontier, size, row.leaf):
                expected[level, position] = (value, size)
            size += 1
            if size in notes:
                reason = _fault_of_note(notes[size], size, merkle.frontier_root(frontier), verifier)
                if reason:
                    return Verdict(False, size, 0, signed_until, reason)
                signed_until = size
        bad = _first_bad_node(session, expected)
        if bad is not None:
            return Verdict(False, size, 0, bad, "a node of the tree does not match its entries")
    return _ending(session, size, frontier, head, notes)


def _batches(session: Session) -> Iterator[Sequence[Any]]:
    columns = [Entry.sequence, Entry.entry, Entry.leaf, Detail.salt, Detail.time]
    columns += [getattr(Detail, name) for name in DETAIL_FIELDS]
    query = select(*columns).outerjoin(Detail, Detail.sequence == Entry.sequence).order_by(Entry.sequence)
    yield from session.execute(query.execution_options(yield_per=BATCH)).partitions(BATCH)


def _fault_of(row: Any, number: int) -> str:
    if row.sequence != number:
        return "an entry is missing before the next one"
    if merkle.leaf_hash(row.entry) != row.leaf:
        return "the entry does not match its leaf hash"
    if row.salt is None:
        return "the detail of the entry is missing"
    detail = {name: getattr(row, name) for name in DETAIL_FIELDS}
    hashed = detail_hash(detail, row.salt)
    if entry_bytes(number, time=row.time, event=row.event, detail_hash=hashed) != row.entry:
        return "the detail does not match its entry"
    return ""


def _fault_of_note(note: str, size: int, root: bytes, verifier: Verifier) -> str:
    try:
        body = open_checkpoint(note, verifier)
    except NoteError:
        return f"the checkpoint of size {size} is not signed by the log's key"
    if (body.size, body.root) != (size, root):
        return f"the checkpoint of size {size} signs another log: an entry since the checkpoint before was changed"
    return ""


def _first_bad_node(session: Session, expected: Mapping[tuple[int, int], tuple[bytes, int]]) -> int | None:
    bad: list[int] = []
    for level in sorted({level for level, _ in expected}):
        wanted = {position: found for (at, position), found in expected.items() if at == level}
        query = select(Node.position, Node.hash).where(
            Node.level == level, Node.position.between(min(wanted), max(wanted))
        )
        stored = {row.position: row.hash for row in session.execute(query)}
        bad += [number for position, (value, number) in wanted.items() if stored.get(position) != value]
    return min(bad, default=None)


def _ending(session: Session, size: int, frontier: list[bytes], head: Any, notes: Mapping[int, str]) -> Verdict:
    counted = session.scalar(select(func.count()).select_from(Detail))
    nodes = session.scalar(select(func.count()).select_from(Node))
    if (head.size, head.root, head.frontier) != (size, merkle.frontier_root(frontier), b"".join(frontier)):
        return Verdict(False, size, 0, min(size, head.size), "the head does not match the entries")
    if any(signed > size for signed in notes):
        return Verdict(False, size, 0, size, "a checkpoint signs more entries than there are: the log was cut short")
    if counted != size or nodes != size - size.bit_count():
        return Verdict(False, size, 0, size, "details or nodes stand in the log that belong to no entry")
    if not notes:
        return Verdict(None, size, 0, None, "no checkpoint is signed yet: nothing vouches for the log")
    return Verdict(True, size, len(notes), None, "every entry, node and checkpoint matches")
