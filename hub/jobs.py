"""Work that outlives a request: a table of jobs, enqueued in the business transaction, leased by role workers.

A job is done at least once: a worker that dies loses its lease and another takes the job again. A handler
computes first and hands back what to write; that is committed together with the job's end, so its effect
happens once. PostgreSQL workers skip locked rows; SQLite workers take turns by `BEGIN IMMEDIATE`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Select, String, and_, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hub.db import Base, Clock, Database
from hub.errors import HubError
from hub.log import Log

LEASE_SECONDS = 300
HAND_BACK_SECONDS = 5.0
"""How long a worker that is told to stop may go on with its job before it gives it back."""
ATTEMPTS_MAX = 5
BACKOFF_SECONDS = 2
PAUSE_GROWTH = 1.05
PAUSE_SECONDS_MAX = 0.25
"""An idle worker looks less and less often, down to this: about two seconds after its last job."""

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
STATES = (WAITING, RUNNING, DONE, FAILED)


class Job(Base):
    """One piece of work; `key` makes enqueueing it twice the same as once."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), index=True)
    attempts: Mapped[int]
    worker: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(80))


@dataclass(frozen=True)
class Ticket:
    """A leased job as its handler sees it."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempt: int


def _nothing() -> None:
    """The after-step of an outcome that has none."""


@dataclass(frozen=True)
class Outcome:
    """What a handler hands back: what to write in the job's last transaction, and what to clear after it."""

    write: Callable[[Session], None]
    after: Callable[[], None] = _nothing


Handler = Callable[[Ticket], Outcome]
OnFailure = Callable[[Session, Ticket, str], None]


def enqueue(
    session: Session, kind: str, *, key: str, payload: Mapping[str, Any], now: datetime, due: datetime | None = None
) -> None:
    """Add a job inside the business transaction, to be done at once or when due; the same key again adds nothing."""
    if session.execute(select(Job.id).where(Job.key == key)).first() is None:
        due = now if due is None else due
        session.add(
            Job(kind=kind, key=key, payload=dict(payload), state=WAITING, attempts=0, created_at=now, available_at=due)
        )
        session.flush()


def enqueue_when_quiet(session: Session, kind: str, *, quiet: timedelta, within: timedelta, now: datetime) -> None:
    """Have one job of a kind wait until nobody has asked for it for a while, but no longer than `within`."""
    waiting = session.scalars(select(Job).where(Job.kind == kind, Job.state == WAITING, Job.attempts == 0)).first()
    if waiting is None:
        enqueue(session, kind, key=f"{kind}:{now.isoformat()}", payload={}, now=now, due=now + quiet)
    elif waiting.available_at < now + quiet - quiet / 10:
        waiting.available_at = min(waiting.created_at + within, now + quiet)
        session.flush()


def state_of(session: Session, key: str) -> tuple[str, str | None] | None:
    """State and error code of a job by its key."""
    row = session.execute(select(Job.state, Job.error_code).where(Job.key == key)).one_or_none()
    return None if row is None else (row.state, row.error_code)


def claim(session: Session, kinds: Sequence[str], *, worker: str, now: datetime) -> Ticket | None:
    """Lease the oldest job of these kinds that waits or whose lease ran out."""
    found = session.execute(_due(kinds, now).limit(1).with_for_update(skip_locked=True)).scalar_one_or_none()
    if found is None:
        return None
    found.state, found.worker, found.attempts = RUNNING, worker, found.attempts + 1
    found.lease_until = now + timedelta(seconds=LEASE_SECONDS)
    session.flush()
    return Ticket(found.id, found.kind, found.key, found.payload, found.attempts)


def finish(session: Session, ticket: Ticket, *, worker: str, now: datetime) -> bool:
    """Mark a leased job done; False when the lease was lost to another worker, who then does it."""
    ended = session.execute(
        update(Job)
        .where(Job.id == ticket.id, Job.state == RUNNING, Job.worker == worker, Job.attempts == ticket.attempt)
        .values(state=DONE, finished_at=now, lease_until=None, error_code=None)
        .returning(Job.id)
    )
    return ended.first() is not None


