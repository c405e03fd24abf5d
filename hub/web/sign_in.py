"""Signing in by a one-time link, and out. A button uses the link up, so that no mail scanner does."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from hub.audit.events import EventType
from hub.audit.service import append
from hub.http import Body, cookie_name, declare, hub_of, trail_of, transaction_of
from hub.identity import service
from hub.web.pages import page

router = APIRouter(tags=["sign-in"])


@router.get("/sign-in")
@declare("public.read", "session")
def sign_in_page(request: Request, link: str = "") -> Response:
    """A page with one button that uses the link."""
    with transaction_of(request) as session:
        append(session, trail_of(request), EventType.PAGE_READ, resource="sign-in")
    return page(request, "sign_in", link=link)


@router.post("/sign-in")
@declare("session.open", "session")
def sign_in(request: Request, body: Body) -> Response:
    """Use a link up; the answer sets the session cookie."""
    hub = hub_of(request)
    link = parse_qs(body.decode("utf-8", "replace")).get("link", [""])[0]
    with transaction_of(request) as session:
        opened = service.sign_in(session, link, hours=hub.settings.session_hours, audit=trail_of(request))
    answer = RedirectResponse("/", status_code=303)
    own_url = hub.settings.own_url()
    answer.set_cookie(
        cookie_name(own_url), opened.secret, httponly=True, samesite="strict", secure=own_url.startswith("https:"),
        path="/",
    )  # fmt: skip
    return answer


@router.post("/sign-out")
@declare("session.manage", "session")
def sign_out(request: Request) -> Response:
    """End the session."""
    name = cookie_name(hub_of(request).settings.own_url())
    with transaction_of(request) as session:
        service.sign_out(session, request.cookies.get(name, ""), audit=trail_of(request))
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(name, path="/")
    return answer
