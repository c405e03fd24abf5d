"""Who may ask: people, their one-time links, sessions and tokens.

Secrets are 32 random bytes; only their SHA-256 is stored (they are not guessable, so no slow hash is needed).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Fault, Invalid, NotFound, NotSignedIn
from hub.identity.tables import Agent, Organisation, Person, SignedIn, SignInLink, Token
from policies.passwords import PASSKEY_ROLES
from policies.principal import Principal, Role, RoleError, check_roles

LINK_HOURS = 24
TOKEN_DAYS = 90
TOKEN_NAME_LETTERS = 16
SEEN_EVERY = timedelta(seconds=15)
PERSON_ROLES = frozenset(Role) - {Role.AGENT, Role.OPERATOR, Role.PUBLIC, Role.NEWCOMER}


@dataclass(frozen=True, repr=False)
class Opened:
    """A new session: the cookie's secret, told once, and the secret that its forms must carry."""

    secret: str
    form_secret: str
    person: str
    sets_up: bool = False


@dataclass(frozen=True)
class Known:
    """A session that holds: who it is and the secret its forms must carry; `stale` when its use is to be noted."""

    principal: Principal
    form_secret: str
    proved_at: datetime | None = None
    stale: bool = False


def load_organisations(session: Session, found: Iterable[tuple[str, str]]) -> int:
    """Make the organisations known by (id, kind); how many are new."""
    known = set(session.scalars(select(Organisation.id)))
    new = [Organisation(id=slug, kind=kind) for slug, kind in found if slug not in known]
    session.add_all(new)
    session.flush()
    return len(new)


def add_person(session: Session, *, organisation: str, roles: frozenset[Role], audit: AuditTrail) -> str:
    """A new person of an organisation; the id comes back."""
    _check_person_roles(roles)
    if session.get(Organisation, organisation) is None:
        raise Invalid("No organisation of this name is known.", code="organisation-unknown",
                      faults=(Fault("organisation", "organisation-unknown"),))  # fmt: skip
    person = Person(id=secrets.token_hex(16), organisation=organisation, roles=sorted(roles), added_at=audit.clock())
    session.add(person)
    append(session, audit, EventType.PERSON_ADDED, resource=f"person:{person.id}")
    return person.id


def set_roles(session: Session, person: str, *, roles: frozenset[Role], audit: AuditTrail) -> None:
    """Give a person other roles; sessions and tokens end, so that nothing goes on under the old ones."""
    found = _present(session, person)
    _check_person_roles(roles)
    _check_not_last(session, found, kept=roles)
    found.roles = sorted(roles)
    counts = _end_ways_in(session, person, now=audit.clock())
    append(session, audit, EventType.PERSON_CHANGED, resource=f"person:{person}", counts=counts)


def remove_person(session: Session, person: str, *, audit: AuditTrail) -> None:
    """Somebody left: sessions, links and tokens end at once, for good. Raises Conflict for the last of an office."""
    found = _present(session, person)
    _check_not_last(session, found, kept=frozenset())
    found.removed_at = audit.clock()
    counts = _end_ways_in(session, person, now=audit.clock())
    append(session, audit, EventType.PERSON_REMOVED, resource=f"person:{person}", counts=counts)


def suspend_person(session: Session, person: str, *, until: datetime, audit: AuditTrail) -> None:
    """Let somebody in no more until then: what asking for a removal does at once, before it is approved."""
    found = _present(session, person)
    _check_not_last(session, found, kept=frozenset())
    found.suspended_until = until
    counts = _end_ways_in(session, person, now=audit.clock(), tokens=False)
    append(session, audit, EventType.PERSON_SUSPENDED, resource=f"person:{person}", counts=counts)


def lift_suspension(session: Session, person: str, *, audit: AuditTrail) -> None:
    """Let somebody in again whose removal was declined."""
    found = _present(session, person)
    found.suspended_until = None
    append(session, audit, EventType.PERSON_CHANGED, resource=f"person:{person}")


