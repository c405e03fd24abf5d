"""The pages: home, definitions, submissions, agreements.

They call the services that the API calls. A page that shows something leaves its event before it is sent.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from hub.agreements.service import known_agreements
from hub.audit.events import EventType
from hub.audit.service import append
from hub.http import declare, hub_of, principal_of, trail_of, transaction_of
from hub.release.answers import indicator_card
from hub.release.requests.service import catalogue_to_ask
from hub.release.voices.service import voices_by_indicator
from hub.submissions import service as submissions
from hub.submissions.history import history_of
from hub.web.access_log import disclosures
from hub.web.pages import POLICY, SCRIPT_POLICY, page, places_for, style_sheet
from hub.web.register import entries_for
from policies.catalogue_files import catalogue
from policies.roles import extent_of
from policies.rules.rulebook import rulebook
from policies.voices import SPEAKERS

router = APIRouter(tags=["pages"])

Text = Annotated[str, Query(max_length=100)]
Year = Annotated[str, Query(max_length=4, pattern=r"^(\d{4})?$")]
Day = Annotated[str, Query(max_length=10, pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


@router.get("/")
@declare("public.read", "page")
def home(request: Request) -> Response:
    """Where to go from here."""
    _note(request, "home")
    return page(request, "home", places_here=places_for(principal_of(request)))


@router.get("/static/hub.css")
@declare("public.read", "style sheet")
def styles(request: Request) -> Response:
    """The style sheet; it tells nothing, so it leaves no event."""
    return Response(style_sheet(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


@router.get("/definitions")
@declare("public.read", "definitions")
def definitions(request: Request) -> Response:
    """Every indicator in words."""
    with transaction_of(request) as session:
        asked = catalogue_to_ask(session, catalogue())
        voices = voices_by_indicator(session, asked.indicators, audit=trail_of(request))
        append(session, trail_of(request), EventType.PAGE_READ, resource="definitions")
    cards = [indicator_card(name, asked) for name in asked.indicators]
    return page(request, "definitions", cards=cards, voices=voices, speakers=SPEAKERS)


@router.get("/submissions")
@declare("submission.read", "submission")
def list_submissions(request: Request) -> Response:
    """The submissions of one's own organisation, each with its next step and whose it is."""
    with transaction_of(request) as session:
        found = submissions.list_submissions(session, principal=principal_of(request), audit=trail_of(request))
    principal = principal_of(request)
    uploads = bool(extent_of("submission.upload", principal.roles))
    policy, office = SCRIPT_POLICY if uploads else POLICY, principal.organisation
    return page(request, "submissions", policy=policy, found=found, organisation=office, uploads=uploads)


@router.get("/submissions/{submission}")
@declare("submission.read", "submission")
def show_submission(request: Request, submission: str) -> Response:
    """One submission: what was found, grouped by cause, and how to mend it; codes and numbers of rows, no values."""
    with transaction_of(request) as session:
        found = submissions.read_submission(
            session, submission, principal=principal_of(request), audit=trail_of(request)
        )
        history = history_of(session, submission)
    uploads = bool(extent_of("submission.upload", principal_of(request).roles))
    causes = [
        (code, rows, rulebook().get(code)) for code, rows in sorted(found.rejected.items(), key=lambda item: -item[1])
    ]
    return page(request, "submission", found=found, causes=causes, history=history, uploads=uploads)


@router.get("/agreements")
@declare("agreement.register", "agreement")
def list_agreements(request: Request) -> Response:
    """The register of agreements, and the record of what went out under them."""
    principal = principal_of(request)
    with transaction_of(request) as session:
        entries = entries_for(principal, known_agreements(session), day=hub_of(request).clock().date())
        record = disclosures(session, principal=principal)
        append(
            session,
            trail_of(request),
            EventType.AGREEMENT_READ,
            resource="agreements",
            counts={"agreements": len(entries), "disclosures": len(record)},
        )
    return page(request, "agreements", entries=entries, record=record)


def _note(request: Request, name: str) -> None:
    with transaction_of(request) as session:
        append(session, trail_of(request), EventType.PAGE_READ, resource=name)
