"""Destroys what an organisation gave under an agreement that has ended, and certifies it.

Two persons approve (`data.destroy`). In that transaction all use ends for good: submissions are withdrawn, links and
what runs remember go from the database, the runs that used them become tombstones that nothing reverts to, salts are
destroyed. The operator's command then deletes the files and writes the certificate. The ledger keeps what was shown.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from hub.agreements.activation import ended
from hub.agreements.salts import destroy_salts, undestroyed
from hub.agreements.service import known_agreements
from hub.agreements.tables import Destruction
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Database
from hub.errors import Conflict, HubError, NotFound, StoreError
from hub.files import Folder, Place
from hub.linking.tables import TOMBSTONE, Link, LinkageRun, PersonHistory, ReviewItem, ThresholdLink
from hub.outcomes.tables import SnapshotRow
from hub.settings import Home
from hub.stores import places_in
from hub.submissions.tables import WITHDRAWN, OptOut, Submission, SubmissionChunk
from policies.agreement_dates import backups_gone_by
from policies.agreements import in_force

FORMAT = "promise-destruction/1"
EVERYBODY = "all"
SWEPT_TABLES = (
    "links",
    "threshold_links",
    "linkage_history",
    "review_items",
    "opt_outs",
    "submission_chunks",
    "submissions",
)


@dataclass(frozen=True)
class Doomed:
    """The files that a destruction deletes, by folder of the home, and the inbox's folders."""

    rows: tuple[str, ...]
    spans: tuple[str, ...]
    analysis: tuple[str, ...]
    submissions: tuple[str, ...]


def parties_of_end(session: Session, agreement: str, organisation: str) -> frozenset[str]:
    """Whose data a destruction is about: one organisation that gave under the agreement, or all; else NotFound."""
    given = frozenset(session.scalars(select(Submission.provider).where(Submission.agreement == agreement).distinct()))
    wanted = given if organisation == EVERYBODY else given & {organisation}
    if not wanted:
        raise NotFound()
    return wanted


def begin_destruction(session: Session, agreement: str, organisations: frozenset[str], *, audit: AuditTrail) -> str:
    """End all use for good; the destruction's id comes back. Whoever calls has used two persons' approval up.

    Raises Conflict where the agreement has not ended for the organisations.
    """
    day = audit.clock().date()
    over = {name for one in ended(session, day=day) if one.agreement == agreement for name in one.organisations}
    if not organisations or not organisations <= over:
        raise Conflict(
            "The agreement has not ended for these organisations.", code="agreement-holds",
            next_step="Let the party withdraw, or wait until the agreement has expired.",
        )  # fmt: skip
    doomed = _submissions(session, agreement, organisations)
    names = [one.id for one in doomed]
    memories = _forget_memories(session)
    counts = {
        "submissions": len(doomed),
        "rows": _chunk_rows(session, names, "rows"),
        "facts": _chunk_rows(session, names, "facts"),
        "keys": sum(one.key_file is not None for one in doomed),
        "runs": _bury_runs(session, names),
        "memories": len(memories),
        "snapshots": len(_snapshots(session, names)),
        **_forget_persons(session, agreement, organisations),
        "salts": _destroy_salts(session, agreement, audit=audit),
    }
    for one in doomed:
        one.state, one.settled_at = WITHDRAWN, one.settled_at or audit.clock()
    row = Destruction(
        id=secrets.token_hex(16), agreement=agreement, organisations=sorted(organisations),
        ended=day, begun_at=audit.clock(), certificate={"counts": counts, "memories": memories},
    )  # fmt: skip
    session.add(row)
    append(
        session, audit.under(agreement=agreement, purpose=None), EventType.DESTRUCTION_BEGUN,
        resource=f"destruction:{row.id}", counts=counts,
    )  # fmt: skip
    return row.id


