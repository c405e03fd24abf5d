"""The quality of the linkage that holds, for those who may read it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from hub.audit.events import EventType
from hub.audit.service import append
from hub.errors import NotFound
from hub.http import declare, principal_of, trail_of, transaction_of
from hub.linking import service
from policies.roles import Extent, extent_of

router = APIRouter(prefix="/v1/linkage", tags=["linkage"])


@router.get("/quality")
@declare("linkage.quality", "linkage")
def quality(request: Request) -> Response:
    """Expected precision and recall; a steward reads the pairs of providers that hold her own."""
    principal = principal_of(request)
    with transaction_of(request) as session:
        version = service.current_version(session)
        if version is None:
            raise NotFound()
        run = service.read_run(session, version)
        append(session, trail_of(request), EventType.PAGE_READ, resource=f"linkage:{version}")
    told = dict(run.quality)
    if Extent.ALL not in extent_of("linkage.quality", principal.roles).values():
        own = principal.organisation
        told["by_providers"] = [pair for pair in told["by_providers"] if own in (pair["left"], pair["right"])]
    return JSONResponse({"version": run.version, "submissions": run.submissions, "quality": told})
