"""Waits for the roles to finish a run that was requested."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub.db import Database
from hub.errors import Conflict, Unavailable
from hub.linking.service import Run, read_run
from hub.linking.tables import FAILED, RESOLVED

POLL_SECONDS = 0.05


def wait_for(
    database: Database, version: int, *, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Run:
    """The run once it is resolved; raises Conflict when it failed and Unavailable when nobody works on it."""
    waited = 0.0
    while True:
        with database.reading() as session:
            run = read_run(session, version)
        if run.state == FAILED:
            raise Conflict(
                f"Run {version} failed.", code="run-failed", next_step="The log of the matcher or resolver says where."
            )
        if run.state == RESOLVED:
            return run
        if waited >= timeout_seconds:
            raise Unavailable(
                f"Run {version} is {run.state}.",
                code="run-waiting",
                next_step="Start promise-hub serve, or let promise-hub work do the matcher's and resolver's jobs.",
            )
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
