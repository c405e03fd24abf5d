"""The set-up of a hub: until the first agreement was activated the operator acts alone, and each such act says so.

Before that nothing of anybody can be in the hub: no submission is taken without an agreement in force. The window
closes for good with the first activation, which two persons approve.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.tables import AgreementVersion
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict


def is_set_up(session: Session) -> bool:
    """Whether the window has closed: an agreement was activated, at any time."""
    query = select(AgreementVersion.id).where(AgreementVersion.activated_at.is_not(None)).limit(1)
    return session.execute(query).first() is not None


def note_alone(session: Session, act: str, *, audit: AuditTrail) -> None:
    """Leave the event that the operator did alone, during set-up, what two persons do later."""
    append(session, audit, EventType.OPERATOR_ALONE, resource=act, decision="permitted", rule="set-up")


def check_alone(session: Session, act: str, *, next_step: str, audit: AuditTrail) -> None:
    """Raises Conflict once the set-up is over; before, the operator acts alone and the event says so."""
    if is_set_up(session):
        raise Conflict("The set-up is over: two persons do this now.", code="two-persons", next_step=next_step)
    note_alone(session, act, audit=audit)
