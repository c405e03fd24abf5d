"""Agreements as they may be read: each with the chain of its versions, in words, and what changed between two."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.service import parsed
from hub.agreements.tables import AgreementVersion
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import NotFound
from policies.agreement_readers import may_read
from policies.agreements import Agreement
from policies.principal import Principal


@dataclass(frozen=True)
class Version:
    """One version that was activated: its text's hash, when it was, and the content."""

    agreement: Agreement
    text_hash: str
    activated_at: dt.datetime


def read_versions(session: Session, *, principal: Principal, audit: AuditTrail) -> Sequence[Version]:
    """Every activated version that the principal may read, in order of id and version."""
    found = _readable(session, principal)
    append(session, audit, EventType.AGREEMENT_READ, resource="agreements", counts={"agreements": len(found)})
    return found


def read_chain(session: Session, agreement: str, *, principal: Principal, audit: AuditTrail) -> Sequence[Version]:
    """The versions of one agreement, oldest first; NotFound alike for one that is hidden and one that there is not."""
    found = [one for one in _readable(session, principal) if one.agreement.id == agreement]
    if not found:
        raise NotFound()
    append(
        session, audit.under(agreement=agreement, purpose=None), EventType.AGREEMENT_READ,
        resource=f"agreement:{agreement}", counts={"versions": len(found)},
    )  # fmt: skip
    return found


def version_of(chain: Sequence[Version], version: int) -> Version:
    """One version of a chain; raises NotFound."""
    found = next((one for one in chain if one.agreement.version == version), None)
    if found is None:
        raise NotFound()
    return found


def _readable(session: Session, principal: Principal) -> list[Version]:
    query = select(AgreementVersion).where(AgreementVersion.activated_at.is_not(None))
    rows = session.scalars(query.order_by(AgreementVersion.id, AgreementVersion.version))
    versions = [
        Version(parsed(row.text), row.text_hash, row.activated_at) for row in rows if row.activated_at is not None
    ]
    return [one for one in versions if may_read(principal, one.agreement)]
