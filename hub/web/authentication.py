"""Puts a principal into each request: an agent by its signature, a person by token or session, else the public.

A signature or token that does not hold is refused, never taken as anonymous; a session that ended is the public
again. Runs before every route.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from hub.errors import NotSignedIn, Refused, TooMany
from hub.http import Body, check_nonce, cookie_name, enforce, hub_of, trail_of
from hub.identity import agents, service
from hub.web.form_tokens import check_form_token
from policies.principal import Principal
from policies.signing import Message, SignedBy, SigningError, signed_headers, verify_request

READ_METHODS = frozenset({"GET", "HEAD"})


async def authenticate(request: Request, body: Body) -> None:
    """Set the request's principal, then refuse what its roles do not permit."""
    _check_pace(request)
    if _is_anonymous(request):
        _check_origin(request)
        enforce(request)
        return
    await run_in_threadpool(_authenticate, request, body)


def _is_anonymous(request: Request) -> bool:
    cookie = cookie_name(hub_of(request).settings.own_url())
    return not ("signature-input" in request.headers or "authorization" in request.headers or cookie in request.cookies)


def _authenticate(request: Request, body: bytes) -> None:
    if "signature-input" in request.headers:
        request.state.principal = _agent(request, body)
    elif "authorization" in request.headers:
        request.state.principal = _bearer(request)
    else:
        _session(request, body)
    enforce(request)


def _agent(request: Request, body: bytes) -> Principal:
    """The agent that signed. A reading's nonce is taken in the transaction that logs the reading; where more may be
    done than one transaction does, at once."""
    hub = hub_of(request)
    with hub.database.reading() as session:
        signed, organisation = _signer(session, request, body)
    if request.method in READ_METHODS:
        request.state.pending_nonce = (signed.key_id, signed.nonce)
    else:
        with hub.database.transaction() as session:
            check_nonce(request, session, signed.key_id, signed.nonce)
    return agents.agent_principal(signed.key_id, organisation)


def _signer(session: Session, request: Request, body: bytes) -> tuple[SignedBy, str]:
    message = Message(request.method, _signed_url(request), signed_headers(dict(request.headers)))
    known: dict[str, str] = {}

    def key_of(key_id: str) -> Ed25519PublicKey | None:
        found = agents.agent_key(session, key_id)
        if found is None:
            return None
        known[key_id] = found[1]
        return found[0]

    try:
        signed = verify_request(message, body, key_of=key_of, now=hub_of(request).clock())
    except SigningError as error:
        raise NotSignedIn(code=error.code, next_step=error.next_step) from error
    return signed, known[signed.key_id]


def _bearer(request: Request) -> Principal:
    scheme, _, secret = request.headers["authorization"].partition(" ")
    hub = hub_of(request)
    with hub.database.reading() as session:
        principal = service.person_of_token(session, secret.strip(), audit=trail_of(request))
    if scheme.lower() != "bearer" or principal is None:
        raise NotSignedIn(code="token-unknown", next_step="Make a new token for this agreement.")
    if request.method not in READ_METHODS:
        raise NotSignedIn(code="token-reads-only", next_step="Tokens read; sign in to change something.")
    return principal


def _session(request: Request, body: bytes) -> None:
    hub = hub_of(request)
    secret = request.cookies[cookie_name(hub.settings.own_url())]
    with hub.database.reading() as session:
        known = service.person_of_session(
            session, secret, idle_minutes=hub.settings.session_idle_minutes, audit=trail_of(request)
        )
    if known is None:
        return
    if known.stale:
        with hub.database.transaction() as session:
            service.note_seen(session, secret, now=hub.clock())
    _check_origin(request)
    request.state.principal = known.principal
    if request.method not in READ_METHODS:
        check_form_token(request, body, token=known.form_secret)
    request.state.form_secret = known.form_secret
    request.state.proved_at = known.proved_at


def _check_origin(request: Request) -> None:
    """Refuse a change that another site's page sent (beside SameSite cookies): by Origin and by Sec-Fetch-Site."""
    if request.method in READ_METHODS:
        return
    origin = request.headers.get("origin")
    foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host", "")
    if foreign or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("Another site sent this request.", code="cross-site", rule="cross-site")


def _check_pace(request: Request) -> None:
    """Refuse a caller that asks too often: by its key, token or cookie, or else by its address."""
    hub = hub_of(request)
    shown = (request.headers.get(name, "") for name in ("authorization", "cookie"))
    agent = request.headers.get("signature-input", "").partition("keyid=")[2].partition(";")[0]
    caller = agent or "".join(shown) or (request.client.host if request.client else "")
    paced = hub.pace.count(caller, now=hub.clock(), limit=hub.settings.requests_per_minute)
    request.state.paced = paced
    if paced.left < 0:
        raise TooMany(code="too-many", next_step="Wait a minute and ask less often.", retry_after_seconds=paced.seconds)


def _signed_url(request: Request) -> str:
    """The address as the agent signed it."""
    base = hub_of(request).settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    query = request.scope["query_string"].decode("ascii", "replace")
    path = request.scope["raw_path"].decode("ascii", "replace")
    return f"{base}{path}?{query}" if query else f"{base}{path}"
