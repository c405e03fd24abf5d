"""The officer's reading of the log, as a page and as an API: search, facets, kept searches, exports, watch, check.

Everybody reads the part that the role table gives (`hub.web.access_log`); each reading is an event itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from hub.audit import watch
from hub.audit.columns import LogIndex
from hub.audit.events import EventType
from hub.audit.service import append, head
from hub.audit.verify import Trusted, verify_log
from hub.audit.witnessing import Standing, standing
from hub.audit.words import QUERY_CHARACTERS_MAX
from hub.errors import CallerError, Conflict, Fault, Invalid, Refused
from hub.http import Body, Hub, declare, hub_of, principal_of, reading_of, trail_of, transaction_of
from hub.identity.service import present_actors
from hub.identity.witnesses import every_witness, witness_policy
from hub.web import access_log
from hub.web.pages import page, refused_page
from hub.web.printed_log import printed_log
from policies.principal import Principal
from policies.roles import Extent, extent_of
from policies.translog.bundle import Verdict
from policies.translog.note import read_vkey

router = APIRouter(tags=["access log"])

Words = Annotated[str, Query(max_length=QUERY_CHARACTERS_MAX)]
Before = Annotated[int | None, Query(ge=0, lt=1 << 62)]
NAME_CHARACTERS_MAX = 60
CHECKED_AT_ONCE_MAX = 200_000


@router.get("/access-log")
@declare("audit.read", "log")
def access_log_page(request: Request, *, q: Words = "", before: Before = None) -> Response:
    """The newest events that answer to the question, as a page; reading them is an event too."""
    principal = principal_of(request)
    shared = _shared(request, principal, q)
    try:
        with transaction_of(request) as session:
            found = access_log.read_log(
                session, _index(request), q, before=before, principal=principal, audit=trail_of(request)
            )
    except CallerError as refusal:
        return refused_page(request, refusal, name="access_log", found=None, older=None, **shared)
    older = None if found.next_before is None else request.url.include_query_params(before=found.next_before)
    return page(
        request, "access_log", found=found, refusal=None, older=older and f"{older.path}?{older.query}", **shared
    )


@router.post("/access-log/searches")
@declare("audit.read", "search")
def keep_search(request: Request, body: Body) -> Response:
    """Keep the question of the page under a name, or forget one; back to the page."""
    form = parse_qs(body.decode("utf-8", "replace"))
    name, text = _name(form.get("name", [""])[0]), form.get("q", [""])[0]
    principal = principal_of(request)
    with transaction_of(request) as session:
        if form.get("remove"):
            access_log.remove_search(session, name, principal=principal, audit=trail_of(request))
        else:
            access_log.save_search(session, name, text, principal=principal, audit=trail_of(request))
    return RedirectResponse("/access-log", status_code=303)


@router.post("/access-log/check")
@declare("audit.read", "log")
def check_log(request: Request) -> Response:
    """Verify the whole log now, and say what was found."""
    verdict = _checked(request)
    return page(request, "log_check", verdict=verdict)


@router.get("/v1/audit/events")
@declare("audit.read", "log")
def events(
    request: Request, *, q: Words = "", before: Before = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Response:
    """The newest events that answer to the question, with facets; `next_before` asks for the page behind."""
    index = _index(request)
    with transaction_of(request) as session:
        found = access_log.read_log(
            session, index, q, before=before, principal=principal_of(request), audit=trail_of(request), limit=limit
        )
    lines = [{**asdict(line), "time": line.time.isoformat()} for line in found.lines]
    return JSONResponse({**asdict(found), "lines": lines})


@router.get("/v1/audit/export")
@declare("audit.export", "log")
def export(
    request: Request, *, q: Words = "", form: Annotated[str, Query(alias="format", pattern="^(json|csv|pdf)$")] = "json"
) -> Response:
    """What the question finds: CSV for a spreadsheet, JSON with a proof for each event, or PDF. It is an event."""
    index = _index(request)
    if form == "pdf":
        return _printed(request, index, q)
    with transaction_of(request) as session:
        content = access_log.export_found(
            session, index, q, form=form, principal=principal_of(request), audit=trail_of(request)
        )
    media = "application/json" if form == "json" else "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="access-log.{form}"'}
    return Response(content, media_type=media, headers=headers)


def _printed(request: Request, index: LogIndex, q: str) -> Response:
    made_up, principal = hub_of(request).home.synthetic_mark.is_file(), principal_of(request)
    with transaction_of(request) as session:
        extract = access_log.extract_found(
            session, index, q, made_up=made_up, principal=principal, audit=trail_of(request)
        )
    headers = {"Content-Disposition": f'attachment; filename="access-log-{extract.asked_at:%Y-%m-%d}.pdf"'}
    return Response(printed_log(extract), media_type="application/pdf", headers=headers)


@router.get("/v1/audit/searches")
@declare("audit.read", "search")
def searches(request: Request) -> Response:
    """The usual questions and one's own."""
    with transaction_of(request) as session:
        found = access_log.saved_searches(session, principal_of(request))
        append(session, trail_of(request), EventType.AUDIT_READ, resource="searches")
    return JSONResponse({"searches": [{"name": name, "query": query} for name, query in found]})


