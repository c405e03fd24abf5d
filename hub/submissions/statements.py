"""What two persons of a provider's office say together of a submission: certified, or withdrawn.

Accepted is not certified: the hub took the rows, the office answers for them. The first word waits for a second person
who says the same; nobody is both (docs/operations.md). Beside intake on the road.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict
from hub.jobs import enqueue, enqueue_when_quiet
from hub.submissions import decisions
from hub.submissions.checks import REFRESH, REFRESH_QUIET, REFRESH_WITHIN
from hub.submissions.messages import tell
from hub.submissions.service import own_submission
from hub.submissions.tables import ACCEPTED, HELD, WITHDRAWN, Statement, Submission
from policies.principal import Principal

CERTIFY, WITHDRAW = "certify", "withdraw"
PERSONS_NEEDED = 2
"""The data certifier and the superintendent's delegate, as stewards know it of CALPADS' certification."""
_STATES: Mapping[str, tuple[str, ...]] = {CERTIFY: (ACCEPTED,), WITHDRAW: (ACCEPTED, HELD)}
_SAID: Mapping[str, EventType] = {
    CERTIFY: EventType.SUBMISSION_CERTIFIED,
    WITHDRAW: EventType.SUBMISSION_WITHDRAWAL_ASKED,
}


@dataclass(frozen=True)
class Standing:
    """How many persons certified a submission, and how many asked to withdraw it."""

    certified_by: int
    withdrawal_asked_by: int

    @property
    def is_certified(self) -> bool:
        return self.certified_by >= PERSONS_NEEDED


def certify(session: Session, name: str, *, principal: Principal, audit: AuditTrail) -> Standing:
    """One person's word that an accepted submission is right; certified when a second person says so too."""
    return _say(session, name, CERTIFY, principal=principal, audit=audit)


def withdraw(session: Session, name: str, *, principal: Principal, audit: AuditTrail) -> Standing:
    """One person's word that a submission is to go; it goes when a second person says so too."""
    standing = _say(session, name, WITHDRAW, principal=principal, audit=audit)
    if standing.withdrawal_asked_by >= PERSONS_NEEDED:
        _take_back(session, session.get_one(Submission, name), audit=audit)
    return standing


def approve_own(session: Session, name: str, *, principal: Principal, audit: AuditTrail) -> None:
    """A steward accepts the own office's held submission in spite of its holds."""
    own_submission(session, name, principal=principal)
    decisions.approve(session, name, audit=audit)


def discard_own(session: Session, name: str, *, principal: Principal, audit: AuditTrail) -> None:
    """A steward drops the own office's held submission; what stood before stays."""
    own_submission(session, name, principal=principal)
    decisions.discard(session, name, audit=audit)


def standing_of(session: Session, name: str) -> Standing:
    """What was said of a submission until now."""
    acts = session.scalars(select(Statement.act).where(Statement.submission == name)).all()
    return Standing(acts.count(CERTIFY), acts.count(WITHDRAW))


def _say(session: Session, name: str, act: str, *, principal: Principal, audit: AuditTrail) -> Standing:
    submission = own_submission(session, name, principal=principal, lock=True)
    if submission.state not in _STATES[act]:
        raise Conflict(f"The submission is {submission.state}.", code=f"submission-not-to-{act}")
    if session.get(Statement, (name, act, principal.actor)) is not None:
        raise Conflict(
            "You said so already.", code="second-person", next_step="Ask another person of your office to say it too."
        )
    session.add(Statement(submission=name, act=act, person=principal.actor, said_at=audit.clock()))
    session.flush()
    standing = standing_of(session, name)
    persons = standing.certified_by if act == CERTIFY else standing.withdrawal_asked_by
    under = audit.under(agreement=submission.agreement, purpose=None)
    append(session, under, _SAID[act], resource=f"submission:{name}", counts={"persons": persons})
    return standing


def _take_back(session: Session, submission: Submission, *, audit: AuditTrail) -> None:
    """The submission is used no longer: its files are dropped, and the results are worked out anew without it."""
    was_used = submission.state == ACCEPTED
    submission.state, submission.settled_at = WITHDRAWN, audit.clock()
    tell(session, submission, code="", audit=audit)
    for kind in ("rows.drop", "spans.drop"):
        key = f"{kind}:{submission.id}"
        enqueue(session, kind, key=key, payload={"submission": submission.id}, now=audit.clock())
    if was_used:
        enqueue_when_quiet(session, REFRESH, quiet=REFRESH_QUIET, within=REFRESH_WITHIN, now=audit.clock())
    under = audit.under(agreement=submission.agreement, purpose=None)
    append(session, under, EventType.SUBMISSION_WITHDRAWN, resource=f"submission:{submission.id}")
