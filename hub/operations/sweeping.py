"""Deletes files that no row names: what a worker left that was killed between storing files and naming them.

Each role sweeps its own stores once a day, and only what has not been written or put for a day, so that a job that
is at work loses nothing. Between `hub.files` and the tables that name files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.tables import AgreementSaltRow
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database
from hub.files import FileStore, Folder, Place
from hub.jobs import Outcome, Ticket, enqueue
from hub.linking.service import MATCHER, RESOLVER
from hub.linking.tables import COMPARED, LinkageRun
from hub.outcomes.tables import SnapshotRow
from hub.submissions.tables import Submission, SubmissionChunk

SWEPT_AFTER = timedelta(days=1)
"""Much longer than any job that stores files before it names them."""
EVERY = timedelta(days=1)

Names = Callable[[Session], set[str]]


@dataclass(frozen=True)
class Broom:
    """What one role sweeps: its stores by name, and the folder that it clears for good."""

    role: str
    kind: str
    database: Database
    clock: Clock
    stores: Mapping[str, FileStore]
    handover: Path | None = None
    also: Callable[[Session, AuditTrail], int] | None = None
    """What else the role gives up in the same transaction."""


def sweep_job(broom: Broom) -> Callable[[Ticket], Outcome]:
    """Sweep the role's stores, and have them swept again a day later."""
    places: dict[str, Place] = {name: store.place for name, store in broom.stores.items()}
    if broom.handover is not None:
        places["handover"] = Folder(broom.handover)

    def sweep(ticket: Ticket) -> Outcome:
        before = broom.clock() - SWEPT_AFTER
        with broom.database.reading() as session:
            named = {place: NAMED[place](session) for place in places}
        found = {name: place.unnamed(named[name], before=before) for name, place in places.items()}

        def clear() -> None:
            for place, names in found.items():
                for name in names:
                    places[place].sweep(name, before=before)

        counts = {place: len(names) for place, names in found.items()}
        return Outcome(lambda session: _record(session, broom, ticket, counts), clear)

    return sweep


def ask_for_sweep(session: Session, broom: Broom, *, due: datetime) -> None:
    """Have one sweep of the role stand for the day."""
    enqueue(session, broom.kind, key=f"{broom.kind}:{due:%Y-%m-%d}", payload={}, now=broom.clock(), due=due)


def _named_rows(session: Session) -> set[str]:
    return _chunk_files(session, "rows") | _memory_files(session, MATCHER)


def _named_spans(session: Session) -> set[str]:
    keys = session.scalars(select(Submission.key_file).where(Submission.key_file.is_not(None)))
    return _chunk_files(session, "spans") | _memory_files(session, RESOLVER) | {str(file) for file in keys}


def _named_facts(session: Session) -> set[str]:
    beside = session.scalars(select(Submission.references_file).where(Submission.references_file.is_not(None)))
    snapshots = session.scalars(select(SnapshotRow.files))
    tables = {file for files in snapshots for file in files.values()}
    return _chunk_files(session, "facts") | tables | {str(file) for file in beside}


def _named_salts(session: Session) -> set[str]:
    salts = session.scalars(select(AgreementSaltRow.file).where(AgreementSaltRow.file.is_not(None)))
    return {str(file) for file in salts}


def _named_pairs(session: Session) -> set[str]:
    """The files of pairs that wait in the hand-over folder."""
    waiting = session.scalars(select(LinkageRun.pairs).where(LinkageRun.state == COMPARED))
    return {str(file) for pairs in waiting for file in pairs.values()}


NAMED: Mapping[str, Names] = {
    "rows": _named_rows,
    "spans": _named_spans,
    "analysis": _named_facts,
    "salts": _named_salts,
    "handover": _named_pairs,
}
"""By store every file that a row names; a new column that names files joins its store here."""


def _chunk_files(session: Session, holds: str) -> set[str]:
    named = select(SubmissionChunk.file).where(SubmissionChunk.holds == holds, SubmissionChunk.file.is_not(None))
    return {str(file) for file in session.scalars(named)}


def _memory_files(session: Session, role: str) -> set[str]:
    return {file for memory in session.scalars(select(LinkageRun.memory)) for file in memory.get(role, {}).values()}


def _record(session: Session, broom: Broom, ticket: Ticket, counts: Mapping[str, int]) -> None:
    ask_for_sweep(session, broom, due=broom.clock() + EVERY)
    trail = AuditTrail(broom.role, None, ticket.key[:64], ticket.kind, broom.clock)
    if broom.also is not None:
        broom.also(session, trail)
    if any(counts.values()):
        append(session, trail, EventType.FILES_SWEPT, resource=f"stores:{broom.role}", counts=counts)
