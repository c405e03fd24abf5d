"""The pages: home, report card, explorer, definitions, submissions, agreements, access log.

They call the services that the API calls. A page that shows something leaves its event before it is sent.
"""

import base64
import re
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from hub.agreements.service import known_agreements
from hub.audit.events import EventType
from hub.audit.service import append
from hub.db import Database
from hub.http import declare, hub_of, principal_of, reading_of, trail_of, transaction_of
from hub.release.answers import indicator_card
from hub.release.requests.service import catalogue_to_ask
from hub.release.service import Release, current_release
from hub.release.voices.service import shown_voices
from hub.submissions import service as submissions
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


@router.get("/report")
@declare("public.read", "report card")
def report(request: Request) -> Response:
    """The report card of the current release: the same file that `promise-hub release report` writes."""
    with reading_of(request) as session:
        release = current_release(session)
    hub = hub_of(request)
    html, policy = _card(hub.database, release, made_up=hub.home.synthetic_mark.is_file())
    _note(request, f"report-card/{release.id}")
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


@router.get("/definitions")
@declare("public.read", "definitions")
def definitions(request: Request) -> Response:
    """Every indicator in words."""
    with transaction_of(request) as session:
        asked = catalogue_to_ask(session, catalogue())
        voices = {name: shown_voices(session, name, audit=trail_of(request)) for name in asked.indicators}
    _note(request, "definitions")
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
    causes = [
        (code, rows, rulebook().get(code)) for code, rows in sorted(found.rejected.items(), key=lambda item: -item[1])
    ]
    return page(request, "submission", found=found, causes=causes)


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


@lru_cache(maxsize=4)
def _card(database: Database, release: Release, *, made_up: bool) -> tuple[str, str]:
    """The card and its policy, drawn once: a release never changes."""
    from hub.release.report_card import render, report_card

    with database.reading() as session:
        card = report_card(session, release, catalogue=catalogue(), made_up=made_up)
    return _with_policy(render(card))


def _with_policy(html: str) -> tuple[str, str]:
    """The page and the policy that allows its one style block by its hash, and nothing else."""
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(sha256((style[1] if style else "").encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    return html, policy
