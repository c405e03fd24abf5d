"""Writes the log out: a bundle of all of it, or a choice of events with proofs, both verified without the hub."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any, BinaryIO, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append, checkpoint_note, latest_checkpoint, node_reader
from hub.audit.tables import Checkpoint, Detail, Entry
from hub.errors import NotFound
from policies.translog.bundle import (
    chained,
    checkpoint_line,
    end_line,
    entry_line,
    head_line,
    selected_event,
    selection,
)
from policies.translog.entries import DETAIL_FIELDS
from policies.translog.merkle import inclusion_proof

BATCH = 5_000
CSV_COLUMNS = ("sequence", "time", *DETAIL_FIELDS, "leaf")


def export_log(session: Session, out: BinaryIO, *, origin: str, audit: AuditTrail) -> int:
    """Every event up to the newest checkpoint, with every checkpoint and cosignature; how many events."""
    newest = latest_checkpoint(session)
    if newest is None:
        raise NotFound("No checkpoint is signed yet.", code="log-unsigned")
    signed = set(session.scalars(select(Checkpoint.size).where(Checkpoint.size <= newest.size)))
    chain = _written(out, b"", head_line(origin))
    query = _events().where(Entry.sequence < newest.size)
    for row in session.execute(query.execution_options(yield_per=BATCH)):
        line = entry_line(row.sequence, entry=row.entry, leaf=row.leaf, salt=row.salt, detail=_detail(row))
        chain = _written(out, chain, line)
        if row.sequence + 1 in signed:
            chain = _written(out, chain, checkpoint_line(checkpoint_note(session, row.sequence + 1)))
    out.write(end_line(newest.size, chain))
    append(session, audit, EventType.AUDIT_EXPORTED, resource="log", counts={"events": newest.size})
    return newest.size


def export_events(
    session: Session, sequences: Sequence[int], *, form: Literal["json", "pdf"] = "json", audit: AuditTrail
) -> bytes:
    """These events with their proofs under the newest checkpoint, as JSON; later ones are left out.

    `form` is what is made of them, for the event.
    """
    newest = latest_checkpoint(session)
    if newest is None:
        raise NotFound("No checkpoint is signed yet.", code="log-unsigned")
    read = node_reader(session)
    events = [
        selected_event(
            row.sequence,
            entry=row.entry,
            salt=row.salt,
            detail=_detail(row),
            path=inclusion_proof(row.sequence, newest.size, read=read),
        )
        for row in _rows(session, [number for number in sequences if number < newest.size])
    ]
    append(session, audit, EventType.AUDIT_EXPORTED, resource=f"log:{form}", counts={"events": len(events)})
    return selection(checkpoint_note(session, newest.size), events)


def export_table(session: Session, sequences: Sequence[int], *, audit: AuditTrail) -> str:
    """These events as CSV, each with its leaf hash, by which it is found in a bundle."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for row in _rows(session, sequences):
        detail = _detail(row)
        told = [_cell(detail[name]) for name in DETAIL_FIELDS]
        writer.writerow([row.sequence, row.entry.decode().split("\n")[2], *told, row.leaf.hex()])
        count += 1
    append(session, audit, EventType.AUDIT_EXPORTED, resource="log:csv", counts={"events": count})
    return text.getvalue()


def _cell(value: Any) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    if isinstance(value, dict):
        return " ".join(f"{name}={number}" for name, number in sorted(value.items()))
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _events() -> Any:
    columns = [Entry.sequence, Entry.entry, Entry.leaf, Detail.salt, *(getattr(Detail, name) for name in DETAIL_FIELDS)]
    return select(*columns).join(Detail, Detail.sequence == Entry.sequence).order_by(Entry.sequence)


def _rows(session: Session, sequences: Sequence[int]) -> list[Any]:
    rows: list[Any] = []
    for at in range(0, len(sequences), 500):
        rows += session.execute(_events().where(Entry.sequence.in_(sequences[at : at + 500]))).all()
    return rows


def _detail(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DETAIL_FIELDS}


def _written(out: BinaryIO, chain: bytes, line: bytes) -> bytes:
    out.write(line)
    return chained(chain, line)
