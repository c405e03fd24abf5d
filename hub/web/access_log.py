"""The access log as a person may read it: the officer all of it, others their own organisation or acts."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append, head, latest_checkpoint
from hub.audit.tables import Detail
from hub.errors import Refused
from policies.principal import Principal, Role
from policies.roles import Extent, extent_of

PAGE_ROWS = 100
DISCLOSING = (EventType.QUERY_ANSWERED, EventType.RELEASE_PUBLISHED, EventType.RELEASE_EXPORTED)


@dataclass(frozen=True)
class LogQuestion:
    """What is looked for; empty fields ask for everything. `before` is the sequence above the next page."""

    text: str = ""
    event: str = ""
    agreement: str = ""
    decision: str = ""
    since: dt.date | None = None
    before: int | None = None


@dataclass(frozen=True)
class LogLine:
    """One event as it is shown."""

    sequence: int
    time: dt.datetime
    event: str
    actor: str
    organisation: str
    did: str
    agreement: str
    purpose: str
    resource: str
    decision: str
    rule: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class LogPage:
    """A page of the log, newest first, and how much of the log is signed."""

    lines: tuple[LogLine, ...]
    next_before: int | None
    size: int
    signed: int


def read_log(session: Session, question: LogQuestion, *, principal: Principal, audit: AuditTrail) -> LogPage:
    """The newest events that the question names and the principal may see; reading is an event of its own."""
    statement = select(Detail).where(*_conditions(question), _own_part(principal)).order_by(Detail.sequence.desc())
    rows = session.scalars(statement.limit(PAGE_ROWS + 1)).all()
    size, _ = head(session)
    checkpoint = latest_checkpoint(session)
    found = LogPage(
        lines=tuple(_line(row) for row in rows[:PAGE_ROWS]),
        next_before=rows[PAGE_ROWS - 1].sequence if len(rows) > PAGE_ROWS else None,
        size=size,
        signed=0 if checkpoint is None else checkpoint.size,
    )
    append(session, audit, EventType.AUDIT_READ, resource="log", counts={"events": len(found.lines)})
    return found


def disclosures(session: Session, *, principal: Principal, limit: int = PAGE_ROWS) -> tuple[LogLine, ...]:
    """What went out, to whom, when and for which purpose: the events that 34 CFR 99.32 asks to be kept."""
    rows = session.scalars(
        select(Detail)
        .where(Detail.event.in_([event.value for event in DISCLOSING]), _own_part(principal))
        .order_by(Detail.sequence.desc())
        .limit(limit)
    )
    return tuple(_line(row) for row in rows)


def _conditions(question: LogQuestion) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if question.event:
        found.append(Detail.event == question.event)
    if question.agreement:
        found.append(Detail.agreement == question.agreement)
    if question.decision:
        found.append(Detail.decision == question.decision)
    if question.since is not None:
        found.append(Detail.time >= dt.datetime.combine(question.since, dt.time.min, dt.UTC))
    if question.before is not None:
        found.append(Detail.sequence < question.before)
    for word in question.text.split():
        places = (Detail.event, Detail.actor, Detail.organisation, Detail.resource, Detail.method, Detail.rule)
        found.append(or_(*(place.contains(word, autoescape=True) for place in places)))
    return found


def _own_part(principal: Principal) -> ColumnElement[bool]:
    extents = extent_of("audit.read", principal.roles)
    if {Extent.ALL, Extent.METADATA} & set(extents.values()):
        return Detail.sequence >= 0
    if not extents:
        raise Refused(rule="R-01")
    if Role.PARTNER in extents:
        return Detail.actor == principal.actor
    return and_(Detail.organisation.is_not(None), Detail.organisation == principal.organisation)


def _line(row: Detail) -> LogLine:
    return LogLine(
        sequence=row.sequence,
        time=row.time,
        event=row.event,
        actor=row.actor,
        organisation=row.organisation or "",
        did=row.method,
        agreement=row.agreement or "",
        purpose=row.purpose or "",
        resource=row.resource,
        decision=row.decision or "",
        rule=row.rule or "",
        counts=row.counts,
    )