@router.put("/v1/audit/searches/{name}")
@declare("audit.read", "search")
def put_search(request: Request, name: str, body: Body) -> Response:
    """Keep a question under a name: {"query": ...}."""
    try:
        text = json.loads(body)["query"]
    except (ValueError, RecursionError, LookupError, TypeError):
        text = None
    if not isinstance(text, str):
        raise Invalid("The body is {query}.", code="search-wrong", next_step="Send the question as JSON.",
                      faults=(Fault("query", "search-wrong"),))  # fmt: skip
    with transaction_of(request) as session:
        access_log.save_search(session, _name(name), text, principal=principal_of(request), audit=trail_of(request))
    return Response(status_code=204)


@router.delete("/v1/audit/searches/{name}")
@declare("audit.read", "search")
def delete_search(request: Request, name: str) -> Response:
    """Forget a question of one's own."""
    with transaction_of(request) as session:
        access_log.remove_search(session, _name(name), principal=principal_of(request), audit=trail_of(request))
    return Response(status_code=204)


@router.get("/v1/audit/watch")
@declare("audit.watch", "log")
def watched(request: Request) -> Response:
    """Access that nobody uses, work at night, days with far more than usual; for who reads the whole log."""
    index = _index(request)
    with transaction_of(request) as session:
        found = _noticed(request, session)
        append(session, trail_of(request), EventType.AUDIT_READ, resource="log:watch", counts={"noticed": len(found)})
    told = [{**asdict(one), "day": None if one.day is None else one.day.isoformat()} for one in found]
    return JSONResponse({"events": len(index.seconds()), "noticed": told})


@router.post("/v1/audit/verify")
@declare("audit.read", "log")
def verify(request: Request) -> Response:
    """Verify the whole log now."""
    return JSONResponse(asdict(_checked(request)))


@dataclass(frozen=True)
class _Shared:
    """What the page shows whatever was found."""

    q: str
    kept: list[tuple[str, str]]
    usual: int
    noticed: tuple[watch.Noticed, ...]
    standing: Standing | None
    exports: bool
    whole: bool


def _shared(request: Request, principal: Principal, q: str) -> dict[str, Any]:
    _index(request)
    with reading_of(request) as session:
        whole = Extent.ALL in extent_of("audit.read", principal.roles).values()
        shared = _Shared(
            q=q,
            kept=access_log.saved_searches(session, principal),
            usual=len(access_log.USUAL_SEARCHES),
            noticed=_noticed(request, session) if whole else (),
            standing=_standing(hub_of(request), session),
            exports=access_log.may_export(principal),
            whole=access_log.reads_whole_events(principal),
        )
    return {name: getattr(shared, name) for name in ("q", "kept", "usual", "noticed", "standing", "exports", "whole")}


def _standing(hub: Hub, session: Session) -> Standing | None:
    vkey = hub.facts.get("log_verifier")
    return None if vkey is None else standing(session, policy=witness_policy(session, read_vkey(vkey)))


def _noticed(request: Request, session: Session) -> tuple[watch.Noticed, ...]:
    if Extent.ALL not in extent_of("audit.read", principal_of(request).roles).values():
        raise Refused(rule="R-01")
    index, now = hub_of(request).index, hub_of(request).clock()
    return (
        *watch.dormant(index, present_actors(session), now=now),
        *watch.at_night(index, now=now),
        *watch.unusual(index, now=now),
    )


def _checked(request: Request) -> Verdict:
    hub = hub_of(request)
    access_log.part_of(principal_of(request))
    vkey = hub.facts.get("log_verifier")
    with reading_of(request) as session:
        if head(session)[0] > CHECKED_AT_ONCE_MAX:
            raise Conflict(
                "The log is too long to be checked while you wait.",
                code="log-too-long",
                next_step="Let the operator run promise-hub audit verify, or verify an export yourself.",
            )
        if vkey is None:
            verdict = Verdict(None, 0, 0, None, "the hub was not told the log's key")
        else:
            log = read_vkey(vkey)
            verdict = verify_log(session, Trusted(log, witnesses=tuple(every_witness(session, log).values())))
    with transaction_of(request) as session:
        outcome = {True: "whole", False: "changed", None: "cannot tell"}[verdict.whole]
        append(session, trail_of(request), EventType.AUDIT_VERIFIED, resource="log", outcome=outcome)
    return verdict


def _index(request: Request) -> LogIndex:
    """The log in columns, up to its newest event; read without holding writers up."""
    hub = hub_of(request)
    with reading_of(request) as session:
        hub.index.follow(session)
    return hub.index


def _name(name: str) -> str:
    if not name.strip() or len(name) > NAME_CHARACTERS_MAX:
        raise Invalid(
            "A search needs a name.", code="search-wrong", next_step=f"Use 1 to {NAME_CHARACTERS_MAX} characters.",
            faults=(Fault("name", "search-wrong"),),
        )  # fmt: skip
    return name.strip()
