"""The intake of submissions at the API: opened, received, committed, read. It opens nothing that is sealed.

What the API can check it checks at once: signature, agreement, epoch, schema, profile, hashes, sizes, facts. The
matcher and the resolver check what they alone can open (`hub.submissions.checks`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Invalid, NotFound, TooLarge
from hub.jobs import enqueue
from hub.submissions.facts import Permitted, check_facts
from hub.submissions.inbox import Inbox
from hub.submissions.manifests import Intake, checked_manifest, not_of_the_form
from hub.submissions.messages import tell
from hub.submissions.status import Status, status_of
from hub.submissions.tables import ACCEPTED, CHECKING, RECEIVING, REFUSED, WITHDRAWN, Submission, SubmissionChunk
from linkage.sealing import seal
from policies.decision import permitted_elements
from policies.dictionary import FactError
from policies.principal import Principal
from policies.submission import (
    CHUNK_BYTES_MAX,
    Chunk,
    Manifest,
    SubmissionError,
    check_chunk,
    context,
    manifest_bytes,
    read_manifest,
    submission_id,
)

ROWS_CHECK, SPANS_CHECK = "rows.check", "spans.check"


@dataclass(frozen=True)
class Opened:
    """The answer to a manifest: which submission it is, in which state, and what is still to be sent."""

    submission: str
    state: str
    missing: tuple[str, ...]
    created: bool


@dataclass(frozen=True)
class Wanted:
    """The chunks that arriving pieces are, whether they are still to be kept, and what their facts may name."""

    manifest: Manifest
    chunks: tuple[Chunk, ...]
    receiving: bool
    permitted: Permitted


@dataclass(frozen=True)
class AcceptedSubmission:
    """One accepted submission, its epoch, its agreement, and its facts files in the order of its manifest."""

    submission: str
    provider: str
    kind: str
    school_year: int
    epoch: int
    agreement: str
    agreement_version: int
    facts_files: tuple[str, ...]


def open_submission(
    session: Session, value: Any, signature: str, *, principal: Principal, intake: Intake, audit: AuditTrail
) -> Opened:
    """Take a manifest; the same again tells the present state. Raises Invalid or Refused, and stores nothing then."""
    manifest = checked_manifest(session, value, signature, principal=principal, intake=intake, audit=audit)
    name = submission_id(manifest)
    found = session.get(Submission, name)
    if found is not None:
        return Opened(name, found.state, _missing(session, found, intake.inbox), created=False)
    try:
        with session.begin_nested():
            session.add(_row(name, manifest, signature, audit=audit))
    except IntegrityError:
        # The same submission came at the same moment and was first.
        found = session.get_one(Submission, name)
        return Opened(name, found.state, _missing(session, found, intake.inbox), created=False)
    session.add_all(_chunk_row(name, position, chunk) for position, chunk in enumerate(manifest.chunks))
    append(
        session,
        audit.under(agreement=manifest.agreement.id, purpose=None),
        EventType.SUBMISSION_OPENED,
        resource=f"submission:{name}",
        decision="permitted",
        rule="R-00",
        counts={"records": manifest.records, "chunks": len(manifest.chunks)},
        versions={manifest.agreement.id: str(manifest.agreement.version), "epoch": str(manifest.epoch)},
    )
    return Opened(name, RECEIVING, tuple(chunk.sha256 for chunk in manifest.chunks), created=True)


def chunks_to_store(session: Session, name: str, digests: Collection[str], *, principal: Principal) -> Wanted:
    """What arriving pieces belong to and whether they are still wanted.

    NotFound where the caller has no such submission or it names no such chunk; Conflict where the submission is
    closed for good. After the commit a chunk that is sent again is nothing.
    """
    submission = own_submission(session, name, principal=principal)
    manifest = manifest_of(submission)
    named = {chunk.sha256: chunk for chunk in manifest.chunks}
    chunks = tuple(named[digest] for digest in digests if digest in named)
    if len(chunks) != len(digests):
        raise NotFound()
    if submission.state in (REFUSED, WITHDRAWN):
        raise Conflict(f"The submission is {submission.state}.", code="submission-closed")
    facts = any(chunk.holds == "facts" for chunk in chunks)
    permitted = permitted_by(session, manifest) if facts else Permitted(frozenset())
    return Wanted(manifest, chunks, submission.state == RECEIVING, permitted)


def is_settled(session: Session, name: str) -> bool:
    """Whether the inbox has nothing more to keep for a submission."""
    return session.get_one(Submission, name).state not in (RECEIVING, CHECKING)


def checked_chunk(wanted: Wanted, chunk: Chunk, content: bytes, *, intake: Intake) -> bytes:
    """The bytes to keep of an arriving chunk: facts are checked and sealed, the rest stays as it came.

    Raises TooLarge or Invalid for damage on the way (send it again) and FactError or SubmissionError for facts
    that refuse the submission.
    """
    if len(content) > CHUNK_BYTES_MAX:
        raise TooLarge(code="chunk-too-large", next_step=f"Make chunks of at most {CHUNK_BYTES_MAX} bytes.")
    try:
        check_chunk(chunk, content)
    except SubmissionError as error:
        raise not_of_the_form(error) from error
    if chunk.holds != "facts":
        return content
    check_facts(content, kind=wanted.manifest.kind, count=chunk.count, permitted=wanted.permitted)
    return seal(intake.resolver_public_key, content, context_of(wanted.manifest, "facts"))


def refuse(
    session: Session, submission: Submission, *, code: str, place: str, next_step: str, audit: AuditTrail
) -> None:
    """Refuse a submission for good; its chunks are dropped by the roles that keep them."""
    submission.state = REFUSED
    submission.refusal = {"code": code, "place": place, "next_step": next_step}
    submission.settled_at = audit.clock()
    tell(session, submission, code=code, audit=audit)
    for kind in ("rows.drop", "spans.drop"):
        enqueue(session, kind, key=f"{kind}:{submission.id}", payload={"submission": submission.id}, now=audit.clock())
    submission.settled_sequence = append(
        session,
        audit.under(agreement=submission.agreement, purpose=None),
        EventType.SUBMISSION_REFUSED,
        resource=f"submission:{submission.id}",
        decision="refused",
        rule=code,
        outcome="refused",
    )


def refuse_for_facts(
    session: Session, name: str, error: FactError | SubmissionError, *, principal: Principal, audit: AuditTrail
) -> Invalid:
    """Refuse a submission whose facts do not keep the form; the answer to give comes back."""
    submission = own_submission(session, name, principal=principal)
    if submission.state == RECEIVING:
        refuse(session, submission, code=error.code, place=error.place, next_step=error.next_step, audit=audit)
    return not_of_the_form(error)


def commit_submission(session: Session, name: str, *, principal: Principal, intake: Intake, audit: AuditTrail) -> str:
    """Set the checks going; the same again tells the present state. The inbox was secured before."""
    submission = own_submission(session, name, principal=principal, lock=True)
    if submission.state != RECEIVING:
        return submission.state
    missing = _missing(session, submission, intake.inbox)
    if missing:
        raise Conflict(
            f"{len(missing)} chunks are missing.", code="chunks-missing", next_step="Send the missing chunks first."
        )
    manifest = manifest_of(submission)
    submission.state, submission.committed_at = CHECKING, audit.clock()
    submission.rows_checked = all(chunk.holds != "rows" for chunk in manifest.chunks)
    kinds = [SPANS_CHECK] if submission.rows_checked else [ROWS_CHECK, SPANS_CHECK]
    for kind in kinds:
        enqueue(session, kind, key=f"{kind}:{name}", payload={"submission": name}, now=audit.clock())
    append(
        session,
        audit.under(agreement=submission.agreement, purpose=None),
        EventType.SUBMISSION_COMMITTED,
        resource=f"submission:{name}",
        counts={"chunks": len(manifest.chunks), "bytes": sum(chunk.size for chunk in manifest.chunks)},
    )
    return CHECKING


def missing_chunks(
    session: Session, name: str, *, principal: Principal, intake: Intake, audit: AuditTrail
) -> tuple[str, ...]:
    """What is still to be sent."""
    submission = own_submission(session, name, principal=principal)
    missing = _missing(session, submission, intake.inbox)
    append(session, audit, EventType.SUBMISSION_READ, resource=f"submission:{name}", counts={"missing": len(missing)})
    return missing


def read_submission(session: Session, name: str, *, principal: Principal, audit: AuditTrail) -> Status:
    """State, next step, owner, findings and receipt of a submission of the caller's own organisation."""
    submission = own_submission(session, name, principal=principal)
    status = status_of(session, submission)
    append(session, audit, EventType.SUBMISSION_READ, resource=f"submission:{name}")
    return status


