"""One's own account: set up with password and codes or a passkey, proved again, and its tokens."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs

import segno
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.audit.events import EventType
from hub.audit.service import append
from hub.errors import CallerError, Conflict, Invalid, Refused
from hub.http import Body, check_proved, cookie_name, declare, hub_of, principal_of, trail_of, transaction_of
from hub.identity import accounts, passkeys, service, sessions
from hub.web.pages import SCRIPT_POLICY, page, refused_page
from hub.web.sign_in import read_answer, site_of
from policies.agreements import in_force
from policies.passwords import PROVED_FOR, needs_passkey
from policies.principal import Principal, Role

router = APIRouter(tags=["account"])


@router.get("/account")
@declare("account.read", "account")
def show(request: Request) -> Response:
    """How one signs in, the proof of a second factor, and one's tokens."""
    return page(request, "account", **_values(request), refusal=None, policy=SCRIPT_POLICY)


@router.get("/account/set-up")
@declare("account.set_up", "account")
def set_up_page(request: Request) -> Response:
    """The choice: a passkey, or a password with codes for those who do not decide."""
    with transaction_of(request) as session:
        append(session, trail_of(request), EventType.PAGE_READ, resource="account/set-up")
        password = not needs_passkey(_roles(request, session))
    return page(request, "set_up", password=password, secret=None, asks_code=False, refusal=None, policy=SCRIPT_POLICY)


@router.post("/account/set-up")
@declare("account.set_up", "account")
def choose_password(request: Request, body: Body) -> Response:
    """Choose name and password; the page shows the secret for the app that makes codes."""
    told, me = _form(body), _person(request)
    try:
        _check_may_set_up(request)
        with transaction_of(request) as session:
            if needs_passkey(_roles(request, session)):
                raise Conflict("Your roles sign in by a passkey.", code="passkey-needed", next_step="Make a passkey.")
            secret, address = accounts.set_up_account(
                session, me, name=told.get("name", ""), password=told.get("password", ""),
                key=hub_of(request).home.accounts_key(), audit=trail_of(request),
            )  # fmt: skip
    except CallerError as refusal:
        return _refused_set_up(request, refusal, asks_code=False)
    picture = segno.make(address).svg_data_uri(scale=5)
    return page(request, "set_up", password=True, secret=secret, picture=picture, asks_code=False, refusal=None)


@router.post("/account/set-up/code")
@declare("account.set_up", "account")
def confirm(request: Request, body: Body) -> Response:
    """The first code: the account serves from now on; who set it up by a link signs in anew."""
    _check_may_set_up(request)
    try:
        with transaction_of(request) as session:
            accounts.confirm_codes(
                session, _person(request), _form(body).get("code", ""), key=hub_of(request).home.accounts_key(),
                audit=trail_of(request),
            )  # fmt: skip
            return RedirectResponse(_finished(request, session), status_code=303)
    except Invalid as refusal:
        return _refused_set_up(request, refusal, asks_code=True)


@router.post("/account/passkeys")
@declare("account.set_up", "account")
def ask_new_passkey(request: Request) -> Response:
    """A challenge to make a passkey."""
    _check_may_set_up(request)
    with transaction_of(request) as session:
        asked = passkeys.ask_new(session, _person(request), site=site_of(request), audit=trail_of(request))
    return JSONResponse({"options": asked.options, "ticket": asked.ticket})


@router.post("/account/passkeys/answer")
@declare("account.set_up", "account")
def add_passkey(request: Request, body: Body) -> Response:
    """Keep a new passkey: `{ticket, credential}`."""
    _check_may_set_up(request)
    ticket, credential = read_answer(body)
    with transaction_of(request) as session:
        passkeys.add_passkey(
            session, _person(request), ticket, credential, site=site_of(request), audit=trail_of(request)
        )
        told = {"next": _finished(request, session)}
    return JSONResponse(told)


@router.post("/account/prove")
@declare("account.read", "account")
def prove_by_code(request: Request, body: Body) -> Response:
    """Show the second factor again by a code, before a dangerous act."""
    address = request.client.host if request.client else ""
    with transaction_of(request) as session:
        accounts.check_attempts(session, principal_of(request).actor, address=address, now=hub_of(request).clock())
    with transaction_of(request) as session:
        right = accounts.prove_by_code(
            session, _person(request), _form(body).get("code", ""), key=hub_of(request).home.accounts_key(),
            audit=trail_of(request),
        )  # fmt: skip
        if right:
            service.prove(session, _cookie(request), audit=trail_of(request))
    if not right:
        raise accounts.refused()
    return RedirectResponse("/account", status_code=303)


@router.post("/account/prove/answer")
@declare("account.read", "account")
def prove_by_passkey(request: Request, body: Body) -> Response:
    """Show the second factor again by a passkey of one's own."""
    ticket, credential = read_answer(body)
    with transaction_of(request) as session:
        person = passkeys.person_of_answer(session, ticket, credential, site=site_of(request), audit=trail_of(request))
        if person == _person(request):
            service.prove(session, _cookie(request), audit=trail_of(request))
    if person != _person(request):
        raise accounts.refused()
    return JSONResponse({"next": "/account"})


@router.post("/account/password")
@declare("account.read", "account")
def change_password(request: Request, body: Body) -> Response:
    """Another password, by the present one and a second factor; looked at between two short transactions."""
    told, me = _form(body), _person(request)
    address = request.client.host if request.client else ""
    try:
        check_proved(request)
        with transaction_of(request) as session:
            accounts.check_attempts(session, principal_of(request).actor, address=address, now=hub_of(request).clock())
            candidate = accounts.candidate_of(session, me)
        present = told.get("present", "")
        if not accounts.fits(candidate, present):
            raise Refused(
                "The present password does not fit.", code="password-wrong", rule="sign-in",
                next_step="Type the password that you signed in with.",
            )  # fmt: skip
        with transaction_of(request) as session:
            accounts.change_password(
                session, me, present=present, password=told.get("password", ""), secret=_cookie(request),
                audit=trail_of(request),
            )  # fmt: skip
    except CallerError as refusal:
        return refused_page(request, refusal, name="account", **_values(request), policy=SCRIPT_POLICY)
    return RedirectResponse("/account", status_code=303)


