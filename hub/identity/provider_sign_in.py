"""Signing in by an identity provider: somebody is sent there, comes back, and is who two persons bound beforehand.

Nobody is known by an e-mail address and nobody gets an account by coming. Whatever is wrong gets one answer; the log
says which rule it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, NotSignedIn
from hub.identity import service
from hub.identity.oidc import Shown, Visit
from hub.identity.tables import Binding, ProviderVisit, SignedIn
from policies.passwords import needs_passkey

VISIT_MINUTES = 10


@dataclass(frozen=True)
class Sent:
    """A visit that may come back: to which provider, when, and the hash of the session it is to prove, if any."""

    provider: str
    sent_at: datetime
    session: str | None


def send(session: Session, provider: str, *, proving: str | None = None, audit: AuditTrail) -> Visit:
    """Remember that somebody goes to this provider, to sign in or, with the secret of a session, to prove a factor."""
    visit, now = Visit(service.new_secret()), audit.clock()
    session.execute(delete(ProviderVisit).where(ProviderVisit.expires_at <= now))
    session.add(
        ProviderVisit(
            state_hash=service.hash_of(visit.state), provider=provider, sent_at=now,
            session=None if proving is None else service.hash_of(proving),
            expires_at=now + timedelta(minutes=VISIT_MINUTES),
        )
    )  # fmt: skip
    append(session, audit, EventType.SIGN_IN_SENT, resource=f"provider:{provider}")
    return visit


def come_back(session: Session, provider: str, visit: Visit, state: str, *, audit: AuditTrail) -> Sent | None:
    """Use a visit up; None for one that is unknown, used, late, of another provider or of another browser."""
    found = session.get(ProviderVisit, service.hash_of(visit.state)) if state == visit.state else None
    if found is None or found.provider != provider or found.expires_at <= audit.clock():
        return None
    session.delete(found)
    return Sent(provider, found.sent_at, found.session)


def sign_in(session: Session, sent: Sent, shown: Shown, *, hours: int, audit: AuditTrail) -> service.Opened | None:
    """A session of whoever the subject is bound to; None, with the refusal in the log, for everybody else."""
    person = _bound_to(session, shown)
    roles = None if person is None else service.may_come_in(session, person, now=audit.clock())
    if person is None or roles is None or needs_passkey(roles):
        refuse(session, sent.provider, rule="OIDC-009", audit=audit)
        return None
    return service.open_session_from(
        session, person, provider=sent.provider, proved_at=shown.proved_at, hours=hours, audit=audit
    )


def prove(session: Session, sent: Sent, shown: Shown, *, audit: AuditTrail) -> bool:
    """Note that the person of the session that began the visit showed a factor at the provider; False if another."""
    found = None if sent.session is None else session.get(SignedIn, sent.session)
    holds = found is not None and found.ended_at is None and found.ends_at > audit.clock()
    if found is None or not holds or found.provider != sent.provider or _bound_to(session, shown) != found.person:
        refuse(session, sent.provider, rule="OIDC-009", audit=audit)
        return False
    found.proved_at = shown.proved_at
    append(session, audit, EventType.SIGN_IN_PROVED, resource=f"person:{found.person}")
    return True


def refuse(session: Session, provider: str, *, rule: str, audit: AuditTrail) -> None:
    """The event of a way in that was refused; the rule stands in the log alone."""
    append(
        session, audit, EventType.SIGN_IN_REFUSED, resource=f"provider:{provider}", decision="refused", rule=rule,
        outcome="refused",
    )  # fmt: skip


def refused() -> NotSignedIn:
    """The one answer for every reason."""
    return NotSignedIn(
        "The identity provider's answer signs nobody in.", code="provider-refused",
        next_step="Begin anew on the page for signing in; if it stays so, ask your administrator to bind your account.",
    )  # fmt: skip


def bind(session: Session, person: str, *, issuer: str, subject: str, audit: AuditTrail) -> None:
    """From now on this subject of the issuer is this person; Conflict for one that is somebody already."""
    service.organisation_of(session, person)
    name = _subject_hash(issuer, subject)
    if session.get(Binding, name) is not None:
        raise Conflict(
            "This subject is bound already.", code="subject-bound", next_step="Reset the person it is bound to first."
        )
    session.add(Binding(subject_hash=name, person=person, bound_at=audit.clock()))
    append(session, audit, EventType.PERSON_BOUND, resource=f"person:{person}")


def _bound_to(session: Session, shown: Shown) -> str | None:
    found = session.get(Binding, _subject_hash(shown.issuer, shown.subject))
    return None if found is None else found.person


def _subject_hash(issuer: str, subject: str) -> str:
    return service.hash_of(f"{issuer}\0{subject}")
