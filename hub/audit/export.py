"""Writes the log out, event by event, with what an outsider needs to check it against a checkpoint."""

from __future__ import annotations

import json
from typing import TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import DETAIL_FIELDS, append, latest_checkpoint
from hub.audit.tables import Detail, Entry

BATCH = 5_000


def export_log(session: Session, out: TextIO, *, audit: AuditTrail) -> int:
    """One JSON object a line: the newest checkpoint, then each event with entry and salt; how many events."""
    newest = latest_checkpoint(session)
    out.write(json.dumps({"format": "promise-audit-export/1", "checkpoint": newest.note if newest else None}) + "\n")
    columns = [Entry.sequence, Entry.entry, Detail.salt, *(getattr(Detail, name) for name in DETAIL_FIELDS)]
    query = select(*columns).join(Detail, Detail.sequence == Entry.sequence).order_by(Entry.sequence)
    count = 0
    for row in session.execute(query.execution_options(yield_per=BATCH)):
        detail = {name: getattr(row, name) for name in DETAIL_FIELDS}
        line = {"sequence": row.sequence, "entry": row.entry.decode(), "salt": row.salt.hex(), "detail": detail}
        out.write(json.dumps(line, sort_keys=True) + "\n")
        count += 1
    append(session, audit, EventType.AUDIT_EXPORTED, resource="log", counts={"events": count})
    return count
