"""Passkeys (WebAuthn level 3): registered while an account is set up, then the way in for those who decide.

The library `webauthn` verifies; a challenge is used up whatever came of it. User verification is required, so that a
passkey alone is two factors. Discoverable credentials, so that no name is asked and none can be guessed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Fault, Invalid
from hub.identity import service
from hub.identity.tables import Passkey, PasskeyChallenge

CHALLENGE_MINUTES = 5
PASSKEYS_MAX = 10


@dataclass(frozen=True)
class Site:
    """The address that passkeys are bound to."""

    origin: str

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, repr=False)
class Asked:
    """A challenge for the browser and the ticket that its answer must carry."""

    options: dict[str, Any]
    ticket: str


def ask_new(session: Session, person: str, *, site: Site, audit: AuditTrail) -> Asked:
    """Options to make a passkey for somebody who sets up an account."""
    held = session.scalars(select(Passkey.credential).where(Passkey.person == person)).all()
    options = generate_registration_options(
        rp_id=site.host, rp_name="Promise Hub", user_name="Promise Hub", user_id=bytes.fromhex(person),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(name)) for name in held],
    )  # fmt: skip
    ticket = _keep(session, options.challenge, person=person, audit=audit)
    return Asked(json.loads(options_to_json(options)), ticket)


def add_passkey(
    session: Session, person: str, ticket: str, credential: dict[str, Any], *, site: Site, audit: AuditTrail
) -> None:
    """Keep a passkey that answers this person's own challenge; raises Invalid otherwise."""
    challenge = _take(session, ticket, person=person, audit=audit)
    try:
        made = verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=site.host, expected_origin=site.origin,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _wrong() from error
    name = bytes_to_base64url(made.credential_id)
    held = session.scalars(select(Passkey.credential).where(Passkey.person == person)).all()
    if session.get(Passkey, name) is not None or len(held) >= PASSKEYS_MAX:
        raise Conflict("This passkey is known already, or there are too many.", code="passkey-known")
    session.add(
        Passkey(
            credential=name, person=person, public_key=made.credential_public_key, sign_count=made.sign_count,
            added_at=audit.clock(),
        )
    )  # fmt: skip
    append(session, audit, EventType.PASSKEY_ADDED, resource=f"person:{person}", counts={"passkeys": len(held) + 1})


def ask_sign_in(session: Session, *, site: Site, audit: AuditTrail) -> Asked:
    """Options to sign in: the same for everybody, no name is asked."""
    options = generate_authentication_options(rp_id=site.host, user_verification=UserVerificationRequirement.REQUIRED)
    ticket = _keep(session, options.challenge, person=None, audit=audit)
    return Asked(json.loads(options_to_json(options)), ticket)


def person_of_answer(
    session: Session, ticket: str, credential: dict[str, Any], *, site: Site, audit: AuditTrail
) -> str | None:
    """Whose passkey answered the challenge; None, with the refusal in the log, for everything else alike."""
    try:
        challenge = _take(session, ticket, person=None, audit=audit)
        held = session.get(Passkey, str(credential.get("id"))[:1400])
        if held is not None:
            shown = verify_authentication_response(
                credential=credential, expected_challenge=challenge, expected_rp_id=site.host,
                expected_origin=site.origin, credential_public_key=held.public_key,
                credential_current_sign_count=held.sign_count, require_user_verification=True,
            )  # fmt: skip
            held.sign_count = shown.new_sign_count
            if service.may_come_in(session, held.person, now=audit.clock()) is not None:
                return held.person
    except (Invalid, WebAuthnException, ValueError, KeyError, TypeError):
        pass
    append(
        session, audit, EventType.SIGN_IN_REFUSED, resource="passkey", decision="refused", rule="sign-in",
        outcome="refused",
    )  # fmt: skip
    return None


def passkeys_of(session: Session, person: str) -> int:
    """How many passkeys somebody has."""
    return len(session.scalars(select(Passkey.credential).where(Passkey.person == person)).all())


def _keep(session: Session, challenge: bytes, *, person: str | None, audit: AuditTrail) -> str:
    ticket, now = service.new_secret(), audit.clock()
    session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))
    session.add(
        PasskeyChallenge(
            ticket_hash=service.hash_of(ticket), challenge=challenge, person=person,
            expires_at=now + timedelta(minutes=CHALLENGE_MINUTES),
        )
    )  # fmt: skip
    append(session, audit, EventType.PASSKEY_ASKED, resource="passkey" if person is None else f"person:{person}")
    return ticket


def _take(session: Session, ticket: str, *, person: str | None, audit: AuditTrail) -> bytes:
    found = session.get(PasskeyChallenge, service.hash_of(ticket))
    if found is None or found.person != person or found.expires_at <= audit.clock():
        raise _wrong()
    session.delete(found)
    return found.challenge


def _wrong() -> Invalid:
    return Invalid("The passkey does not answer.", code="passkey-wrong", next_step="Begin anew on the same page.",
                   faults=(Fault("credential", "passkey-wrong"),))  # fmt: skip
