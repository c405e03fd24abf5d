"""The page of administration: who may come in, which agents run, what waits, and on what the hub stands.

It changes nothing itself. Each of its links leads to the form of an act that two persons must agree on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response

from hub.http import declare, hub_of, principal_of, trail_of, transaction_of
from hub.operations.acts import askable
from hub.operations.doctor import BACKUP_WITHIN
from hub.operations.overview import Overview, read_overview
from hub.operations.unfinished import START
from hub.web.pages import ROLE_WORDS, page
from policies.principal import Role

router = APIRouter(tags=["administration"])

OF_PERSON = {
    "person.sessions": "End sessions and tokens",
    "person.roles": "Change roles",
    "person.reset": "Reset a lost factor",
    "person.remove": "Remove",
}
"""The acts about somebody, in the order in which they are offered: the mildest first."""
PARTS = (
    ("people", "People"), ("agents", "Agents"), ("jobs", "Jobs"), ("epochs", "Epochs"),
    ("organisations", "Organisations"), ("storage", "Storage"), ("versions", "Versions"),
)  # fmt: skip


@dataclass(frozen=True)
class ToDo:
    """One thing that waits for an administrator, where it stands, and what to do."""

    words: str
    path: str
    next_step: str


@router.get("/v1/administration")
@declare("administration.read", "administration")
def overview(request: Request) -> Response:
    """Organisations, people by number, agents, epochs, jobs that are not done, storage in bands, versions."""
    return JSONResponse(jsonable_encoder(asdict(_read(request))))


@router.get("/administration")
@declare("administration.read", "administration")
def show_administration(request: Request) -> Response:
    """The same as a page, with what waits at its top and links to the forms of what may be asked."""
    found, today = _read(request), hub_of(request).clock().date()
    asks = askable(principal_of(request))
    return page(
        request,
        "administration",
        found=found,
        to_do=tuple(to_do(found, today=today)),
        today=today,
        parts=PARTS,
        asks=asks,
        of_person={kind: words for kind, words in OF_PERSON.items() if kind in asks},
        role_words=_role_words,
        ago=_ago,
    )


def to_do(found: Overview, *, today: date) -> Iterator[ToDo]:
    """What waits for an administrator, the most urgent first."""
    stuck = [one for one in found.jobs if one.state == "failed" or one.next_step == START]
    silent = [one for one in found.agents if one.state == "silent"]
    other = [one for one in found.versions if one.differs]
    backed_up = found.storage.backed_up
    if stuck:
        yield ToDo(f"Jobs are stuck: {_kinds(len(stuck))}", "#jobs", "Each says its next step.")
    if found.storage.disk_low:
        yield ToDo("The disk is nearly full", "#storage", "Make room: nothing is lost, but nothing is accepted either.")
    if backed_up is None or today - backed_up > BACKUP_WITHIN:
        yield ToDo("A backup is due", "#storage", "Run promise-hub backup FOLDER daily.")
    if other:
        names = ", ".join(one.name for one in other)
        yield ToDo(f"Not as the program expects: {names}", "#versions", "Run promise-hub doctor, which says how.")
    if silent:
        names = ", ".join(sorted({one.organisation for one in silent}))
        yield ToDo(f"Agents are silent: {names}", "#agents", "Ask the office to let its agent run every day.")
    if found.acts_waiting:
        yield ToDo(f"Acts that wait for a second person: {found.acts_waiting}", "/acts", "They lapse after 72 hours.")


def _read(request: Request) -> Overview:
    hub = hub_of(request)
    with transaction_of(request) as session:
        return read_overview(session, settings=hub.settings, facts=hub.facts, audit=trail_of(request))


def _kinds(count: int) -> str:
    return "one kind" if count == 1 else f"{count} kinds"


def _role_words(roles: tuple[str, ...]) -> str:
    return ", ".join(ROLE_WORDS.get(Role(role), role) for role in roles)


def _ago(day: date, today: date) -> str:
    """How long ago a day was, in words."""
    days = (today - day) // timedelta(days=1)
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
