"""Dangerous acts that need two persons: the page and the API on which they are asked, approved and declined."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from hub.errors import CallerError, Fault, Invalid
from hub.http import Body, check_proved, declare, hub_of, principal_of, trail_of, transaction_of
from hub.identity import two_persons
from hub.identity.invitations import make_invited_link
from hub.identity.two_persons import Waiting
from hub.operations import acts
from hub.web.form_tokens import without_token
from hub.web.pages import page, refused_page
from policies.two_persons import ACTS

router = APIRouter(tags=["acts"])
FIELD_WORDS = {
    "person": "Person, by number",
    "roles": "Roles, commas between: steward, partner, compliance, administrator, signatory",
    "organisation": "Organisation, by its short name",
    "agent": "Agent, by the name of its key",
    "key": "Public key, base64",
    "proof": "Proof that its holder gave it, base64",
    "agreement": "Agreement, by its id",
    "version": "Version, a number",
    "release": "Release, by its id",
    "issuer": "Address of the identity provider",
    "subject": "Subject, as the provider tells it",
}
"""What to write into the fields of acts; a test holds that none is missing."""
NOTHING_FILLED: Mapping[str, str] = {}
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/v1/acts")
@declare("act.read", "act")
def list_acts(request: Request) -> Response:
    """The dangerous acts that the caller may read, newest first."""
    with transaction_of(request) as session:
        found = two_persons.list_acts(session, principal=principal_of(request), audit=trail_of(request))
        rows = [_row(act, acts.shown_changes(session, act)) for act in found]
    return JSONResponse({"rows": rows})


@router.post("/v1/acts")
@declare("act.ask", "act")
def ask(request: Request, body: Body) -> Response:
    """Ask for an act: `{kind, fields: {...}, why}`; others approve it within 72 hours."""
    check_proved(request)
    told = _object(body)
    fields = told.get("fields", {})
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise _wrong("fields")
    with transaction_of(request) as session:
        number = acts.ask(
            session, _text(told, "kind"), fields, why=_text(told, "why"), principal=principal_of(request),
            audit=trail_of(request),
        )  # fmt: skip
    return JSONResponse({"act": number}, status_code=201)


@router.get("/v1/acts/{number}")
@declare("act.read", "act")
def show(request: Request, number: Number) -> Response:
    """One act: what is asked, who approved, who is missing."""
    with transaction_of(request) as session:
        found = two_persons.read_act(session, number, principal=principal_of(request), audit=trail_of(request))
        row = _row(found, acts.shown_changes(session, found))
    return JSONResponse(row)


@router.post("/v1/acts/{number}/approve")
@declare("act.approve", "act")
def approve(request: Request, number: Number, body: Body) -> Response:
    """Approve the act of this hash: `{payload_sha256}`; nobody approves an act of their own."""
    check_proved(request)
    digest = _text(_object(body), "payload_sha256")
    with transaction_of(request) as session:
        found, code = acts.approve(
            session, number, digest=digest, principal=principal_of(request), audit=trail_of(request)
        )
    told = {"missing": list(found.missing)}
    return JSONResponse(told if code is None else {**told, "code": code})


@router.post("/v1/acts/{number}/decline")
@declare("act.read", "act")
def decline(request: Request, number: Number) -> Response:
    """Turn an act down, or take one's own back."""
    _decline(request, number)
    return Response(status_code=204)


@router.get("/acts")
@declare("act.read", "act")
def acts_page(request: Request, kind: str = "") -> Response:
    """What waits for a second person, and the forms of what one may ask for; an address may fill fields in."""
    filled = {name: value[: acts.FIELD_MAX] for name, value in request.query_params.items() if name in FIELD_WORDS}
    return page(request, "acts", refusal=None, **_values(request, kind, filled=filled))


@router.post("/acts")
@declare("act.ask", "act")
def ask_on_page(request: Request, body: Body) -> Response:
    """Ask for an act."""
    told = without_token(_form(body))
    kind, why = told.pop("kind", ""), told.pop("why", "")
    try:
        check_proved(request)
        with transaction_of(request) as session:
            number = acts.ask(session, kind, told, why=why, principal=principal_of(request), audit=trail_of(request))
    except CallerError as refusal:
        return refused_page(request, refusal, name="acts", **_values(request, kind, filled={**told, "why": why}))
    return RedirectResponse(f"/acts#act-{number}", status_code=303)


