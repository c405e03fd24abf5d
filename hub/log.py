"""The hub's log for operators: one JSON object a line, of a closed list of fields; never a value of a record.

An error is written as its class and the places in our code that it passed, without its text, since a text
can carry what was sent.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

FIELDS = frozenset(
    {"actor", "code", "count", "error", "job", "key", "kind", "method", "path", "pid", "port", "request_id", "role",
     "seconds", "status", "worker"}
)  # fmt: skip


class Log:
    """Writes to one stream; safe from several threads."""

    def __init__(self, stream: TextIO | None = None, *, clock: Callable[[], datetime] | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock or (lambda: datetime.now(UTC))
        self._lock = threading.Lock()

    def write(self, event: str, **fields: str | int | float | BaseException) -> None:
        """One line; a field that is not on the list is refused."""
        unknown = fields.keys() - FIELDS
        if unknown:
            raise KeyError(f"fields not on the log's list: {sorted(unknown)}")
        line: dict[str, object] = {"time": self._clock().isoformat(timespec="milliseconds"), "event": event}
        line |= {name: _shown(value) for name, value in fields.items()}
        with self._lock:
            self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()


def _shown(value: str | int | float | BaseException) -> object:
    if not isinstance(value, BaseException):
        return value
    frames = traceback.extract_tb(value.__traceback__)
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-6:]]
    return {"class": type(value).__name__, "places": places}