def end_ways_in(session: Session, person: str, *, audit: AuditTrail) -> dict[str, int]:
    """End every session, unused link and token of a person; how many there were. The event is the caller's."""
    _present(session, person)
    return _end_ways_in(session, person, now=audit.clock())


def end_sessions(session: Session, person: str, *, audit: AuditTrail) -> None:
    """End every session, unused link and token of somebody who stays: what was left open somewhere opens no more."""
    counts = end_ways_in(session, person, audit=audit)
    append(session, audit, EventType.SESSIONS_ENDED, resource=f"person:{person}", counts=counts)


def organisation_of(session: Session, person: str) -> str:
    """Where a present person works; NotFound for anybody else."""
    return _present(session, person).organisation


def make_sign_in_link(session: Session, person: str, *, audit: AuditTrail) -> str:
    """The secret of a link that signs the person in once within LINK_HOURS, without an account."""
    return _make_link(session, person, sets_up=False, code_hash=None, audit=audit)


def make_set_up_link(session: Session, person: str, *, audit: AuditTrail) -> str:
    """The secret of a link that lets the person set up an account, once."""
    return _make_link(session, person, sets_up=True, code_hash=None, audit=audit)


def link_with_code(session: Session, person: str, *, code_hash: str, audit: AuditTrail) -> str:
    """The same, good only together with the code of this hash."""
    return _make_link(session, person, sets_up=True, code_hash=code_hash, audit=audit)


def sign_in(session: Session, secret: str, *, code: str = "", hours: int, audit: AuditTrail) -> Opened:
    """Use a link up and open a session; a link that is unknown, used, late or lacks its code is refused alike."""
    now = audit.clock()
    link = session.execute(
        select(SignInLink)
        .where(SignInLink.secret_hash == hash_of(secret), SignInLink.used_at.is_(None), SignInLink.expires_at > now)
        .with_for_update()
    ).scalar_one_or_none()
    person = session.get(Person, link.person) if link is not None else None
    if link is None or person is None or not _may_come_in(person, now) or not _has_code(link, code):
        raise NotSignedIn(
            "This link signs nobody in.", code="link-used", next_step="Ask the operator for a new sign-in link."
        )
    link.used_at = now
    return open_session(session, person.id, hours=hours, sets_up=link.sets_up, audit=audit)


def open_session(session: Session, person: str, *, hours: int, sets_up: bool = False, audit: AuditTrail) -> Opened:
    """A new session of a person who just showed who it is; one that sets up an account does nothing else."""
    return _open(session, person, hours=hours, proved_at=audit.clock(), sets_up=sets_up, audit=audit)


def open_session_from(
    session: Session, person: str, *, provider: str, proved_at: datetime | None, hours: int, audit: AuditTrail
) -> Opened:
    """A new session of somebody whom an identity provider brought, and when a second factor was shown there."""
    return _open(session, person, hours=hours, proved_at=proved_at, provider=provider, audit=audit)


def _open(
    session: Session,
    person: str,
    *,
    hours: int,
    proved_at: datetime | None,
    sets_up: bool = False,
    provider: str | None = None,
    audit: AuditTrail,
) -> Opened:
    now = audit.clock()
    opened = Opened(new_secret(), new_secret(), person, sets_up)
    session.add(
        SignedIn(
            secret_hash=hash_of(opened.secret), person=person, form_secret=opened.form_secret, made_at=now,
            seen_at=now, ends_at=now + timedelta(hours=hours), proved_at=proved_at, sets_up=sets_up, provider=provider,
        )
    )  # fmt: skip
    versions = {} if provider is None else {"provider": provider}
    append(session, audit, EventType.SIGNED_IN, resource=f"person:{person}", versions=versions)
    return opened


def prove(session: Session, secret: str, *, audit: AuditTrail) -> None:
    """Note that the person of a session just showed the second factor again."""
    session.get_one(SignedIn, hash_of(secret)).proved_at = audit.clock()
    append(session, audit, EventType.SIGN_IN_PROVED, resource=audit.actor)


