"""Tells an office by e-mail or webhook what became of its submission, and that an agreement of its ends soon: state,
next step, owner, code; never a value.

A message is a job, enqueued in the transaction that changed the state, so that it is sent if and only if that holds.
Addresses are set by the operator's command. A webhook is signed as agents sign (RFC 9421, Ed25519), so that whoever
receives it can tell that it came from this hub.
"""

from __future__ import annotations

import json
import secrets
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database
from hub.errors import Fault, Invalid, NotFound, Unavailable
from hub.identity.tables import Organisation
from hub.jobs import Outcome, Ticket, enqueue
from hub.settings import KEY_BYTES, Home, Settings, write_key
from hub.submissions.status import NEXT_STEPS, OWNERS
from hub.submissions.tables import HELD, MessageAddress, Submission
from policies.holds import HOLDS
from policies.signing import Message, sign_request

SEND = "message.send"
EMAIL, WEBHOOK = "email", "webhook"
CHANNELS = (EMAIL, WEBHOOK)
KEY_ID = "hub:messages"
TIMEOUT_SECONDS = 20.0
ADDRESS_CHARACTERS_MAX = 300
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class MessageDesk:
    """What the messenger works with: the database, the settings, and the key that signs webhooks where there is one."""

    database: Database
    clock: Clock
    settings: Settings
    key: Ed25519PrivateKey | None


def add_address(session: Session, organisation: str, channel: str, address: str, *, audit: AuditTrail) -> int:
    """From now on the organisation is told there; the same again is the same address. Raises Invalid, NotFound."""
    if session.get(Organisation, organisation) is None:
        raise NotFound()
    _check_address(channel, address)
    found = session.scalars(_present(organisation).where(MessageAddress.address == address)).first()
    if found is not None:
        return int(found.id)
    row = MessageAddress(organisation=organisation, channel=channel, address=address, added_at=audit.clock())
    session.add(row)
    session.flush()
    append(session, audit, EventType.MESSAGE_ADDRESS_ADDED, resource=f"message-address:{row.id}")
    return row.id


def remove_address(session: Session, number: int, *, audit: AuditTrail) -> None:
    """Nothing more is sent there, what waits neither; raises NotFound."""
    row = session.get(MessageAddress, number)
    if row is None or row.removed_at is not None:
        raise NotFound()
    row.removed_at = audit.clock()
    append(session, audit, EventType.MESSAGE_ADDRESS_REMOVED, resource=f"message-address:{number}")


def tell(session: Session, submission: Submission, *, code: str, audit: AuditTrail) -> None:
    """Have every address of the provider told of the state that the submission has now."""
    for address in session.scalars(_present(submission.provider)):
        payload = {"address": address.id, "submission": submission.id, "state": submission.state, "code": code}
        key = f"{SEND}:{address.id}:{submission.id}:{submission.state}"
        enqueue(session, SEND, key=key, payload=payload, now=audit.clock())


def tell_of_agreement(
    session: Session, organisation: str, agreement: str, *, version: int, ends: date, within_days: int, now: datetime
) -> int:
    """Have every address of a party told that an agreement ends soon; how many there are."""
    found = session.scalars(_present(organisation)).all()
    for address in found:
        payload = {
            "address": address.id, "agreement": agreement, "version": version, "ends": ends.isoformat(),
            "within_days": within_days,
        }  # fmt: skip
        key = f"{SEND}:{address.id}:{agreement}:{version}:{within_days}"
        enqueue(session, SEND, key=key, payload=payload, now=now)
    return len(found)


def send_job(desk: MessageDesk) -> Callable[[Ticket], Outcome]:
    """Sends one message; what cannot be sent is tried again by the job's own rule, and then left."""

    def send(ticket: Ticket) -> Outcome:
        with desk.database.reading() as session:
            address = session.get_one(MessageAddress, int(ticket.payload["address"]))
            if "agreement" in ticket.payload:
                subject, told = _of_agreement(address.organisation, ticket.payload, desk.settings)
            else:
                submission = session.get_one(Submission, str(ticket.payload["submission"]))
                subject, told = _of_submission(submission, ticket.payload, desk.settings)
            channel, where, wanted = address.channel, address.address, address.removed_at is None
        if wanted:
            _SENDERS[channel](desk, where, subject, told)
        return Outcome(lambda session: _record(session, ticket, desk, sent=wanted))

    return send


def webhook_key(home: Home) -> Ed25519PrivateKey:
    """The key that signs webhooks; made when it is first asked for."""
    path = home.key_file("messenger", "webhook.key")
    if not path.exists():
        write_key(path, secrets.token_bytes(KEY_BYTES))
    return Ed25519PrivateKey.from_private_bytes(home.key("messenger", "webhook.key"))


