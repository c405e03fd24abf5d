"""Agreements at the hub: loaded once a version, active by their own days, read by every decision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.tables import AgreementVersion
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Fault, Invalid
from policies.agreements import Agreement, AgreementError, check_activation, read_agreement

VERSIONS_CACHED = 512


def load_agreement(session: Session, text: str, *, audit: AuditTrail) -> Agreement:
    """Keep one version; the same again is nothing, another text under the same version is refused.

    Raises Invalid naming the place (a clause) when it cannot be read or may not become active.
    """
    agreement = _read(text)
    stored = session.get(AgreementVersion, (agreement.id, agreement.version))
    if stored is not None:
        if stored.text_hash != agreement.text_hash():
            raise Conflict(
                f"{agreement.id} version {agreement.version} is loaded with another text.",
                code="agreement-changed",
                next_step="Give the changed text the next version number.",
            )
        return agreement
    session.add(_row(agreement, text, audit=audit))
    append(
        session,
        audit.under(agreement=agreement.id, purpose=None),
        EventType.AGREEMENT_LOADED,
        resource=f"agreement:{agreement.id}",
        versions={agreement.id: str(agreement.version), "text": agreement.text_hash()},
    )
    return agreement


def known_agreements(session: Session) -> Sequence[Agreement]:
    """All versions ever loaded, for policies.decision; which is in force depends on the day alone."""
    texts = session.scalars(select(AgreementVersion.text).order_by(AgreementVersion.id, AgreementVersion.version))
    return [_parsed(text) for text in texts]


def _row(agreement: Agreement, text: str, *, audit: AuditTrail) -> AgreementVersion:
    return AgreementVersion(
        id=agreement.id,
        version=agreement.version,
        tier=agreement.tier,
        text=text,
        text_hash=agreement.text_hash(),
        effective=agreement.retention.effective,
        expires=agreement.retention.expires,
        loaded_at=audit.clock(),
    )


def _read(text: str) -> Agreement:
    try:
        agreement = _parsed(text)
        check_activation(agreement)
    except AgreementError as error:
        raise Invalid(
            f"The agreement does not serve at {error.place}.",
            code=error.code,
            next_step=error.next_step,
            faults=[Fault(error.place, error.code)],
        ) from error
    return agreement


@lru_cache(maxsize=VERSIONS_CACHED)
def _parsed(text: str) -> Agreement:
    return read_agreement(text)
