"""The road of one school year at the edge, as a program takes it: read the inbox, prepare, send, tell.

What a steward does by `prepare` and `push`; here for the watched folder and the service, which show nothing to a
terminal and never stop at a file that is refused.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.batches import batches, inbox_files, last_day, read_reports
from connectors.collection import collection_paused
from connectors.errors import EdgeError
from connectors.push import Answer, Hub, push
from connectors.reports import FileReport
from connectors.submitting import Preparation, unsent
from connectors.workspace import LAST_FOLDER, Workspace


@dataclass(frozen=True)
class Year:
    """A school year as it was read, and what was laid into the outbox of it: nothing where a file is refused."""

    school_year: int
    reports: Sequence[FileReport]
    prepared: Sequence[str]
    hold: str = ""
    """The code for which the hub will hold one of them: students are gone, or may be; empty where it will not."""

    @property
    def refused(self) -> Sequence[FileReport]:
        return [report for report in self.reports if report.refusal is not None]


@dataclass(frozen=True)
class Sent:
    """What came of sending one submission: the hub's answer, or the error that stopped it."""

    submission: str
    answer: Answer | None
    error: EdgeError | None


def read_year(workspace: Workspace, school_year: int, *, now: dt.datetime) -> list[FileReport]:
    """The files of a school year, each read or refused by itself."""
    return read_reports(
        inbox_files(workspace.inbox, school_year),
        source_map=workspace.source_map(),
        school_year=school_year,
        latest=last_day(school_year, now.date()),
    )


def prepare_year(workspace: Workspace, school_year: int, *, now: dt.datetime) -> Year:
    """The year's submissions in the outbox, in place of those of its kinds that were never sent."""
    with collection_paused():  # until nothing of the year is left to look through
        return _prepared_year(workspace, school_year, now=now)


def forget_unsent(workspace: Workspace, *, kind: str, school_year: int) -> int:
    """Takes prepared submissions away that a newer one replaces before they were sent; how many."""
    doomed = [path for path in unsent(workspace) if _about(path) == (kind, school_year)]
    for folder in doomed:
        shutil.rmtree(folder)
        (workspace.folder / LAST_FOLDER / f"{folder.name}.json").unlink(missing_ok=True)
    return len(doomed)


def send_all(hub: Hub, workspace: Workspace, *, wait_seconds: float) -> list[Sent]:
    """Every prepared submission without a receipt, sent; one that cannot go does not stop the others."""
    return [_sent(hub, workspace, folder, wait_seconds=wait_seconds) for folder in unsent(workspace)]


def _prepared_year(workspace: Workspace, school_year: int, *, now: dt.datetime) -> Year:
    reports = read_year(workspace, school_year, now=now)
    if any(report.refusal is not None for report in reports):
        return Year(school_year, reports, ())
    preparation = Preparation.of(workspace, now=now)
    made, hold = [], ""
    for batch in batches(reports, school_year=school_year):
        forget_unsent(workspace, kind=batch.kind, school_year=school_year)
        prepared, changes = preparation.prepare_and_compare(batch)
        made.append(prepared.folder.name)
        if changes is not None:
            changes.keep(workspace.folder, kind=batch.kind, school_year=school_year)
            hold = hold or changes.hold
    return Year(school_year, reports, made, hold)


def _sent(hub: Hub, workspace: Workspace, folder: Path, *, wait_seconds: float) -> Sent:
    try:
        answer = push(hub, folder, receipts=workspace.receipts, wait_seconds=wait_seconds)
    except EdgeError as error:
        return Sent(folder.name, None, error)
    return Sent(folder.name, answer, None)


def _about(folder: Path) -> tuple[str, int] | None:
    try:
        told: Mapping[str, Any] = json.loads((folder / "manifest.json").read_bytes())
        return str(told["kind"]), int(told["school_year"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
