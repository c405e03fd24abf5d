"""The log as anybody may read it: the newest checkpoint and proofs of its growth; no entry, no detail."""

from __future__ import annotations

from base64 import b64encode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from hub.audit import service
from hub.audit.events import EventType
from hub.errors import NotFound
from hub.http import declare, trail_of, transaction_of

router = APIRouter(prefix="/v1/log", tags=["log"])


@router.get("/checkpoint")
@declare("public.read", "log")
def checkpoint(request: Request) -> Response:
    """The newest checkpoint as a signed note."""
    with transaction_of(request) as session:
        newest = service.latest_checkpoint(session)
        if newest is None:
            raise NotFound("No checkpoint is signed yet.", code="log-unsigned")
        service.append(session, trail_of(request), EventType.AUDIT_READ, resource="log:checkpoint")
    return PlainTextResponse(newest.note)


@router.get("/consistency")
@declare("public.read", "log")
def consistency(request: Request, old: int, new: int) -> Response:
    """The proof that the log of size old is a prefix of the log of size new."""
    with transaction_of(request) as session:
        proof = service.consistency(session, old=old, new=new)
        service.append(session, trail_of(request), EventType.AUDIT_READ, resource="log:consistency")
    return JSONResponse({"old": old, "new": new, "proof": [b64encode(value).decode() for value in proof]})
