"""Requests for further tables: asked by partners, commented by contributors, decided by the compliance officer.

Beside the road: nothing here counts a person. What is approved joins the catalogue at the next refresh.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.errors import Conflict, Fault, Invalid, NotFound, Refused
from hub.jobs import enqueue
from hub.release.asking import Asker, check_indicator, check_split
from hub.release.tables import ReleasedBlockRow, TableCommentRow, TableRequestRow
from policies.agreements import in_force
from policies.catalogue_files import Catalogue
from policies.decision import Query
from policies.roles import Extent, extent_of
from policies.table_requests import (
    COMMENT_TIME,
    TEXT_MAX,
    RequestState,
    Stance,
    splits_of,
    table_beside,
    with_tables,
)

ACTION = "table.request"
COST = "release.request-cost"
"""The job that works out what a request would cost; taken by the resolver, who alone can count."""

LISTED_MAX = 200


@dataclass(frozen=True)
class Comment:
    """What a contributor said."""

    organisation: str
    stance: str
    text: str
    written_at: dt.datetime


@dataclass(frozen=True)
class TableRequest:
    """A request as its reader may see it; `cost` is there for the officer alone."""

    id: int
    indicator: str
    dimensions: tuple[str, ...]
    title: str
    agreement: str
    purpose: str
    why: str
    organisation: str
    requested_at: dt.datetime
    comments_until: dt.datetime
    state: str
    note: str
    joined_release: str | None
    cost: Mapping[str, Any] | None = field(repr=False)
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True)
class WantedTable:
    """What a partner asks for, and why."""

    indicator: str
    by: tuple[str, ...]
    why: str


def request_table(
    session: Session, wanted: WantedTable, *, catalogue: Catalogue, asker: Asker, audit: AuditTrail
) -> TableRequest:
    """Open a request. Raises Invalid or Refused saying what may be asked, Conflict when the table is there already."""
    _check_wanted(session, wanted, catalogue=catalogue)
    query = Query(asker.agreement, asker.purpose, wanted.indicator, wanted.by)
    _check_role(asker, Extent.REQUEST)
    licensed = asker.may_ask(query)
    if not licensed.permitted:
        raise Refused(
            f"This may not be asked here: {licensed.reason}.",
            code="query-refused",
            rule=licensed.rule,
            next_step="See /agreements for what your agreement names.",
        )
    now = audit.clock()
    row = TableRequestRow(
        indicator=wanted.indicator,
        dimensions=list(table_beside(catalogue, wanted.by).dimensions),
        agreement=asker.agreement or "",
        purpose=asker.purpose or "",
        why=_text(wanted.why, "why"),
        actor=asker.principal.actor,
        organisation=asker.principal.organisation or "",
        requested_at=now,
        comments_until=now + COMMENT_TIME,
        state=RequestState.OPEN,
        note="",
    )
    session.add(row)
    session.flush()
    for due in (now, row.comments_until):
        key = f"{COST}:{row.id}:{due.isoformat()}"
        enqueue(session, COST, key=key, payload={"request": row.id}, now=now, due=due)
    trail = audit.under(agreement=asker.agreement, purpose=asker.purpose)
    _log(session, row, EventType.TABLE_REQUESTED, audit=trail, rule=licensed.rule)
    return _request(row, (), catalogue=catalogue, with_cost=False)


def comment_on(
    session: Session, request: int, stance: str, text: str, *, catalogue: Catalogue, asker: Asker, audit: AuditTrail
) -> TableRequest:
    """Add a contributor's comment while comments are taken."""
    row = _row(session, request, asker)
    _check_role(asker, Extent.OWN)
    if stance not in set(Stance):
        raise _wrong("stance", f"Say one of: {', '.join(Stance)}.")
    if row.state != RequestState.OPEN or audit.clock() >= row.comments_until:
        raise Conflict("Comments are no longer taken.", code="request-closed", next_step="Write to the officer.")
    session.add(
        TableCommentRow(
            request=row.id,
            actor=asker.principal.actor,
            organisation=asker.principal.organisation or "",
            stance=stance,
            text=_text(text, "text"),
            written_at=audit.clock(),
        )
    )
    session.flush()
    _log(session, row, EventType.TABLE_COMMENTED, audit=audit)
    return _request(row, _comments(session, row), catalogue=catalogue, with_cost=False)


