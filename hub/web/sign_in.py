"""Signing in by name, password and code, by passkey or by a one-time link, and out.

A button uses a link up, so that no mail scanner does. An unknown name and a wrong password get one answer.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from hub.audit.events import EventType
from hub.audit.service import append
from hub.errors import Fault, Invalid, Unavailable
from hub.http import Body, cookie_name, declare, hub_of, trail_of, transaction_of
from hub.identity import accounts, passkeys, service
from hub.identity.oidc import Connection
from hub.identity.passkeys import Site
from hub.web.pages import SCRIPT_POLICY, page, passkey_script
from policies.principal import ANONYMOUS

router = APIRouter(tags=["sign-in"])


@router.get("/sign-in")
@declare("public.read", "session")
def sign_in_page(request: Request, link: str = "") -> Response:
    """A page with the ways in, or with one button that uses the link."""
    with transaction_of(request) as session:
        append(session, trail_of(request), EventType.PAGE_READ, resource="sign-in")
    providers = [one.provider for one in hub_of(request).connections.values()]
    return page(request, "sign_in", link=link, providers=providers, policy=SCRIPT_POLICY)


@router.get("/static/passkey.js")
@declare("public.read", "script")
def script(request: Request) -> Response:
    """The one script; it tells nothing, so it leaves no event."""
    return Response(passkey_script(), media_type="text/javascript", headers={"Cache-Control": "public, max-age=3600"})


@router.post("/sign-in")
@declare("session.open", "session")
def sign_in(request: Request, body: Body) -> Response:
    """Use a link up, or sign in by name, password and code; the answer sets the session cookie."""
    told = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    if "name" in told or "password" in told:
        return with_session(request, _by_password(request, told), RedirectResponse("/", status_code=303))
    with transaction_of(request) as session:
        opened = service.sign_in(
            session, told.get("link", ""), code=told.get("code", ""), hours=hub_of(request).settings.session_hours,
            audit=trail_of(request),
        )  # fmt: skip
    return with_session(
        request, opened, RedirectResponse("/account/set-up" if opened.sets_up else "/", status_code=303)
    )


@router.post("/sign-in/passkey")
@declare("session.open", "session")
def ask_passkey(request: Request) -> Response:
    """A challenge for a passkey; the same for everybody, no name is asked."""
    with transaction_of(request) as session:
        asked = passkeys.ask_sign_in(session, site=site_of(request), audit=trail_of(request))
    return JSONResponse({"options": asked.options, "ticket": asked.ticket})


@router.post("/sign-in/passkey/answer")
@declare("session.open", "session")
def by_passkey(request: Request, body: Body) -> Response:
    """Sign in by the answer of a passkey: `{ticket, credential}`."""
    ticket, credential = read_answer(body)
    hub, audit = hub_of(request), trail_of(request)
    with transaction_of(request) as session:
        person = passkeys.person_of_answer(session, ticket, credential, site=site_of(request), audit=audit)
        hours = hub.settings.session_hours
        opened = None if person is None else service.open_session(session, person, hours=hours, audit=audit)
    if opened is None:
        raise accounts.refused()
    return with_session(request, opened, JSONResponse({"next": "/"}))


@router.post("/sign-out")
@declare("session.manage", "session")
def sign_out(request: Request) -> Response:
    """End the session; whoever came by an identity provider is shown the way to sign out there too."""
    name = cookie_name(hub_of(request).settings.own_url())
    with transaction_of(request) as session:
        provider = service.sign_out(session, request.cookies.get(name, ""), audit=trail_of(request))
    connection = hub_of(request).connections.get(provider or "")
    answer: Response = RedirectResponse("/", status_code=303) if connection is None else _out(request, connection)
    answer.delete_cookie(name, path="/")
    return answer


def _out(request: Request, connection: Connection) -> Response:
    try:
        way_out = connection.way_out(back=f"{hub_of(request).settings.own_url()}/")
    except Unavailable:
        way_out = None
    request.state.principal = ANONYMOUS
    return page(request, "signed_out", way_out=way_out, provider=connection.provider.name)


def site_of(request: Request) -> Site:
    """The address that passkeys of this hub are bound to."""
    return Site(hub_of(request).settings.own_url())


def read_answer(body: bytes) -> tuple[str, dict[str, Any]]:
    """Ticket and credential of a passkey's answer; raises Invalid for another form."""
    try:
        told = json.loads(body)
        ticket, credential = told["ticket"], told["credential"]
    except (ValueError, KeyError, TypeError, RecursionError):
        ticket, credential = None, None
    if not isinstance(ticket, str) or not isinstance(credential, dict):
        raise Invalid("This is no answer of a passkey.", code="passkey-wrong", next_step="Begin anew on the same page.",
                      faults=(Fault("credential", "passkey-wrong"),))  # fmt: skip
    return ticket, credential


def with_session(request: Request, opened: service.Opened, answer: Response) -> Response:
    """The answer with the cookie of a new session."""
    own_url = hub_of(request).settings.own_url()
    answer.set_cookie(
        cookie_name(own_url), opened.secret, httponly=True, samesite="strict", secure=own_url.startswith("https:"),
        path="/",
    )  # fmt: skip
    return answer


def _by_password(request: Request, told: dict[str, str]) -> service.Opened:
    """The password is looked at between two short transactions, since it takes long on purpose."""
    hub, name = hub_of(request), told.get("name", "")
    address = request.client.host if request.client else ""
    with transaction_of(request) as session:
        accounts.check_attempts(session, name, address=address, now=hub.clock())
        candidate = accounts.candidate_for(session, name)
    fitted = accounts.fits(candidate, told.get("password", ""))
    with transaction_of(request) as session:
        opened = accounts.sign_in(
            session, candidate, fitted=fitted, code=told.get("code", ""), key=hub.home.accounts_key(),
            hours=hub.settings.session_hours, audit=trail_of(request),
        )  # fmt: skip
    if opened is None:
        raise accounts.refused()
    return opened
