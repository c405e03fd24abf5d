"""Checks the whole log: every detail against its entry, every entry against the tree, the tree against its notes.

A million entries pass through here in seconds, so it reads plain columns and hashes block by block: a block of
`BLOCK` leaves is hashed level by level, and only the roots of blocks meet in the frontier.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from hub.audit.tables import Checkpoint, Cosignature, Detail, Entry, Head, Node
from policies.translog import merkle
from policies.translog.bundle import Verdict
from policies.translog.checkpoint import CheckpointBody, body_of
from policies.translog.entries import canonical_detail, entry_text
from policies.translog.errors import TranslogError
from policies.translog.note import Verifier, check_signature, read_note, read_signature

BLOCK_HEIGHT = 12
BLOCK = 1 << BLOCK_HEIGHT


@dataclass(frozen=True)
class Trusted:
    """What the log is held against: its key, keys it had before a recovery, the witnesses' keys, and notes from
    elsewhere (the signer's own, a district's)."""

    log: Verifier
    former: tuple[Verifier, ...] = ()
    witnesses: tuple[Verifier, ...] = ()
    notes: tuple[str, ...] = ()


class _Bad(Exception):  # noqa: N818 (never leaves this module)
    """The first bad entry and what is wrong with it."""

    def __init__(self, entry: int, reason: str) -> None:
        super().__init__(reason)
        self.entry, self.reason = entry, reason


@dataclass
class _Tree:
    """The tree as it is recomputed: roots of whole blocks, and the levels inside the block that is being read."""

    size: int
    frontier: list[bytes]
    levels: list[list[bytes]]

    def root_at(self, size: int) -> bytes:
        """The root of the first `size` entries, where the size lies in the present block."""
        start = self.size - len(self.levels[0])
        inside = [self.levels[level][index] for level, index in merkle.subtrees(0, size - start)]
        return merkle.frontier_root([*self.frontier, *inside])

    def edge(self) -> list[bytes]:
        """The right edge of the tree: what the head row stores."""
        start = self.size - len(self.levels[0])
        return [*self.frontier, *(self.levels[level][index] for level, index in merkle.subtrees(0, self.size - start))]


def verify_log(session: Session, trusted: Trusted) -> Verdict:
    """Read the log from its first entry and compare everything that is stored about it."""
    head = session.execute(select(Head.size, Head.root, Head.frontier)).one_or_none()
    if head is None:
        return Verdict(None, 0, 0, None, "the log has no head: it was never opened, or this is another database")
    tree = _Tree(0, [], [[]])
    checked = 0
    try:
        notes = _notes(session, trusted)
        signed_until = 0
        for block in _blocks(session):
            _take_block(tree, block)
            for size in [size for size in notes if tree.size - len(block) < size <= tree.size]:
                _check_note(notes.pop(size), tree.root_at(size), signed_until)
                signed_until, checked = size, checked + 1
            _check_nodes(session, tree)
            _close_block(tree)
        _check_ending(session, tree, head, notes)
    except _Bad as bad:
        return Verdict(False, tree.size, checked, bad.entry, bad.reason)
    if not checked:
        return Verdict(None, tree.size, 0, None, "no checkpoint is signed yet: nothing vouches for the log")
    return Verdict(True, tree.size, checked, None, "every entry, node and checkpoint matches")


def _blocks(session: Session) -> Iterator[Sequence[Any]]:
    """Rows of plain values, in the order in which `_take_block` unpacks them."""
    plain = [type_coerce(column, NullType()) for column in (Detail.time, Detail.counts, Detail.versions)]
    columns = [
        Entry.sequence, Entry.entry, Entry.leaf, Detail.salt, *plain, Detail.actor, Detail.agreement, Detail.decision,
        Detail.event, Detail.method, Detail.organisation, Detail.outcome, Detail.purpose, Detail.request_id,
        Detail.resource, Detail.rule,
    ]  # fmt: skip
    query = select(*columns).outerjoin(Detail, Detail.sequence == Entry.sequence).order_by(Entry.sequence)
    yield from session.execute(query.execution_options(yield_per=BLOCK)).partitions(BLOCK)


def _take_block(tree: _Tree, rows: Sequence[Any]) -> None:
    leaves: list[bytes] = []
    number = tree.size
    for row in rows:
        (
            sequence, entry, leaf, salt, time, counts, versions, actor, agreement, decision, event, method,
            organisation, outcome, purpose, request_id, resource, rule,
        ) = row  # fmt: skip
        if sequence != number:
            raise _Bad(number, "an entry is missing before the next one")
        try:
            if sha256(b"\x00" + entry).digest() != leaf:
                raise _Bad(number, "the entry does not match its leaf hash")
            if salt is None:
                raise _Bad(number, "the detail of the entry is missing")
            detail = canonical_detail(
                actor=actor, agreement=agreement, counts=_parsed(counts), decision=decision, event=event,
                method=method, organisation=organisation, outcome=outcome, purpose=purpose, request_id=request_id,
                resource=resource, rule=rule, versions=_parsed(versions),
            )  # fmt: skip
            hashed = sha256(salt + detail).hexdigest()
            if entry_text(number, _written(time), event, hashed) != entry:
                raise _Bad(number, "the detail does not match its entry")
        except (TypeError, ValueError, AttributeError):
            raise _Bad(number, "the entry or its detail cannot be read") from None
        leaves.append(leaf)
        number += 1
        tree.size = number
    tree.levels = merkle.levels_of(leaves)


def _close_block(tree: _Tree) -> None:
    """A whole block's root goes into the frontier; a part of one, the last, stays as it is."""
    if len(tree.levels[0]) == BLOCK:
        merkle.push(tree.frontier, tree.size // BLOCK - 1, tree.levels[BLOCK_HEIGHT][0])
        tree.levels = [[]]


def _parsed(stored: Any) -> Any:
    """The value of a JSON column, which one database gives as text and the other as a value."""
    if not isinstance(stored, str):
        return stored
    return {} if stored == "{}" else _loaded(stored)


@lru_cache(maxsize=4096)
def _loaded(stored: str) -> Any:
    return json.loads(stored)


def _written(stored: str | datetime) -> str:
    """The time as an entry has it; one database gives text, the other a time."""
    if isinstance(stored, datetime):
        return stored.astimezone(UTC).isoformat(timespec="microseconds")
    day, space, hour = stored.partition(" ")
    return f"{day}T{hour}+00:00" if space else stored


def _notes(session: Session, trusted: Trusted) -> dict[int, list[tuple[str, CheckpointBody | None]]]:
    """Every checkpoint by its size, in order, with what it says; None where its signature does not hold."""
    found: dict[int, list[tuple[str, CheckpointBody | None]]] = {}
    lines: dict[int, list[str]] = {}
    for row in session.execute(select(Cosignature.size, Cosignature.line)):
        lines.setdefault(row.size, []).append(row.line)
    stored = session.execute(select(Checkpoint.size, Checkpoint.note).order_by(Checkpoint.size))
    for size, written in stored:
        body = _opened(written, trusted)
        said = "" if body is not None and body.size == size else f"the checkpoint of size {size} is not what was signed"
        said = said or _fault_of_lines(written, lines.pop(size, []), trusted.witnesses)
        found.setdefault(size, []).append((said, body))
    if lines:
        raise _Bad(min(lines), "a witness's signature stands under no checkpoint")
    for written in trusted.notes:
        body = _opened(written, trusted)
        if body is None:
            raise _Bad(0, "a checkpoint from elsewhere is not signed by the log's key")
        if body.size:
            found.setdefault(body.size, []).append(("", body))
    return dict(sorted(found.items()))


def _opened(written: str, trusted: Trusted) -> CheckpointBody | None:
    for log in (trusted.log, *trusted.former):
        try:
            note = read_note(written)
            body = body_of(note, log)
        except TranslogError:
            continue
        return body if note.written() == written else None
    return None


def _fault_of_lines(written: str, lines: Collection[str], witnesses: Collection[Verifier]) -> str:
    known = {(verifier.name, verifier.key_id): verifier for verifier in witnesses}
    for line in lines:
        try:
            signature = read_signature(line)
            check_signature(read_note(written).text, signature, known[signature.name, signature.key_id])
        except (TranslogError, KeyError):
            return "a witness's signature under it does not hold"
    return ""


def _check_note(notes: Sequence[tuple[str, CheckpointBody | None]], root: bytes, signed_until: int) -> None:
    for fault, body in notes:
        if fault or body is None:
            raise _Bad(signed_until, fault)
        if body.root != root:
            raise _Bad(
                signed_until,
                f"the checkpoint of size {body.size} signs another log: an entry from {signed_until} on was changed",
            )


def _check_nodes(session: Session, tree: _Tree) -> None:
    """Compare the stored nodes that the present block completed; raises _Bad naming the entry that completed one."""
    start = tree.size - len(tree.levels[0])
    bad: list[int] = []
    expected = [(level, start >> level, hashes) for level, hashes in enumerate(tree.levels) if level]
    if len(tree.levels[0]) == BLOCK:
        above = merkle.push(list(tree.frontier), tree.size // BLOCK - 1, tree.levels[BLOCK_HEIGHT][0])
        expected += [(BLOCK_HEIGHT + level, position, [value]) for level, position, value in above]
    for level, first, hashes in expected:
        stored = _stored_nodes(session, level, first, len(hashes))
        bad += [((first + at + 1) << level) - 1 for at, value in enumerate(hashes) if stored.get(first + at) != value]
    if bad:
        raise _Bad(min(bad), "a node of the tree does not match its entries")


def _stored_nodes(session: Session, level: int, first: int, count: int) -> Mapping[int, bytes]:
    if not count:
        return {}
    query = select(Node.position, Node.hash)
    query = query.where(Node.level == level, Node.position.between(first, first + count - 1))
    return {row.position: row.hash for row in session.execute(query)}


def _check_ending(
    session: Session, tree: _Tree, head: Any, notes: Mapping[int, Sequence[tuple[str, CheckpointBody | None]]]
) -> None:
    edge = tree.edge()
    if (head.size, head.root, head.frontier) != (tree.size, merkle.frontier_root(edge), b"".join(edge)):
        raise _Bad(min(tree.size, head.size), "the head does not match the entries")
    if notes:
        raise _Bad(tree.size, "a checkpoint signs more entries than there are: the log was cut short")
    counted = session.scalar(select(func.count()).select_from(Detail))
    nodes = session.scalar(select(func.count()).select_from(Node))
    if counted != tree.size or nodes != tree.size - tree.size.bit_count():
        raise _Bad(tree.size, "details or nodes stand in the log that belong to no entry")
