"""Reads requests and writes problem answers (RFC 9457): what every route of the hub keeps.

A route declares its action and resource with `declare`; the app does not start with a route that lacks it, and
`enforce` refuses what the role table does not permit before the route runs. A refusal is logged, and its answer
does not tell whether the hidden thing exists: the body depends on code and rule alone, the request id is a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from hub.audit.columns import LogIndex
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database, Scope
from hub.errors import (
    CallerError,
    Fault,
    HubError,
    Invalid,
    MethodWrong,
    NotFound,
    NotSignedIn,
    Refused,
    TooMany,
    Unavailable,
)
from hub.identity.oidc import Connection
from hub.identity.replay import take_nonce
from hub.log import Log
from hub.pace import Pace
from hub.settings import Home, Settings
from policies.passwords import PROVED_FOR
from policies.principal import ANONYMOUS, Principal
from policies.roles import ROLE_TABLE, SCOPED, Extent, extent_of, reach_of

PROBLEM = "application/problem+json"
UNKEPT = re.compile(rb"\x00|%00|\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")
DECLARATION = "__promise_declaration__"
RULES: Mapping[str, str] = {
    "missing": "This is needed.",
    "string_pattern_mismatch": "This is of another form than /v1/openapi.json shows.",
    "string_too_long": "This is too long.",
    "string_too_short": "This is too short.",
    "int_parsing": "This is a whole number.",
    "bool_parsing": "This is true or false.",
    "greater_than_equal": "This is too small a number.",
    "less_than_equal": "This is too large a number.",
    "less_than": "This is too large a number.",
    "literal_error": "This is one of few words, which /v1/openapi.json names.",
}
"""What a place must keep, in words, by the kind of fault; never with what was sent."""
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declaration:
    """What a route does and to what; its action is a row of the role table."""

    action: str
    resource: str


@dataclass(frozen=True)
class Hub:
    """What the API process holds: no key of the linkage store, none of the analysis store."""

    settings: Settings
    home: Home
    database: Database
    clock: Clock
    log: Log
    facts: dict[str, str]
    index: LogIndex = field(default_factory=LogIndex)
    pace: Pace = field(default_factory=Pace)
    connections: Mapping[str, Connection] = field(default_factory=dict)


def declare(action: str, resource: str) -> Callable[[Endpoint], Endpoint]:
    """Mark a route's function with its action and resource; stands under the router's decorator."""
    if action not in ROLE_TABLE:
        raise KeyError(f"no row of the role table: {action}")

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, DECLARATION, Declaration(action, resource))
        return endpoint

    return mark


def declaration_of(endpoint: object) -> Declaration | None:
    found = getattr(endpoint, DECLARATION, None)
    return found if isinstance(found, Declaration) else None


def undeclared_routes(routes: Iterator[APIRoute]) -> list[str]:
    """The paths of routes that declare nothing; the app refuses to start with one."""
    return sorted(route.path for route in routes if declaration_of(route.endpoint) is None)


def cookie_name(own_url: str) -> str:
    """`__Host-` binds the session cookie to this host over HTTPS; plain HTTP on loopback cannot carry that prefix."""
    return "__Host-promise" if own_url.startswith("https:") else "promise"


async def read_body(request: Request) -> bytes:
    """The whole body, for a route that takes `body: Body`; its size is limited by the app."""
    body = await request.body()
    _check_text(request, body)
    return body


def _check_text(request: Request, body: bytes) -> None:
    """Refuse text that no database keeps: a zero byte, or half of a character that needs two. Chunks are no text."""
    told = f"{request.url.path}?{request.url.query}"
    text = "/chunks/" not in told and not request.headers.get("content-type", "").startswith("multipart/")
    if "\x00" in told or "%00" in told or (text and _is_suspect(body) and UNKEPT.search(body)):
        raise Invalid(
            "It holds a zero byte or half a character.", code="text-wrong", next_step="Send plain text (UTF-8).",
            faults=(Fault("request", "text-wrong"),),
        )  # fmt: skip


def _is_suspect(body: bytes) -> bool:
    """Whether a body holds any sign with which text that is not kept begins; found far sooner than such text."""
    return b"\x00" in body or b"%00" in body or b"\\u" in body


Body = Annotated[bytes, Depends(read_body)]


def hub_of(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


def principal_of(request: Request) -> Principal:
    """Who asks; anonymous until authentication said otherwise."""
    principal: Principal = getattr(request.state, "principal", ANONYMOUS)
    return principal


def trail_of(request: Request, *, agreement: str | None = None, purpose: str | None = None) -> AuditTrail:
    """The audit trail of this request."""
    principal = principal_of(request)
    return AuditTrail(
        actor=principal.actor,
        organisation=principal.organisation,
        request_id=getattr(request.state, "request_id", ""),
        method=f"{request.method} {_route_path(request)}",
        clock=hub_of(request).clock,
        agreement=agreement,
        purpose=purpose,
    )


@contextmanager
def transaction_of(request: Request) -> Iterator[Session]:
    """The one transaction of this request; answer after it is over. The database shows it the caller's rows alone.

    The nonce of a signed reading is taken in it first: what is read twice by one signature is refused here.
    """
    with hub_of(request).database.transaction(scope=scope_of(principal_of(request))) as session:
        _take_pending_nonce(request, session)
        yield session
    request.state.pending_nonce = None


def check_nonce(request: Request, session: Session, key_id: str, nonce: str) -> None:
    """Take the nonce of a signed request, or refuse the request."""
    if not take_nonce(session, key_id, nonce, now=hub_of(request).clock()):
        raise NotSignedIn(code="SIG-004", next_step="Sign the request again with a fresh nonce.")


def _take_pending_nonce(request: Request, session: Session) -> None:
    pending = getattr(request.state, "pending_nonce", None)
    if pending is None:
        return
    try:
        check_nonce(request, session, *pending)
    except NotSignedIn:
        request.state.pending_nonce = None
        raise


@contextmanager
def reading_of(request: Request) -> Iterator[Session]:
    """A look for this request that changes nothing, within the caller's scope."""
    with hub_of(request).database.reading(scope=scope_of(principal_of(request))) as session:
        yield session