def approve_request(
    session: Session, request: int, note: str, *, catalogue: Catalogue, asker: Asker, audit: AuditTrail
) -> TableRequest:
    """Let the table join at the next refresh: after the time for comments, with its cost known, never one's own."""
    row = _decided(session, request, note, asker=asker, audit=audit)
    if audit.clock() < row.comments_until:
        raise Conflict(
            "Contributors may still comment.",
            code="request-open",
            next_step=f"Decide from {row.comments_until:%Y-%m-%d %H:%M} UTC on.",
        )
    if row.cost is None:
        raise Conflict(
            "What the table would cost the others is not worked out yet.",
            code="request-uncosted",
            next_step="Wait for the resolver, or run: promise-hub release cost.",
        )
    row.state = RequestState.APPROVED
    _log(session, row, EventType.TABLE_APPROVED, audit=audit)
    return _request(row, _comments(session, row), catalogue=catalogue, with_cost=True)


def decline_request(
    session: Session, request: int, note: str, *, catalogue: Catalogue, asker: Asker, audit: AuditTrail
) -> TableRequest:
    """Turn a request down, with the reason that the partner reads."""
    row = _decided(session, request, note, asker=asker, audit=audit)
    row.state = RequestState.DECLINED
    _log(session, row, EventType.TABLE_DECLINED, audit=audit)
    return _request(row, _comments(session, row), catalogue=catalogue, with_cost=True)


def list_requests(
    session: Session, *, catalogue: Catalogue, asker: Asker, audit: AuditTrail
) -> tuple[TableRequest, ...]:
    """The requests that the asker may read, newest first."""
    rows = session.scalars(select(TableRequestRow).order_by(TableRequestRow.id.desc()).limit(LISTED_MAX)).all()
    seen = [row for row in rows if _may_read(row, asker)]
    with_cost = _sees_cost(asker)
    found = tuple(_request(row, _comments(session, row), catalogue=catalogue, with_cost=with_cost) for row in seen)
    audit_log.append(
        session, audit, EventType.TABLE_REQUESTS_READ, resource="table-requests", counts={"requests": len(found)}
    )
    return found


def read_request(
    session: Session, request: int, *, catalogue: Catalogue, asker: Asker, audit: AuditTrail
) -> TableRequest:
    """One request; one that is not the asker's to read is answered like one that there is not."""
    row = _row(session, request, asker)
    found = _request(row, _comments(session, row), catalogue=catalogue, with_cost=_sees_cost(asker))
    audit_log.append(session, audit, EventType.TABLE_REQUESTS_READ, resource=f"table-request/{row.id}")
    return found


def record_cost(session: Session, request: int, cost: Mapping[str, Any], *, audit: AuditTrail) -> None:
    """Keep what a request would cost, as worked out now."""
    row = session.get_one(TableRequestRow, request)
    row.cost = {**cost, "worked_out_at": audit.clock().isoformat(timespec="seconds")}
    _log(session, row, EventType.TABLE_COSTED, audit=audit)


def open_request(session: Session, request: int) -> tuple[str, tuple[str, ...]] | None:
    """Indicator and dimensions of a request that is not decided; else None."""
    row = session.get(TableRequestRow, request)
    return None if row is None or row.state != RequestState.OPEN else (row.indicator, tuple(row.dimensions))


def undecided(session: Session) -> tuple[int, ...]:
    """The requests that wait for a decision, oldest first."""
    open_ones = select(TableRequestRow.id).where(TableRequestRow.state == RequestState.OPEN)
    return tuple(session.scalars(open_ones.order_by(TableRequestRow.id)))


def catalogue_to_count(session: Session, catalogue: Catalogue) -> Catalogue:
    """The catalogue with every approved table, in the order of approval: what the next refresh counts."""
    return with_tables(catalogue, _tables(session, (RequestState.APPROVED, RequestState.JOINED)))


def catalogue_to_ask(session: Session, catalogue: Catalogue) -> Catalogue:
    """The catalogue with the tables that a published release holds: what may be asked."""
    return with_tables(catalogue, _tables(session, (RequestState.JOINED,)))


def join_published(session: Session, release: str, *, audit: AuditTrail) -> None:
    """Note which approved tables a release that is now public holds."""
    approved = select(TableRequestRow).where(TableRequestRow.state == RequestState.APPROVED)
    for row in session.scalars(approved.order_by(TableRequestRow.id)).all():
        blocks = select(ReleasedBlockRow.equations).where(
            ReleasedBlockRow.first_release == release, ReleasedBlockRow.indicator == row.indicator
        )
        if any(sorted(row.dimensions) in _splits(text) for text in session.scalars(blocks)):
            row.state, row.joined_release = RequestState.JOINED, release
            _log(session, row, EventType.TABLE_JOINED, audit=audit)


def _splits(equations: str) -> list[list[str]]:
    import json

    return [sorted(table["dimensions"]) for table in json.loads(equations)["tables"]]


def _tables(session: Session, states: Sequence[RequestState]) -> list[tuple[str, tuple[str, ...]]]:
    in_order = select(TableRequestRow).where(TableRequestRow.state.in_(states))
    rows = session.scalars(in_order.order_by(TableRequestRow.decided_at, TableRequestRow.id))
    return [(row.indicator, tuple(row.dimensions)) for row in rows]


