"""Figures for a monitor, at an internal address of their own: how the service does, never who or what.

Labels come from closed lists: the routes of the app, HTTP methods, classes of status, kinds and states of jobs. No
figure is by organisation, person or place, and none counts records, so none can be a small count.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from hub.audit.events import EventType
from hub.audit.service import newest_time
from hub.audit.tables import Checkpoint, Head
from hub.db import Clock, Database
from hub.errors import HubError
from hub.jobs import STATES, Job

LABELS = frozenset({"route", "method", "status", "kind", "state"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})
OTHER = "other"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meter:
    """The figures of one API process, and those that are read from the database when a monitor asks."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "promise_requests", "Answers sent.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "promise_request_seconds", "Seconds from request to answer.", ("route",), buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(Stores(database, clock=clock))

    def note(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """One answer, by the pattern of its route; an address without a route is one of the others."""
        pattern = route or OTHER
        told = method if method in METHODS else OTHER
        self._requests.labels(pattern, told, f"{status // 100}xx").inc()
        self._seconds.labels(pattern).observe(seconds)

    def serve(self, port: int, *, address: str) -> tuple[WSGIServer, threading.Thread]:
        """Answer a monitor on a port of its own, which no proxy passes on."""
        server, thread = start_http_server(port, addr=address, registry=self.registry)
        return server, thread


class Stores(Collector):
    """Read at each asking: jobs by kind and state, the log, the newest backup; `promise_database_up` tells the rest."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families; only `promise_database_up` when the database does not answer."""
        try:
            found = self._read()
        except (HubError, SQLAlchemyError):
            found = None
        yield _gauge("promise_database_up", "Whether the database answers.", float(found is not None))
        if found is None:
            return
        jobs, plain = found
        family = GaugeMetricFamily("promise_jobs", "Jobs by kind and state.", labels=("kind", "state"))
        for (kind, state), count in sorted(jobs.items()):
            family.add_metric((kind, state), float(count))
        yield family
        for name, (says, value) in plain.items():
            yield _gauge(name, says, value)

    def _read(self) -> tuple[Mapping[tuple[str, str], int], Mapping[str, tuple[str, float]]]:
        with self._database.reading() as session:
            counted = session.execute(select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)).all()
            size = session.scalar(select(Head.size)) or 0
            signed = session.scalar(select(func.max(Checkpoint.size))) or 0
            backed_up = newest_time(session, EventType.BACKUP_BEGUN)
        jobs = {(kind, state): count for kind, state, count in counted if state in STATES}
        plain = {
            "promise_log_events": ("Events in the log.", float(size)),
            "promise_log_unsigned_events": ("Events that wait for the signer.", float(size - signed)),
        }
        if backed_up is not None:
            age = (self._clock() - backed_up).total_seconds()
            plain["promise_backup_age_seconds"] = ("Seconds since the newest backup was begun.", age)
        return jobs, plain


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)
