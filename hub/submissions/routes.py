"""The upload protocol of docs/architecture.md section 4 over HTTP."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from hub.errors import Fault, Invalid
from hub.http import Body, check_proved, declare, hub_of, principal_of, reading_of, trail_of, transaction_of
from hub.submissions import manifests, service, statements
from hub.submissions.inbox import Inbox
from hub.submissions.status import Status
from hub.submissions.tables import RECEIVING
from policies.dictionary import FactError
from policies.principal import Principal
from policies.submission import SubmissionError

router = APIRouter(prefix="/v1/submissions", tags=["submissions"])


@dataclass(frozen=True, repr=False)
class Envelope:
    """The body that opens a submission: what is signed, the chunks it carries, and whether to commit at once."""

    manifest: Any
    signature: str
    chunks: Mapping[str, bytes]
    commit: bool


@router.post("")
@declare("submission.send", "submission")
def open_submission(request: Request, body: Body) -> Response:
    """Open a submission by its signed manifest, with the chunks it carries; the same again tells its state."""
    envelope = read_envelope(body)
    opened, state = take_envelope(request, envelope, sender=principal_of(request))
    missing = [sha256 for sha256 in opened.missing if sha256 not in envelope.chunks]
    answer = {"submission": opened.submission, "state": state, "missing": missing}
    return JSONResponse(answer, status_code=201 if opened.created else 200)


@router.get("")
@declare("submission.read", "submission")
def list_submissions(request: Request) -> Response:
    """The submissions of the caller's own organisation, newest first."""
    with transaction_of(request) as session:
        found = service.list_submissions(session, principal=principal_of(request), audit=trail_of(request))
    return JSONResponse({"submissions": [_status(status) for status in found]})


@router.put("/{submission}/chunks/{sha256}")
@declare("submission.send", "submission")
def put_chunk(request: Request, submission: str, sha256: str, body: Body) -> Response:
    """Keep one chunk; sending it again is nothing. Facts that do not keep the form refuse the submission."""
    keep_chunks(request, submission, {sha256: body})
    return Response(status_code=204)


@router.get("/{submission}/missing")
@declare("submission.send", "submission")
def missing_chunks(request: Request, submission: str) -> Response:
    """The chunks that are still to be sent."""
    with transaction_of(request) as session:
        missing = service.missing_chunks(
            session, submission, principal=principal_of(request), intake=_intake(request), audit=trail_of(request)
        )
    return JSONResponse({"missing": list(missing)})


@router.post("/{submission}/commit")
@declare("submission.send", "submission")
def commit_submission(request: Request, submission: str) -> Response:
    """All chunks are there: set the checks going."""
    return JSONResponse({"state": commit_chunks(request, submission)}, status_code=202)


@router.get("/{submission}")
@declare("submission.read", "submission")
def read_submission(request: Request, submission: str) -> Response:
    """State, next step, owner, findings and receipt."""
    with transaction_of(request) as session:
        status = service.read_submission(session, submission, principal=principal_of(request), audit=trail_of(request))
    return JSONResponse(_status(status))


@router.post("/{submission}/certify")
@declare("submission.certify", "submission")
def certify_submission(request: Request, submission: str) -> Response:
    """One person's word that an accepted submission is right; two persons certify it."""
    return _said(request, statements.certify, submission)


@router.post("/{submission}/withdraw")
@declare("submission.certify", "submission")
def withdraw_submission(request: Request, submission: str) -> Response:
    """One person's word that a submission is to go; two persons withdraw it."""
    return _said(request, statements.withdraw, submission)


@router.post("/{submission}/approve")
@declare("submission.certify", "submission")
def approve_submission(request: Request, submission: str) -> Response:
    """Accept a held submission in spite of its holds."""
    return _decided(request, statements.approve_own, submission)


@router.post("/{submission}/discard")
@declare("submission.certify", "submission")
def discard_submission(request: Request, submission: str) -> Response:
    """Drop a held submission; what stood before stays."""
    return _decided(request, statements.discard_own, submission)