def list_submissions(session: Session, *, principal: Principal, audit: AuditTrail) -> Sequence[Status]:
    """All submissions of the caller's own organisation, newest first; receipts are read one by one."""
    rows = session.scalars(
        select(Submission)
        .where(Submission.provider == principal.organisation)
        .order_by(Submission.opened_at.desc(), Submission.id)
    )
    found = [status_of(session, row, with_receipt=False) for row in rows]
    append(session, audit, EventType.SUBMISSION_READ, resource="submissions", counts={"submissions": len(found)})
    return found


def accepted(session: Session) -> Sequence[AcceptedSubmission]:
    """What stands accepted now, in a fixed order: the input of linkage and of snapshots."""
    rows = session.scalars(
        select(Submission)
        .where(Submission.state == ACCEPTED)
        .order_by(Submission.provider, Submission.kind, Submission.school_year)
    )
    return [
        AcceptedSubmission(
            row.id,
            row.provider,
            row.kind,
            row.school_year,
            row.epoch,
            row.agreement,
            row.agreement_version,
            chunk_files(session, row.id, "facts"),
        )
        for row in rows
    ]


def chunk_files(session: Session, name: str, holds: str, *, view: str = "") -> tuple[str, ...]:
    """Names of the stored files of one kind of chunk, in the manifest's order."""
    query = (
        select(SubmissionChunk.file)
        .where(SubmissionChunk.submission == name, SubmissionChunk.holds == holds, SubmissionChunk.view == view)
        .order_by(SubmissionChunk.position)
    )
    return tuple(file for file in session.scalars(query) if file is not None)


