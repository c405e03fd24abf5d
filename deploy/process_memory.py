"""Watches the memory of this process and everything it starts, while a block runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

EVERY_SECONDS = 0.5


class PeakMemory:
    """`with PeakMemory() as memory:` then `memory.peak_mb` and `memory.resident_mb`, each the largest sum in MB (10^6
    bytes) over all processes together, sampled twice a second from /proc.

    `peak_mb` counts a page that processes share once (proportional set size): what the machine must have. The sum of
    resident sets, `resident_mb`, counts it once for each process. Both are 0 on a system that has no /proc.
    """

    def __init__(self) -> None:
        self.peak_mb = self.resident_mb = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            shared, resident = bytes_of_tree(os.getpid())
            self.peak_mb = max(self.peak_mb, shared // 1_000_000)
            self.resident_mb = max(self.resident_mb, resident // 1_000_000)


def bytes_of_tree(root: int) -> tuple[int, int]:
    """Proportional and resident bytes of a process and all its descendants; 0 where /proc does not tell."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
    told = [_told_of(process) for process in parents if _descends(process, root, parents)]
    return sum(shared for shared, _ in told), sum(resident for _, resident in told)


def _told_of(process: int) -> tuple[int, int]:
    """Proportional and resident bytes of one process; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    told = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines[1:]}
    return told.get("Pss", 0), told.get("Rss", 0)


def _descends(process: int, root: int, parents: dict[int, int]) -> bool:
    while process not in (0, root):
        process = parents.get(process, 0)
    return process == root
