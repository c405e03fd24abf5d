"""The page of voices: partners write what stands beside a number, two persons of other organisations read it first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from hub.errors import CallerError
from hub.http import Body, declare, principal_of, trail_of, transaction_of
from hub.release.voices import service
from hub.release.voices.service import WantedVoice
from hub.release.words import dimension_title, indicator_title
from hub.web.pages import page, refused_page
from policies.indicator_files import dimensions as dimension_files
from policies.indicator_files import indicators
from policies.roles import extent_of
from policies.voices import GUIDANCE, LANGUAGES, REVIEWERS, SPEAKERS, TEXT_MAX

router = APIRouter(tags=["pages"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/voices")
@declare("voice.read", "voice")
def voices_page(request: Request) -> Response:
    """The voices that one may read, with the forms that one may use."""
    return page(request, "voices", **_values(request), refusal=None, told={})


@router.post("/voices")
@declare("voice.write", "voice")
def write(request: Request, body: Body) -> Response:
    """Write a voice; what was written stays in the form when it is not taken."""
    told = _form(body)
    wanted = WantedVoice(
        told.get("indicator", ""), told.get("speaker", ""), told.get("english", ""), told.get("spanish", ""),
        told.get("dimension", ""), told.get("year", ""), agreed=told.get("agreed") == "yes",
    )  # fmt: skip
    return _done(
        request,
        lambda session: service.write_voice(session, wanted, principal=principal_of(request), audit=trail_of(request)),
        told=told,
    )


@router.post("/voices/{number}/approve")
@declare("voice.review", "voice")
def approve(request: Request, number: Number, body: Body) -> Response:
    """Say that a voice may show."""
    declared = _form(body).get("declared") == "yes"
    return _done(
        request,
        lambda session: service.approve_voice(
            session, number, declared=declared, principal=principal_of(request), audit=trail_of(request)
        ),
    )


@router.post("/voices/{number}/decline")
@declare("voice.review", "voice")
def decline(request: Request, number: Number, body: Body) -> Response:
    """Turn a voice down; its words are erased."""
    reason = _form(body).get("reason", "")
    return _done(
        request,
        lambda session: service.decline_voice(
            session, number, reason, principal=principal_of(request), audit=trail_of(request)
        ),
    )


@router.post("/voices/{number}/withdraw")
@declare("voice.withdraw", "voice")
def withdraw(request: Request, number: Number) -> Response:
    """Take a voice back; its words are erased."""
    return _done(
        request,
        lambda session: service.withdraw_voice(
            session, number, principal=principal_of(request), audit=trail_of(request)
        ),
    )


def _done(request: Request, act: Callable[[Session], object], *, told: dict[str, str] | None = None) -> Response:
    try:
        with transaction_of(request) as session:
            act(session)
    except CallerError as refusal:
        return refused_page(request, refusal, name="voices", **_values(request), told=told or {})
    return RedirectResponse("/voices", status_code=303)


def _values(request: Request) -> dict[str, Any]:
    principal = principal_of(request)
    with transaction_of(request) as session:
        found = service.list_voices(session, principal=principal, audit=trail_of(request))
    return {
        "found": [(one, indicator_title(one.indicator)) for one in found],
        "writes": bool(extent_of("voice.write", principal.roles)),
        "indicators": [(name, indicator_title(name)) for name in indicators()],
        "dimensions": [(name, dimension_title(name)) for name in sorted(dimension_files())],
        "dimension_title": dimension_title,
        "speakers": SPEAKERS,
        "languages": LANGUAGES,
        "guidance": GUIDANCE,
        "reviewers": REVIEWERS,
        "text_max": TEXT_MAX,
    }


def _form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace"), max_num_fields=20).items()}
