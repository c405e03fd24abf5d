"""Tables of who may ask: organisations, people, their sign-ins and tokens, and the agents with their nonces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class Organisation(Base):
    """A member of the partnership, by its slug."""

    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))


class Person(Base):
    """Somebody who works with the hub; never a student. `roles` are policies.principal.Role values."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    suspended_until: Mapped[datetime | None]


class SignInLink(Base):
    """A link that signs a person in once; only the hash of its secret is kept."""

    __tablename__ = "sign_in_links"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    sets_up: Mapped[bool] = mapped_column(default=False)
    code_hash: Mapped[str | None] = mapped_column(String(64))


class SignedIn(Base):
    """A session of a person, by the hash of its cookie."""

    __tablename__ = "sessions"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    form_secret: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    proved_at: Mapped[datetime | None]
    sets_up: Mapped[bool] = mapped_column(default=False)
    provider: Mapped[str | None] = mapped_column(String(40))


class Account(Base):
    """How a person signs in by name: Argon2id of the password, and the sealed secret of the codes that change."""

    __tablename__ = "accounts"

    person: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password: Mapped[str] = mapped_column(String(200))
    codes: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    confirmed_at: Mapped[datetime | None]


class Passkey(Base):
    """A passkey's public half, by its credential id in base64url."""

    __tablename__ = "passkeys"

    credential: Mapped[str] = mapped_column(String(1400), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]


class PasskeyChallenge(Base):
    """A challenge that a passkey is asked to sign, once, within minutes; by the hash of its ticket."""

    __tablename__ = "passkey_challenges"

    ticket_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    challenge: Mapped[bytes]
    person: Mapped[str | None] = mapped_column(String(32))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Binding(Base):
    """Who a subject of an identity provider is here, by the hash of issuer and subject; two persons said so."""

    __tablename__ = "sign_in_bindings"

    subject_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    bound_at: Mapped[datetime]


class ProviderVisit(Base):
    """Somebody was sent to an identity provider and may come back once, with the same browser, within minutes.

    Of a session that is to prove a second factor its hash stands here: its cookie is not sent with the answer.
    """

    __tablename__ = "provider_visits"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    session: Mapped[str | None] = mapped_column(String(64))
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInAttempt(Base):
    """An attempt to sign in, by the hash of the name that was given or of the address it came from."""

    __tablename__ = "sign_in_attempts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Invitation(Base):
    """What an approved act lets its asker hand over: a set-up link, good only with the code that the approver tells."""

    __tablename__ = "invitations"

    act: Mapped[int] = mapped_column(ForeignKey("acts.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    link_made_at: Mapped[datetime | None]


class Token(Base):
    """A person's token for programs: read-only, bound to one agreement; only its hash is kept."""

    __tablename__ = "tokens"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    agreement: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Agent(Base):
    """An edge agent's public Ed25519 key, base64; it sends for its organisation alone."""

    __tablename__ = "agents"

    key_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    public_key: Mapped[str] = mapped_column(String(64))
    registered_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RequestNonce(Base):
    """A signed request that was taken: its nonce is remembered until its signature is too old to hold."""

    __tablename__ = "request_nonces"

    key_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    forget_at: Mapped[datetime] = mapped_column(index=True)


class ActRow(Base):
    """A dangerous act that somebody asked for: its payload, the hash that binds approvers, and what became of it."""

    __tablename__ = "acts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    organisations: Mapped[list[str]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    why: Mapped[str] = mapped_column(String(400))
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime]
    asked_sequence: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10), index=True)
    settled_by: Mapped[str | None] = mapped_column(String(120))
    settled_at: Mapped[datetime | None]


class ActApproval(Base):
    """One person's approval of an act, in one role, and the event that says so."""

    __tablename__ = "act_approvals"

    act: Mapped[int] = mapped_column(ForeignKey("acts.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    person: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64))
    approved_at: Mapped[datetime]
    sequence: Mapped[int | None] = mapped_column(BigInteger)
