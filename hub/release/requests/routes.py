"""Requests for further tables over HTTP: asked by partners who are signed in, commented, decided.

Tokens read only, so asking, commenting and deciding need a session.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from hub.errors import Fault, Invalid
from hub.http import Body, declare, trail_of, transaction_of
from hub.release.asking import asker_of
from hub.release.requests import service
from hub.release.requests.service import TableRequest, WantedTable
from policies.catalogue_files import catalogue

router = APIRouter(prefix="/v1/table-requests", tags=["requests"])

Id = Annotated[int, Path(ge=1, le=2**31 - 1)]
FIELD_MAX = 2000


@router.get("")
@declare("table.request", "table request")
def list_requests(request: Request) -> Response:
    """The requests that the asker may read, newest first."""
    with transaction_of(request) as session:
        asked = service.catalogue_to_ask(session, catalogue())
        asker = asker_of(request, session)
        found = service.list_requests(session, catalogue=asked, asker=asker, audit=trail_of(request))
    return JSONResponse({"rows": [request_row(one) for one in found]})


@router.post("")
@declare("table.ask", "table request")
def request_table(request: Request, body: Body) -> Response:
    """Ask for a further table: `{indicator, by: [...], agreement, purpose, why}`."""
    told = _read(body, ("indicator", "agreement", "purpose", "why"), lists=("by",))
    wanted = WantedTable(told["indicator"], tuple(dict.fromkeys(told["by"])), told["why"])
    with transaction_of(request) as session:
        asker = asker_of(request, session, agreement=told["agreement"], purpose=told["purpose"])
        asked = service.catalogue_to_ask(session, catalogue())
        found = service.request_table(session, wanted, catalogue=asked, asker=asker, audit=trail_of(request))
    return JSONResponse(request_row(found), status_code=201)


@router.get("/{number}")
@declare("table.request", "table request")
def show_request(request: Request, number: Id) -> Response:
    """One request with its comments; for the officer with its cost."""
    with transaction_of(request) as session:
        asked = service.catalogue_to_ask(session, catalogue())
        found = service.read_request(
            session, number, catalogue=asked, asker=asker_of(request, session), audit=trail_of(request)
        )
    return JSONResponse(request_row(found))


@router.post("/{number}/comments")
@declare("table.comment", "table request")
def comment(request: Request, number: Id, body: Body) -> Response:
    """Say something to a request: `{stance: "support" | "concern", text}`."""
    told = _read(body, ("stance", "text"))
    with transaction_of(request) as session:
        found = service.comment_on(
            session, number, told["stance"], told["text"],
            catalogue=service.catalogue_to_ask(session, catalogue()), asker=asker_of(request, session),
            audit=trail_of(request),
        )  # fmt: skip
    return JSONResponse(request_row(found), status_code=201)


@router.post("/{number}/approve")
@declare("table.decide", "table request")
def approve(request: Request, number: Id, body: Body) -> Response:
    """Let the table join at the next refresh: `{note}`."""
    return _decided(request, service.approve_request, number, body)


@router.post("/{number}/decline")
@declare("table.decide", "table request")
def decline(request: Request, number: Id, body: Body) -> Response:
    """Turn a request down: `{note}`."""
    return _decided(request, service.decline_request, number, body)


def _decided(request: Request, act: Callable[..., TableRequest], number: int, body: bytes) -> Response:
    told = _read(body, ("note",))
    with transaction_of(request) as session:
        found = act(
            session, number, told["note"], catalogue=service.catalogue_to_ask(session, catalogue()),
            asker=asker_of(request, session), audit=trail_of(request),
        )  # fmt: skip
    return JSONResponse(request_row(found))


def request_row(found: TableRequest) -> dict[str, Any]:
    """A request in the form of an answer."""
    row = {
        "id": found.id,
        "indicator": found.indicator,
        "by": list(found.dimensions),
        "title": found.title,
        "agreement": found.agreement,
        "purpose": found.purpose,
        "why": found.why,
        "organisation": found.organisation,
        "requested_at": found.requested_at.isoformat(timespec="seconds"),
        "comments_until": found.comments_until.isoformat(timespec="seconds"),
        "state": found.state,
        "note": found.note,
        "joined_release": found.joined_release,
        "comments": [
            {
                "organisation": one.organisation,
                "stance": one.stance,
                "text": one.text,
                "written_at": one.written_at.isoformat(timespec="seconds"),
            }
            for one in found.comments
        ],
    }
    return row if found.cost is None else {**row, "cost": dict(found.cost)}


def _read(body: bytes, names: tuple[str, ...], *, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """The named fields of a JSON object, each a text or a list of texts; raises Invalid for any other form."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _wrong("body") from error
    if not isinstance(told, dict) or set(told) - {*names, *lists}:
        raise _wrong("body")
    for name in names:
        if not isinstance(told.setdefault(name, ""), str) or len(told[name]) > FIELD_MAX:
            raise _wrong(name)
    for name in lists:
        if not isinstance(told.setdefault(name, []), list) or not all(isinstance(one, str) for one in told[name]):
            raise _wrong(name)
    return told


def _wrong(place: str) -> Invalid:
    return Invalid(
        "The body is not of the form that is taken here.",
        code="request-wrong",
        next_step="Send a JSON object with the fields of docs/api.md.",
        faults=(Fault(place, "request-wrong"),),
    )
