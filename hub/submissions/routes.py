"""The upload protocol of docs/architecture.md section 4 over HTTP."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from hub.errors import Fault, Invalid
from hub.http import Body, declare, hub_of, principal_of, trail_of, transaction_of
from hub.submissions import service
from hub.submissions.inbox import Inbox
from hub.submissions.status import Status
from policies.dictionary import FactError
from policies.submission import SubmissionError

router = APIRouter(prefix="/v1/submissions", tags=["submissions"])


@router.post("")
@declare("submission.send", "submission")
def open_submission(request: Request, body: Body) -> Response:
    """Open a submission by its signed manifest; the same again tells its state."""
    value, signature = _read_envelope(body)
    with transaction_of(request) as session:
        opened = service.open_submission(
            session, value, signature, principal=principal_of(request), intake=_intake(request), audit=trail_of(request)
        )
    answer = {"submission": opened.submission, "state": opened.state, "missing": list(opened.missing)}
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
    intake = _intake(request)
    with hub_of(request).database.reading() as session:
        manifest, chunk, wanted = service.chunk_to_store(session, submission, sha256, principal=principal_of(request))
        permitted = service.permitted_by(session, manifest) if chunk.holds == "facts" else frozenset()
    try:
        kept = service.checked_chunk(manifest, chunk, body, intake=intake, permitted=permitted)
    except (FactError, SubmissionError) as error:
        with transaction_of(request) as session:
            refusal = service.refuse_for_facts(
                session, submission, error, principal=principal_of(request), audit=trail_of(request)
            )
        intake.inbox.clear(submission)
        raise refusal from error
    if wanted:
        intake.inbox.put(submission, sha256, kept)
        with hub_of(request).database.reading() as session:
            settled = service.is_settled(session, submission)
        if settled:
            # The same chunk came twice and the other one was faster: nothing may be left behind.
            intake.inbox.clear(submission)
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
    with transaction_of(request) as session:
        state = service.commit_submission(
            session, submission, principal=principal_of(request), intake=_intake(request), audit=trail_of(request)
        )
    return JSONResponse({"state": state}, status_code=202)


@router.get("/{submission}")
@declare("submission.read", "submission")
def read_submission(request: Request, submission: str) -> Response:
    """State, next step, owner, findings and receipt."""
    with transaction_of(request) as session:
        status = service.read_submission(session, submission, principal=principal_of(request), audit=trail_of(request))
    return JSONResponse(_status(status))


def _intake(request: Request) -> service.Intake:
    hub = hub_of(request)
    return service.Intake(
        Inbox(hub.home.inbox), hub.facts["resolver_public_key"], hub.facts["schema_hash"], int(hub.facts["epoch"])
    )


def _read_envelope(body: bytes) -> tuple[Any, str]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict) or not isinstance(read.get("signature"), str) or "manifest" not in read:
        raise Invalid(
            "The body is {manifest, signature}.", code="SUB-001", faults=[Fault("body", "SUB-001")],
            next_step="Send the manifest as the edge tool wrote it, with its signature.",
        )  # fmt: skip
    return read["manifest"], read["signature"]


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
        "receipt": None if status.receipt is None else asdict(status.receipt),
    }
