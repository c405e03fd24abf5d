"""Lets one program at a time work in a workspace: a lock that the system drops when its holder ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import WorkspaceError

LOCK_FILE = "watch.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds the workspace's lock while the block runs; raises WorkspaceError EDGE-043 where another holds it."""
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(handle):
            raise WorkspaceError(
                "EDGE-043", "Another program watches this workspace now.", "Let it end, or stop it, and try again."
            )
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
