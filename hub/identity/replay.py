"""Remembers the nonces of signed requests in the database, so that none is taken twice, not even after a restart.

RFC 9421 section 7.2.2: a signature is good for `WINDOW_SECONDS` either side of the hub's clock, so a nonce is kept
for twice that time, and then no longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.identity.tables import RequestNonce
from policies.signing import WINDOW_SECONDS

KEPT = timedelta(seconds=2 * WINDOW_SECONDS)


def take_nonce(session: Session, key_id: str, nonce: str, *, now: datetime) -> bool:
    """Whether this nonce was not seen under this key; from now on it was. Old ones are forgotten."""
    session.execute(delete(RequestNonce).where(RequestNonce.forget_at < now))
    row = {"key_id": key_id, "nonce": sha256(nonce.encode()).hexdigest(), "forget_at": now + KEPT}
    try:
        with session.begin_nested():
            session.execute(insert(RequestNonce).values(row))
    except IntegrityError:
        return False
    return True