def _check_wanted(session: Session, wanted: WantedTable, *, catalogue: Catalogue) -> None:
    check_indicator(wanted.indicator, catalogue=catalogue)
    check_split(wanted.by, catalogue=catalogue)
    possible = splits_of(wanted.indicator)
    if not wanted.by or not set(wanted.by) <= set(possible):
        raise Invalid(
            "This indicator cannot be split so.",
            code="dimension-unknown",
            next_step=f"Ask one to three of: {', '.join(possible)}.",
            faults=(Fault("by", "dimension-unknown"),),
        )
    same = select(TableRequestRow).where(
        TableRequestRow.indicator == wanted.indicator, TableRequestRow.state != RequestState.DECLINED
    )
    waiting = any(sorted(row.dimensions) == sorted(wanted.by) for row in session.scalars(same))
    if waiting or catalogue.table_split_by(wanted.indicator, dimensions=wanted.by) is not None:
        raise Conflict(
            "This table is in the catalogue, or requested already.",
            code="table-declared",
            next_step="Ask it at /v1/observations; a table that is requested joins at a refresh after its approval.",
        )


def _check_role(asker: Asker, extent: Extent) -> None:
    if extent not in extent_of(ACTION, asker.principal.roles).values():
        raise Refused(rule="R-01")


def _decided(session: Session, request: int, note: str, *, asker: Asker, audit: AuditTrail) -> TableRequestRow:
    row = _row(session, request, asker)
    _check_role(asker, Extent.APPROVE)
    if asker.principal.actor == row.actor:
        raise Refused("Nobody decides on a request of their own.", code="own-request", rule="two-persons")
    if row.state != RequestState.OPEN:
        raise Conflict("The request is decided already.", code="request-decided")
    row.note, row.decided_by, row.decided_at = _text(note, "note"), asker.principal.actor, audit.clock()
    return row


def _row(session: Session, request: int, asker: Asker) -> TableRequestRow:
    row = session.get(TableRequestRow, request)
    if row is None or not _may_read(row, asker):
        raise NotFound("There is no such request.", code="request-unknown", next_step="Read /v1/table-requests.")
    return row


def _may_read(row: TableRequestRow, asker: Asker) -> bool:
    """Partners read their organisation's own, contributors and the officer all."""
    extents = set(extent_of(ACTION, asker.principal.roles).values())
    if extents & {Extent.APPROVE, Extent.VIEW}:
        return True
    own = asker.principal.organisation
    if Extent.OWN in extents and own in _contributors(asker):
        return True
    return Extent.REQUEST in extents and own == row.organisation


def _contributors(asker: Asker) -> set[str]:
    active = in_force(asker.agreements, asker.day)
    return {name for one in active if one.tier == "DSA" for name in one.contributors()}


def _sees_cost(asker: Asker) -> bool:
    return Extent.APPROVE in extent_of(ACTION, asker.principal.roles).values()


def _comments(session: Session, row: TableRequestRow) -> tuple[Comment, ...]:
    in_order = select(TableCommentRow).where(TableCommentRow.request == row.id).order_by(TableCommentRow.id)
    return tuple(Comment(one.organisation, one.stance, one.text, one.written_at) for one in session.scalars(in_order))


def _request(
    row: TableRequestRow, comments: tuple[Comment, ...], *, catalogue: Catalogue, with_cost: bool
) -> TableRequest:
    return TableRequest(
        id=row.id,
        indicator=row.indicator,
        dimensions=tuple(row.dimensions),
        title=table_beside(catalogue, row.dimensions).title,
        agreement=row.agreement,
        purpose=row.purpose,
        why=row.why,
        organisation=row.organisation,
        requested_at=row.requested_at,
        comments_until=row.comments_until,
        state=row.state,
        note=row.note,
        joined_release=row.joined_release,
        cost=row.cost if with_cost else None,
        comments=comments,
    )


def _text(text: str, place: str) -> str:
    found = " ".join(text.split())
    if not 3 <= len(found) <= TEXT_MAX:
        raise _wrong(place, f"Write 3 to {TEXT_MAX} characters, and nothing about a single child.")
    return found


def _wrong(place: str, next_step: str) -> Invalid:
    return Invalid("A field of the request is wrong.", code="request-wrong", next_step=next_step,
                   faults=(Fault(place, "request-wrong"),))  # fmt: skip


def _log(session: Session, row: TableRequestRow, event: EventType, *, audit: AuditTrail, rule: str = "R-00") -> None:
    resource = f"table-request/{row.id}/{row.indicator}/{','.join(row.dimensions)}"
    audit_log.append(session, audit, event, resource=resource[:200], decision="permitted", rule=rule)
