"""The public pages of a release: report card and its PDF, evidence, quality of the links; in each language.

A release never changes, so that what is drawn of it is drawn once.
"""

import base64
import re
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from hub.audit.events import EventType
from hub.audit.service import append
from hub.db import Database
from hub.http import declare, hub_of, reading_of, trail_of, transaction_of
from hub.languages import LANGUAGES, Language
from hub.release.service import Release, current_release
from hub.release.slices import HIDDEN_REASON
from hub.web.pages import page
from hub.web.speaking import speaking_to, with_language
from policies.catalogue_files import catalogue

router = APIRouter(tags=["pages"])


@router.get("/report")
@declare("public.read", "report card")
def report(request: Request) -> Response:
    """The report card of the current release: the same file that `promise-hub release report` writes."""
    with reading_of(request) as session:
        release = current_release(session)
    hub, speaking = hub_of(request), speaking_to(request, "report")
    html, policy = _card(hub.database, release, made_up=hub.home.synthetic_mark.is_file(), language=speaking.language)
    _note(request, f"report-card/{release.id}")
    return HTMLResponse(html, headers={"Content-Security-Policy": policy, **speaking.headers()})


@router.get("/report.pdf")
@declare("public.read", "report card")
def printed_report(request: Request) -> Response:
    """The report card as two printed pages; its name and its tag are of its content."""
    with reading_of(request) as session:
        release = current_release(session)
    hub, speaking = hub_of(request), speaking_to(request, "report")
    content = _printed(hub.database, release, made_up=hub.home.synthetic_mark.is_file(), language=speaking.language)
    _note(request, f"report-card/{release.id}/pdf")
    digest = sha256(content).hexdigest()
    name = f"report-card-{release.id}-{speaking.language.code}-{digest[:12]}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "ETag": f'"{digest}"', **speaking.headers()}
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/evidence")
@declare("public.read", "report card")
def show_evidence(
    request: Request, year: Annotated[str, Query(max_length=4, pattern=r"^([0-9]{4})?$")] = ""
) -> Response:
    """What the release proves for the partnership's network, by its newest figures or by those up to a year."""
    from hub.release.evidence import evidence

    language, asked = speaking_to(request, "evidence").language, catalogue()
    with reading_of(request) as session:
        release = current_release(session)
        until = int(year) if year else None
        found = evidence(session, release, catalogue=asked, until=until, language=language)
    _note(request, f"evidence/{release.id}" + (f"/{year}" if year else ""))
    address = hub_of(request).settings.own_url()
    return page(request, "evidence", found=found, years=asked.pace_years, address=address)


@router.get("/link-quality")
@declare("public.read", "report card")
def show_link_quality(request: Request) -> Response:
    """How well each group's records are linked, from released cells alone."""
    from hub.release.answers import citation
    from hub.release.linkage_quality import LINKED_SHARE, SPREAD_LIMIT, released_quality

    language = speaking_to(request, "link-quality").language
    with reading_of(request) as session:
        release = current_release(session)
        found = released_quality(session, release.id, catalogue=catalogue(), language=language)
    _note(request, f"link-quality/{release.id}")
    return page(
        request,
        "link-quality",
        found=found,
        release=release,
        hidden=language.say(HIDDEN_REASON),
        spread_limit=SPREAD_LIMIT,
        citation=citation(LINKED_SHARE, release=release, language=language),
    )


def _note(request: Request, name: str) -> None:
    with transaction_of(request) as session:
        append(session, trail_of(request), EventType.PAGE_READ, resource=name)


@lru_cache(maxsize=8)
def _card(database: Database, release: Release, *, made_up: bool, language: Language) -> tuple[str, str]:
    """The card and its policy."""
    from hub.release.report_card import Way, render, report_card

    with database.reading() as session:
        card = report_card(session, release, catalogue=catalogue(), made_up=made_up, language=language)
    ways = [Way(with_language("/", language), language.say("All pages"), language.code)]
    ways.append(Way(with_language("/report.pdf", language), language.say("Two pages to print (PDF)"), language.code))
    ways += [
        Way(with_language("/report", other), other.name, other.code) for other in LANGUAGES if other is not language
    ]
    return _with_policy(render(card, ways=ways))


@lru_cache(maxsize=8)
def _printed(database: Database, release: Release, *, made_up: bool, language: Language) -> bytes:
    from hub.release.printed_card import printed_card
    from hub.release.report_card import report_card

    with database.reading() as session:
        card = report_card(session, release, catalogue=catalogue(), made_up=made_up, language=language)
    return printed_card(card)


def _with_policy(html: str) -> tuple[str, str]:
    """The page and the policy that allows its one style block by its hash, and nothing else."""
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(sha256((style[1] if style else "").encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    return html, policy
