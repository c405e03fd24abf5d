"""The workers of the matcher and the resolver: which kinds of job each takes, with which keys and stores."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub.agreements.salts import DROP_SALTS, drop_salts_job
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database, open_database, utc_now
from hub.errors import HubError
from hub.files import AnalysisStore, FileStore
from hub.jobs import Handler, Outcome, Ticket, Worker
from hub.linking.service import COMPARE, RESOLVE, fail_run
from hub.linking.steps import CompareDesk, ResolveDesk, compare_job, resolve_job
from hub.log import Log
from hub.operations.retention import keep_retention
from hub.operations.sweeping import Broom, ask_for_sweep, sweep_job
from hub.settings import Home, Settings
from hub.stores import facts_store, place_of
from hub.submissions.checks import REFRESH, REFRESH_STEP, Desk, check_rows_job, check_spans_job, drop_job
from hub.submissions.epoch_end import end_epoch_job
from hub.submissions.inbox import Inbox
from hub.submissions.messages import SEND, MessageDesk, send_job, webhook_key
from hub.submissions.service import ROWS_CHECK, SPANS_CHECK
from hub.submissions.stale import give_up_stale
from linkage.sealing import read_recipient_key


@dataclass(frozen=True)
class RoleWorker:
    """A worker and the database it works on."""

    worker: Worker
    database: Database
    broom: Broom

    def run(self, stop: threading.Event, *, poll_seconds: float) -> None:
        """Work until told to stop; what was left by a worker that was killed is swept first."""
        with suppress(HubError), self.database.transaction() as session:  # a database that is away is waited for below
            ask_for_sweep(session, self.broom, due=self.broom.clock())
        self.worker.run(stop, poll_seconds=poll_seconds)

    def run_until_idle(self) -> int:
        """Do all that is due; how many jobs that were."""
        done = 0
        while self.worker.step():
            done += 1
        return done

    def close(self) -> None:
        self.database.close()


def matcher(settings: Settings, *, log: Log, clock: Clock = utc_now) -> RoleWorker:
    """The matcher: holds the key of the rows and no other."""
    home, database = Home(settings.home), open_database(settings, "matcher")
    key = read_recipient_key(home.key("matcher", "sealing.key"))
    rows = FileStore(place_of(settings, "rows", role="matcher"), home.key("matcher", "rows.key"))
    desk = Desk("matcher", database, clock, Inbox(home.inbox), key, rows)
    resolver_key = home.public_facts()["resolver_public_key"]
    compare = CompareDesk(database, clock, rows, home.handover, resolver_key, settings.engine("linkage"))
    handlers: dict[str, Handler] = {
        ROWS_CHECK: check_rows_job(desk),
        COMPARE: compare_job(compare),
        "rows.drop": drop_job(desk, ("rows",)),
        "rows.end_epoch": end_epoch_job(desk, "rows"),
    }
    broom = Broom("matcher", "rows.sweep", database, clock, {"rows": rows})
    return _worker(broom, handlers, log=log)


def resolver(settings: Settings, *, log: Log, clock: Clock = utc_now) -> RoleWorker:
    """The resolver: holds the keys of spans and facts and no other."""
    home, database = Home(settings.home), open_database(settings, "resolver")
    key = read_recipient_key(home.key("resolver", "sealing.key"))
    spans = FileStore(place_of(settings, "spans", role="resolver"), home.key("resolver", "spans.key"))
    analysis = facts_store(settings, role="resolver")
    desk = Desk("resolver", database, clock, Inbox(home.inbox), key, spans, analysis)
    handlers: dict[str, Handler] = {
        SPANS_CHECK: check_spans_job(desk),
        RESOLVE: resolve_job(ResolveDesk(database, clock, spans, home.handover, key, settings.engine("linkage"))),
        "spans.drop": drop_job(desk, ("spans", "facts")),
        "spans.end_epoch": end_epoch_job(desk, "spans"),
        DROP_SALTS: drop_salts_job(database, salts=analysis.salts, clock=clock),
        REFRESH: _refresh(database, clock, analysis),
        REFRESH_STEP: _refresh(database, clock, analysis),
        "release.request-cost": _cost(database, clock, analysis),
    }
    stores = {"spans": spans, "analysis": analysis, "salts": analysis.salts}
    broom = Broom("resolver", "spans.sweep", database, clock, stores, handover=home.handover, also=_daily)
    return _worker(broom, handlers, log=log)


def messenger(settings: Settings, *, log: Log, clock: Clock = utc_now) -> RoleWorker:
    """The messenger: tells offices of their submissions; holds the key of webhooks and no other."""
    home, database = Home(settings.home), open_database(settings, "messenger")
    path = home.key_file("messenger", "webhook.key")
    desk = MessageDesk(database, clock, settings, webhook_key(home) if path.exists() else None)
    broom = Broom("messenger", "messages.sweep", database, clock, {})
    return _worker(broom, {SEND: send_job(desk)}, log=log)


def _daily(session: Session, audit: AuditTrail) -> int:
    """What the resolver does beside sweeping: it gives up what never became whole, and watches over agreements."""
    return give_up_stale(session, audit) + keep_retention(session, audit)


def _refresh(database: Database, clock: Clock, analysis: AnalysisStore) -> Handler:
    """The steps of a refresh; what counts and protects is loaded when the first is due, to keep the resolver small."""

    def refresh(ticket: Ticket) -> Outcome:
        from hub.release.refresh import RefreshDesk, refresh_job

        return refresh_job(RefreshDesk(database, clock, analysis))(ticket)

    return refresh


def _cost(database: Database, clock: Clock, analysis: AnalysisStore) -> Handler:
    """Works out what a requested table would cost the others; loaded when the first is due."""

    def cost(ticket: Ticket) -> Outcome:
        from hub.release.requests.cost import cost_job
        from policies.catalogue_files import catalogue

        return cost_job(database, clock=clock, analysis=analysis, catalogue=catalogue())(ticket)

    return cost


def give_memory_back() -> None:
    """Hand freed memory back to the system where the allocator keeps it (glibc): a worker waits much longer than it
    works."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _giving_back(handler: Handler) -> Handler:
    """The handler, with memory given back once its outcome is written."""

    def handle(ticket: Ticket) -> Outcome:
        outcome = handler(ticket)

        def after() -> None:
            outcome.after()
            give_memory_back()

        return Outcome(outcome.write, after)

    return handle


def _worker(broom: Broom, handlers: Mapping[str, Handler], *, log: Log) -> RoleWorker:
    role, database, clock = broom.role, broom.database, broom.clock
    handlers = {kind: _giving_back(one) for kind, one in {**handlers, broom.kind: sweep_job(broom)}.items()}

    def on_failure(session: Session, ticket: Ticket, code: str) -> None:
        if ticket.kind in (COMPARE, RESOLVE):
            fail_run(session, int(ticket.payload["run"]))
        trail = AuditTrail(role, None, ticket.key[:64], ticket.kind, clock)
        append(session, trail, EventType.JOB_FAILED, resource=ticket.key[:200], rule=code[:80], outcome="failed")

    name = f"{role}:{os.getpid()}"
    worker = Worker(database, handlers, name=name, clock=clock, log=log, on_failure=on_failure)
    return RoleWorker(worker, database, broom)
