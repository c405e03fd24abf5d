"""Agreements over the API: the form of their files, the list, a version as data and in words, what changed, days."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from hub.agreements.reading import Version, read_chain, read_versions, version_of
from hub.http import declare, hub_of, principal_of, trail_of, transaction_of
from policies.agreement_dates import calendar_file
from policies.agreement_words import changes, plain_words
from policies.agreements import Agreement, effective, json_schema

router = APIRouter(prefix="/v1/agreements", tags=["agreements"])
Number = Annotated[int, Path(ge=1, le=10_000)]


@router.get("/schema")
@declare("public.read", "agreement schema")
def schema(request: Request) -> Response:
    """The JSON Schema of an agreement file; it tells nothing of anybody, so it leaves no event."""
    return JSONResponse(json_schema(), media_type="application/schema+json")


@router.get("")
@declare("agreement.read", "agreement")
def list_all(request: Request) -> Response:
    """Every version that the caller may read: in force or not, from when to when, and the hash that signatures bind."""
    with transaction_of(request) as session:
        found = read_versions(session, principal=principal_of(request), audit=trail_of(request))
    day = hub_of(request).clock().date()
    holding = {(one.id, one.version) for one in effective([each.agreement for each in found], day)}
    return JSONResponse({"rows": [_row(one, one.agreement.active_on(day), holding) for one in found]})


@router.get("/calendar.ics")
@declare("agreement.read", "agreement")
def calendar(request: Request) -> Response:
    """The days to come of the agreements that the caller may read, as iCalendar (RFC 5545)."""
    with transaction_of(request) as session:
        found = read_versions(session, principal=principal_of(request), audit=trail_of(request))
    newest = {one.agreement.id: one.agreement for one in found}
    text = calendar_file(newest.values(), made_at=hub_of(request).clock())
    headers = {"Content-Disposition": 'attachment; filename="agreements.ics"'}
    return Response(text.encode("ascii"), media_type="text/calendar; charset=utf-8", headers=headers)


@router.get("/{agreement}")
@declare("agreement.read", "agreement")
def chain(request: Request, agreement: str) -> Response:
    """The versions of one agreement, oldest first, each with the hash of its text and of the one before it."""
    found = _chain(request, agreement)
    before = [None, *(one.text_hash for one in found)]
    rows = [{**_told(one), "before_text_hash": last} for one, last in zip(found, before, strict=False)]
    return JSONResponse({"agreement": agreement, "versions": rows})


@router.get("/{agreement}/versions/{number}")
@declare("agreement.read", "agreement")
def one_version(request: Request, agreement: str, number: Number) -> Response:
    """One version whole, as data."""
    found = version_of(_chain(request, agreement), number)
    return JSONResponse({**_told(found), "content": _content(found.agreement)})


@router.get("/{agreement}/versions/{number}/words")
@declare("agreement.read", "agreement")
def words(request: Request, agreement: str, number: Number) -> Response:
    """One version in plain words, as Markdown."""
    found = version_of(_chain(request, agreement), number)
    return PlainTextResponse(plain_words(found.agreement), media_type="text/markdown; charset=utf-8")


@router.get("/{agreement}/versions/{number}/changes")
@declare("agreement.read", "agreement")
def what_changed(request: Request, agreement: str, number: Number, since: Annotated[int, Query(ge=1)] = 1) -> Response:
    """What differs between an earlier version and this one, one place a row."""
    found = _chain(request, agreement)
    before, after = version_of(found, since), version_of(found, number)
    rows = [
        {"place": one.place, "before": one.before, "after": one.after}
        for one in changes(before.agreement, after.agreement)
    ]
    return JSONResponse({"agreement": agreement, "since": since, "version": number, "rows": rows})


def _chain(request: Request, agreement: str) -> list[Version]:
    with transaction_of(request) as session:
        return list(read_chain(session, agreement, principal=principal_of(request), audit=trail_of(request)))


def _row(one: Version, in_days: bool, holding: set[tuple[str, int]]) -> dict[str, Any]:
    told = _told(one)
    told["in_force"] = in_days and (one.agreement.id, one.agreement.version) in holding
    return told


def _told(one: Version) -> dict[str, Any]:
    agreement = one.agreement
    return {
        "agreement": agreement.id,
        "version": agreement.version,
        "tier": agreement.tier,
        "title": agreement.title,
        "parties": sorted(party.organisation for party in agreement.parties),
        "purposes": [purpose.id for purpose in agreement.purposes],
        "effective": agreement.retention.effective.isoformat(),
        "expires": agreement.retention.expires.isoformat(),
        "text_hash": one.text_hash,
        "activated_at": one.activated_at.isoformat(timespec="seconds"),
    }


def _content(agreement: Agreement) -> dict[str, Any]:
    content: dict[str, Any] = agreement.model_dump(mode="json", by_alias=True, exclude_none=True)
    return content
