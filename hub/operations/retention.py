"""What time does to agreements, once a day: parties are told before one ends, and destruction is asked for after it.

The resolver looks when it sweeps its stores. It destroys nothing: it asks two persons (`data.destroy`), again whenever
an asking went stale, until they have done it. A warning is told once for each of `WARNING_DAYS` and stands in the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.activation import Ended, ended
from hub.agreements.service import known_agreements
from hub.agreements.tables import Destruction
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.audit.tables import Detail
from hub.errors import Conflict
from hub.operations.destruction import EVERYBODY
from hub.submissions.messages import tell_of_agreement
from hub.submissions.tables import WITHDRAWN, Submission
from policies.agreement_dates import warning
from policies.agreements import Agreement, in_force
from policies.principal import Principal, Role

RETENTION = Principal("retention", frozenset({Role.OPERATOR}))


def keep_retention(session: Session, audit: AuditTrail) -> int:
    """Tell parties of agreements that end soon, and ask for the destruction of what is to go; how many of both."""
    day = audit.clock().date()
    standing = in_force(known_agreements(session), day)
    told = sum(_warn(session, one, day=day, audit=audit) for one in standing)
    return told + sum(_ask(session, left, audit=audit) for left in to_be_destroyed(session, day=day))


def to_be_destroyed(session: Session, *, day: dt.date) -> Sequence[Ended]:
    """What has ended and nobody destroyed yet, of whom something came: by agreement and organisations."""
    found = [_left(session, over) for over in ended(session, day=day)]
    return tuple(left for left in found if left.organisations)


def _left(session: Session, over: Ended) -> Ended:
    """The same without organisations that gave nothing, or whose destruction was begun since the end."""
    given = set(
        session.scalars(
            select(Submission.provider)
            .where(Submission.agreement == over.agreement, Submission.provider.in_(over.organisations))
            .distinct()
        )
    )
    begun = select(Destruction.organisations).where(
        Destruction.agreement == over.agreement, Destruction.ended >= over.ended
    )
    gone = {name for names in session.scalars(begun) for name in names}
    return replace(over, organisations=tuple(sorted(given - gone)))


def _ask(session: Session, left: Ended, *, audit: AuditTrail) -> int:
    """Ask two persons for it, for all at once where that is all who gave; what waits already is not asked again."""
    from hub.operations import acts  # what performs acts is loaded only when something is to be asked

    why = f"The agreement ended on {left.ended} ({left.why}); destroy by {left.destroy_by}."
    asked = 0
    for name in _named(session, left):
        payload = {"agreement": left.agreement, "organisation": name}
        with suppress(Conflict):
            acts.ask(session, "data.destroy", payload, why=why, principal=RETENTION, audit=audit)
            asked += 1
    return asked


def _named(session: Session, left: Ended) -> Iterator[str]:
    given = select(Submission.provider).where(Submission.agreement == left.agreement, Submission.state != WITHDRAWN)
    if set(session.scalars(given.distinct())) <= set(left.organisations) and len(left.organisations) > 1:
        yield EVERYBODY
    else:
        yield from left.organisations


def _warn(session: Session, agreement: Agreement, *, day: dt.date, audit: AuditTrail) -> int:
    """Tell each party's office, once for each warning; how many warnings that were."""
    within = warning(agreement, day)
    said = {} if within is None else {"version": str(agreement.version), "days": str(within)}
    if within is None or said in _warned(session, agreement.id):
        return 0
    parties = sorted({party.organisation for party in agreement.parties})
    told = [
        tell_of_agreement(session, name, agreement.id, version=agreement.version, ends=agreement.retention.expires,
                          within_days=within, now=audit.clock())
        for name in parties
    ]  # fmt: skip
    append(
        session, audit.under(agreement=agreement.id, purpose=None), EventType.AGREEMENT_WARNED,
        resource=f"agreement:{agreement.id}", counts={"messages": sum(told)}, versions=said,
    )  # fmt: skip
    return 1


def _warned(session: Session, agreement: str) -> list[dict[str, str]]:
    """The warnings that stand in the log for an agreement."""
    event = EventType.AGREEMENT_WARNED.value
    found = select(Detail.versions).where(Detail.event == event, Detail.agreement == agreement)
    return [dict(versions) for versions in session.scalars(found)]