def own_submission(session: Session, name: str, *, principal: Principal, lock: bool = False) -> Submission:
    """The submission of the caller's own organisation; absent and another's are the same NotFound."""
    query = select(Submission).where(Submission.id == name, Submission.provider == principal.organisation)
    found = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if found is None:
        raise NotFound()
    return found


def manifest_of(submission: Submission) -> Manifest:
    return read_manifest(json.loads(submission.manifest))


def context_of(manifest: Manifest, holds: str) -> bytes:
    """What the sealed pieces of a submission are bound to."""
    return context(
        holds,
        provider=manifest.provider,
        kind=manifest.kind,
        school_year=manifest.school_year,
        epoch=manifest.epoch,
    )


def permitted_by(session: Session, manifest: Manifest) -> Permitted:
    """The elements and grades that the agreement version of a manifest names."""
    for agreement in known_agreements(session):
        if (agreement.id, agreement.version) == (manifest.agreement.id, manifest.agreement.version):
            grades = () if agreement.populations is None else agreement.populations.grades
            return Permitted(permitted_elements(agreement), frozenset(grades))
    return Permitted(frozenset())


def _missing(session: Session, submission: Submission, inbox: Inbox) -> tuple[str, ...]:
    if submission.state != RECEIVING:
        return ()
    query = (
        select(SubmissionChunk.sha256)
        .where(SubmissionChunk.submission == submission.id)
        .order_by(SubmissionChunk.position)
    )
    return tuple(sha256 for sha256 in session.scalars(query) if not inbox.has(submission.id, sha256))


def _row(name: str, manifest: Manifest, signature: str, *, audit: AuditTrail) -> Submission:
    return Submission(
        id=name,
        provider=manifest.provider,
        kind=manifest.kind,
        school_year=manifest.school_year,
        epoch=manifest.epoch,
        agreement=manifest.agreement.id,
        agreement_version=manifest.agreement.version,
        key_id=manifest.agent_key,
        manifest=manifest_bytes(manifest).decode(),
        signature=signature,
        state=RECEIVING,
        rows_checked=False,
        spans_checked=False,
        holds=[],
        opened_at=audit.clock(),
    )


def _chunk_row(name: str, position: int, chunk: Chunk) -> SubmissionChunk:
    return SubmissionChunk(
        submission=name,
        position=position,
        sha256=chunk.sha256,
        size=chunk.size,
        holds=chunk.holds,
        view=chunk.view,
        count=chunk.count,
    )