def may_come_in(session: Session, person: str, *, now: datetime) -> frozenset[Role] | None:
    """The roles of somebody who may come in now; None for anybody else."""
    found = session.get(Person, person)
    return frozenset(Role(role) for role in found.roles) if found is not None and _may_come_in(found, now) else None


def sign_out(session: Session, secret: str, *, audit: AuditTrail) -> str | None:
    """End a session; ending it again is nothing more. The identity provider it came from comes back, if any."""
    found = session.get(SignedIn, hash_of(secret))
    if found is not None and found.ended_at is None:
        found.ended_at = audit.clock()
    append(session, audit, EventType.SIGNED_OUT, resource=audit.actor)
    return None if found is None else found.provider


def provider_of(session: Session, secret: str) -> str | None:
    """The identity provider that a session came from, if any."""
    found = session.get(SignedIn, hash_of(secret))
    return None if found is None else found.provider


def person_of_session(session: Session, secret: str, *, idle_minutes: int, audit: AuditTrail) -> Known | None:
    """Who a session cookie stands for; None when it is unknown, ended, late or idle too long. Changes nothing."""
    found, now = session.get(SignedIn, hash_of(secret)), audit.clock()
    if found is None or found.ended_at is not None or found.ends_at <= now:
        return None
    if found.seen_at + timedelta(minutes=idle_minutes) <= now:
        return None
    person = session.get(Person, found.person)
    if person is None or not _may_come_in(person, now):
        return None
    principal = _principal(person)
    if found.sets_up:
        principal = replace(principal, roles=frozenset({Role.NEWCOMER}))
    return Known(principal, found.form_secret, found.proved_at, stale=found.seen_at + SEEN_EVERY <= now)


def note_seen(session: Session, secret: str, *, now: datetime) -> None:
    """A session was used; to be noted once in SEEN_EVERY, so that a session idles out at most that much sooner."""
    session.execute(update(SignedIn).where(SignedIn.secret_hash == hash_of(secret)).values(seen_at=now))


def make_token(
    session: Session,
    person: str,
    *,
    agreement: str,
    days: int = TOKEN_DAYS,
    until: datetime | None = None,
    audit: AuditTrail,
) -> str:
    """The secret of a read-only token bound to one agreement; it ends with it (`until`) if that is sooner."""
    _present(session, person)
    secret, now = new_secret(), audit.clock()
    ends = now + timedelta(days=days)
    session.add(
        Token(
            secret_hash=hash_of(secret), person=person, agreement=agreement, made_at=now,
            expires_at=ends if until is None else min(ends, until),
        )
    )  # fmt: skip
    append(session, audit.under(agreement=agreement, purpose=None), EventType.TOKEN_MADE, resource=f"person:{person}")
    return secret


def list_tokens(session: Session, person: str) -> Sequence[Token]:
    """The tokens of a person, newest first."""
    return session.scalars(select(Token).where(Token.person == person).order_by(Token.made_at.desc())).all()


def revoke_token(session: Session, person: str, name: str, *, audit: AuditTrail) -> None:
    """End one of a person's own tokens, by the first letters of its hash; another's is answered as absent."""
    found = [token for token in list_tokens(session, person) if token.secret_hash[:TOKEN_NAME_LETTERS] == name]
    if not found:
        raise NotFound()
    found[0].revoked_at = found[0].revoked_at or audit.clock()
    under = audit.under(agreement=found[0].agreement, purpose=None)
    append(session, under, EventType.TOKEN_REVOKED, resource=f"person:{person}")


def person_of_token(session: Session, secret: str, *, audit: AuditTrail) -> Principal | None:
    """Who a bearer token stands for, bound to its agreement, without the roles that decide; None when it does not
    hold."""
    token = session.get(Token, hash_of(secret))
    if token is None or token.revoked_at is not None or token.expires_at <= audit.clock():
        return None
    person = session.get(Person, token.person)
    if person is None or not _may_come_in(person, audit.clock()):
        return None
    principal = _principal(person, agreement=token.agreement)
    return replace(principal, roles=principal.roles - PASSKEY_ROLES)


