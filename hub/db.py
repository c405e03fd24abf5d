"""The database under every folder of the hub: one declarative base, and the only place that commits.

SQLite (embedded default) and PostgreSQL run the same code. On SQLite a writing transaction takes the write
lock at once (`BEGIN IMMEDIATE`), so that two writers never meet half way; the journal is write-ahead and
every commit reaches the disk (`synchronous=FULL`). Writers take turns before they ask SQLite, which lets those who
wait sleep up to 100 ms at a time.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from hub.errors import Unavailable
from hub.settings import Settings
from policies.roles import SCOPED

Clock = Callable[[], datetime]

BUSY_TIMEOUT_MILLISECONDS = 30_000
READING = "promise_reading"
SCOPE = "promise_scope"
TURN_POLL_SECONDS = 0.001


@dataclass(frozen=True)
class Scope:
    """What a transaction may see of the tables that belong to one provider each; PostgreSQL holds it row by row.

    `whole` and `own` are families of `policies.roles.SCOPED`, commas between.
    """

    whole: str = ""
    own: str = ""
    organisation: str = ""


EVERYTHING = Scope(whole=",".join(SCOPED))
"""For the hub's own workers and commands; a backup lacks the rows of any family that is not in it."""
NOTHING = Scope()


@dataclass(frozen=True)
class Limits:
    """What one process may take of PostgreSQL: connections kept, further ones at a peak, and how long a statement or
    an idle transaction may last (0: as long as it takes)."""

    kept: int = 2
    peak: int = 3
    statement_seconds: int = 0
    idle_seconds: int = 0


LIMITS = {
    "api": Limits(kept=10, peak=20, statement_seconds=30, idle_seconds=60),
    "signer": Limits(kept=1, peak=1, statement_seconds=60, idle_seconds=60),
    "messenger": Limits(statement_seconds=60, idle_seconds=120),
}
"""By role; matcher, resolver and commands compute as long as it takes."""
UNLIMITED = Limits(kept=10, peak=20)
"""For programs that name an address and no role."""


def utc_now() -> datetime:
    """The time now, aware, in UTC; the clock of every program that is not a test."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on both databases; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was given to the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The one base of all tables; names of constraints are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime()}


class Database:
    """One database by its address: `sqlite:///path` or `postgresql+psycopg://...`.

    `transaction()` commits when its block ends and rolls back when the block raises; `reading()` never commits.
    """

    def __init__(self, url: str, *, scope: Scope = EVERYTHING, limits: Limits = UNLIMITED) -> None:
        self.url = url
        self.engine = _engine(url, limits).execution_options(**{SCOPE: scope})
        path = make_url(url).database if self.is_sqlite else None
        self._turns = Turns(f"{path}-turn") if path else None

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self, *, scope: Scope | None = None) -> Iterator[Session]:
        """One unit of work: all of it is committed, or nothing."""
        with self._turn(), Session(self._scoped(scope), expire_on_commit=False) as session:
            with _busy_as_unavailable():
                session.connection()
            yield session
            session.commit()

    @contextmanager
    def reading(self, *, scope: Scope | None = None) -> Iterator[Session]:
        """A consistent look that changes nothing and takes no write lock; what it did is rolled back."""
        readers = self._scoped(scope).execution_options(**{READING: True})
        with Session(readers, expire_on_commit=False, autoflush=False) as session:
            yield session
            session.rollback()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One look at one moment over any number of statements, of every row; for copies of the whole database."""
        options: dict[str, Any] = {READING: True, SCOPE: EVERYTHING}
        if not self.is_sqlite:
            options["isolation_level"] = "REPEATABLE READ"
        with self.engine.execution_options(**options).connect() as connection:
            yield connection
            connection.rollback()

    def close(self) -> None:
        """Give every connection back to the system."""
        self.engine.dispose()

    def _scoped(self, scope: Scope | None) -> Engine:
        return self.engine if scope is None else self.engine.execution_options(**{SCOPE: scope})

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turns is None else self._turns.take()


def open_database(settings: Settings, role: str, *, scope: Scope = EVERYTHING) -> Database:
    """The database as one role comes to it: by its own login where the address has a place for one."""
    return Database(settings.resolved_database_url(role), scope=scope, limits=LIMITS.get(role, Limits()))


class Turns:
    """Lets one writer at a time, of all threads and processes, come to a SQLite file; who waits is woken at once.

    SQLite's own lock still holds against whoever does not ask here. The file is empty and stays.
    """

    def __init__(self, path: str, *, wait_seconds: float = BUSY_TIMEOUT_MILLISECONDS / 1000) -> None:
        self._path, self._wait_seconds = path, wait_seconds
        self._threads = threading.Lock()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Waits for the turn; raises Unavailable when it does not come in time."""
        until = time.monotonic() + self._wait_seconds
        if not self._threads.acquire(timeout=self._wait_seconds):
            raise _unanswered()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _lock_until(descriptor, until)
                yield
            finally:
                os.close(descriptor)
        finally:
            self._threads.release()


def _lock_until(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise _unanswered() from None
            time.sleep(TURN_POLL_SECONDS)


def _unanswered() -> Unavailable:
    return Unavailable("The database did not answer in time.", code="database-unavailable")


@contextmanager
def _busy_as_unavailable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise _unanswered() from error


@contextmanager
def everything_shown(session: Session) -> Iterator[None]:
    """Within it a query sees all rows, whoever the transaction is for: for facts that belong to nobody, such as
    whether anything was ever given under an agreement. Never for what is told row by row."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        yield
        return
    before: Scope = connection.get_execution_options().get(SCOPE, NOTHING)
    _set_scope(connection, EVERYTHING)
    yield
    _set_scope(connection, before)


def _engine(url: str, limits: Limits) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        milliseconds = {
            "statement_timeout": limits.statement_seconds * 1000,
            "idle_in_transaction_session_timeout": limits.idle_seconds * 1000,
        }
        served = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=limits.kept,
            max_overflow=limits.peak,
            connect_args={"options": " ".join(f"-c {name}={value}" for name, value in milliseconds.items())},
        )
        event.listen(served, "begin", _begin_scoped)
        return served
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_MILLISECONDS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_scoped(connection: Connection) -> None:
    """Tell PostgreSQL, for this transaction alone, whose rows may be seen."""
    _set_scope(connection, connection.get_execution_options().get(SCOPE, NOTHING))


def _set_scope(connection: Connection, scope: Scope) -> None:
    connection.exec_driver_sql(
        "SELECT set_config('promise.whole', %s, true), set_config('promise.own', %s, true), "
        "set_config('promise.organisation', %s, true)",
        (scope.whole, scope.own, scope.organisation),
    )


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
