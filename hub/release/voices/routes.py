"""The voices that stand beside an indicator, over HTTP: read by everybody, written on the page alone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from hub.http import declare, trail_of, transaction_of
from hub.release.asking import check_indicator
from hub.release.voices.service import Voice, shown_voices
from policies.catalogue_files import catalogue

router = APIRouter(prefix="/v1/voices", tags=["voices"])


@router.get("")
@declare("public.read", "voice")
def read_voices(request: Request, indicator: Annotated[str, Query(max_length=64)]) -> Response:
    """What partners, families and young people say beside an indicator; each was read by two persons."""
    check_indicator(indicator, catalogue=catalogue())
    with transaction_of(request) as session:
        found = shown_voices(session, indicator, audit=trail_of(request))
    return JSONResponse({"rows": [voice_row(one) for one in found]})


def voice_row(found: Voice) -> dict[str, Any]:
    """A voice in the form of an answer."""
    return {
        "id": found.id,
        "indicator": found.indicator,
        "dimension": found.dimension,
        "year": found.year,
        "speaker": found.speaker,
        "texts": dict(found.texts),
        "through": found.organisation,
    }