@router.post("/acts/{number}/approve")
@declare("act.approve", "act")
def approve_on_page(request: Request, number: Number, body: Body) -> Response:
    """Approve what the page showed."""
    digest = _form(body).get("digest", "")
    try:
        check_proved(request)
        with transaction_of(request) as session:
            _, code = acts.approve(
                session, number, digest=digest, principal=principal_of(request), audit=trail_of(request)
            )
    except CallerError as refusal:
        return refused_page(request, refusal, name="acts", **_values(request))
    if code is not None:
        return page(request, "acts", refusal=None, **{**_values(request), "told": ("Code", code)})
    return RedirectResponse("/acts", status_code=303)


@router.post("/acts/{number}/link")
@declare("act.ask", "act")
def make_link(request: Request, number: Number) -> Response:
    """The set-up link of a person that the caller asked to add or reset; shown once."""
    try:
        check_proved(request)
        with transaction_of(request) as session:
            secret = make_invited_link(session, number, principal=principal_of(request), audit=trail_of(request))
    except CallerError as refusal:
        return refused_page(request, refusal, name="acts", **_values(request))
    link = f"{hub_of(request).settings.own_url()}/sign-in?link={secret}"
    return page(request, "acts", refusal=None, **{**_values(request), "told": ("Link", link)})


@router.post("/acts/{number}/decline")
@declare("act.read", "act")
def decline_on_page(request: Request, number: Number) -> Response:
    """Turn an act down, or take one's own back."""
    try:
        _decline(request, number)
    except CallerError as refusal:
        return refused_page(request, refusal, name="acts", **_values(request))
    return RedirectResponse("/acts", status_code=303)


def _decline(request: Request, number: int) -> None:
    principal, audit = principal_of(request), trail_of(request)
    with transaction_of(request) as session:
        act = two_persons.read_act(session, number, principal=principal, audit=audit)
        acts.decline(session, act, principal=principal, audit=audit)


def _values(request: Request, kind: str = "", *, filled: Mapping[str, str] = NOTHING_FILLED) -> dict[str, Any]:
    principal = principal_of(request)
    with transaction_of(request) as session:
        found = two_persons.list_acts(session, principal=principal, audit=trail_of(request))
        changed = {act.id: acts.shown_changes(session, act) for act in found}
    kinds = acts.askable(principal)
    chosen = kind if kind in kinds else ""
    return {
        "found": found,
        "changed": changed,
        "kinds": [(name, ACTS[name].words) for name in kinds],
        "chosen": chosen,
        "fields": [(name, FIELD_WORDS[name]) for name in acts.PERFORMERS[chosen].fields] if chosen else [],
        "filled": filled,
        "me": principal.actor,
        "told": None,
    }


def _row(act: Waiting, changes: list[str]) -> dict[str, Any]:
    return {
        "act": act.id,
        "kind": act.kind,
        "words": act.words,
        "payload": dict(act.payload),
        "payload_sha256": act.digest,
        "changes": changes,
        "organisations": list(act.organisations),
        "why": act.why,
        "asked_by": act.asked_by,
        "asked_at": act.asked_at.isoformat(timespec="seconds"),
        "holds_until": act.holds_until.isoformat(timespec="seconds"),
        "state": act.state,
        "approved": [{"role": role, "person": person} for role, person in act.approved],
        "missing": list(act.missing),
        "may_approve": act.may_approve,
    }


def _form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise _wrong("body") from None
    if not isinstance(told, dict):
        raise _wrong("body")
    return told


def _text(told: dict[str, Any], name: str) -> str:
    if not isinstance(told.get(name), str):
        raise _wrong(name)
    return str(told[name])


def _wrong(place: str) -> Invalid:
    return Invalid(
        "The body is not of the form that is taken here.", code="ACT-012", faults=[Fault(place, "ACT-012")],
        next_step="Send a JSON object with the fields of docs/people.md.",
    )  # fmt: skip
