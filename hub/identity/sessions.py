"""One's own sessions: which are open, where this one is, and how the others are ended (ASVS 5.0, 7.5.2).

Beside `hub.identity.service`, which opens and checks them. A session is named by the first letters of its hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import NotFound
from hub.identity.service import hash_of
from hub.identity.tables import SignedIn

NAME_LETTERS = 16


@dataclass(frozen=True)
class OpenSession:
    """One session that still holds; `own` is the one that asks."""

    name: str
    begun: datetime
    seen: datetime
    ends: datetime
    provider: str | None
    own: bool


def open_sessions(
    session: Session, person: str, *, secret: str, idle_minutes: int, now: datetime
) -> Sequence[OpenSession]:
    """The sessions of a person that hold, the newest first."""
    rows = session.scalars(
        select(SignedIn)
        .where(SignedIn.person == person, holding(idle_minutes=idle_minutes, now=now))
        .order_by(SignedIn.made_at.desc(), SignedIn.secret_hash)
    )
    asking = hash_of(secret)
    return tuple(
        OpenSession(
            row.secret_hash[:NAME_LETTERS], row.made_at, row.seen_at, row.ends_at, row.provider,
            row.secret_hash == asking,
        )
        for row in rows
    )  # fmt: skip


def end_session(session: Session, person: str, name: str, *, audit: AuditTrail) -> None:
    """End one of a person's own open sessions; another's is answered as absent."""
    now = audit.clock()
    found = [row for row in session.scalars(select(SignedIn).where(_open(person, now))) if _named(row, name)]
    if not found:
        raise NotFound()
    _end(session, found, person, audit=audit)


def end_other_sessions(session: Session, person: str, *, secret: str, audit: AuditTrail) -> int:
    """End all of a person's sessions but the one that asks; how many there were."""
    others = session.scalars(
        select(SignedIn).where(_open(person, audit.clock()), SignedIn.secret_hash != hash_of(secret))
    ).all()
    _end(session, others, person, audit=audit)
    return len(others)


def _end(session: Session, found: Sequence[SignedIn], person: str, *, audit: AuditTrail) -> None:
    for row in found:
        row.ended_at = audit.clock()
    append(session, audit, EventType.SESSIONS_ENDED, resource=f"person:{person}", counts={"sessions": len(found)})


def holding(*, idle_minutes: int, now: datetime) -> ColumnElement[bool]:
    """Whether a session still opens the hub: not ended, not over, and used lately."""
    return _unended(now) & (SignedIn.seen_at > now - timedelta(minutes=idle_minutes))


def _open(person: str, now: datetime) -> ColumnElement[bool]:
    return (SignedIn.person == person) & _unended(now)


def _unended(now: datetime) -> ColumnElement[bool]:
    return SignedIn.ended_at.is_(None) & (SignedIn.ends_at > now)


def _named(row: SignedIn, name: str) -> bool:
    return row.secret_hash[:NAME_LETTERS] == name
