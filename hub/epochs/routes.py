"""The ceremony of an epoch over HTTP, for the agents on its roster and for those who watch it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from hub.epochs import service
from hub.errors import Fault, Invalid
from hub.http import Body, declare, hub_of, principal_of, trail_of, transaction_of

router = APIRouter(prefix="/v1/epochs", tags=["epochs"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/present")
@declare("epoch.read", "epoch")
def present(request: Request) -> Response:
    """The epoch that is taken now, and the newest that was proposed."""
    with transaction_of(request) as session:
        latest = service.latest_epoch(session)
        state = service.read_epoch(session, latest, audit=trail_of(request))
        now = service.present_epoch(session, int(hub_of(request).facts["epoch"]))
    return JSONResponse({"present": now, "latest": asdict(state)})


@router.get("/{number}")
@declare("epoch.read", "epoch")
def read(request: Request, number: Number) -> Response:
    """Roster, commitments, who has given a share and who has accepted."""
    with transaction_of(request) as session:
        state = service.read_epoch(session, number, audit=trail_of(request))
    return JSONResponse(asdict(state))


@router.post("/{number}/commitments")
@declare("epoch.take_part", "epoch")
def commit(request: Request, number: Number, body: Body) -> Response:
    """A custodian's signed commitment to its share."""
    return _taken(request, service.commit_share, number, body)


@router.post("/{number}/envelopes")
@declare("epoch.take_part", "epoch")
def leave(request: Request, number: Number, body: Body) -> Response:
    """A custodian's share, sealed to every member of the roster."""
    return _taken(request, service.leave_envelopes, number, body)


@router.get("/{number}/envelopes")
@declare("epoch.take_part", "epoch")
def fetch(request: Request, number: Number) -> Response:
    """The envelopes that were left for the caller."""
    with transaction_of(request) as session:
        found = service.own_envelopes(session, number, principal=principal_of(request), audit=trail_of(request))
    return JSONResponse({"envelopes": found})


@router.post("/{number}/acceptances")
@declare("epoch.take_part", "epoch")
def accept(request: Request, number: Number, body: Body) -> Response:
    """A member's signed word that it opened every share."""
    return _taken(request, service.accept_epoch, number, body)


def _taken(request: Request, act: Callable[..., None], number: int, body: bytes) -> Response:
    with transaction_of(request) as session:
        act(session, number, _read(body), principal=principal_of(request), audit=trail_of(request))
    return Response(status_code=204)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid(
            "The body is no JSON.", code="EPO-001", faults=[Fault("body", "EPO-001")],
            next_step="Make it again with a current edge tool.",
        ) from None  # fmt: skip