def complete_destruction(
    database: Database,
    home: Home,
    destruction: str,
    *,
    audit: AuditTrail,
    places: Mapping[str, Place] | None = None,
) -> Mapping[str, Any]:
    """Delete the files and certify; cut off between, it is done again. The same again tells the same certificate.

    Raises Conflict while a salt still lies on the disk: the resolver deletes it.
    """
    with database.reading() as session:
        row = _row(session, destruction)
        if row.completed_at is not None:
            return row.certificate
        if _is_over(session, row.agreement, day=audit.clock().date()) and undestroyed(session, row.agreement):
            raise Conflict(
                "The resolver has not deleted the salts yet.", code="salts-wait",
                next_step="Let the resolver work (promise-hub serve, or work --role resolver), then give this again.",
            )  # fmt: skip
        doomed = _doomed(session, row)
    files = delete_files(home, doomed, places=places or places_in(home))
    with database.transaction() as session:
        certificate = _certify(session, _row(session, destruction), doomed, files=files, audit=audit)
    scrub(database)
    return certificate


def waiting_destructions(session: Session) -> Sequence[str]:
    """The destructions whose files are still to be deleted, oldest first."""
    query = select(Destruction.id).where(Destruction.completed_at.is_(None)).order_by(Destruction.begun_at)
    return session.scalars(query).all()


def scrub(database: Database) -> None:
    """Overwrite what deleted rows left in the database's own files."""
    if database.is_sqlite:
        # Outside any transaction, of which the engine opens one for every statement.
        plain = database.engine.raw_connection()
        try:
            plain.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            plain.close()
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in SWEPT_TABLES:
            connection.execute(text(f"VACUUM FULL {table}"))


def _submissions(session: Session, agreement: str, organisations: frozenset[str]) -> Sequence[Submission]:
    query = select(Submission).where(Submission.agreement == agreement, Submission.provider.in_(organisations))
    return session.scalars(query.order_by(Submission.id).with_for_update()).all()


def _chunk_rows(session: Session, names: Sequence[str], holds: str) -> int:
    query = select(func.sum(SubmissionChunk.count)).where(
        SubmissionChunk.submission.in_(names), SubmissionChunk.holds == holds
    )
    return session.scalar(query) or 0


def _bury_runs(session: Session, names: Sequence[str]) -> int:
    """The runs that used the submissions become tombstones: their links of others go on, nothing reverts to them."""
    doomed = set(names)
    buried = [run for run in session.scalars(select(LinkageRun)) if doomed & set(run.inputs)]
    for run in buried:
        run.state = TOMBSTONE
    session.execute(delete(PersonHistory).where(PersonHistory.run.in_([run.version for run in buried])))
    return len(buried)


def _forget_memories(session: Session) -> list[str]:
    """What runs remember is made of all rows together: it goes whole, and the next run compares everything again."""
    files = set()
    for run in session.scalars(select(LinkageRun)):
        files |= {file for of in run.memory.values() for file in of.values()}
        run.memory = {}
    return sorted(files)


def _forget_persons(session: Session, agreement: str, organisations: frozenset[str]) -> dict[str, int]:
    """Delete links, reviews and objections of organisations that gave nothing under any other agreement."""
    elsewhere = set(
        session.scalars(
            select(Submission.provider).where(
                Submission.agreement != agreement, Submission.provider.in_(organisations), Submission.state != WITHDRAWN
            )
        )
    )
    gone = organisations - elsewhere
    columns = {
        "links": Link.provider,
        "threshold_links": ThresholdLink.provider,
        "reviews": ReviewItem.provider,
        "objections": OptOut.provider,
    }
    return {name: _deleted(session, column, gone) for name, column in columns.items()}


def _deleted(session: Session, column: InstrumentedAttribute[str], providers: frozenset[str]) -> int:
    count = session.scalar(select(func.count()).where(column.in_(providers))) or 0
    session.execute(delete(column.class_).where(column.in_(providers)))
    return count


def _destroy_salts(session: Session, agreement: str, *, audit: AuditTrail) -> int:
    """The salts go with the last party; before, those who stay still need them."""
    is_over = _is_over(session, agreement, day=audit.clock().date())
    return destroy_salts(session, agreement, audit=audit) if is_over else 0


def _is_over(session: Session, agreement: str, *, day: dt.date) -> bool:
    """Whether nobody gives under the agreement any more: it expired, or all have left."""
    standing = [one for one in in_force(known_agreements(session), day) if one.id == agreement]
    return not any(one.contributors() for one in standing)


def _snapshots(session: Session, names: Sequence[str]) -> Sequence[SnapshotRow]:
    doomed = set(names)
    return [row for row in session.scalars(select(SnapshotRow)) if doomed & set(row.manifest["submissions"])]


