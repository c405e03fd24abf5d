"""The access log as a person may read it: the officer all of it, others their own organisation or their own acts.

An administrator reads metadata: when, which event, by which way, how it ended; not who, to what, nor under what.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hub.audit.columns import TEXT_COLUMNS, Found, LogIndex
from hub.audit.events import AuditTrail, EventType
from hub.audit.export import export_events, export_table
from hub.audit.service import append, head, latest_checkpoint
from hub.audit.tables import Detail, SavedSearch
from hub.audit.words import LogQuery, Term, read_query
from hub.errors import Conflict, NotFound, Refused
from hub.web.printed_log import PRINTED_ROWS_MAX, Extract
from policies.principal import Principal, Role
from policies.roles import Extent, extent_of

PAGE_ROWS = 100
EXPORT_ROWS_MAX = 10_000
SEARCHES_MAX = 50
METADATA_COLUMNS = ("event", "decision", "outcome", "method")
DISCLOSING = (EventType.QUERY_ANSWERED, EventType.RELEASE_PUBLISHED, EventType.RELEASE_EXPORTED)
USUAL_SEARCHES = (
    ("Refused", "decision:refused"),
    ("Exports", "exported"),
    ("Out of hours", "hours:out -actor:anonymous"),
    ("Releases", "event:release.*"),
    ("Keys and roster", "event:agent.*"),
)


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
    """A page of what was found, newest first, with facets; how many events there are, and how many are signed."""

    lines: tuple[LogLine, ...]
    total: int
    next_before: int | None
    facets: Mapping[str, Sequence[tuple[str, int]]]
    size: int
    signed: int


@dataclass(frozen=True)
class Part:
    """The part of the log that a person may read: a condition that always holds, and the columns."""

    own: Term | None
    columns: tuple[str, ...]


def read_log(
    session: Session,
    index: LogIndex,
    text: str,
    *,
    before: int | None,
    principal: Principal,
    audit: AuditTrail,
    limit: int = PAGE_ROWS,
) -> LogPage:
    """The newest events that answer to the question and that the principal may see; reading is an event of its own."""
    part = part_of(principal)
    found = _found(session, index, text, part=part, before=before, limit=limit)
    rows = session.scalars(
        select(Detail).where(Detail.sequence.in_(found.sequences)).order_by(Detail.sequence.desc())
    ).all()
    size, _ = head(session)
    checkpoint = latest_checkpoint(session)
    listed = LogPage(
        lines=tuple(_seen_by(part, _line(row)) for row in rows),
        total=found.total,
        next_before=found.sequences[-1] if len(found.sequences) == limit else None,
        facets=found.facets,
        size=size,
        signed=0 if checkpoint is None else checkpoint.size,
    )
    append(session, audit, EventType.AUDIT_READ, resource="log", counts={"events": len(listed.lines)})
    return listed


def export_found(
    session: Session, index: LogIndex, text: str, *, form: str, principal: Principal, audit: AuditTrail
) -> bytes:
    """What a question finds as CSV, or as JSON with proofs; at most EXPORT_ROWS_MAX, the newest; an event itself."""
    part = _exported_part(principal)
    found = _found(session, index, text, part=part, before=None, limit=EXPORT_ROWS_MAX)
    sequences = found.sequences[::-1]
    if form == "json":
        return export_events(session, sequences, audit=audit)
    return export_table(session, sequences, audit=audit).encode()


def extract_found(
    session: Session, index: LogIndex, text: str, *, made_up: bool, principal: Principal, audit: AuditTrail
) -> Extract:
    """What a question finds, to be printed: at most PRINTED_ROWS_MAX, the newest, with proofs; an event itself."""
    found = _found(session, index, text, part=_exported_part(principal), before=None, limit=PRINTED_ROWS_MAX)
    return Extract(
        selection=export_events(session, found.sequences[::-1], form="pdf", audit=audit),
        question=text,
        answering=found.total,
        asked_by=", ".join([principal.actor, principal.organisation or "no organisation"]),
        asked_at=audit.clock(),
        made_up=made_up,
    )


def may_export(principal: Principal) -> bool:
    """Whether this person's part of the log may leave as a file."""
    return bool(extent_of("audit.export", principal.roles)) and reads_whole_events(principal)


