"""The checks that only the matcher and only the resolver can make, and the end of a submission's road in.

Each role opens what is sealed to it, checks it, keeps it in its own store, and marks its half done; the last of
the two accepts, holds or refuses in one transaction. Nothing of a refused submission stays.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database
from hub.errors import StoreError
from hub.files import FileStore
from hub.jobs import Outcome, Ticket, enqueue, enqueue_when_quiet
from hub.submissions import service
from hub.submissions.facts import Permitted, check_facts
from hub.submissions.inbox import Inbox
from hub.submissions.messages import tell
from hub.submissions.tables import ACCEPTED, CHECKING, HELD, REFUSED, REPLACED, Submission, SubmissionChunk
from linkage.errors import LinkageError
from linkage.rows import span_rows, view_rows
from linkage.schema import MINIMUM_RECORDS, current_schema
from linkage.sealing import RecipientKey, SealingError
from policies.dictionary import FactError
from policies.holds import compared, counted_changes, gone_share, hides_students, hold_reasons, rejected_share
from policies.submission import Chunk, Manifest, SubmissionError

REFERENCE_BYTES = 16
BESIDE = -1
"""The position of what is kept beside the chunks: the submission key, the references."""
Refusal = LinkageError | SealingError | FactError | SubmissionError
Refusing = (LinkageError, SealingError, FactError, SubmissionError)


REFRESH, REFRESH_STEP = "release.refresh", "release.refresh-step"
REFRESH_QUIET, REFRESH_WITHIN = timedelta(hours=2), timedelta(hours=12)
"""A provisional release is set going when no submission was accepted for two hours, at the latest after half a day."""


@dataclass(frozen=True)
class Desk:
    """What a role has at hand for its half of the check."""

    role: str
    database: Database
    clock: Clock
    inbox: Inbox
    key: RecipientKey
    store: FileStore
    """The matcher's store of rows, or the resolver's store of spans."""
    analysis: FileStore | None = None
    """The analysis store; the resolver's alone."""


@dataclass(frozen=True)
class Found:
    """What a submission's row says, read before the work begins."""

    name: str
    manifest: Manifest
    state: str
    permitted: Permitted
    previous_references: str | None
    previous_rows: Mapping[str, int]
    previous_padded: bool


@dataclass(frozen=True)
class Half:
    """What one role found and kept: files by chunk position, and what only the resolver adds."""

    files: dict[int, str]
    counts: dict[str, int]
    key_file: str | None = None
    references_file: str | None = None
    holds: tuple[str, ...] = ()
    changes: dict[str, Any] | None = None


def check_rows_job(desk: Desk) -> Callable[[Ticket], Outcome]:
    """The matcher's half: open the rows, check them, keep them."""
    return lambda ticket: _check(desk, ticket, _keep_rows)


def check_spans_job(desk: Desk) -> Callable[[Ticket], Outcome]:
    """The resolver's half: open submission key, spans and facts, check them, keep them, compare with last time."""
    return lambda ticket: _check(desk, ticket, _keep_spans_and_facts)


def drop_job(desk: Desk, holds: tuple[str, ...]) -> Callable[[Ticket], Outcome]:
    """Remove what a role kept of a refused or discarded submission, where no other submission names the file."""

    def drop(ticket: Ticket) -> Outcome:
        name = str(ticket.payload["submission"])
        with desk.database.reading() as session:
            doomed = _only_its_own(session, name, holds)

        def remove() -> None:
            for file, kind in doomed:
                _store_for(desk, kind).delete(file)
            desk.inbox.clear(name)

        return Outcome(lambda session: None, remove)

    return drop


def _check(desk: Desk, ticket: Ticket, keep: Callable[[Desk, Found], Half]) -> Outcome:
    found = _find(desk, str(ticket.payload["submission"]))
    if found.state != CHECKING:
        return Outcome(lambda session: None)
    audit = AuditTrail(desk.role, None, ticket.key[:64], ticket.kind, desk.clock)
    try:
        half = keep(desk, found)
    except Refusing as error:
        return Outcome(_refusing(found.name, error, audit), lambda: _clear(desk, found.name))
    return Outcome(_half_done(desk.role, found, half, audit), lambda: _clear(desk, found.name))


def _keep_rows(desk: Desk, found: Found) -> Half:
    from linkage.match.matcher import check_rows

    schema = current_schema()
    opened: dict[int, bytes] = {}
    for position, chunk in enumerate(found.manifest.chunks):
        if chunk.holds == "rows":
            opened[position] = _open(desk, found, chunk.sha256, holds="rows")
            rows = view_rows(opened[position])
            _check_count(len(rows), chunk)
            check_rows(rows, schema=schema, view=chunk.view)
    counts = {"view_rows": sum(chunk.count for chunk in found.manifest.chunks if chunk.holds == "rows")}
    return Half(_kept(desk.store, opened), counts)


