"""What matcher and resolver remember between two runs, in their own encrypted stores: the names stand with the run.

A memory is made of rows and spans of accepted submissions and is guarded, and goes, as they do. Only the run that is
made and the run it rests on keep theirs; without one, the next run compares everything again.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import StoreError
from hub.files import FileStore
from hub.linking.tables import LinkageRun


def read_part(store: FileStore, memory: Mapping[str, str], part: str) -> bytes | None:
    """One part of a memory; None where the run remembers nothing of it. Raises StoreError `memory-missing`."""
    if part not in memory:
        return None
    if not store.has(memory[part]):
        raise StoreError(
            "What a linkage run remembers is missing.",
            code="memory-missing",
            next_step="Run promise-hub linkage run --from-nothing, which compares everything again.",
        )
    return store.get(memory[part])


def forget_older(session: Session, run: LinkageRun, *, role: str) -> list[str]:
    """Take the memory of a role from all runs but this one and the one it rests on; the files to delete come back."""
    kept: set[str] = set()
    dropped: set[str] = set()
    for other in session.scalars(select(LinkageRun)):
        files = set(other.memory.get(role, {}).values())
        if other.version in (run.version, run.based_on):
            kept |= files
        elif files:
            dropped |= files
            other.memory = {name: part for name, part in other.memory.items() if name != role}
    return sorted(dropped - kept)