def reads_whole_events(principal: Principal) -> bool:
    """Whether this person sees all of an event, and not its metadata alone."""
    return part_of(principal).columns == TEXT_COLUMNS


def _exported_part(principal: Principal) -> Part:
    if not reads_whole_events(principal):
        raise Refused("Metadata are read on the page alone.", rule="R-01")
    return part_of(principal)


def part_of(principal: Principal) -> Part:
    """What of the log this person may read; raises Refused for nothing."""
    extents = extent_of("audit.read", principal.roles)
    if Extent.ALL in extents.values():
        return Part(None, TEXT_COLUMNS)
    if Extent.METADATA in extents.values():
        return Part(None, METADATA_COLUMNS)
    if not extents:
        raise Refused(rule="R-01")
    if Role.PARTNER in extents:
        return Part(Term("actor", principal.actor, False), TEXT_COLUMNS)
    return Part(Term("organisation", principal.organisation or "nobody", False), TEXT_COLUMNS)


def saved_searches(session: Session, principal: Principal) -> list[tuple[str, str]]:
    """The usual questions and the person's own, by name."""
    rows = session.execute(
        select(SavedSearch.name, SavedSearch.query)
        .where(SavedSearch.person == principal.actor)
        .order_by(SavedSearch.name)
    )
    return [*USUAL_SEARCHES, *((row.name, row.query) for row in rows)]


def save_search(session: Session, name: str, text: str, *, principal: Principal, audit: AuditTrail) -> None:
    """Keep a question under a name; the same name again replaces it."""
    read_query(text)
    found = session.get(SavedSearch, (principal.actor, name))
    own = session.scalars(select(SavedSearch.name).where(SavedSearch.person == principal.actor)).all()
    if found is None and len(own) >= SEARCHES_MAX:
        raise Conflict(f"{SEARCHES_MAX} searches are kept already.", code="searches-full")
    if found is None:
        session.add(SavedSearch(person=principal.actor, name=name, query=text))
    else:
        found.query = text
    append(session, audit, EventType.SEARCH_SAVED, resource=f"searches:{len(own)}")


def remove_search(session: Session, name: str, *, principal: Principal, audit: AuditTrail) -> None:
    """Forget a question of one's own."""
    found = session.get(SavedSearch, (principal.actor, name))
    if found is None:
        raise NotFound()
    session.delete(found)
    append(session, audit, EventType.SEARCH_REMOVED, resource="searches")


def disclosures(session: Session, *, principal: Principal, limit: int = PAGE_ROWS) -> tuple[LogLine, ...]:
    """What went out, to whom, when and for which purpose: the events that 34 CFR 99.32 asks to be kept."""
    rows = session.scalars(
        select(Detail)
        .where(Detail.event.in_([event.value for event in DISCLOSING]), _own_part(principal))
        .order_by(Detail.sequence.desc())
        .limit(limit)
    )
    return tuple(_line(row) for row in rows)


def _found(session: Session, index: LogIndex, text: str, *, part: Part, before: int | None, limit: int) -> Found:
    query = read_query(text)
    _check_visible(query, part)
    only: list[int] | None = None
    if query.request_id is not None:
        only = list(session.scalars(select(Detail.sequence).where(Detail.request_id == query.request_id)))
    return index.search(query, own=part.own, columns=part.columns, below=before, only=only, limit=limit)


def _check_visible(query: LogQuery, part: Part) -> None:
    """Nobody finds out by searching what is not shown."""
    hidden = query.request_id is not None and part.columns != TEXT_COLUMNS
    if hidden or any(term.column and term.column not in part.columns for term in query.terms):
        raise Refused("Your part of the log has not this column.", code="search-hidden", rule="R-01")


def _seen_by(part: Part, line: LogLine) -> LogLine:
    if part.columns == TEXT_COLUMNS:
        return line
    return replace(line, actor="", organisation="", agreement="", purpose="", resource="", rule="", counts={})


def _own_part(principal: Principal) -> ColumnElement[bool]:
    own = part_of(principal).own
    return Detail.sequence >= 0 if own is None else getattr(Detail, own.column) == own.value


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