def public_half(key: Ed25519PrivateKey) -> str:
    """Base64 of the 32 bytes with which a receiver checks."""
    return b64encode(key.public_key().public_bytes_raw()).decode()


def _of_agreement(organisation: str, payload: Mapping[str, Any], settings: Settings) -> tuple[str, dict[str, Any]]:
    """Subject and content of a warning: what ends when, and what to do."""
    agreement, days = str(payload["agreement"]), int(payload["within_days"])
    return f"Promise Hub: agreement {agreement} ends within {days} days", {
        "provider": organisation,
        "agreement": agreement,
        "version": int(payload["version"]),
        "ends": str(payload["ends"]),
        "within_days": days,
        "next_step": "Agree on a new version, or let it end: all use stops by itself, and what was given is destroyed.",
        "owner": "provider",
        "page": f"{settings.own_url()}/agreements",
    }


def _of_submission(
    submission: Submission, payload: Mapping[str, Any], settings: Settings
) -> tuple[str, dict[str, Any]]:
    """Subject and content of what became of a submission."""
    state, code = str(payload["state"]), str(payload["code"])
    step = HOLDS[code] if state == HELD and code in HOLDS else NEXT_STEPS[state]
    return f"Promise Hub: {submission.kind} {submission.school_year} is {state}", {
        "provider": submission.provider,
        "kind": submission.kind,
        "school_year": submission.school_year,
        "submission": submission.id,
        "state": state,
        "code": code,
        "next_step": step,
        "owner": OWNERS[state],
        "page": f"{settings.own_url()}/submissions/{submission.id}",
    }


def _record(session: Session, ticket: Ticket, desk: MessageDesk, *, sent: bool) -> None:
    if sent:
        trail = AuditTrail("messenger", None, ticket.key[:64], SEND, desk.clock)
        append(session, trail, EventType.MESSAGE_SENT, resource=f"message-address:{ticket.payload['address']}")


def _send_email(desk: MessageDesk, address: str, subject: str, told: Mapping[str, Any]) -> None:
    settings = desk.settings
    if not settings.smtp_host:
        raise Unavailable("No mail server is set.", code="mail-not-set")
    message = EmailMessage()
    message["From"], message["To"] = settings.smtp_sender, address
    message["Subject"] = subject
    message["Date"] = desk.clock()
    message["Message-ID"] = make_msgid(domain="promise-hub.invalid")
    message.set_content("".join(f"{name.replace('_', ' ')}: {value}\n" for name, value in told.items() if value != ""))
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS) as server:
            if settings.smtp_host not in _LOOPBACK:
                server.starttls(context=ssl.create_default_context(cafile=settings.smtp_ca_file or None))
            if settings.smtp_user:
                server.login(settings.smtp_user, _password(settings))
            server.send_message(message)
    except (OSError, smtplib.SMTPException):
        raise Unavailable("The mail server did not take the message.", code="mail-refused") from None


def _password(settings: Settings) -> str:
    return Path(settings.smtp_password_file).read_text("utf-8").strip()


def _send_webhook(desk: MessageDesk, address: str, _subject: str, told: Mapping[str, Any]) -> None:
    import httpx

    if desk.key is None:
        raise Unavailable("There is no key to sign webhooks with.", code="webhook-key-missing")
    body = json.dumps(dict(told), sort_keys=True).encode()
    nonce = secrets.token_urlsafe(16)
    signed = sign_request(Message("POST", address), body, key=desk.key, key_id=KEY_ID, nonce=nonce, now=desk.clock())
    headers = {"Content-Type": "application/json", **signed}
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client:
            response = client.post(address, content=body, headers=headers)
    except httpx.HTTPError:
        response = None
    if response is None or not response.is_success:
        raise Unavailable("The webhook did not take the message.", code="webhook-refused")


_SENDERS: Mapping[str, Callable[[MessageDesk, str, str, Mapping[str, Any]], None]] = {
    EMAIL: _send_email,
    WEBHOOK: _send_webhook,
}


def _present(organisation: str) -> Any:
    return select(MessageAddress).where(
        MessageAddress.organisation == organisation, MessageAddress.removed_at.is_(None)
    )


def _check_address(channel: str, address: str) -> None:
    plain = address.isprintable() and " " not in address and len(address) <= ADDRESS_CHARACTERS_MAX
    parts = urlsplit(address) if plain else None
    if channel == EMAIL:
        held = plain and address.count("@") == 1 and not any(sign in address for sign in ",;<>\"'()[]")
    else:
        secure = parts is not None and (parts.scheme == "https" or parts.hostname in _LOOPBACK)
        held = secure and parts is not None and bool(parts.hostname) and parts.username is None
    if channel not in CHANNELS or not held:
        raise Invalid(
            "The address has not the right form.", code="message-address", faults=[Fault("address", "message-address")],
            next_step="Give one e-mail address, or one https address for a webhook.",
        )  # fmt: skip
