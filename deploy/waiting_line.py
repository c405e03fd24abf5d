"""The line at the end of the demonstration's output that tells a person at a terminal what is running now."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

EVERY_SECONDS = 0.5
_CLEAR = "\r\x1b[2K"


class Waiting:
    """The programs that run now, with their seconds and, where a program tells it, how much of its work is done."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._running: dict[str, tuple[float, Path]] = {}

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            clear = _CLEAR if self._stream.isatty() else ""
            print(f"{clear}{line}", file=self._stream, flush=True)

    @contextmanager
    def on(self, name: str, told: Path) -> Iterator[None]:
        """While the block runs, the program is among those that are shown; `told` is the file that it writes to."""
        ended = threading.Event()
        ticking = threading.Thread(target=self._tick, args=(ended,), daemon=True)
        self._running[name] = (time.monotonic(), told)
        if self._stream.isatty():
            ticking.start()
        try:
            yield
        finally:
            del self._running[name]
            ended.set()
            if ticking.ident is not None:
                ticking.join()
            told.unlink(missing_ok=True)

    def _tick(self, ended: threading.Event) -> None:
        while not ended.wait(EVERY_SECONDS):
            with self._lock:
                print(f"{_CLEAR}{self.line()}", end="", file=self._stream, flush=True)

    def line(self) -> str:
        """What is shown now."""
        now = time.monotonic()
        shown = (f"{name}{_part(told)} {now - begun:.0f} s" for name, (begun, told) in list(self._running.items()))
        return "  ... " + ", ".join(shown)


def _part(told: Path) -> str:
    """How much of the work is done, where the program says it."""
    try:
        done, _, whole = told.read_text("ascii").strip().partition(" ")
    except OSError:
        return ""
    return f" {done} of {whole}," if whole else ""
