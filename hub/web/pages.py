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
from hub.languages import message
from hub.web.form_tokens import with_token
from hub.web.speaking import speaking_to
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
    """One entry of the navigation, shown to those whose roles may open it; `about` says what it is."""

    path: str
    words: str
    action: str
    about: str = ""


PLACES = (
    Place(
        "/report",
        message("Report card"),
        "public.read",
        message("Seven milestones, their gaps, and the pace to 2028"),
    ),
    Place(
        "/evidence", message("Evidence"), "public.read", message("What was kept or improved, and which gaps narrowed")
    ),
    Place(
        "/explorer",
        message("Explorer"),
        "public.read",
        message("Ask one protected table: indicator, split, years"),
    ),
    Place(
        "/pathway",
        message("Pathway"),
        "public.read",
        message("One class of kindergartners, or a preschool’s children, through the seven outcomes"),
    ),
    Place(
        "/link-quality",
        message("Links"),
        "public.read",
        message("How well records are linked, and for whom"),
    ),
    Place("/definitions", message("Definitions"), "public.read", message("Who is counted, and how")),
    Place("/submissions", "Submissions", "submission.read", "What you sent, what was found, what to do next"),
    Place("/requests", "Requests", "table.request", "Further tables: asked, commented, decided"),
    Place("/voices", "Voices", "voice.read", "What partners, families and youth say beside the numbers"),
    Place("/reviews", "Records to verify", "review.read", "Our own records that somebody should look at again"),
    Place("/linkage", "Linkage", "linkage.quality", "How good the links are, and for whom"),
    Place("/agreements", "Agreements", "agreement.register", "What is in force, until when, and what went out"),
    Place("/disclosures", "Disclosures", "disclosure.read", "Who received results made with an office's records"),
    Place("/opt-outs", "Objections", "opt_out.read", "Which families have objected, and against what"),
    Place("/acts", "Two persons", "act.read", "What one person asked and others approve"),
    Place("/administration", "Administration", "administration.read", "People, agents, epochs, jobs, storage"),
    Place("/account", "Account", "account.read", "Ways in, proof of who you are, tokens"),
    Place("/access-log", "Access log", "audit.read", "Who did what, when, under which agreement"),
)


def places_for(principal: Principal) -> tuple[Place, ...]:
    """The pages that a person's roles may open, in the order of the navigation."""
    return tuple(place for place in PLACES if extent_of(place.action, principal.roles))


SCRIPT_POLICY = f"{POLICY}; script-src 'self'; connect-src 'self'"
"""For the pages of passkeys and of the upload: a browser offers both to scripts alone. The scripts are ours."""


def page(request: Request, name: str, *, status: int = 200, policy: str = POLICY, **values: object) -> HTMLResponse:
    """A page of the frame for whoever asks, in the language that they ask for where the page speaks it."""
    principal = principal_of(request)
    speaking = speaking_to(request, name)
    html = (
        _environment()
        .get_template(f"{name}.html")
        .render(
            speaking=speaking,
            say=speaking.language.say,
            say_many=speaking.language.say_many,
            number=speaking.language.number,
            to=speaking.to,
            places=places_for(principal),
            path=request.url.path,
            made_up=hub_of(request).home.synthetic_mark.is_file(),
            who=None if principal == ANONYMOUS else who_words(principal),
            **values,
        )
    )
    token = getattr(request.state, "form_secret", None)
    html = html if token is None else with_token(html, token)
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": policy, **speaking.headers()})


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
            versions=error.versions,
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
        auto_reload=False,
    )
    environment.filters["plain_json"] = lambda value: json.dumps(value, indent=1)
    return environment
