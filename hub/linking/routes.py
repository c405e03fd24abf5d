"""The quality of the linkage that holds, and the lists of records to verify, for those who may read them."""

from __future__ import annotations

import json
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from hub.audit.events import EventType
from hub.audit.service import append
from hub.errors import Fault, Invalid, NotFound
from hub.http import Body, declare, principal_of, trail_of, transaction_of
from hub.linking import reviews, service
from policies.roles import Extent, extent_of

router = APIRouter(prefix="/v1/linkage", tags=["linkage"])


@router.get("/quality")
@declare("linkage.quality", "linkage")
def quality(request: Request) -> Response:
    """Expected precision and recall; a steward reads the pairs of providers that hold her own."""
    principal = principal_of(request)
    with transaction_of(request) as session:
        version = service.current_version(session)
        if version is None:
            raise NotFound()
        run = service.read_run(session, version)
        append(session, trail_of(request), EventType.PAGE_READ, resource=f"linkage:{version}")
    told = dict(run.quality)
    if Extent.ALL not in extent_of("linkage.quality", principal.roles).values():
        own = principal.organisation
        told["by_providers"] = [pair for pair in told["by_providers"] if own in (pair["left"], pair["right"])]
    return JSONResponse({"version": run.version, "submissions": run.submissions, "quality": told})


@router.get("/reviews")
@declare("review.read", "review")
def list_reviews(request: Request) -> Response:
    """The records that the caller's own organisation is asked to verify; never with whom or why."""
    with transaction_of(request) as session:
        lines = reviews.read_list(session, principal=principal_of(request), audit=trail_of(request))
    return JSONResponse({"lines": [asdict(line) for line in lines]})


@router.post("/reviews/answers")
@declare("review.answer", "review")
def answer_reviews(request: Request, body: Body) -> Response:
    """The answers of the edge tool, signed like every request of an agent; a second person has to approve them."""
    with transaction_of(request) as session:
        taken = reviews.answer_reviews(
            session, _answers(body), principal=principal_of(request), audit=trail_of(request)
        )
    return JSONResponse({"taken": taken, "next_step": "Another person of your office approves them at /reviews."})


def _answers(body: bytes) -> object:
    try:
        return json.loads(body)["answers"]
    except (ValueError, RecursionError, LookupError, TypeError):
        raise Invalid("The body is {answers}.", code="review-form", faults=[Fault("body", "review-form")]) from None