def _row(session: Session, destruction: str) -> Destruction:
    found = session.get(Destruction, destruction)
    if found is None:
        raise NotFound()
    return found


def _doomed(session: Session, row: Destruction) -> Doomed:
    """The files of the destruction that nobody else names."""
    own = _submissions(session, row.agreement, frozenset(row.organisations))
    names = [one.id for one in own]
    snapshots = _snapshots(session, names)
    kept_snapshots = [one for one in session.scalars(select(SnapshotRow)) if one not in snapshots]
    memories = row.certificate["memories"]
    files = {holds: _own_chunks(session, names, holds) for holds in ("rows", "spans", "facts")}
    keys = {one.key_file for one in own if one.key_file}
    shared = {file for one in kept_snapshots for file in one.files.values()}
    tables = {file for one in snapshots for file in one.files.values()} - shared
    references = {one.references_file for one in own if one.references_file} - _references_of_others(session, names)
    return Doomed(
        rows=tuple(sorted(files["rows"] | set(memories))),
        spans=tuple(sorted(files["spans"] | keys | set(memories))),
        analysis=tuple(sorted(files["facts"] | tables | references)),
        submissions=tuple(names),
    )


def _own_chunks(session: Session, names: Sequence[str], holds: str) -> set[str]:
    column = select(SubmissionChunk.file).where(SubmissionChunk.file.is_not(None), SubmissionChunk.holds == holds)
    own = set(session.scalars(column.where(SubmissionChunk.submission.in_(names))))
    return {str(file) for file in own - set(session.scalars(column.where(SubmissionChunk.submission.not_in(names))))}


def _references_of_others(session: Session, names: Sequence[str]) -> set[str | None]:
    return set(session.scalars(select(Submission.references_file).where(Submission.id.not_in(names))))


def delete_files(home: Home, doomed: Doomed, *, places: Mapping[str, Place]) -> int:
    """Delete the files; how many there were. Raises StoreError where one cannot go: nothing is certified then."""
    stored = {"rows": doomed.rows, "spans": doomed.spans, "analysis": doomed.analysis}
    paths = sorted(home.handover.iterdir()) if home.handover.is_dir() else []
    for submission in doomed.submissions:
        inbox = home.inbox / submission
        paths += sorted(inbox.iterdir()) if inbox.is_dir() else []
    gone = [_gone(places[store], name) for store, names in stored.items() for name in names]
    gone += [_gone(Folder(path.parent), path.name) for path in paths]
    kept = gone.count(False)
    if kept:
        raise StoreError(
            f"{kept} files could not be deleted.", code="file-kept",
            next_step="Give whoever runs promise-hub operations destroy the right to delete in the home's folders, or "
            "in the bucket, then give it again: it goes on where it stopped.",
        )  # fmt: skip
    return gone.count(True)


def _gone(place: Place, name: str) -> bool | None:
    """Whether a file could be deleted; None where there was none."""
    try:
        if not place.has(name):
            return None
        place.delete(name)
        return not place.has(name)
    except (OSError, HubError):
        return False


def _certify(session: Session, row: Destruction, doomed: Doomed, *, files: int, audit: AuditTrail) -> Mapping[str, Any]:
    names = list(doomed.submissions)
    for one in _submissions(session, row.agreement, frozenset(row.organisations)):
        one.key_file = one.references_file = None
    for chunk in session.scalars(select(SubmissionChunk).where(SubmissionChunk.submission.in_(names))):
        chunk.file = None
    for snapshot in _snapshots(session, names):
        snapshot.files = {}
    day = audit.clock().date()
    counts = {**row.certificate["counts"], "files": files}
    position = append(
        session, audit.under(agreement=row.agreement, purpose=None), EventType.DESTRUCTION_COMPLETED,
        resource=f"destruction:{row.id}", counts=counts, versions={"backups_gone_by": f"{backups_gone_by(day)}"},
    )  # fmt: skip
    row.completed_at = audit.clock()
    row.certificate = {
        "format": FORMAT,
        "destruction": row.id,
        "agreement": row.agreement,
        "organisations": row.organisations,
        "destroyed_on": day.isoformat(),
        "backups_gone_by": backups_gone_by(day).isoformat(),
        "counts": counts,
        "submissions": names,
        "log_position": position,
        "kept": "The ledger keeps the cells that were shown and the equations between them; the log keeps its events.",
    }
    return row.certificate
