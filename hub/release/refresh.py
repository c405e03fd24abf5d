"""A new submission comes to a provisional release by itself: link, accept, count, protect, publish; each step a job.

The first job waits until submissions have been quiet for a while and never longer than half a day, so that what was
accepted is told within a day. Nothing here makes a figure final, and the joint audit is the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail
from hub.db import Clock, Database
from hub.errors import Conflict
from hub.files import AnalysisStore
from hub.jobs import Outcome, Ticket, enqueue
from hub.linking.service import accept_run, current_version, read_run, request_run
from hub.linking.tables import ACCEPTED, COMPARED, REQUESTED, RESOLVED, LinkageRun
from hub.outcomes.tables import SnapshotRow
from hub.release.publishing import prepare_provisional, publish_prepared
from hub.release.service import PUBLISHED, is_provisional_release, pending_release, prepared_release
from hub.release.tables import ReleaseRow
from hub.submissions.agreed import agreed
from hub.submissions.checks import REFRESH, REFRESH_STEP
from policies.catalogue_files import catalogue

RUN_POLL = timedelta(seconds=15)
RUN_WITHIN = timedelta(hours=6)
OPERATOR_WAIT = timedelta(hours=1)
"""How long a refresh stands back when a release waits for the operator or for its witnesses."""

PRECISION_MIN = 0.99
"""A run that expects less precision of itself is left to the steward; the bar of the linkage is 0.995."""

LINK, AWAIT, RELEASE = "link", "await", "release"


@dataclass(frozen=True)
class RefreshDesk:
    """What a refresh has at hand."""

    database: Database
    clock: Clock
    analysis: AnalysisStore


def refresh_job(desk: RefreshDesk) -> Callable[[Ticket], Outcome]:
    """One step of a refresh; each says which step comes next, and when."""
    steps = {LINK: _link, AWAIT: _await, RELEASE: _release}

    def refresh(ticket: Ticket) -> Outcome:
        trail = AuditTrail("refresh", None, ticket.key[:64], ticket.kind, desk.clock)
        return steps[ticket.payload.get("step", LINK)](desk, ticket, trail)

    return refresh


def _link(desk: RefreshDesk, ticket: Ticket, trail: AuditTrail) -> Outcome:
    """Set a run going over what is accepted, unless the run that holds has it all."""
    with desk.database.reading() as session:
        wanted = {one.submission for one in agreed(session, day=desk.clock().date())}
        version = current_version(session)
        linked = set() if version is None else set(session.get_one(LinkageRun, version).inputs)
    if not wanted:
        return _nothing()
    if wanted == linked:
        return Outcome(lambda session: _next(session, ticket, RELEASE, trail))

    def request(session: Session) -> None:
        _next(session, ticket, AWAIT, trail, run=request_run(session, audit=trail), wait=RUN_POLL)

    return Outcome(request)


def _await(desk: RefreshDesk, ticket: Ticket, trail: AuditTrail) -> Outcome:
    """Let the run hold once it is resolved and trusts itself; look again later while it is worked on."""
    version, waited = int(ticket.payload["run"]), int(ticket.payload.get("waited", 0))
    with desk.database.reading() as session:
        run = read_run(session, version)
    if run.state in (REQUESTED, COMPARED) and waited * RUN_POLL < RUN_WITHIN:
        again = {"run": version, "waited": waited + 1}
        return Outcome(lambda session: _next(session, ticket, AWAIT, trail, wait=RUN_POLL, **again))
    if run.state == ACCEPTED:
        return Outcome(lambda session: _next(session, ticket, RELEASE, trail))
    if run.state != RESOLVED or run.quality.get("expected_precision", 0.0) < PRECISION_MIN:
        return _nothing()

    def accept(session: Session) -> None:
        accept_run(session, version, audit=trail)
        _next(session, ticket, RELEASE, trail)

    return Outcome(accept)


def _release(desk: RefreshDesk, ticket: Ticket, trail: AuditTrail) -> Outcome:
    """Publish what is new provisionally; a release of the operator goes first, and one that is unsafe is refused."""
    with desk.database.reading() as session:
        waiting, pending = prepared_release(session), pending_release(session)
        ours = waiting is not None and is_provisional_release(session, waiting.id)
        told = _is_told(session, desk.clock().date())
    if pending is not None or (waiting is not None and not ours):
        return Outcome(lambda session: _next(session, ticket, RELEASE, trail, wait=OPERATOR_WAIT))
    if waiting is None and told:
        return _nothing()
    try:
        if waiting is None:
            waiting = prepare_provisional(desk.database, analysis=desk.analysis, catalogue=catalogue(), audit=trail)
    except Conflict as refusal:
        if refusal.code not in ("release-unsafe", "linkage-outdated"):
            raise
        return _nothing()  # logged where it was refused; what came since has its own refresh
    if waiting is not None:
        publish_prepared(desk.database, waiting.id, audit=trail)
    return _nothing()


def _is_told(session: Session, day: dt.date) -> bool:
    """Whether the current release was made of just what is accepted and linked now."""
    current = session.scalars(select(ReleaseRow).where(ReleaseRow.state == PUBLISHED)).one_or_none()
    snapshot = None if current is None else session.get(SnapshotRow, current.snapshot)
    if snapshot is None:
        return False
    same = set(snapshot.manifest["submissions"]) == {one.submission for one in agreed(session, day=day)}
    return same and snapshot.linkage_version == current_version(session)


def _next(
    session: Session, ticket: Ticket, step: str, trail: AuditTrail, *, wait: timedelta = timedelta(), **payload: int
) -> None:
    now = trail.clock()
    key = f"{REFRESH}:{step}:{ticket.id}"
    enqueue(session, REFRESH_STEP, key=key, payload={"step": step, **payload}, now=now, due=now + wait)


def _nothing() -> Outcome:
    return Outcome(lambda session: None)
