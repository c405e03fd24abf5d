"""How often one caller may ask: counts by caller and minute, in this process; the callers' names are hashed."""

from __future__ import annotations

import threading
from datetime import datetime
from hashlib import sha256

CALLERS_MAX = 100_000


class Pace:
    """Counts the requests of each caller in the present minute; what was before is forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[bytes, int] = {}

    def may_ask(self, caller: str, *, now: datetime, limit: int) -> bool:
        """Whether one more request of this caller is within the limit; it is counted."""
        minute, key = int(now.timestamp()) // 60, sha256(caller.encode()).digest()[:16]
        with self._lock:
            if minute != self._minute or len(self._counts) >= CALLERS_MAX:
                self._minute, self._counts = minute, {}
            self._counts[key] = self._counts.get(key, 0) + 1
            return self._counts[key] <= limit
