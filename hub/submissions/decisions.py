"""What a person decides about a held submission: approve it or discard it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, NotFound
from hub.jobs import enqueue
from hub.submissions.checks import settle
from hub.submissions.messages import tell
from hub.submissions.tables import HELD, WITHDRAWN, Submission


def approve(session: Session, name: str, *, audit: AuditTrail) -> None:
    """Accept a held submission in spite of its holds."""
    submission = _held(session, name)
    append(session, audit, EventType.SUBMISSION_APPROVED, resource=f"submission:{name}", rule=submission.holds[0])
    settle(session, submission, audit=audit, approved=True)


def discard(session: Session, name: str, *, audit: AuditTrail) -> None:
    """Drop a held submission and its files; what stood before stays."""
    submission = _held(session, name)
    submission.state, submission.settled_at = WITHDRAWN, audit.clock()
    for kind in ("rows.drop", "spans.drop"):
        enqueue(session, kind, key=f"{kind}:{name}", payload={"submission": name}, now=audit.clock())
    tell(session, submission, code="", audit=audit)
    append(session, audit, EventType.SUBMISSION_DISCARDED, resource=f"submission:{name}")


def _held(session: Session, name: str) -> Submission:
    found = session.execute(select(Submission).where(Submission.id == name).with_for_update()).scalar_one_or_none()
    if found is None:
        raise NotFound()
    if found.state != HELD:
        raise Conflict(f"The submission is {found.state}.", code="submission-not-held")
    return found