def _keep_spans_and_facts(desk: Desk, found: Found) -> Half:
    if desk.analysis is None:
        raise StoreError("The resolver was started without the analysis store.", code="store-absent")
    spans, references = _opened_spans(desk, found)
    facts, tables, told = _opened_facts(desk, found)
    if dict(tables) != {table: rows for table, rows in found.manifest.facts.items() if rows}:
        raise SubmissionError("SUB-007", "facts", "make the submission again: the facts are not as many as named")
    key = {BESIDE: _submission_key(desk, found)} if spans else {}
    previous = frozenset[bytes]()
    if found.previous_references is not None:
        previous = _split(desk.analysis.get(found.previous_references))
    present = compared(frozenset(references), frozenset(told), padded=found.manifest.padded, least=MINIMUM_RECORDS)
    unseen = hides_students(
        previous, padded=found.previous_padded, told=any(found.previous_rows.values()), least=MINIMUM_RECORDS
    )
    span_files = _kept(desk.store, spans | key)
    fact_files = _kept(desk.analysis, facts | {BESIDE: b"".join(sorted(present))})
    return Half(
        key_file=span_files.pop(BESIDE, None),
        references_file=fact_files.pop(BESIDE),
        files=span_files | fact_files,
        counts={"references": len(present), "facts": tables.total()},
        holds=hold_reasons(
            gone=gone_share(previous, present),
            rejected=rejected_share(found.manifest.findings, rows=tables.total()),
            unseen=unseen,
        ),
        changes=counted_changes(previous, present, rows_before=found.previous_rows, rows_now=dict(tables))
        if found.previous_references is not None and not unseen
        else None,
    )


def _opened_spans(desk: Desk, found: Found) -> tuple[dict[int, bytes], set[bytes]]:
    from linkage.match.spans import check_spans

    opened: dict[int, bytes] = {}
    for position, chunk in enumerate(found.manifest.chunks):
        if chunk.holds == "spans":
            opened[position] = _open(desk, found, chunk.sha256, holds="spans")
            _check_count(len(span_rows(opened[position])), chunk)
    if not opened:
        return {}, set()
    rows = np.concatenate([span_rows(plain) for plain in opened.values()])
    check_spans(rows)
    return opened, {bytes(reference) for reference in rows["reference"].tolist()}


def _opened_facts(desk: Desk, found: Found) -> tuple[dict[int, bytes], Counter[str], set[bytes]]:
    opened: dict[int, bytes] = {}
    references: set[bytes] = set()
    tables: Counter[str] = Counter()
    for position, chunk in enumerate(found.manifest.chunks):
        if chunk.holds == "facts":
            opened[position] = _open(desk, found, chunk.sha256, holds="facts")
            read = check_facts(opened[position], kind=found.manifest.kind, count=chunk.count, permitted=found.permitted)
            tables.update(read.tables)
            references |= read.references
    return opened, tables, references


def _submission_key(desk: Desk, found: Found) -> bytes:
    return desk.key.open(b64decode(found.manifest.submission_key), service.context_of(found.manifest, "key"))


def _find(desk: Desk, name: str) -> Found:
    with desk.database.reading() as session:
        submission = session.get_one(Submission, name)
        manifest = service.manifest_of(submission)
        last = session.scalars(_last_time(submission)).first()
        return Found(
            name,
            manifest,
            submission.state,
            service.permitted_by(session, manifest),
            None if last is None else last.references_file,
            {} if last is None else dict(service.manifest_of(last).facts),
            last is not None and service.manifest_of(last).padded,
        )


def _last_time(submission: Submission) -> Select[Submission]:
    return select(Submission).where(
        Submission.provider == submission.provider,
        Submission.kind == submission.kind,
        Submission.school_year == submission.school_year,
        Submission.state == ACCEPTED,
        Submission.id != submission.id,
    )


def _refusing(name: str, error: Refusal, audit: AuditTrail) -> Callable[[Session], None]:
    def write(session: Session) -> None:
        submission = _locked(session, name)
        if submission.state == CHECKING:
            place = getattr(error, "place", "sealed chunk")
            service.refuse(session, submission, code=error.code, place=place, next_step=error.next_step, audit=audit)

    return write


def _half_done(role: str, found: Found, half: Half, audit: AuditTrail) -> Callable[[Session], None]:
    def write(session: Session) -> None:
        submission = _locked(session, found.name)
        for position, file in half.files.items():
            session.get_one(SubmissionChunk, (found.name, position)).file = file
        if role == "matcher":
            submission.rows_checked = True
        else:
            submission.spans_checked = True
            submission.key_file, submission.references_file = half.key_file, half.references_file
            submission.holds, submission.changes = list(half.holds), half.changes
        under = audit.under(agreement=submission.agreement, purpose=None)
        append(session, under, EventType.SUBMISSION_CHECKED, resource=f"submission:{found.name}", counts=half.counts)
        if submission.state == REFUSED:
            _drop_again(session, found.name, audit)
        elif submission.rows_checked and submission.spans_checked:
            settle(session, submission, audit=under)

    return write


