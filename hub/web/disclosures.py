"""The record of disclosures: as a page to read and print, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from hub.http import declare, hub_of, principal_of, trail_of, transaction_of
from hub.release.disclosure_record import Disclosure, as_csv, disclosure_record
from hub.web.pages import page

router = APIRouter(tags=["disclosures"])
Name = Annotated[str, Query(max_length=40, pattern=r"^[A-Za-z0-9-]*$")]


@router.get("/v1/disclosures")
@declare("disclosure.read", "disclosure record")
def as_json(request: Request, office: Name = "", agreement: Name = "") -> Response:
    """Who received results made with an office's records: by release, recipient, agreement and purpose."""
    return JSONResponse({"rows": [asdict(line) for line in _record(request, office, agreement)]})


@router.get("/v1/disclosures.csv")
@declare("disclosure.read", "disclosure record")
def as_table(request: Request, office: Name = "", agreement: Name = "") -> Response:
    """The same as CSV."""
    headers = {"Content-Disposition": 'attachment; filename="disclosures.csv"'}
    text = as_csv(_record(request, office, agreement))
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/disclosures")
@declare("disclosure.read", "disclosure record")
def show(request: Request, office: Name = "", agreement: Name = "") -> Response:
    """The same as a page that prints."""
    lines = _record(request, office, agreement)
    day = hub_of(request).clock().date()
    return page(request, "disclosures", lines=lines, office=office, agreement=agreement, day=day)


def _record(request: Request, office: str, agreement: str) -> Sequence[Disclosure]:
    with transaction_of(request) as session:
        return disclosure_record(
            session, office=office, agreement=agreement, principal=principal_of(request), audit=trail_of(request)
        )
