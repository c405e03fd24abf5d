"""The page of requests for further tables: partners ask, contributors comment, the officer sees the cost and decides.

Plain forms over the same service as the API; after each the page is shown anew.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from hub.errors import CallerError
from hub.http import Body, declare, principal_of, trail_of, transaction_of
from hub.release.asking import asker_of
from hub.release.requests import service
from hub.release.requests.service import ACTION, WantedTable, catalogue_to_ask
from hub.release.words import dimension_title, indicator_title
from hub.web.explorer_form import Choice, purposes_of
from hub.web.pages import page, refused_page
from policies.catalogue_files import catalogue
from policies.indicator_files import dimensions as dimension_files
from policies.roles import Extent, extent_of
from policies.table_requests import COMMENT_TIME, DEPTH_MAX, DISTRICT, Stance

router = APIRouter(tags=["pages"])
NOTHING_TOLD: Mapping[str, str] = {}
Id = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/requests")
@declare(ACTION, "table request")
def list_requests(request: Request) -> Response:
    """The requests that one may read, with the forms that one may use."""
    return page(request, "requests", **_values(request), refusal=None)


@router.post("/requests")
@declare("table.ask", "table request")
def ask(request: Request, body: Body) -> Response:
    """Ask for a table."""
    told = _form(body)
    agreement, _, purpose = told.get("licence", "").partition("/")
    by = tuple(dict.fromkeys(told[name] for name in (f"by{n}" for n in range(DEPTH_MAX)) if told.get(name)))
    wanted = WantedTable(told.get("indicator", ""), by, told.get("why", ""))
    try:
        with transaction_of(request) as session:
            asker = asker_of(request, session, agreement=agreement, purpose=purpose)
            service.request_table(
                session, wanted, catalogue=catalogue_to_ask(session, catalogue()), asker=asker, audit=trail_of(request)
            )
    except CallerError as refusal:
        return refused_page(request, refusal, name="requests", **_values(request, told))
    return RedirectResponse("/requests", status_code=303)


@router.post("/requests/{number}/comments")
@declare("table.comment", "table request")
def comment(request: Request, number: Id, body: Body) -> Response:
    """Say something to a request."""
    told = _form(body)
    try:
        with transaction_of(request) as session:
            service.comment_on(
                session, number, told.get("stance", ""), told.get("text", ""),
                catalogue=catalogue_to_ask(session, catalogue()), asker=asker_of(request, session),
                audit=trail_of(request),
            )  # fmt: skip
    except CallerError as refusal:
        return refused_page(request, refusal, name="requests", **_values(request))
    return RedirectResponse("/requests", status_code=303)


@router.post("/requests/{number}/decision")
@declare("table.decide", "table request")
def decide(request: Request, number: Id, body: Body) -> Response:
    """Approve or decline."""
    told = _form(body)
    act = service.approve_request if told.get("decision") == "approve" else service.decline_request
    try:
        with transaction_of(request) as session:
            act(
                session, number, told.get("note", ""), catalogue=catalogue_to_ask(session, catalogue()),
                asker=asker_of(request, session), audit=trail_of(request),
            )  # fmt: skip
    except CallerError as refusal:
        return refused_page(request, refusal, name="requests", **_values(request))
    return RedirectResponse("/requests", status_code=303)


def _values(request: Request, told: Mapping[str, str] = NOTHING_TOLD) -> dict[str, Any]:
    with transaction_of(request) as session:
        asker, asked = asker_of(request, session), catalogue_to_ask(session, catalogue())
        found = service.list_requests(session, catalogue=asked, asker=asker, audit=trail_of(request))
    extents = set(extent_of(ACTION, principal_of(request).roles).values())
    return {
        "found": [(one, indicator_title(one.indicator)) for one in found],
        "asks": Extent.REQUEST in extents,
        "comments": Extent.OWN in extents,
        "decides": Extent.APPROVE in extents,
        "indicators": [(name, indicator_title(name)) for name in asked.indicators],
        "splits": [(name, dimension_title(name)) for name in sorted({*dimension_files(), DISTRICT})],
        "licences": [Choice(value, words, False) for value, words in purposes_of(asker)],
        "depth": DEPTH_MAX,
        "days": COMMENT_TIME.days,
        "stances": [stance.value for stance in Stance],
        "title_of": indicator_title,
        "filled": defaultdict(str, told),
    }


def _form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace"), max_num_fields=20).items()}
