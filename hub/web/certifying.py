"""The buttons of a submission's page: approve, discard, certify, withdraw; each comes back to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from hub.http import check_proved, declare, principal_of, trail_of, transaction_of
from hub.submissions import statements

router = APIRouter(tags=["pages"])


@router.post("/submissions/{submission}/approve")
@declare("submission.certify", "submission")
def approve(request: Request, submission: str) -> Response:
    """Accept a held submission in spite of its holds."""
    return _done(request, statements.approve_own, submission)


@router.post("/submissions/{submission}/discard")
@declare("submission.certify", "submission")
def discard(request: Request, submission: str) -> Response:
    """Drop a held submission; what stood before stays."""
    return _done(request, statements.discard_own, submission)


@router.post("/submissions/{submission}/certify")
@declare("submission.certify", "submission")
def certify(request: Request, submission: str) -> Response:
    """Say that an accepted submission is right, with a second factor shown a short while ago."""
    check_proved(request)
    return _done(request, statements.certify, submission)


@router.post("/submissions/{submission}/withdraw")
@declare("submission.certify", "submission")
def withdraw(request: Request, submission: str) -> Response:
    """Say that a submission is to go, with a second factor shown a short while ago."""
    check_proved(request)
    return _done(request, statements.withdraw, submission)


def _done(request: Request, act: Callable[..., Any], submission: str) -> Response:
    with transaction_of(request) as session:
        act(session, submission, principal=principal_of(request), audit=trail_of(request))
    return RedirectResponse(f"/submissions/{submission}", status_code=303)
