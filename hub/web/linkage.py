"""The pages of linkage: what a steward's office was asked to verify and answered, and how good the links are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, RedirectResponse, Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from hub.audit.events import EventType
from hub.audit.service import append
from hub.errors import NotFound
from hub.http import declare, principal_of, trail_of, transaction_of
from hub.linking import reviews, service
from hub.operations.acts import askable
from hub.release.charts import draw
from hub.release.link_bands import bands_chart, link_bands
from hub.release.linkage_quality import SPREAD_LIMIT, ReleasedQuality, released_quality
from hub.release.service import current_release
from hub.web.pages import page
from policies.catalogue_files import catalogue
from policies.disclosure.types import DEFAULT_RULES
from policies.roles import Extent, extent_of

router = APIRouter(tags=["pages"])


@dataclass(frozen=True)
class LinkageQuality:
    """The run that holds as it expects itself to be, and what the current release tells of it; empty before one."""

    version: int
    submissions: int
    run: dict[str, Any]
    release: str
    released: ReleasedQuality | None


@router.get("/v1/linkage/quality")
@declare("linkage.quality", "linkage")
def quality(request: Request) -> Response:
    """Expected precision and recall, negative controls, and what the release tells; a steward reads her own pairs."""
    with transaction_of(request) as session:
        found = _quality(session, request)
    released = None if found.released is None else asdict(found.released)
    told = {"version": found.version, "submissions": found.submissions, "quality": found.run, "released": released}
    return JSONResponse(told)


@router.get("/v1/linkage/runs")
@declare("linkage.run", "linkage")
def list_runs(request: Request) -> Response:
    """The newest runs: their state, their own expectations, and which of them may be accepted."""
    with transaction_of(request) as session:
        found = service.list_runs(session)
        append(session, trail_of(request), EventType.PAGE_READ, resource="linkage/runs")
    return JSONResponse({"rows": jsonable_encoder([asdict(one) for one in found])})


@router.get("/linkage")
@declare("linkage.quality", "linkage")
def show_quality(request: Request) -> Response:
    """The same as a page, with the runs for those who ask for and approve them."""
    principal = principal_of(request)
    sees_runs = bool(extent_of("linkage.run", principal.roles))
    with transaction_of(request) as session:
        found = _quality(session, request) if service.current_version(session) is not None else None
        runs = service.list_runs(session) if sees_runs else ()
        bands = link_bands(session, found.release) if found is not None and found.release else ()
        if found is None:
            append(session, trail_of(request), EventType.PAGE_READ, resource="linkage:none")
    return page(
        request,
        "linkage",
        found=found,
        spread_limit=SPREAD_LIMIT,
        runs=runs,
        before=next((one.before for one in runs if one.holds), None),
        asks=askable(principal),
        bands=bands,
        chart=Markup(draw(bands_chart(bands))) if bands else "",  # noqa: S704
    )


def _quality(session: Session, request: Request) -> LinkageQuality:
    version = service.current_version(session)
    if version is None:
        raise NotFound()
    run = service.read_run(session, version)
    try:
        release = current_release(session).id
    except NotFound:
        release = ""
    released = released_quality(session, release, catalogue=catalogue()) if release else None
    append(session, trail_of(request), EventType.PAGE_READ, resource=f"linkage:{version}")
    return LinkageQuality(version, run.submissions, _told(request, run.quality), release, released)


def _told(request: Request, quality: Any) -> dict[str, Any]:
    """A run's own expectations; of two providers only where their links are no small count, of others' not to a
    steward. Counts of links stay in the hub."""
    principal = principal_of(request)
    everybody = Extent.ALL in extent_of("linkage.quality", principal.roles).values()
    told = dict(quality)
    told["by_providers"] = [
        {
            "left": pair["left"],
            "right": pair["right"],
            "expected_precision": round(pair["expected_precision"], 3),
            "expected_recall": round(pair["expected_recall"], 3),
        }
        for pair in told.get("by_providers", ())
        if pair["links"] >= DEFAULT_RULES.min_n
        and (everybody or principal.organisation in (pair["left"], pair["right"]))
    ]
    return told


@router.get("/reviews")
@declare("review.read", "review")
def show_reviews(request: Request) -> Response:
    """How many records wait to be verified, and the answers that wait for a second person. No record is shown here."""
    with transaction_of(request) as session:
        lines = reviews.read_list(session, principal=principal_of(request), audit=trail_of(request))
    answered = sum(line.state == "answered" for line in lines)
    return page(request, "reviews", open_lines=len(lines) - answered, answered=answered)


@router.post("/reviews/approve")
@declare("review.approve", "review")
def approve_reviews(request: Request) -> Response:
    """The second person of the office approves the answers that were sent by the edge tool."""
    with transaction_of(request) as session:
        reviews.approve_reviews(session, principal=principal_of(request), audit=trail_of(request))
    return RedirectResponse("/reviews", status_code=303)