@router.post("/account/sessions/end-others")
@declare("account.read", "session")
def end_other_sessions(request: Request) -> Response:
    """End every session of one's own but this one."""
    check_proved(request)
    with transaction_of(request) as session:
        sessions.end_other_sessions(session, _person(request), secret=_cookie(request), audit=trail_of(request))
    return RedirectResponse("/account", status_code=303)


@router.post("/account/sessions/{name}/end")
@declare("account.read", "session")
def end_session(request: Request, name: str) -> Response:
    """End one of one's own sessions."""
    check_proved(request)
    with transaction_of(request) as session:
        sessions.end_session(session, _person(request), name, audit=trail_of(request))
    return RedirectResponse("/account", status_code=303)


@router.post("/account/tokens")
@declare("aggregate.query", "token")
def make_token(request: Request, body: Body) -> Response:
    """A read-only token bound to one agreement in force; shown once."""
    named = _form(body).get("agreement", "")
    try:
        check_proved(request)
        with transaction_of(request) as session:
            ends = dict(_licences(request, session))
            if named not in ends:
                raise Refused(rule="R-10")
            secret = service.make_token(
                session, _person(request), agreement=named, until=ends[named], audit=trail_of(request)
            )
    except CallerError as refusal:
        return refused_page(request, refusal, name="account", **_values(request), policy=SCRIPT_POLICY)
    return page(request, "account", **{**_values(request), "secret": secret}, refusal=None, policy=SCRIPT_POLICY)


@router.post("/account/tokens/{name}/revoke")
@declare("account.read", "token")
def revoke_token(request: Request, name: str) -> Response:
    """End one of one's own tokens."""
    with transaction_of(request) as session:
        service.revoke_token(session, _person(request), name, audit=trail_of(request))
    return RedirectResponse("/account", status_code=303)


def _refused_set_up(request: Request, refusal: CallerError, *, asks_code: bool) -> Response:
    """The page of setting up with what was wrong; the secret of an app is shown once and so not again."""
    values = {"password": True, "secret": None, "asks_code": asks_code}
    return refused_page(request, refusal, name="set_up", **values, policy=SCRIPT_POLICY)


def _values(request: Request) -> dict[str, Any]:
    with transaction_of(request) as session:
        held = service.list_tokens(session, _person(request))
        licences = [one for one, _ in _licences(request, session)]
        keys = passkeys.passkeys_of(session, _person(request))
        provider = service.provider_of(session, _cookie(request))
        password = accounts.candidate_of(session, _person(request)).known
        signed_in = sessions.open_sessions(
            session, _person(request), secret=_cookie(request),
            idle_minutes=hub_of(request).settings.session_idle_minutes, now=hub_of(request).clock(),
        )  # fmt: skip
        append(session, trail_of(request), EventType.PAGE_READ, resource="account", counts={"tokens": len(held)})
    now = hub_of(request).clock()
    tokens = [
        {
            "name": token.secret_hash[: service.TOKEN_NAME_LETTERS],
            "agreement": token.agreement,
            "ends": token.expires_at,
            "holds": token.revoked_at is None and token.expires_at > now,
        }
        for token in held
    ]
    came_by = hub_of(request).connections.get(provider or "")
    return {
        "tokens": tokens, "licences": licences, "passkeys": keys, "secret": None, "password": password,
        "sessions": signed_in, "open_until": _open_until(request),
        "provider": None if came_by is None else came_by.provider,
    }  # fmt: skip


def _open_until(request: Request) -> datetime | None:
    """Until when what wants a second factor is open; None where it was not shown lately."""
    proved: datetime | None = getattr(request.state, "proved_at", None)
    if proved is None or hub_of(request).clock() - proved > PROVED_FOR:
        return None
    return proved + PROVED_FOR


def _licences(request: Request, session: Session) -> list[tuple[str, Any]]:
    """The agreements under which the caller's organisation may ask, and when each ends."""
    principal, day = principal_of(request), hub_of(request).clock().date()
    if Role.PARTNER not in principal.roles:
        return []
    found = [one for one in in_force(known_agreements(session), day) if one.tier == "DUL"]
    return [
        (one.id, datetime.combine(one.retention.expires + timedelta(days=1), time(), tzinfo=UTC))
        for one in found
        if principal.organisation in one.licensees()
    ]


def _check_may_set_up(request: Request) -> None:
    """Who came by a set-up link may; whoever is signed in shows the second factor first."""
    if Role.NEWCOMER not in principal_of(request).roles:
        check_proved(request)


def _finished(request: Request, session: Session) -> str:
    """Where to go next: who set the account up by a link signs in anew."""
    if Role.NEWCOMER not in principal_of(request).roles:
        return "/account"
    service.sign_out(session, _cookie(request), audit=trail_of(request))
    return "/sign-in"


def _roles(request: Request, session: Session) -> frozenset[Role]:
    return service.may_come_in(session, _person(request), now=hub_of(request).clock()) or frozenset()


def _person(request: Request) -> str:
    principal: Principal = principal_of(request)
    return principal.actor.removeprefix("person:")


def _cookie(request: Request) -> str:
    return request.cookies.get(cookie_name(hub_of(request).settings.own_url()), "")


def _form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