def settle(session: Session, submission: Submission, *, audit: AuditTrail, approved: bool = False) -> None:
    """Accept a submission that is wholly checked, or hold it; what it replaces is replaced in the same transaction."""
    submission.settled_at = audit.clock()
    resource = f"submission:{submission.id}"
    if submission.holds and not approved:
        submission.state = HELD
        tell(session, submission, code=submission.holds[0], audit=audit)
        held = append(session, audit, EventType.SUBMISSION_HELD, resource=resource, rule=submission.holds[0])
        submission.settled_sequence = held
        return
    others = session.scalars(_last_time(submission)).all()
    newer = next((other for other in others if other.opened_at > submission.opened_at), None)
    if newer is not None:
        submission.state, submission.replaced_by = REPLACED, newer.id
        submission.settled_sequence = append(session, audit, EventType.SUBMISSION_REPLACED, resource=resource)
        return
    submission.state = ACCEPTED
    tell(session, submission, code="", audit=audit)
    enqueue_when_quiet(session, REFRESH, quiet=REFRESH_QUIET, within=REFRESH_WITHIN, now=audit.clock())
    for last in others:
        last.state, last.replaced_by = REPLACED, submission.id
        append(session, audit, EventType.SUBMISSION_REPLACED, resource=f"submission:{last.id}")
    submission.settled_sequence = append(
        session,
        audit,
        EventType.SUBMISSION_ACCEPTED,
        resource=resource,
        decision="permitted",
        rule="R-00",
        versions={submission.agreement: str(submission.agreement_version), "epoch": str(submission.epoch)},
    )


def _drop_again(session: Session, name: str, audit: AuditTrail) -> None:
    """The other role refused while this one was still keeping: what was kept is dropped by another job."""
    for kind in ("rows.drop", "spans.drop"):
        enqueue(session, kind, key=f"{kind}:{name}:late", payload={"submission": name}, now=audit.clock())


def _locked(session: Session, name: str) -> Submission:
    return session.execute(select(Submission).where(Submission.id == name).with_for_update()).scalar_one()


def _clear(desk: Desk, name: str) -> None:
    with desk.database.reading() as session:
        settled = service.is_settled(session, name)
    if settled:
        desk.inbox.clear(name)


def _only_its_own(session: Session, name: str, holds: tuple[str, ...]) -> list[tuple[str, str]]:
    own = session.execute(
        select(SubmissionChunk.file, SubmissionChunk.holds).where(
            SubmissionChunk.submission == name, SubmissionChunk.holds.in_(holds), SubmissionChunk.file.is_not(None)
        )
    ).all()
    others = set(
        session.scalars(
            select(SubmissionChunk.file).where(
                SubmissionChunk.submission != name, SubmissionChunk.file.in_([file for file, _ in own])
            )
        )
    )
    doomed = [(str(file), kind) for file, kind in own if file not in others]
    return doomed + _beside(session, name) if "spans" in holds else doomed


def _beside(session: Session, name: str) -> list[tuple[str, str]]:
    """The submission key and the references that the resolver kept beside the chunks, where nobody else has them."""
    submission = session.get_one(Submission, name)
    shared = select(Submission.id).where(
        Submission.id != name, Submission.references_file == submission.references_file
    )
    found = [] if submission.key_file is None else [(submission.key_file, "spans")]
    if submission.references_file is not None and session.execute(shared).first() is None:
        found.append((submission.references_file, "facts"))
    return found


def _store_for(desk: Desk, holds: str) -> FileStore:
    if holds == "facts" and desk.analysis is not None:
        return desk.analysis
    return desk.store


def _open(desk: Desk, found: Found, sha256: str, *, holds: str) -> bytes:
    return desk.key.open(desk.inbox.get(found.name, sha256), service.context_of(found.manifest, holds))


def _check_count(rows: int, chunk: Chunk) -> None:
    if rows != chunk.count:
        raise SubmissionError("SUB-006", f"{chunk.holds} chunk", "make the submission again: rows are missing")


def _kept(store: FileStore, opened: dict[int, bytes]) -> dict[int, str]:
    return dict(zip(opened, store.put_all(opened.values()), strict=True))


def _split(joined: bytes) -> frozenset[bytes]:
    return frozenset(joined[at : at + REFERENCE_BYTES] for at in range(0, len(joined), REFERENCE_BYTES))
