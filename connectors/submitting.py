"""Holds together what one run of prepare or push needs: keys, agreement, clock, connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from connectors.batches import Batch
from connectors.changes import Changes, Watch
from connectors.collection import collection_paused
from connectors.prepare import Observer, Prepared, Sealing, agreed, nobody, prepare, sealing_of
from connectors.push import Hub
from connectors.workspace import Workspace
from policies.agreements import Agreement

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Preparation:
    """One run of prepare in one workspace."""

    workspace: Workspace
    sealing: Sealing
    agreement: Agreement
    now: dt.datetime

    @classmethod
    def of(
        cls, workspace: Workspace, *, now: dt.datetime, agreements: Sequence[Agreement] | None = None
    ) -> Preparation:
        """Reads keys and agreements; raises WorkspaceError or AgreementRefusedError."""
        known = workspace.agreements() if agreements is None else agreements
        agreement = agreed(workspace, known, now.date())
        return cls(workspace, sealing_of(workspace), agreement, now)

    def prepare_and_compare(self, batch: Batch) -> tuple[Prepared, Changes | None]:
        """The same, and what it changes against the last one that the hub accepted; None where there was none."""
        watch = Watch(self.workspace.folder, self.workspace.receipts)
        return self.prepare(batch, seen_by=watch.see), watch.changes

    def prepare(self, batch: Batch, *, seen_by: Observer = nobody) -> Prepared:
        """The batch as a submission in the outbox."""
        with collection_paused():
            return prepare(
                batch.readings,
                workspace=self.workspace,
                sealing=self.sealing,
                agreement=self.agreement,
                kind=batch.kind,
                school_year=batch.school_year,
                now=self.now,
                seen_by=seen_by,
            )


def unsent(workspace: Workspace) -> list[Path]:
    """The prepared submissions that have no receipt yet, oldest first."""
    folders = [path for path in workspace.outbox.glob("[0-9a-f]*") if path.is_dir()]
    waiting = [path for path in folders if not (workspace.receipts / f"{path.name}.json").exists()]
    return sorted(waiting, key=lambda path: (path.stat().st_mtime_ns, path.name))


@contextmanager
def connection(workspace: Workspace, *, clock: Callable[[], dt.datetime]) -> Iterator[Hub]:
    """The hub of this workspace, as its agent reaches it."""
    with httpx.Client(base_url=workspace.settings.hub, timeout=TIMEOUT_SECONDS) as client:
        yield Hub(client, workspace.keys.agent(), workspace.key_id, clock)
