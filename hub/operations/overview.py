"""What an administrator keeps in order: organisations, people, agents, epochs, jobs, storage and versions.

It tells of the people who work with the hub and of its machines, never of a child: no count that grows with records,
no size in bytes, no name of a submission. Reading it is an event.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.audit.tables import Detail
from hub.epochs.service import present_epoch
from hub.epochs.tables import Epoch, EpochAcceptance
from hub.identity.sessions import holding
from hub.identity.tables import Account, Agent, Binding, Organisation, Passkey, Person, SignedIn, Token
from hub.identity.two_persons import waiting_acts
from hub.operations.machine import Storage, Version, read_storage, read_versions
from hub.operations.unfinished import Unfinished, unfinished_jobs
from hub.settings import Settings
from policies.epochs import read_roster

AGENT_SILENT_AFTER = timedelta(days=7)
"""An agent visits the log every day (docs/log.md); one that was silent for so long does not run."""
LEFT_SHOWN = timedelta(days=90)


@dataclass(frozen=True)
class OrganisationLine:
    """A member of the partnership: how many people and agents act for it now."""

    id: str
    kind: str
    people: int
    agents: int


@dataclass(frozen=True)
class PersonLine:
    """Somebody who works with the hub, by number; the day of the last sign-in, None where there was none."""

    id: str
    organisation: str
    roles: tuple[str, ...]
    state: str
    last_signed_in: date | None
    signed_in_now: bool
    tokens: int
    here: bool


@dataclass(frozen=True)
class AgentLine:
    """A program at the edge: whose it is, the fingerprint of its key as OpenSSH writes one, when it last asked."""

    key_id: str
    organisation: str
    fingerprint: str
    state: str
    registered_on: date
    last_seen: datetime | None


@dataclass(frozen=True)
class EpochLine:
    """One epoch of the linkage secret, and which members have not accepted it."""

    number: int
    state: str
    roster: str
    accept_by: datetime
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """All of it, as of one moment."""

    organisations: tuple[OrganisationLine, ...]
    people: tuple[PersonLine, ...]
    agents: tuple[AgentLine, ...]
    present_epoch: int
    epochs: tuple[EpochLine, ...]
    jobs: tuple[Unfinished, ...]
    storage: Storage
    versions: tuple[Version, ...]
    acts_waiting: int


def read_overview(session: Session, *, settings: Settings, facts: Mapping[str, str], audit: AuditTrail) -> Overview:
    """The overview as of now; reading it is an event."""
    now = audit.clock()
    people = _people(session, idle_minutes=settings.session_idle_minutes, now=now)
    agents = _agents(session, now=now)
    found = Overview(
        organisations=_organisations(session, people, agents=agents),
        people=people,
        agents=agents,
        present_epoch=present_epoch(session, int(facts.get("epoch", 0))),
        epochs=tuple(_epoch(session, row) for row in session.scalars(select(Epoch).order_by(Epoch.number.desc()))),
        jobs=tuple(unfinished_jobs(session, now=now)),
        storage=read_storage(session, settings),
        versions=tuple(read_versions(session, facts)),
        acts_waiting=waiting_acts(session, now=now),
    )
    append(session, audit, EventType.ADMINISTRATION_READ, resource="administration")
    return found


def _organisations(
    session: Session, people: Sequence[PersonLine], *, agents: Sequence[AgentLine]
) -> tuple[OrganisationLine, ...]:
    here = [one.organisation for one in people if one.here]
    acting = [one.organisation for one in agents if one.state != "revoked"]
    rows = session.scalars(select(Organisation).order_by(Organisation.id))
    return tuple(OrganisationLine(row.id, row.kind, here.count(row.id), acting.count(row.id)) for row in rows)


def _people(session: Session, *, idle_minutes: int, now: datetime) -> tuple[PersonLine, ...]:
    rows = session.scalars(select(Person).where((Person.removed_at.is_(None)) | (Person.removed_at > now - LEFT_SHOWN)))
    last = _last_sign_ins(session)
    ways = _with_a_way_in(session)
    signed_in = set(session.scalars(select(SignedIn.person).where(holding(idle_minutes=idle_minutes, now=now))))
    held = select(Token.person, func.count()).where(Token.revoked_at.is_(None), Token.expires_at > now)
    tokens = {row[0]: row[1] for row in session.execute(held.group_by(Token.person))}
    lines = [
        PersonLine(
            id=row.id, organisation=row.organisation, roles=tuple(row.roles),
            state=_state(row, row.id in ways or row.id in last, now=now), last_signed_in=last.get(row.id),
            signed_in_now=row.id in signed_in, tokens=tokens.get(row.id, 0), here=row.removed_at is None,
        )
        for row in rows
    ]  # fmt: skip
    return tuple(sorted(lines, key=lambda one: (not one.here, one.organisation, one.roles, one.id)))


def _state(person: Person, came: bool, *, now: datetime) -> str:
    if person.removed_at is not None:
        return "left"
    if person.suspended_until is not None and person.suspended_until > now:
        return "barred: a removal is asked for"
    return "may come in" if came else "has not set up an account"


def _last_sign_ins(session: Session) -> dict[str, date]:
    """By person the day of the newest sign-in, as the log has it: a session's own row is deleted later."""
    found = session.execute(
        select(Detail.resource, func.max(Detail.time))
        .where(Detail.event == EventType.SIGNED_IN.value)
        .group_by(Detail.resource)
    )
    return {resource.removeprefix("person:"): time.date() for resource, time in found}


