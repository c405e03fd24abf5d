"""Local accounts: a name, an Argon2id password and codes that change (RFC 6238); limits on trying.

Unknown names cost and answer the same as wrong passwords. The secret of the codes rests sealed under the API's own
key (AES-256-GCM, bound to the person). The law is in `policies.passwords`.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from urllib.parse import quote

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Fault, Invalid, NotFound, NotSignedIn, TooMany, as_sentence
from hub.identity import service
from hub.identity.sessions import end_other_sessions
from hub.identity.tables import Account, Binding, Passkey, SignInAttempt
from policies.passwords import (
    ADDRESS_ATTEMPTS_MAX,
    ARGON2_ITERATIONS,
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ATTEMPTS_MAX,
    ATTEMPTS_WITHIN,
    PasswordRefused,
    check_name,
    check_password,
    needs_passkey,
)

SECRET_BYTES, NONCE_BYTES, STEP_SECONDS, DIGITS = 20, 12, 30, 6


@dataclass(frozen=True, repr=False)
class Candidate:
    """What a name stands for, before the password was looked at; an unknown name has a stand-in that never fits."""

    person: str
    password: str
    known: bool


def hash_password(password: str) -> str:
    """The Argon2id hash in PHC form."""
    return _argon2(secrets.token_bytes(16)).derive_phc_encoded(password.encode())


def fits(candidate: Candidate, password: str) -> bool:
    """Whether the password is the candidate's; takes as long for an unknown name. To be called outside transactions."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), candidate.password)
    except InvalidKey:
        return False
    return candidate.known


def set_up_account(
    session: Session, person: str, *, name: str, password: str, key: bytes, audit: AuditTrail
) -> tuple[str, str]:
    """Choose name and password; the secret for the codes and its address for an app come back, told once.

    The account serves once a first code was given (`confirm_codes`). Raises Invalid for a weak password, Conflict for
    a name that is taken.
    """
    with _refused_so():
        chosen = check_name(name)
        check_password(password, name=chosen)
    taken = session.execute(select(Account).where(Account.name == chosen)).scalar_one_or_none()
    if taken is not None and (taken.person != person or taken.confirmed_at is not None):
        raise Conflict("This name is taken.", code="name-taken", next_step="Choose another sign-in name.")
    secret = secrets.token_bytes(SECRET_BYTES)
    session.execute(delete(Account).where(Account.person == person))
    session.add(
        Account(
            person=person, name=chosen, password=hash_password(password), codes=_seal(secret, person, key), last_step=0
        )
    )
    append(session, audit, EventType.ACCOUNT_SET_UP, resource=f"person:{person}", outcome="begun")
    told = b32encode(secret).decode()
    label = quote(f"Promise Hub:{chosen}")
    return told, f"otpauth://totp/{label}?secret={told}&issuer=Promise%20Hub&algorithm=SHA1&digits=6&period=30"


def confirm_codes(session: Session, person: str, code: str, *, key: bytes, audit: AuditTrail) -> None:
    """The first code of the app: from now on the account serves."""
    account = session.get(Account, person)
    if account is None:
        raise NotFound()
    if not _takes_code(account, code, key=key, now=audit.clock()):
        raise Invalid("The code does not fit.", code="code-wrong", next_step="Wait for the next code and give it.",
                      faults=(Fault("code", "code-wrong"),))  # fmt: skip
    account.confirmed_at = audit.clock()
    append(session, audit, EventType.ACCOUNT_SET_UP, resource=f"person:{person}")


def candidate_of(session: Session, person: str) -> Candidate:
    """The present password of somebody who is signed in; a stand-in for who has none."""
    account = session.get(Account, person)
    if account is None or account.confirmed_at is None:
        return Candidate("", _STAND_IN, known=False)
    return Candidate(person, account.password, known=True)


def change_password(
    session: Session, person: str, *, present: str, password: str, secret: str, audit: AuditTrail
) -> None:
    """Take another password, once the present one was shown to fit; all of the person's sessions end but the one of
    this secret. Raises Invalid for a weak password and for the same again."""
    account = session.get_one(Account, person)
    with _refused_so():
        check_password(password, name=account.name)
        if password == present:
            raise PasswordRefused("PWD-005", "password", "take another than the present one")
    account.password = hash_password(password)
    end_other_sessions(session, person, secret=secret, audit=audit)
    append(session, audit, EventType.PASSWORD_CHANGED, resource=f"person:{person}")


@contextmanager
def _refused_so() -> Iterator[None]:
    """A name or password that the law refuses, as the refusal of a request."""
    try:
        yield
    except PasswordRefused as error:
        raise Invalid(
            "Name or password do not serve.", code=error.code, next_step=as_sentence(error.next_step),
            faults=[Fault(error.place, error.code)],
        ) from error  # fmt: skip


