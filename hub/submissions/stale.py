"""Gives up submissions that were begun and never became whole, so that no half of one lies about for ever.

The resolver looks once a day, when it sweeps its stores. The office is told as of any refusal.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail
from hub.submissions.service import refuse
from hub.submissions.tables import RECEIVING, Submission
from policies.holds import RECEIVED_WITHIN

STALE = "submission-stale"


def give_up_stale(session: Session, audit: AuditTrail) -> int:
    """Refuse what is receiving for longer than its time; how many that were."""
    begun = audit.clock() - RECEIVED_WITHIN
    old = select(Submission).where(Submission.state == RECEIVING, Submission.opened_at < begun).with_for_update()
    found = session.scalars(old.order_by(Submission.opened_at)).all()
    for submission in found:
        step = f"Prepare it again and push it: it was not whole after {RECEIVED_WITHIN.days} days."
        refuse(session, submission, code=STALE, place="chunks", next_step=step, audit=audit)
    return len(found)
