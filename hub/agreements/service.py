"""Agreements at the hub: loaded once a version, active by their own days, read by every decision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.tables import AgreementVersion, AgreementWithdrawal
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Fault, Invalid
from policies.agreements import Agreement, AgreementError, check_whole, read_agreement

VERSIONS_CACHED = 512


def load_agreement(session: Session, text: str, *, audit: AuditTrail) -> Agreement:
    """Keep one version as a draft; the same again is nothing, another text under the same version is refused.

    It holds once its parties have signed it and two persons approved (`hub.agreements.activation`). Raises Invalid
    naming the place (a clause) when it cannot be read or is not whole.
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
    """All versions that were activated, for policies.decision, without the parties that have withdrawn.

    Which is in force depends on the day alone.
    """
    columns = select(AgreementVersion.text).where(AgreementVersion.activated_at.is_not(None))
    texts = session.scalars(columns.order_by(AgreementVersion.id, AgreementVersion.version))
    withdrawn = session.scalars(select(AgreementWithdrawal)).all()
    return [_without(parsed(text), withdrawn) for text in texts]


def known_versions(session: Session) -> Sequence[Agreement]:
    """All versions ever loaded, drafts among them, as they were loaded."""
    texts = session.scalars(select(AgreementVersion.text).order_by(AgreementVersion.id, AgreementVersion.version))
    return [parsed(text) for text in texts]


def _without(agreement: Agreement, withdrawn: Sequence[AgreementWithdrawal]) -> Agreement:
    """The agreement without those who left it; what its parties agreed goes on to limit what was given under it."""
    gone = {
        one.organisation
        for one in withdrawn
        if one.agreement == agreement.id and agreement.version <= one.up_to_version
    }
    if not gone:
        return agreement
    return agreement.model_copy(
        update={"parties": tuple(party for party in agreement.parties if party.organisation not in gone)}
    )


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
        agreement = parsed(text)
        check_whole(agreement)
    except AgreementError as error:
        raise Invalid(
            f"The agreement does not serve at {error.place}.",
            code=error.code,
            next_step=error.next_step,
            faults=[Fault(error.place, error.code)],
        ) from error
    return agreement


@lru_cache(maxsize=VERSIONS_CACHED)
def parsed(text: str) -> Agreement:
    """The agreement of a text; read once, since a version never changes."""
    return read_agreement(text)