def check_attempts(session: Session, name: str, *, address: str, now: datetime) -> None:
    """Note an attempt, then raise nothing; TooMany before it when there were too many, whoever the name is."""
    of_name = {_subject("name", name.strip().lower()): ATTEMPTS_MAX}
    _count(session, of_name | {_subject("address", address): ADDRESS_ATTEMPTS_MAX}, now=now)


def check_address(session: Session, address: str, *, now: datetime) -> None:
    """The same for a way in that asks for no name."""
    _count(session, {_subject("address", address): ADDRESS_ATTEMPTS_MAX}, now=now)


def _count(session: Session, limits: dict[str, int], *, now: datetime) -> None:
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - ATTEMPTS_WITHIN))
    for subject, limit in limits.items():
        tried = select(func.count(), func.min(SignInAttempt.at)).where(SignInAttempt.subject == subject)
        count, first = session.execute(tried).one()
        if count >= limit:
            wait = first + ATTEMPTS_WITHIN - now
            raise TooMany(
                "Too many attempts to sign in.", code="sign-in-often", next_step="Wait 15 minutes and try again.",
                retry_after_seconds=max(1, ceil(wait.total_seconds())),
            )  # fmt: skip
    session.add_all(SignInAttempt(subject=subject, at=now) for subject in limits)


def candidate_for(session: Session, name: str) -> Candidate:
    """What a name stands for; for an unknown or unconfirmed one a stand-in."""
    found = session.execute(select(Account).where(Account.name == name.strip().lower())).scalar_one_or_none()
    if found is None or found.confirmed_at is None:
        return Candidate("", _STAND_IN, known=False)
    return Candidate(found.person, found.password, known=True)


def sign_in(
    session: Session, candidate: Candidate, *, fitted: bool, code: str, key: bytes, hours: int, audit: AuditTrail
) -> service.Opened | None:
    """A session for a fitting password and code; None, with the refusal in the log, for everything else alike."""
    account = session.get(Account, candidate.person) if fitted else None
    roles = service.may_come_in(session, candidate.person, now=audit.clock())
    right = account is not None and _takes_code(account, code, key=key, now=audit.clock())
    if account is None or not right or roles is None or needs_passkey(roles):
        append(
            session, audit, EventType.SIGN_IN_REFUSED, resource="account", decision="refused", rule="sign-in",
            outcome="refused",
        )  # fmt: skip
        return None
    session.execute(delete(SignInAttempt).where(SignInAttempt.subject == _subject("name", account.name)))
    return service.open_session(session, account.person, hours=hours, audit=audit)


def refused() -> NotSignedIn:
    """The one answer for an unknown name, a wrong password, a wrong code and somebody who needs a passkey."""
    return NotSignedIn(
        "Name, password and code sign nobody in.", code="sign-in-wrong",
        next_step="Try again, use your passkey, or ask for a new link if you lost a factor.",
    )  # fmt: skip


def prove_by_code(session: Session, person: str, code: str, *, key: bytes, audit: AuditTrail) -> bool:
    """Whether this is a fresh code of the person's app."""
    account = session.get(Account, person)
    return account is not None and _takes_code(account, code, key=key, now=audit.clock())


def reset(session: Session, person: str, *, audit: AuditTrail) -> None:
    """Somebody lost a factor: password, codes and passkeys go, sessions and tokens end; a set-up link begins anew."""
    counts = service.end_ways_in(session, person, audit=audit)
    session.execute(delete(Account).where(Account.person == person))
    session.execute(delete(Passkey).where(Passkey.person == person))
    session.execute(delete(Binding).where(Binding.person == person))
    append(session, audit, EventType.ACCOUNT_RESET, resource=f"person:{person}", counts=counts)


def _takes_code(account: Account, code: str, *, key: bytes, now: datetime) -> bool:
    """Whether a code fits this step or the one before, later than the last one taken; it is used up."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == DIGITS):
        return False
    codes = TOTP(_open(account.codes, account.person, key), DIGITS, hashes.SHA1(), STEP_SECONDS)  # noqa: S303
    step = int(now.timestamp()) // STEP_SECONDS
    for tried in (step, step - 1):
        if tried <= account.last_step:
            continue
        try:
            codes.verify(digits.encode(), tried * STEP_SECONDS)
        except InvalidToken:
            continue
        account.last_step = tried
        return True
    return False


def _argon2(salt: bytes) -> Argon2id:
    return Argon2id(
        salt=salt, length=32, iterations=ARGON2_ITERATIONS, lanes=ARGON2_LANES, memory_cost=ARGON2_MEMORY_KIB
    )


_STAND_IN = (
    f"$argon2id$v=19$m={ARGON2_MEMORY_KIB},t={ARGON2_ITERATIONS},p={ARGON2_LANES}"
    "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def _subject(kind: str, text: str) -> str:
    return service.hash_of(f"{kind}:{text[:200]}")


def _seal(secret: bytes, person: str, key: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, f"codes:{person}".encode())


def _open(sealed: bytes, person: str, key: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], f"codes:{person}".encode())