def put_back(session: Session, ticket: Ticket, *, code: str, now: datetime) -> bool:
    """After a failure: wait and try again, or give up after ATTEMPTS_MAX; True when it was given up."""
    given_up = ticket.attempt >= ATTEMPTS_MAX
    wait = timedelta(seconds=BACKOFF_SECONDS**ticket.attempt)
    session.execute(
        update(Job)
        .where(Job.id == ticket.id, Job.attempts == ticket.attempt)
        .values(
            state=FAILED if given_up else WAITING,
            available_at=now + wait,
            lease_until=None,
            error_code=code,
            finished_at=now if given_up else None,
        )
    )
    return given_up


def hand_back(session: Session, ticket: Ticket, *, worker: str, now: datetime) -> bool:
    """Let a job that this worker still holds be taken by the next one at once; the attempt counts."""
    given = session.execute(
        update(Job)
        .where(Job.id == ticket.id, Job.state == RUNNING, Job.worker == worker, Job.attempts == ticket.attempt)
        .values(state=WAITING, available_at=now, lease_until=None)
        .returning(Job.id)
    )
    return given.first() is not None


@dataclass(frozen=True)
class Worker:
    """The loop of one role: takes only the kinds it has handlers for."""

    database: Database
    handlers: Mapping[str, Handler]
    name: str
    clock: Clock
    log: Log
    on_failure: OnFailure
    patience_seconds: float = HAND_BACK_SECONDS
    held: list[Ticket] = field(default_factory=list)
    """The job that is being done, if any."""

    def step(self) -> bool:
        """Do one job if one is due; tells whether there was one."""
        kinds = tuple(self.handlers)
        with self.database.reading() as session:
            if session.execute(_due(kinds, self.clock()).limit(1)).first() is None:
                return False
        with self.database.transaction() as session:
            ticket = claim(session, kinds, worker=self.name, now=self.clock())
        if ticket is not None:
            self._do(ticket)
        return ticket is not None

    def run(self, stop: threading.Event, *, poll_seconds: float) -> None:
        """Work until told to stop; a database that does not answer is waited for."""
        threading.Thread(target=self._hand_back, args=(stop,), daemon=True).start()
        pause = poll_seconds
        while not stop.is_set():
            try:
                worked = self.step()
            except HubError as error:
                self.log.write("worker.waiting", worker=self.name, code=error.code)
                worked = False
                stop.wait(1.0)
            if worked:
                pause = poll_seconds
            else:
                stop.wait(pause)
                pause = min(pause * PAUSE_GROWTH, max(PAUSE_SECONDS_MAX, poll_seconds))

    def _hand_back(self, stop: threading.Event) -> None:
        """When told to stop in the midst of a long job: wait a little for its end, then give it back."""
        stop.wait()
        until = time.monotonic() + self.patience_seconds
        while self.held and time.monotonic() < until:
            time.sleep(0.05)
        for ticket in tuple(self.held):
            with self.database.transaction() as session:
                given = hand_back(session, ticket, worker=self.name, now=self.clock())
            if given:
                self.log.write("job.handed_back", worker=self.name, kind=ticket.kind, key=ticket.key)

    def _do(self, ticket: Ticket) -> None:
        self.held.append(ticket)
        try:
            self._attempt(ticket)
        finally:
            self.held.clear()

    def _attempt(self, ticket: Ticket) -> None:
        try:
            outcome = self.handlers[ticket.kind](ticket)
            with self.database.transaction() as session:
                if not finish(session, ticket, worker=self.name, now=self.clock()):
                    return
                outcome.write(session)
        except Exception as error:  # whatever failed, the job must be put back; the code is kept
            self._failed(ticket, error)
            return
        outcome.after()

    def _failed(self, ticket: Ticket, error: Exception) -> None:
        code = error.code if isinstance(error, HubError) else type(error).__name__
        with self.database.transaction() as session:
            if put_back(session, ticket, code=code, now=self.clock()):
                self.on_failure(session, ticket, code)
        self.log.write("job.failed", worker=self.name, kind=ticket.kind, key=ticket.key, code=code, error=error)


def _due(kinds: Sequence[str], now: datetime) -> Select[Job]:
    waiting = and_(Job.state == WAITING, Job.available_at <= now)
    lost = and_(Job.state == RUNNING, Job.lease_until < now)
    return select(Job).where(Job.kind.in_(kinds), or_(waiting, lost)).order_by(Job.id)