def present_actors(session: Session) -> dict[str, datetime]:
    """Every person and agent that may come in now, as the log names them, and since when."""
    people = session.execute(select(Person.id, Person.added_at).where(Person.removed_at.is_(None)))
    agents = session.execute(select(Agent.key_id, Agent.registered_at).where(Agent.revoked_at.is_(None)))
    return {f"person:{name}": since for name, since in people} | {f"agent:{name}": since for name, since in agents}


def _make_link(session: Session, person: str, *, sets_up: bool, code_hash: str | None, audit: AuditTrail) -> str:
    _present(session, person)
    secret, now = new_secret(), audit.clock()
    session.add(
        SignInLink(
            secret_hash=hash_of(secret), person=person, made_at=now, expires_at=now + timedelta(hours=LINK_HOURS),
            sets_up=sets_up, code_hash=code_hash,
        )
    )  # fmt: skip
    append(session, audit, EventType.SIGN_IN_LINK_MADE, resource=f"person:{person}")
    return secret


def _has_code(link: SignInLink, code: str) -> bool:
    return link.code_hash is None or secrets.compare_digest(link.code_hash, hash_of(code.strip().upper()))


def _principal(person: Person, *, agreement: str | None = None) -> Principal:
    return Principal(
        f"person:{person.id}", frozenset(Role(role) for role in person.roles), person.organisation, agreement
    )


def _present(session: Session, person: str) -> Person:
    found = session.get(Person, person)
    if found is None or found.removed_at is not None:
        raise NotFound()
    return found


def _may_come_in(person: Person, now: datetime) -> bool:
    return person.removed_at is None and (person.suspended_until is None or person.suspended_until <= now)


def _check_person_roles(roles: frozenset[Role]) -> None:
    if not roles or not roles <= PERSON_ROLES:
        raise Invalid("A person needs one or more of the roles that people hold.", code="role-unknown",
                      faults=(Fault("roles", "role-unknown"),))  # fmt: skip
    try:
        check_roles(roles)
    except RoleError as error:
        raise Conflict("No one is administrator and compliance officer at once.", code="roles-exclude") from error


def _check_not_last(session: Session, person: Person, *, kept: frozenset[Role]) -> None:
    """Without a compliance officer nothing could be approved any more, without an administrator nothing be asked."""
    lost = {Role.COMPLIANCE.value, Role.ADMINISTRATOR.value} & (set(person.roles) - kept)
    others = session.scalars(select(Person).where(Person.id != person.id, Person.removed_at.is_(None))).all()
    for role in sorted(lost):
        if not any(role in other.roles for other in others):
            raise Conflict(
                f"This is the last {role} of the hub.",
                code="last-of-role",
                next_step="Give somebody else the role first.",
            )  # fmt: skip


def _end_ways_in(session: Session, person: str, *, now: datetime, tokens: bool = True) -> dict[str, int]:
    """End every session, link and, unless they are to stay, token of a person; how many there were."""
    open_session = select(SignedIn).where(SignedIn.person == person, SignedIn.ended_at.is_(None))
    open_link = select(SignInLink).where(SignInLink.person == person, SignInLink.used_at.is_(None))
    open_token = select(Token).where(Token.person == person, Token.revoked_at.is_(None))
    sessions, links = session.scalars(open_session).all(), session.scalars(open_link).all()
    held = session.scalars(open_token).all() if tokens else ()
    for opened in sessions:
        opened.ended_at = now
    for link in links:
        link.used_at = now
    for token in held:
        token.revoked_at = now
    return {"sessions": len(sessions), "links": len(links), "tokens": len(held)}


def new_secret() -> str:
    """32 random bytes for a link, session, token or ticket."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """How such a secret is stored."""
    return sha256(secret.encode()).hexdigest()
