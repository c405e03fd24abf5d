"""Remembers the nonces of signed requests, so that none is taken twice (RFC 9421 section 7.2.2).

The memory lives in the API process. After a restart a request signed before the start is refused, so that
nothing that an earlier process took can be taken again.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from policies.signing import WINDOW_SECONDS


class NonceMemory:
    """Nonces of the last window, by key; thread-safe."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()
        self._order: deque[tuple[datetime, tuple[str, str]]] = deque()
        self._lock = threading.Lock()

    def is_new(self, key_id: str, nonce: str, *, now: datetime) -> bool:
        """Whether this nonce was not seen under this key; from now on it was."""
        pair = (key_id, nonce)
        with self._lock:
            self._forget(now)
            if pair in self._seen:
                return False
            self._seen.add(pair)
            self._order.append((now + timedelta(seconds=2 * WINDOW_SECONDS), pair))
            return True

    def _forget(self, now: datetime) -> None:
        while self._order and self._order[0][0] < now:
            self._seen.discard(self._order.popleft()[1])
