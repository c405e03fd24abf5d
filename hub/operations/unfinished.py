"""The jobs that wait, run or were given up, by kind, each with the next step; and those given up, set going again.

No key, payload or end of a job is told: keys name submissions, and how long a job took tells how large one was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.agreements.salts import DROP_SALTS
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.jobs import DONE, FAILED, RUNNING, WAITING, Job
from hub.linking.service import COMPARE, RESOLVE
from hub.operations.doctor import FAILED_WITHIN, JOB_WAITS
from hub.release.requests.service import COST
from hub.submissions.checks import REFRESH, REFRESH_STEP
from hub.submissions.messages import SEND
from hub.submissions.service import ROWS_CHECK, SPANS_CHECK

START = "Start promise-hub serve and read its log: no worker has taken it."
NAMED = "The access log, event:job.failed, names each."
RETRY = "Mend the cause of the code, then run promise-hub operations retry."
STILL_THERE = f"What should be gone still lies in a store. {RETRY}"
TOMORROW = "Nothing: it is tried again tomorrow."
RUN_AGAIN = "Mend the cause of the code, then run promise-hub linkage run."


@dataclass(frozen=True)
class Work:
    """What a kind of job does, and what to do where one was given up."""

    words: str
    given_up: str


WORK: Mapping[str, Work] = {
    ROWS_CHECK: Work("check the encoded rows of a submission", RETRY),
    SPANS_CHECK: Work("check the facts of a submission", RETRY),
    "rows.drop": Work("delete the rows of a submission that ended", STILL_THERE),
    "spans.drop": Work("delete the facts of a submission that ended", STILL_THERE),
    "rows.end_epoch": Work("delete the rows of an epoch that ended", STILL_THERE),
    "spans.end_epoch": Work("delete the spans of an epoch that ended", STILL_THERE),
    DROP_SALTS: Work("destroy the salts of an agreement that ended", STILL_THERE),
    "rows.sweep": Work("clear the matcher’s store of files that nobody names", TOMORROW),
    "spans.sweep": Work("clear the resolver’s stores of files that nobody names", TOMORROW),
    "messages.sweep": Work("clear what messages left behind", TOMORROW),
    COMPARE: Work("compare encoded rows", RUN_AGAIN),
    RESOLVE: Work("join records to persons", RUN_AGAIN),
    REFRESH: Work("link and release anew after a submission", RETRY),
    REFRESH_STEP: Work("a step of linking and releasing anew", RETRY),
    COST: Work("work out what a requested table costs", RETRY),
    SEND: Work("send a message to an office", f"The office’s page says the same. {RETRY}"),
}
"""Every kind of job that a worker takes; a test holds that none is missing."""


@dataclass(frozen=True)
class Unfinished:
    """Jobs of one kind, state and code: how many, since when the oldest is there, and what to do."""

    kind: str
    words: str
    state: str
    code: str
    jobs: int
    since: datetime
    next_step: str


def unfinished_jobs(session: Session, *, now: datetime) -> Sequence[Unfinished]:
    """What waits, runs, or was given up within a week, the oldest first."""
    named = (Job.kind, Job.state, Job.error_code)
    found = session.execute(
        select(*named, func.count(), func.min(Job.created_at), func.min(Job.available_at), func.min(Job.lease_until))
        .where(Job.state != DONE, (Job.state != FAILED) | (Job.finished_at > now - FAILED_WITHIN))
        .group_by(*named)
    ).all()
    told = [
        Unfinished(
            kind=kind, words=_words(kind), state=state, code=code or "", jobs=jobs, since=since,
            next_step=_next_step(kind, state, code, due=due, lease=lease, now=now),
        )
        for kind, state, code, jobs, since, due, lease in found
    ]  # fmt: skip
    return sorted(told, key=lambda one: (one.since, one.kind))


def retry_given_up(session: Session, *, audit: AuditTrail) -> int:
    """Set every job that was given up going again; how many. Not those of a linkage run: a failed run is run anew."""
    failed = select(Job).where(Job.state == FAILED, Job.kind.not_in((COMPARE, RESOLVE))).order_by(Job.id)
    rows = session.scalars(failed.with_for_update()).all()
    for job in rows:
        job.state, job.attempts, job.available_at = WAITING, 0, audit.clock()
        job.error_code = job.finished_at = job.lease_until = None
        append(session, audit, EventType.JOB_RETRIED, resource=job.key[:200])
    return len(rows)


def _words(kind: str) -> str:
    return WORK[kind].words if kind in WORK else kind


def _next_step(kind: str, state: str, code: str | None, *, due: datetime, lease: datetime | None, now: datetime) -> str:
    if state == FAILED:
        return f"{WORK[kind].given_up} {NAMED}" if kind in WORK else NAMED
    if state == RUNNING:
        lost = lease is not None and lease < now
        return "Its worker is gone: another takes it. Is promise-hub serve running?" if lost else "Nothing: it runs."
    if due > now:
        again = "It failed and is tried again by itself" if code else "Nothing: it is due"
        return f"{again} at {due:%Y-%m-%d %H:%M} UTC."
    return START if due < now - JOB_WAITS else "Nothing: a worker takes it next."
