"""The errors of the hub, under every folder of it.

    HubError                    500  something of ours failed
    ├── SettingError            500  the hub cannot start as it is set up
    ├── StoreError              500  stored bytes are missing or were changed
    ├── Unavailable             503  try again later; nothing was done
    └── CallerError             400  the caller can put it right
        ├── NotSignedIn         401  who asks is not known
        ├── Refused             403  who asks is known and may not
        ├── NotFound            404  absent, or hidden from the caller: one answer for both
        ├── MethodWrong         405  the address takes other methods
        ├── Conflict            409  it does not fit the present state
        ├── TooLarge            413  more than the limit
        ├── Invalid             422  what was sent does not keep the form
        └── TooMany             429  too often

A class carries its HTTP status, a stable code and the next step. An instance may name a narrower code.
No error names a value of a record: place and rule only.
"""

# ruff: noqa: N818  (the names say the answer, as HTTP does; the root says that it is an error)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One fault inside what was sent: where it is and which rule it breaks, never the value."""

    at: str
    code: str
    rule: str = ""


class HubError(Exception):
    """The root; an answer made of it tells code, next step and faults.

    `versions` are the agreements that a decision read: for the log alone, never for the answer.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "The hub could not do this"
    code: str = "hub-error"
    next_step: str = "Tell the operator the request id; the log names the place."

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        next_step: str = "",
        faults: Sequence[Fault] = (),
        rule: str = "",
        versions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or self.code
        self.next_step = next_step or self.next_step
        self.faults = tuple(faults)
        self.rule = rule
        self.versions = dict(versions or {})


class SettingError(HubError):
    """A setting, key or folder is missing or wrong; the start stops."""

    title = "The hub is not set up for this"
    code = "setting-wrong"
    next_step = "Run promise-hub init HOME, or mend the setting that is named."


class StoreError(HubError):
    """A stored file is missing, or its bytes do not open under its key and name."""

    title = "A stored file is missing or was changed"
    code = "store-damaged"
    next_step = "Run promise-hub audit verify, then restore the file from a backup."


class Unavailable(HubError):
    """A needed part does not answer now; nothing was done."""

    status = 503
    title = "Not available just now"
    code = "unavailable"
    next_step = "Try again in a minute."


class CallerError(HubError):
    """The caller can put it right."""

    status = 400
    title = "The request cannot be answered as it is"
    code = "request-wrong"
    next_step = "Correct the request and send it again."


class NotSignedIn(CallerError):
    """No signature, session or bearer token, or one that does not hold."""

    status = 401
    title = "Who asks is not known"
    code = "not-signed-in"
    next_step = "Sign in, or sign the request with a registered agent key."


class Refused(CallerError):
    """The decision said no; `rule` names which rule did."""

    status = 403
    title = "Not permitted"
    code = "refused"
    next_step = "Your roles or your agreements do not cover this: ask your administrator which do."


class NotFound(CallerError):
    """Absent, or hidden from the caller: both get this answer, byte for byte."""

    status = 404
    title = "Not found"
    code = "not-found"
    next_step = "Check the address; what you may not see is answered the same way."


class MethodWrong(CallerError):
    """The address is there and takes other methods, which the answer names."""

    status = 405
    title = "This address takes another method"
    code = "method-wrong"
    next_step = "Use a method that `Allow` names."


class Conflict(CallerError):
    """The request does not fit the present state of what it names."""

    status = 409
    title = "Not possible in the present state"
    code = "conflict"
    next_step = "Read the present state and decide again."


class TooLarge(CallerError):
    """More bytes or rows than the limit."""

    status = 413
    title = "Too large"
    code = "too-large"
    next_step = "Split it below the limit that is named."


class Invalid(CallerError):
    """What was sent does not keep the form."""

    status = 422
    title = "What was sent does not keep the form"
    code = "invalid"
    next_step = "Correct the places that are named and send it again."


class TooMany(CallerError):
    """Too many requests of one caller."""

    status = 429
    title = "Too many requests"
    code = "too-many"
    next_step = "Wait a minute and try again."

    def __init__(
        self, detail: str = "", *, code: str = "", next_step: str = "", retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail, code=code, next_step=next_step)
        self.retry_after_seconds = retry_after_seconds


def as_sentence(words: str) -> str:
    """A next step of `policies`, which begins small and ends without a point, as an answer tells it."""
    return f"{words[:1].upper()}{words[1:]}."
