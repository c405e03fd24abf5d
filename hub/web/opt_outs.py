"""Objections of families: an office's edge tool records them and takes them back; the officer reads the list."""

from __future__ import annotations

import json
import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from hub.errors import Fault, Invalid
from hub.http import Body, declare, principal_of, trail_of, transaction_of
from hub.submissions.opt_outs import Listed, list_opt_outs, record_opt_out, withdraw_opt_out
from hub.web.pages import page
from policies.opt_outs import SCOPE_WORDS, OptOutScope

router = APIRouter(tags=["opt-outs"])
RECORD, WITHDRAW = "record", "withdraw"
_REFERENCE = re.compile(r"[0-9a-f]{32}")


@router.post("/v1/opt-outs")
@declare("opt_out.record", "opt-out")
def tell(request: Request, body: Body) -> Response:
    """Record or take back an objection against use of one's own record: `{reference, scope, word}`."""
    reference, scope, word = _told(body)
    act = record_opt_out if word == RECORD else withdraw_opt_out
    with transaction_of(request) as session:
        since = act(session, reference, scope, principal=principal_of(request), audit=trail_of(request))
    return JSONResponse({"scope": scope.value, "word": word, "since": since.isoformat(timespec="seconds")})


@router.get("/v1/opt-outs")
@declare("opt_out.read", "opt-out")
def list_all(request: Request) -> Response:
    """Which objections were recorded, by office, scope and day; never whose."""
    return JSONResponse({"rows": [_row(one) for one in _listed(request)]})


@router.get("/opt-outs")
@declare("opt_out.read", "opt-out")
def show(request: Request) -> Response:
    """The same as a page."""
    return page(request, "opt_outs", found=_listed(request), words=SCOPE_WORDS)


def _listed(request: Request) -> list[Listed]:
    with transaction_of(request) as session:
        return list(list_opt_outs(session, principal=principal_of(request), audit=trail_of(request)))


def _row(one: Listed) -> dict[str, str | None]:
    return {
        "organisation": one.provider,
        "scope": one.scope.value,
        "recorded_at": one.recorded_at.isoformat(timespec="seconds"),
        "withdrawn_at": None if one.withdrawn_at is None else one.withdrawn_at.isoformat(timespec="seconds"),
    }


def _told(body: bytes) -> tuple[str, OptOutScope, str]:
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    told = told if isinstance(told, dict) else {}
    reference, scope, word = (told.get(name) for name in ("reference", "scope", "word"))
    if not isinstance(reference, str) or _REFERENCE.fullmatch(reference) is None:
        raise _wrong("reference", "Tell it with promise-edge opt-out, which makes the reference from a local number.")
    if not isinstance(scope, str) or scope not in {one.value for one in OptOutScope}:
        raise _wrong("scope", f"Say one of: {', '.join(one.value for one in OptOutScope)}.")
    if word not in (RECORD, WITHDRAW):
        raise _wrong("word", f"Say {RECORD} or {WITHDRAW}.")
    return reference, OptOutScope(scope), str(word)


def _wrong(place: str, next_step: str) -> Invalid:
    return Invalid(
        "An objection is told by reference, scope and word.", code="opt-out-wrong", next_step=next_step,
        faults=[Fault(place, "opt-out-wrong")],
    )  # fmt: skip
