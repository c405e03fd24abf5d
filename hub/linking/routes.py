"""The lists of records that offices verify, over HTTP. The quality of the linkage is told in `hub.web.linkage`."""

from __future__ import annotations

import json
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from hub.errors import Fault, Invalid
from hub.http import Body, declare, principal_of, trail_of, transaction_of
from hub.linking import reviews

router = APIRouter(prefix="/v1/linkage", tags=["linkage"])


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
