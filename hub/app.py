"""The API of the hub: one FastAPI app out of the routers of the folders that have one."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.audit.answers import AnswerBook
from hub.db import NOTHING, Clock, open_database, utc_now
from hub.errors import SettingError, TooLarge, Unavailable
from hub.http import Hub, declare, hub_of, install, problem, undeclared_routes
from hub.identity.oidc import Connection
from hub.identity.providers import read_providers
from hub.log import Log
from hub.operations.metrics import Meter
from hub.settings import Home, Settings
from hub.web.authentication import authenticate
from hub.web.openapi import actions_of, describe
from hub.web.pages import error_page
from policies.submission import CHUNK_BYTES_MAX

BODY_BYTES_MAX = CHUNK_BYTES_MAX + 64 * 1024
"""The largest chunk, or a manifest of the most chunks, and some room."""

ROUTED = (
    "hub.web.sign_in",
    "hub.web.providers",
    "hub.web.log",
    "hub.agreements.routes",
    "hub.epochs.routes",
    "hub.submissions.routes",
    "hub.linking.routes",
    "hub.outcomes.routes",
    "hub.release.routes",
    "hub.release.records",
    "hub.release.requests.routes",
    "hub.release.voices.routes",
    "hub.web.routes",
    "hub.web.results",
    "hub.web.explorer",
    "hub.web.pathway",
    "hub.web.log_reading",
    "hub.web.requests",
    "hub.web.voices",
    "hub.web.linkage",
    "hub.web.certifying",
    "hub.web.uploading",
    "hub.web.acts",
    "hub.web.administration",
    "hub.web.opt_outs",
    "hub.web.disclosures",
    "hub.web.account",
)
"""The modules that may have a `router`, in the order of the road."""

Headers = tuple[tuple[bytes, bytes], ...]

HEADERS: Headers = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""What every answer has, unless its route says otherwise; pages bring a policy of their own."""
OVER_TLS = ((b"strict-transport-security", b"max-age=63072000; includeSubDomains"),)


def hub_parts(
    settings: Settings, *, clock: Clock = utc_now, log: Log | None = None, http: httpx.Client | None = None
) -> Hub:
    """What the API holds, opened by its settings."""
    home = Home(settings.home)
    return Hub(
        settings=settings,
        home=home,
        database=open_database(settings, "api", scope=NOTHING),
        clock=clock,
        log=log or Log(),
        facts=home.public_facts(),
        connections=connections_of(settings, clock=clock, http=http),
    )


def connections_of(settings: Settings, *, clock: Clock, http: httpx.Client | None = None) -> dict[str, Connection]:
    """The identity providers of the operator's file; raises SettingError where it, or a secret of it, is wrong."""
    found = read_providers(settings.sign_in_providers)
    for provider in found.values():
        provider.client_secret()
    if not found:
        return {}
    shared = http or httpx.Client()
    return {name: Connection(one, shared, clock) for name, one in found.items()}


def create_app(hub: Hub, *, meter: Meter | None = None) -> FastAPI:
    """The app of one hub; raises SettingError when a route declares no action. `meter` counts answers."""
    app = FastAPI(
        title="Promise Hub",
        version="0.1.0",
        dependencies=[Depends(authenticate)],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.hub = hub
    routers = [_own_router(), *routers_of(ROUTED)]
    for router in routers:
        app.include_router(router)
    check_declared(routers)
    app.state.actions = actions_of(routers)
    install(app, draw=error_page)
    headers = (*HEADERS, *OVER_TLS) if hub.settings.own_url().startswith("https:") else HEADERS
    app.add_middleware(Edge, book=AnswerBook(hub.home.answers, clock=hub.clock), meter=meter, headers=headers)
    return app


def routers_of(modules: Iterable[str]) -> list[APIRouter]:
    """The routers of the modules that are there."""
    return [import_module(module).router for module in modules if find_spec(module) is not None]


def check_declared(routers: Iterable[APIRouter]) -> None:
    """Raises SettingError naming the routes without a declared action and resource."""
    missing = undeclared_routes(route for router in routers for route in router.routes if isinstance(route, APIRoute))
    if missing:
        raise SettingError(f"Routes without an action: {', '.join(missing)}", code="route-undeclared")


def _own_router() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/live")
    @declare("public.read", "hub")
    def live(request: Request) -> Response:
        """Whether this process answers; a supervisor that gets none starts it again."""
        return JSONResponse({"live": True})

    @router.get("/v1/ready")
    @declare("public.read", "hub")
    def ready(request: Request) -> Response:
        """Whether the API can do its work: the database answers. It reads no row and so leaves no event."""
        try:
            with hub_of(request).database.reading() as session:
                session.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise Unavailable("The database does not answer.", code="database-unavailable") from error
        return JSONResponse({"ready": True})

    @router.get("/v1/openapi.json")
    @declare("public.read", "hub")
    def openapi(request: Request) -> Response:
        """The description of this API; the same for everybody."""
        return JSONResponse(description_of(request.app))

    return router


def description_of(app: FastAPI) -> dict[str, Any]:
    """The description of the API, made when it is first asked for."""
    if app.openapi_schema is None:
        app.openapi_schema = describe(app, app.state.actions)
    return app.openapi_schema


class Edge:
    """Outermost: limits the size of a body, names each request, sets the headers that every answer has, and notes
    the answer in the book before it is sent."""

    def __init__(self, app: ASGIApp, book: AnswerBook, meter: Meter | None = None, headers: Headers = HEADERS) -> None:
        self._app, self._book, self._meter, self._headers = app, book, meter, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        taken, begun = 0, time.perf_counter()

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > BODY_BYTES_MAX:
                raise _BodyTooLarge
            return message

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                extra = [pair for pair in self._headers if pair[0] not in present]
                self._book.note(request_id, route=_route_path(scope), status=message["status"])
                if self._meter is not None:
                    seconds = time.perf_counter() - begun
                    route, method = _route_path(scope), str(scope["method"])
                    self._meter.note(route=route, method=method, status=message["status"], seconds=seconds)
                named_so = (b"x-request-id", request_id.encode())
                message["headers"] = [*message["headers"], *extra, *_pace_headers(scope), named_so]
            await send(message)

        if _declared_length(scope) > BODY_BYTES_MAX:
            await problem(_too_large())(scope, receive, named)
            return
        try:
            await self._app(scope, limited, named)
        except _BodyTooLarge:
            await problem(_too_large())(scope, receive, named)


class _BodyTooLarge(Exception):  # noqa: N818 (never leaves this module)
    """A body grew over the limit while it was read."""


def _too_large() -> TooLarge:
    return TooLarge(code="body-too-large", next_step=f"Send at most {BODY_BYTES_MAX} bytes at once.")


PACED = ("/v1/", "/sign-in", "/account")
"""Where answers tell programs and people how often they may still ask."""


def _pace_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    paced = scope["state"].get("paced")
    if paced is None or not str(scope["path"]).startswith(PACED):
        return []
    return [(name.lower().encode(), value.encode()) for name, value in paced.headers().items()]


def _route_path(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", ""))


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and re.fullmatch(rb"[0-9]{1,18}", value):
            return int(value)
    return 0