def take_envelope(request: Request, envelope: Envelope, *, sender: Principal) -> tuple[service.Opened, str]:
    """Open what an envelope holds, keep its chunks and commit it where it asks for that; its state comes back."""
    with transaction_of(request) as session:
        opened = service.open_submission(
            session,
            envelope.manifest,
            envelope.signature,
            principal=sender,
            intake=_intake(request),
            audit=trail_of(request),
        )
    state = opened.state
    if state == RECEIVING:
        keep_chunks(request, opened.submission, envelope.chunks)
        state = commit_chunks(request, opened.submission) if envelope.commit else state
    return opened, state


def _decided(request: Request, act: Callable[..., None], submission: str) -> Response:
    with transaction_of(request) as session:
        act(session, submission, principal=principal_of(request), audit=trail_of(request))
    return Response(status_code=204)


def _said(request: Request, act: Callable[..., statements.Standing], submission: str) -> Response:
    check_proved(request)
    with transaction_of(request) as session:
        standing = act(session, submission, principal=principal_of(request), audit=trail_of(request))
    return JSONResponse({**asdict(standing), "persons_needed": statements.PERSONS_NEEDED})


def keep_chunks(request: Request, submission: str, pieces: Mapping[str, bytes]) -> None:
    """Check and keep arriving chunks; facts that do not keep the form refuse the submission."""
    intake = _intake(request)
    with reading_of(request) as session:
        wanted = service.chunks_to_store(session, submission, pieces, principal=principal_of(request))
    try:
        kept = {
            chunk.sha256: service.checked_chunk(wanted, chunk, pieces[chunk.sha256], intake=intake)
            for chunk in wanted.chunks
        }
    except (FactError, SubmissionError) as error:
        with transaction_of(request) as session:
            refusal = service.refuse_for_facts(
                session, submission, error, principal=principal_of(request), audit=trail_of(request)
            )
        intake.inbox.clear(submission)
        raise refusal from error
    if wanted.receiving and kept:
        for sha256, content in kept.items():
            intake.inbox.put(submission, sha256, content)
        with reading_of(request) as session:
            settled = service.is_settled(session, submission)
        if settled:
            # The same chunk came twice and the other one was faster: nothing may be left behind.
            intake.inbox.clear(submission)


def commit_chunks(request: Request, submission: str) -> str:
    intake = _intake(request)
    with reading_of(request) as session:
        service.own_submission(session, submission, principal=principal_of(request))
    intake.inbox.secure(submission)
    with transaction_of(request) as session:
        return service.commit_submission(
            session, submission, principal=principal_of(request), intake=intake, audit=trail_of(request)
        )


def _intake(request: Request) -> manifests.Intake:
    hub = hub_of(request)
    return manifests.Intake(
        Inbox(hub.home.inbox), hub.facts["resolver_public_key"], hub.facts["schema_hash"], int(hub.facts["epoch"])
    )


def read_envelope(body: bytes) -> Envelope:
    """The parts of an envelope; raises Invalid SUB-001 where it is none."""
    try:
        read = json.loads(body)
        if not isinstance(read["signature"], str):
            raise TypeError
        chunks = {sha256: b64decode(content, validate=True) for sha256, content in read.get("chunks", {}).items()}
        return Envelope(read["manifest"], read["signature"], chunks, read.get("commit") is True)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise Invalid(
            "The body is {manifest, signature}, and chunks by their names where it carries some.",
            code="SUB-001", faults=[Fault("body", "SUB-001")],
            next_step="Send the manifest as the edge tool wrote it, with its signature.",
        ) from None  # fmt: skip


def _status(status: Status) -> dict[str, Any]:
    return {
        "submission": status.submission,
        "provider": status.provider,
        "kind": status.kind,
        "school_year": status.school_year,
        "state": status.state,
        "next_step": status.next_step,
        "owner": status.owner,
        "findings": [asdict(fault) for fault in status.findings],
        "rejected": status.rejected,
        "changes": status.changes,
        "certified_by": status.certified_by,
        "withdrawal_asked_by": status.withdrawal_asked_by,
        "receipt": None if status.receipt is None else asdict(status.receipt),
    }