def scope_of(principal: Principal) -> Scope:
    """What the database shows to this principal: the role table's reach, in the database's words."""
    reach = {family: reach_of(family, principal.roles) for family in SCOPED}
    return Scope(
        whole=",".join(family for family, extent in reach.items() if extent is Extent.ALL),
        own=",".join(family for family, extent in reach.items() if extent is Extent.OWN),
        organisation=principal.organisation or "",
    )


def check_proved(request: Request) -> None:
    """Refuse a dangerous act unless the second factor was shown a short while ago."""
    proved: datetime | None = getattr(request.state, "proved_at", None)
    if proved is None or hub_of(request).clock() - proved > PROVED_FOR:
        raise Refused(
            "Show your second factor again first.", code="step-up", rule="step-up",
            next_step="Open /account, prove that it is you, and do it again.",
        )  # fmt: skip


def enforce(request: Request) -> None:
    """Refuse, before the route runs, what the role table gives to no role of the caller."""
    declared = declaration_of(request.scope.get("endpoint"))
    principal = principal_of(request)
    if declared is None:
        raise Refused(rule="R-01")
    # Everybody may do what the public may, also when signed in.
    if not extent_of(declared.action, principal.roles | ANONYMOUS.roles):
        raise NotSignedIn(rule="R-01") if principal == ANONYMOUS else Refused(rule="R-01")


Drawer = Callable[[Request, HubError], Response]


def install(app: FastAPI, *, draw: Drawer | None = None) -> None:
    """Give the app its problem answers; `draw` makes a page of an error for who asks with a browser."""
    app.state.draw_error = draw
    app.add_exception_handler(HubError, _answer_hub_error)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_failure)


def problem(error: HubError) -> JSONResponse:
    """The answer made of an error; equal errors give equal bytes."""
    body: dict[str, Any] = {
        "type": f"/help/errors/{error.code}",
        "code": error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "next_step": error.next_step,
        "errors": [{"at": fault.at, "code": fault.code, "rule": fault.rule} for fault in error.faults],
    }
    if error.rule:
        body["rule"] = error.rule
    return JSONResponse(body, status_code=error.status, media_type=PROBLEM)


def _answer(request: Request, error: HubError) -> Response:
    """A problem for programs; for a browser outside the API a page that says the same."""
    draw: Drawer | None = request.app.state.draw_error
    asks_for_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1")
    answer = draw(request, error) if draw is not None and asks_for_page else problem(error)
    if isinstance(error, TooMany) and error.retry_after_seconds is not None:
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _answer_hub_error(request: Request, error: Exception) -> Response:
    known = error if isinstance(error, HubError) else HubError()
    event = EventType.REQUEST_REFUSED if isinstance(known, CallerError) else EventType.REQUEST_FAILED
    return _logged(request, known, event)


def _answer_validation(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [
        Fault(".".join(str(part) for part in item["loc"][:3]), str(item["type"]), RULES.get(str(item["type"]), ""))
        for item in found[:20]
    ]
    return _logged(request, Invalid(faults=faults), EventType.REQUEST_REFUSED)


def _answer_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _answer(request, CallerError())
    if error.status_code == 404:
        return _answer(request, NotFound())
    if error.status_code == 405:
        answer = _answer(request, MethodWrong())
        answer.headers.update(error.headers or {})  # Allow
        return answer
    return _answer(request, CallerError())


def _answer_failure(request: Request, error: Exception) -> Response:
    hub_of(request).log.write(
        "request.failed", request_id=getattr(request.state, "request_id", ""), path=_route_path(request), error=error
    )
    return _logged(request, HubError(), EventType.REQUEST_FAILED)


def _logged(request: Request, error: HubError, event: EventType) -> Response:
    try:
        with transaction_of(request) as session:
            append(
                session,
                trail_of(request),
                event,
                resource=_route_path(request),
                decision="refused",
                rule=error.rule or error.code,
                outcome="refused" if isinstance(error, CallerError) else "failed",
                versions=error.versions,
            )
    except NotSignedIn as replayed:
        return _logged(request, replayed, EventType.REQUEST_REFUSED)
    except Exception as failure:  # nothing may be told that is not logged
        hub_of(request).log.write("audit.failed", path=_route_path(request), error=failure)
        return _answer(request, Unavailable())
    return _answer(request, error)


def _route_path(request: Request) -> str:
    route = request.scope.get("route")
    return str(getattr(route, "path", "unknown address"))
