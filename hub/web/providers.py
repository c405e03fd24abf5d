"""Signing in by an identity provider: the way there, the way back, and a second factor shown there again.

A page leads there and back instead of a redirect: a form's redirect to another site is barred by the pages' policy, and
a browser that comes from another site sends no strict cookie until it moves on by itself. Works without scripts.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub.errors import NotFound
from hub.http import cookie_name, declare, hub_of, trail_of, transaction_of
from hub.identity import accounts, provider_sign_in
from hub.identity.oidc import AnswerRefused, Connection, Shown, Visit
from hub.identity.provider_sign_in import Sent
from hub.web.pages import page
from hub.web.sign_in import with_session

router = APIRouter(tags=["sign-in"])


@router.post("/sign-in/provider/{name}")
@declare("session.open", "session")
def go(request: Request, name: str) -> Response:
    """Send somebody to an identity provider to sign in."""
    connection = _connection(request, name)
    address = request.client.host if request.client else ""
    connection.metadata()
    with transaction_of(request) as session:
        accounts.check_address(session, address, now=hub_of(request).clock())
        visit = provider_sign_in.send(session, name, audit=trail_of(request))
    return _there(request, connection, visit, again=False)


@router.post("/account/prove/provider/{name}")
@declare("account.read", "account")
def go_and_prove(request: Request, name: str) -> Response:
    """Send the person of a session to its identity provider, to sign in anew with a second factor."""
    connection = _connection(request, name)
    connection.metadata()
    own = request.cookies.get(cookie_name(hub_of(request).settings.own_url()), "")
    with transaction_of(request) as session:
        visit = provider_sign_in.send(session, name, proving=own, audit=trail_of(request))
    return _there(request, connection, visit, again=True)


@router.get("/sign-in/provider/{name}/answer")
@declare("session.open", "session")
def come_back(request: Request, name: str) -> Response:
    """What the identity provider says of who comes back: a session, or the one refusal."""
    connection = _connection(request, name)
    visit = Visit(request.cookies.get(_visit_cookie(request), ""))
    audit = trail_of(request)
    with transaction_of(request) as session:
        sent = provider_sign_in.come_back(session, name, visit, request.query_params.get("state", ""), audit=audit)
        if sent is None:
            provider_sign_in.refuse(session, name, rule="OIDC-001", audit=audit)
    if sent is None:
        raise provider_sign_in.refused()
    shown = _shown(request, connection, visit, sent)
    answer = _signed_in(request, sent, shown) if sent.session is None else _proved(request, sent, shown)
    answer.delete_cookie(_visit_cookie(request), path="/")
    return answer


def back_from(request: Request, name: str) -> str:
    """The address at which a provider answers; it is registered there."""
    return f"{hub_of(request).settings.own_url()}/sign-in/provider/{name}/answer"


def _there(request: Request, connection: Connection, visit: Visit, *, again: bool) -> Response:
    name = connection.provider.id
    to = connection.address(visit, back=back_from(request, name), again=again)
    answer = page(request, "onward", onward=to, title=f"Going on to {connection.provider.name}")
    answer.set_cookie(
        _visit_cookie(request), visit.secret, httponly=True, samesite="lax", path="/",
        secure=hub_of(request).settings.own_url().startswith("https:"),
        max_age=60 * provider_sign_in.VISIT_MINUTES,
    )  # fmt: skip
    return answer


def _shown(request: Request, connection: Connection, visit: Visit, sent: Sent) -> Shown:
    since = None if sent.session is None else sent.sent_at
    back = back_from(request, sent.provider)
    try:
        return connection.shown(dict(request.query_params), visit, back=back, since=since)
    except AnswerRefused as wrong:
        with transaction_of(request) as session:
            provider_sign_in.refuse(session, sent.provider, rule=wrong.rule, audit=trail_of(request))
        raise provider_sign_in.refused() from None


def _signed_in(request: Request, sent: Sent, shown: Shown) -> Response:
    hours = hub_of(request).settings.session_hours
    with transaction_of(request) as session:
        opened = provider_sign_in.sign_in(session, sent, shown, hours=hours, audit=trail_of(request))
    if opened is None:
        raise provider_sign_in.refused()
    return with_session(request, opened, page(request, "onward", onward="/", title="You are signed in"))


def _proved(request: Request, sent: Sent, shown: Shown) -> Response:
    with transaction_of(request) as session:
        right = provider_sign_in.prove(session, sent, shown, audit=trail_of(request))
    if not right:
        raise provider_sign_in.refused()
    return page(request, "onward", onward="/account", title="Your second factor was seen")


def _connection(request: Request, name: str) -> Connection:
    found = hub_of(request).connections.get(name)
    if found is None:
        raise NotFound()
    return found


def _visit_cookie(request: Request) -> str:
    return f"{cookie_name(hub_of(request).settings.own_url())}-visit"
