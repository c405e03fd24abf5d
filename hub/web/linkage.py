"""The pages of linkage: what a steward's office was asked to verify and answered, and how good the links are."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from hub.http import declare, principal_of, trail_of, transaction_of
from hub.linking import reviews
from hub.web.pages import page

router = APIRouter(tags=["pages"])


@router.get("/reviews")
@declare("review.read", "review")
def show_reviews(request: Request) -> Response:
    """How many records wait to be verified, and the answers that wait for a second person. No record is shown here."""
    with transaction_of(request) as session:
        lines = reviews.read_list(session, principal=principal_of(request), audit=trail_of(request))
    answered = sum(line.state == "answered" for line in lines)
    return page(request, "reviews", open_lines=len(lines) - answered, answered=answered)


@router.post("/reviews/approve")
@declare("review.approve", "review")
def approve_reviews(request: Request) -> Response:
    """The second person of the office approves the answers that were sent by the edge tool."""
    with transaction_of(request) as session:
        reviews.approve_reviews(session, principal=principal_of(request), audit=trail_of(request))
    return RedirectResponse("/reviews", status_code=303)
