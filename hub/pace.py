"""How often one caller may ask: counts by caller and minute, in this process; the callers' names are hashed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

CALLERS_MAX = 100_000
WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Paced:
    """What a caller has left of the present minute; `left` is below zero where the request is one too many."""

    limit: int
    left: int
    seconds: int

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 tells it."""
        return {
            "RateLimit-Policy": f'"caller";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"caller";r={max(self.left, 0)};t={self.seconds}',
        }


class Pace:
    """Counts the requests of each caller in the present minute; what was before is forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[bytes, int] = {}

    def count(self, caller: str, *, now: datetime, limit: int) -> Paced:
        """Count one more request of this caller; what it has left comes back."""
        second = int(now.timestamp())
        minute, key = second // WINDOW_SECONDS, sha256(caller.encode()).digest()[:16]
        with self._lock:
            if minute != self._minute or len(self._counts) >= CALLERS_MAX:
                self._minute, self._counts = minute, {}
            self._counts[key] = self._counts.get(key, 0) + 1
            left = limit - self._counts[key]
        return Paced(limit, left, WINDOW_SECONDS - second % WINDOW_SECONDS)
