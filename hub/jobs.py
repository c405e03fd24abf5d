"""Work that outlives a request: a table of jobs, enqueued in the business transaction, leased by role workers.

A job is done at least once: leases are short and a working worker renews its own, so that the job of one that dies
is soon taken by another. A handler computes first and hands back what to write; that is committed together with the
job's end, and only by whoever holds the lease: each lease is an attempt with its own number, and an earlier number
ends nothing (a fencing token). So its effect happens once. PostgreSQL workers skip locked rows; SQLite workers take
turns by `BEGIN IMMEDIATE`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, String, and_, or_, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from hub.db import Base, Clock, Database
from hub.errors import HubError
from hub.log import Log

LEASE_SECONDS = 20
"""After so long without a sign of life a job belongs to whoever asks next."""
RENEW_SECONDS = 5.0
"""How often a worker shows that it lives, by a thread and a connection of its own. Four of these make a lease: what
computes for long (numba, DuckDB, Arrow) lets other threads run, and a busy disk may take one turn away."""
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


def renew(session: Session, ticket: Ticket, *, worker: str, now: datetime) -> bool:
    """Hold a job for another lease; False when it is not this worker's any more."""
    return _change(session, ticket, worker, lease_until=now + timedelta(seconds=LEASE_SECONDS))


def finish(session: Session, ticket: Ticket, *, worker: str, now: datetime) -> bool:
    """Mark a leased job done; False when the lease was lost to another worker, who then does it."""
    return _change(session, ticket, worker, state=DONE, finished_at=now, lease_until=None, error_code=None)


def put_back(session: Session, ticket: Ticket, *, worker: str, code: str, now: datetime) -> bool:
    """After a failure: wait and try again, or give up after ATTEMPTS_MAX; True when it was given up."""
    given_up = ticket.attempt >= ATTEMPTS_MAX
    wait = timedelta(seconds=BACKOFF_SECONDS**ticket.attempt)
    changed = _change(
        session, ticket, worker,
        state=FAILED if given_up else WAITING, available_at=now + wait, lease_until=None, error_code=code,
        finished_at=now if given_up else None,
    )  # fmt: skip
    return changed and given_up


def hand_back(session: Session, ticket: Ticket, *, worker: str, now: datetime) -> bool:
    """Let a job that this worker still holds be taken by the next one at once; the attempt counts."""
    return _change(session, ticket, worker, state=WAITING, available_at=now, lease_until=None)


def _change(session: Session, ticket: Ticket, worker: str, **values: Any) -> bool:
    """Change a job if, and only if, this very lease of it still holds."""
    changed = session.execute(update(Job).where(_held_by(ticket, worker)).values(**values).returning(Job.id))
    return changed.first() is not None


def _held_by(ticket: Ticket, worker: str) -> ColumnElement[bool]:
    return and_(Job.id == ticket.id, Job.state == RUNNING, Job.worker == worker, Job.attempts == ticket.attempt)


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
    renew_seconds: float = RENEW_SECONDS
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
        attending = threading.Thread(target=self._attend, args=(stop,), daemon=True)
        attending.start()
        pause = poll_seconds
        while not stop.is_set():
            try:
                worked = self.step()
            except (HubError, OperationalError) as error:
                self.log.write("worker.waiting", worker=self.name, code=code_of(error))
                worked = False
                stop.wait(1.0)
            if worked:
                pause = poll_seconds
            else:
                stop.wait(pause)
                pause = min(pause * PAUSE_GROWTH, max(PAUSE_SECONDS_MAX, poll_seconds))
        attending.join(self.patience_seconds)

    def _attend(self, stop: threading.Event) -> None:
        """Renew the lease of what is being done; when told to stop, wait a little for its end, then give it back."""
        while not stop.wait(self.renew_seconds):
            self._change_held(renew)
        until = time.monotonic() + self.patience_seconds
        while self.held and time.monotonic() < until:
            time.sleep(0.05)
        for ticket in self._change_held(hand_back):
            self.log.write("job.handed_back", worker=self.name, kind=ticket.kind, key=ticket.key)

    def _change_held(self, change: Callable[..., bool]) -> list[Ticket]:
        """Change the lease of what is being done; a database that does not answer is asked again next time."""
        changed = []
        for ticket in tuple(self.held):
            try:
                with self.database.transaction() as session:
                    if change(session, ticket, worker=self.name, now=self.clock()):
                        changed.append(ticket)
            except (HubError, SQLAlchemyError) as error:
                self.log.write("job.not_renewed", worker=self.name, kind=ticket.kind, key=ticket.key, error=error)
        return changed

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
                    self.log.write("job.lost", worker=self.name, kind=ticket.kind, key=ticket.key)
                    return
                outcome.write(session)
        except Exception as error:  # whatever failed, the job must be put back; the code is kept
            self._failed(ticket, error)
            return
        outcome.after()

    def _failed(self, ticket: Ticket, error: Exception) -> None:
        code = code_of(error)
        with self.database.transaction() as session:
            if put_back(session, ticket, worker=self.name, code=code, now=self.clock()):
                self.on_failure(session, ticket, code)
        self.log.write("job.failed", worker=self.name, kind=ticket.kind, key=ticket.key, code=code, error=error)


def code_of(error: Exception) -> str:
    """What a log may say of an error: its code, or its class where it has none."""
    return error.code if isinstance(error, HubError) else type(error).__name__


def _due(kinds: Sequence[str], now: datetime) -> Select[Job]:
    waiting = and_(Job.state == WAITING, Job.available_at <= now)
    lost = and_(Job.state == RUNNING, Job.lease_until < now)
    return select(Job).where(Job.kind.in_(kinds), or_(waiting, lost)).order_by(Job.id)
