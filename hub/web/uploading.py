"""Takes a submission file that a steward uploads: what the encoder page made, without an agent that could push it.

The file is signed by the provider's agent as a pushed one is, and goes through the same checks to the same states and
the same receipt; the event names the person who uploaded it. The page's script sends a file piece by piece, so that it
may be larger than one request and an interrupted upload goes on where it stopped; without scripts it goes whole.
"""

from __future__ import annotations

from email import message_from_bytes
from email.policy import HTTP
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from hub.errors import Fault, Invalid
from hub.http import Body, declare, principal_of, reading_of
from hub.identity.agents import agent_key, agent_principal
from hub.submissions.routes import commit_chunks, keep_chunks, read_envelope, take_envelope
from hub.web.pages import upload_script
from policies.principal import Principal

router = APIRouter(tags=["pages"])


@router.post("/submissions/upload")
@declare("submission.upload", "submission")
def upload(request: Request, body: Body) -> Response:
    """Open, keep and commit the submission of an uploaded file; the same file again leads to the same page."""
    envelope = read_envelope(_file_of(request, body))
    opened, _ = take_envelope(request, envelope, sender=_agent_of(request, envelope.manifest))
    return RedirectResponse(f"/submissions/{opened.submission}", status_code=303)


@router.post("/submissions/upload/begin")
@declare("submission.upload", "submission")
def begin(request: Request, body: Body) -> Response:
    """Open the submission of a manifest and its signature; the pieces that are still to be sent come back."""
    envelope = read_envelope(body)
    opened, state = take_envelope(request, envelope, sender=_agent_of(request, envelope.manifest))
    return JSONResponse({"submission": opened.submission, "state": state, "missing": list(opened.missing)})


@router.put("/submissions/{submission}/chunks/{sha256}")
@declare("submission.upload", "submission")
def piece(request: Request, submission: str, sha256: str, body: Body) -> Response:
    """Keep one piece; sending it again is nothing."""
    keep_chunks(request, submission, {sha256: body})
    return Response(status_code=204)


@router.post("/submissions/{submission}/upload/end")
@declare("submission.upload", "submission")
def end(request: Request, submission: str) -> Response:
    """All pieces are there: set the checks going."""
    return JSONResponse({"submission": submission, "state": commit_chunks(request, submission)})


@router.get("/static/upload.js")
@declare("public.read", "script")
def script(request: Request) -> Response:
    """The script of the upload; it tells nothing, so it leaves no event."""
    return Response(upload_script(), media_type="text/javascript", headers={"Cache-Control": "public, max-age=3600"})


def _file_of(request: Request, body: bytes) -> bytes:
    """The one file of a form; a body that is no such form is taken as it is."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return body
    form = message_from_bytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body, policy=HTTP)
    parts = [part.get_payload(decode=True) for part in form.iter_parts() if part.get_filename()]
    return parts[0] if len(parts) == 1 and isinstance(parts[0], bytes) else b""


def _agent_of(request: Request, manifest: Any) -> Principal:
    """The agent that the file says it is of, where that is of the person's own organisation.

    Raises Invalid SUB-002, the same for a key that nobody has and for one of another organisation.
    """
    name = manifest.get("agent_key") if isinstance(manifest, dict) else None
    with reading_of(request) as session:
        known = agent_key(session, name) if isinstance(name, str) else None
    if known is None or known[1] != principal_of(request).organisation:
        raise Invalid(
            "The file is not signed by a key of your organisation.",
            code="SUB-002",
            next_step="Make the file again with the present key file of your organisation.",
            faults=[Fault("agent_key", "SUB-002")],
        )
    return agent_principal(str(name), known[1])
