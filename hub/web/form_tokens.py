"""The token that binds each form to its session, beside the checks of where a request comes from.

Every page that a session is shown carries the session's token in each form that changes something, and once for our
scripts; a change by a session without it is refused (OWASP ASVS 5.0, 3.5.1). Works without scripts. The forms for
signing in stand before any session: for them the checks of Origin and Sec-Fetch-Site hold alone.
"""

from __future__ import annotations

import re
import secrets
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import parse_qs

from fastapi import Request

from hub.errors import Refused
from hub.http import declaration_of

FIELD, HEADER = "form_token", "x-form-token"
BEFORE_SESSIONS = "session.open"
_FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')


def check_form_token(request: Request, body: bytes, *, token: str) -> None:
    """Raises Refused unless a change by a session carries its token, in the form or in the header."""
    declared = declaration_of(request.scope.get("endpoint"))
    if declared is not None and declared.action == BEFORE_SESSIONS:
        return
    shown = request.headers.get(HEADER) or _of_form(request.headers.get("content-type", ""), body)
    if not secrets.compare_digest(shown.encode(), token.encode()):
        raise Refused(
            "This form is not of your present session.", code="form-token", rule="form-token",
            next_step="Open the page again and send it from there.",
        )  # fmt: skip


def with_token(html: str, token: str) -> str:
    """A page whose every changing form carries the token, and its head for scripts."""
    field = f'<input type="hidden" name="{FIELD}" value="{token}">'
    return _FORM.sub(lambda found: found[0] + field, html).replace(
        "</head>", f'<meta name="form-token" content="{token}">\n</head>', 1
    )


def without_token(told: dict[str, str]) -> dict[str, str]:
    """The fields of a form that a person filled in."""
    return {name: value for name, value in told.items() if name != FIELD}


def _of_form(kind: str, body: bytes) -> str:
    if kind.startswith("multipart/form-data"):
        form = message_from_bytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body, policy=HTTP)
        parts = [part for part in form.iter_parts() if part.get_param("name", header="content-disposition") == FIELD]
        found = parts[0].get_payload(decode=True) if len(parts) == 1 else b""
        return found.decode("ascii", "replace").strip() if isinstance(found, bytes) else ""
    if kind.startswith("application/x-www-form-urlencoded"):
        return parse_qs(body.decode("utf-8", "replace")).get(FIELD, [""])[0]
    return ""