def _with_a_way_in(session: Session) -> set[str]:
    confirmed = select(Account.person).where(Account.confirmed_at.is_not(None))
    ways = (confirmed, select(Passkey.person), select(Binding.person))
    return {person for way in ways for person in session.scalars(way)}


def _agents(session: Session, *, now: datetime) -> tuple[AgentLine, ...]:
    rows = session.scalars(select(Agent).order_by(Agent.organisation, Agent.key_id)).all()
    seen = _last_seen(session, [f"agent:{row.key_id}" for row in rows])
    return tuple(
        AgentLine(
            key_id=row.key_id, organisation=row.organisation, fingerprint=fingerprint(row.public_key),
            state=_agent_state(row, seen.get(f"agent:{row.key_id}"), now=now), registered_on=row.registered_at.date(),
            last_seen=seen.get(f"agent:{row.key_id}"),
        )
        for row in rows
    )  # fmt: skip


def fingerprint(public_key: str) -> str:
    """SHA-256 of a public key given in base64, written as OpenSSH writes one."""
    return "SHA256:" + b64encode(sha256(b64decode(public_key)).digest()).decode().rstrip("=")


def _agent_state(agent: Agent, seen: datetime | None, *, now: datetime) -> str:
    if agent.revoked_at is not None:
        return "revoked"
    if seen is None:
        return "has never asked"
    return "silent" if now - seen > AGENT_SILENT_AFTER else "runs"


def _last_seen(session: Session, actors: Sequence[str]) -> dict[str, datetime]:
    """By actor the time of its newest event, found by numbers, which the index of actors holds."""
    newest = select(func.max(Detail.sequence)).where(Detail.actor.in_(actors)).group_by(Detail.actor)
    numbers = list(session.scalars(newest))
    found = session.execute(select(Detail.actor, Detail.time).where(Detail.sequence.in_(numbers)))
    return {row[0]: row[1] for row in found}


def _epoch(session: Session, row: Epoch) -> EpochLine:
    accepted = set(session.scalars(select(EpochAcceptance.organisation).where(EpochAcceptance.epoch == row.number)))
    members = [member.organisation for member in read_roster(json.loads(row.roster)).roster.members]
    state = "being agreed" if row.begun_at is None else f"began {row.begun_at:%Y-%m-%d}"
    missing = tuple(sorted(set(members) - accepted))
    return EpochLine(row.number, state, row.digest[:16], row.accept_by, missing)
