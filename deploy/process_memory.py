"""Watches the memory of this process and everything it starts, while a block runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

EVERY_SECONDS = 0.2


class PeakMemory:
    """`with PeakMemory() as memory:` then `memory.peak_mb`: the largest sum of resident sets, in MB (10^6 bytes).

    All processes together are sampled five times a second from /proc, pages shared by two processes counted twice;
    0 on a system that has no /proc.
    """

    def __init__(self) -> None:
        self.peak_mb = 0
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
            self.peak_mb = max(self.peak_mb, resident_bytes_of_tree(os.getpid()) // 1_000_000)


def resident_bytes_of_tree(root: int) -> int:
    """Resident bytes of a process and all its descendants; 0 where /proc does not tell."""
    page_bytes = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            resident[int(folder.name)] = int((folder / "statm").read_text().split()[1]) * page_bytes
        except (OSError, IndexError, ValueError):
            continue
        parents[int(folder.name)] = int(after_name[1])
    return sum(size for process, size in resident.items() if _descends(process, root, parents))


def _descends(process: int, root: int, parents: dict[int, int]) -> bool:
    while process not in (0, root):
        process = parents.get(process, 0)
    return process == root
