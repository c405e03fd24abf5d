"""A book of the HTTP answers that were sent, beside the log, and its comparison with the log's events.

The API writes one line before it sends an answer; whoever compares the two finds answers without an event. The book
holds the request's id, route and status: nothing of what was asked or told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.audit.tables import Detail

EVENTLESS = frozenset(
    {
        "/v1/live", "/v1/ready", "/v1/openapi.json", "/v1/agreements/schema", "/static/hub.css", "/static/passkey.js",
        "/static/upload.js", "",
    }
)  # fmt: skip
"""Routes that tell nothing and leave no event: health, what the API and an agreement look like, styles, scripts,
unknown addresses."""


class AnswerBook:
    """One file a day in one folder; a line is one write, so that threads and processes do not mix theirs."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime]) -> None:
        self._folder, self._clock = folder, clock

    def note(self, request_id: str, *, route: str, status: int) -> None:
        """Write down that an answer is about to be sent."""
        now = self._clock()
        line = json.dumps({"id": request_id, "at": now.isoformat(timespec="seconds"), "route": route, "status": status})
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / f"{now:%Y-%m-%d}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Reconciled:
    """How many answers and events of requests there are, and which answers have no event."""

    answers: int
    events: int
    unlogged: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"answers": self.answers, "events": self.events, "unlogged": list(self.unlogged)}


def reconcile(session: Session, folder: Path, *, audit: AuditTrail) -> Reconciled:
    """Compare every answer in the book with the log; the comparison is an event itself.

    Answers of 500 and above told nothing, and a route of EVENTLESS has nothing to tell.
    """
    logged = set(session.scalars(select(Detail.request_id).distinct()))
    answers, unlogged = 0, []
    for line in _lines(folder):
        if line["status"] < 500 and line["route"] not in EVENTLESS:
            answers += 1
            if line["id"] not in logged:
                unlogged.append(str(line["id"]))
    found = Reconciled(answers, len(logged), tuple(unlogged))
    append(
        session,
        audit,
        EventType.AUDIT_RECONCILED,
        resource="log",
        outcome="found" if unlogged else "done",
        counts={"answers": answers, "unlogged": len(unlogged)},
    )
    return found


def _lines(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
