"""Server-rendered pages: one frame, one style sheet, no script, a strict policy; everything works without scripts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from hub.audit.events import EventType
from hub.audit.service import append
from hub.errors import CallerError, HubError
from hub.http import hub_of, principal_of, trail_of, transaction_of
from policies.principal import ANONYMOUS, Principal, Role
from policies.roles import extent_of

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
ROLE_WORDS: Mapping[Role, str] = {
    Role.STEWARD: "data steward",
    Role.PARTNER: "partner analyst",
    Role.COMPLIANCE: "compliance officer",
    Role.ADMINISTRATOR: "administrator",
    Role.SIGNATORY: "signatory",
}


@dataclass(frozen=True)
class Place:
    """One entry of the navigation, shown to those whose roles may open it."""

    path: str
    words: str
    action: str


PLACES = (
    Place("/report", "Report card", "public.read"),
    Place("/explorer", "Explorer", "public.read"),
    Place("/pathway", "Pathway", "public.read"),
    Place("/definitions", "Definitions", "public.read"),
    Place("/submissions", "Submissions", "submission.read"),
    Place("/requests", "Requests", "table.request"),
    Place("/voices", "Voices", "voice.read"),
    Place("/reviews", "Records to verify", "review.read"),
    Place("/linkage", "Linkage", "linkage.quality"),
    Place("/agreements", "Agreements", "agreement.register"),
    Place("/opt-outs", "Objections", "opt_out.read"),
    Place("/acts", "Two persons", "act.read"),
    Place("/account", "Account", "account.read"),
    Place("/access-log", "Access log", "audit.read"),
)


def places_for(principal: Principal) -> tuple[Place, ...]:
    """The pages that a person's roles may open, in the order of the navigation."""
    return tuple(place for place in PLACES if extent_of(place.action, principal.roles))


SCRIPT_POLICY = f"{POLICY}; script-src 'self'; connect-src 'self'"
"""For the pages of passkeys and of the upload: a browser offers both to scripts alone. The scripts are ours."""


def page(request: Request, name: str, *, status: int = 200, policy: str = POLICY, **values: object) -> HTMLResponse:
    """A page of the frame for whoever asks."""
    principal = principal_of(request)
    html = (
        _environment()
        .get_template(f"{name}.html")
        .render(
            places=places_for(principal),
            path=request.url.path,
            made_up=hub_of(request).home.synthetic_mark.is_file(),
            who=None if principal == ANONYMOUS else who_words(principal),
            **values,
        )
    )
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": policy})


def error_page(request: Request, error: HubError) -> HTMLResponse:
    """What went wrong and what to do next, in words; the event is the caller's."""
    return page(request, "error", status=error.status, error=error)


def refused_page(request: Request, error: CallerError, *, name: str, **values: Any) -> HTMLResponse:
    """The same page with the refusal in words, once the refusal is logged."""
    with transaction_of(request) as session:
        append(
            session,
            trail_of(request),
            EventType.REQUEST_REFUSED,
            resource=request.url.path[:200],
            decision="refused",
            rule=error.rule or error.code,
            outcome="refused",
        )
    return page(request, name, status=error.status, refusal=error, **values)


def who_words(principal: Principal) -> str:
    """The roles and the organisation of a signed-in person, in words; no name is known to the hub."""
    roles = [words for role, words in ROLE_WORDS.items() if role in principal.roles]
    return ", ".join([*roles, principal.organisation or "no organisation"])


def passkey_script() -> str:
    """The script that asks the browser for a passkey."""
    return resources.files("hub.web").joinpath("static", "passkey.js").read_text("utf-8")


def upload_script() -> str:
    """The script that sends a submission file piece by piece."""
    return resources.files("hub.web").joinpath("static", "upload.js").read_text("utf-8")


def style_sheet() -> str:
    """The one style sheet."""
    return resources.files("hub.web").joinpath("static", "hub.css").read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hub.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain_json"] = lambda value: json.dumps(value, indent=1)
    return environment
