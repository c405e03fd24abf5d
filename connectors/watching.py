"""The watched folder: what arrives is checked, taken in, prepared and sent; nothing twice, however often it is stopped.

A school year is due when its inbox is another than the one that was prepared last (`watched.json`). That is written
after the submissions lie in the outbox, and before they are sent: stopped before it, the year is prepared again and the
unsent ones are forgotten; stopped after it, the same submissions are sent on, and the hub knows each by its name.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from connectors.arrivals import Arrival, Shape, digest_of, drop_folder, receive, settled, survey
from connectors.batches import inbox_files, inbox_years
from connectors.errors import EdgeError
from connectors.push import WAIT_SECONDS, Hub
from connectors.reports import as_lines
from connectors.road import Sent, Year, prepare_year, send_all
from connectors.submitting import unsent
from connectors.workspace import Workspace, write_json
from policies.holds import STUDENTS_GONE

STATE_FILE = "watched.json"
RETRY_SECONDS = 600.0
"""A submission that could not be sent is tried again after this long, or with the next one."""

Connect = Callable[[], AbstractContextManager[Hub]]


@dataclass
class Watcher:
    """One watched workspace, looked at again and again; what it says is for the steward."""

    workspace: Workspace
    connect: Connect
    clock: Callable[[], dt.datetime]
    wait_seconds: float = WAIT_SECONDS
    before: Mapping[Arrival, Shape] = field(default_factory=dict)
    tried_at: dt.datetime | None = None

    def begin(self) -> None:
        """Makes the drop folder and looks for the first time: what lies there now is taken in at the next look."""
        drop_folder(self.workspace).mkdir(exist_ok=True, mode=0o700)
        self.before = survey(drop_folder(self.workspace))

    def look(self) -> Iterator[str]:
        """Takes in what has stopped growing, prepares the years that are due, sends what waits."""
        now = survey(drop_folder(self.workspace))
        for arrival in settled(self.before, now):
            yield str(receive(arrival, self.workspace, now=self.clock()))
        self.before = {arrival: shape for arrival, shape in now.items() if arrival.path.exists()}
        fresh = False
        for year in due_years(self.workspace):
            yield from self._prepare(year)
            fresh = True
        if unsent(self.workspace) and (fresh or self._may_try_again()):
            yield from self._send()

    def rehearse(self) -> Iterator[str]:
        """What the next look would do; nothing is moved, kept or sent."""
        for arrival in survey(drop_folder(self.workspace)):
            yield f"would check and take in: {arrival.path.name}"
        for year in due_years(self.workspace):
            yield f"would prepare: {year}"
        for folder in unsent(self.workspace):
            yield f"would send: {folder.name[:12]}"

    def _prepare(self, school_year: int) -> Iterator[str]:
        seen = _shapes(self.workspace, school_year)
        try:
            year = prepare_year(self.workspace, school_year, now=self.clock())
        except EdgeError as error:
            yield f"{school_year}: not prepared. {error.code}  {error.sentence}\n  next: {error.next_step}"
            return
        remember_year(self.workspace, school_year, seen)
        yield from _told(year)

    def _send(self) -> Iterator[str]:
        self.tried_at = self.clock()
        with self.connect() as hub:
            for sent in send_all(hub, self.workspace, wait_seconds=self.wait_seconds):
                yield _outcome(sent)

    def _may_try_again(self) -> bool:
        return self.tried_at is None or (self.clock() - self.tried_at).total_seconds() >= RETRY_SECONDS


def due_years(workspace: Workspace) -> list[int]:
    """The school years whose inbox is another than the one that was prepared last."""
    known = _read(workspace)
    due = []
    for year in inbox_years(workspace.inbox):
        if not inbox_files(workspace.inbox, year):
            continue
        seen, last = _shapes(workspace, year), known.get(str(year), {})
        if seen["shape"] == last.get("shape"):
            continue
        if seen["content"]() == last.get("content"):
            remember_year(workspace, year, seen)
        else:
            due.append(year)
    return due


def prepared_as_it_is(workspace: Workspace, school_year: int) -> None:
    """Remembers that the inbox of a year was prepared by hand: the watched folder does not send it again."""
    remember_year(workspace, school_year, _shapes(workspace, school_year))


def remember_year(workspace: Workspace, school_year: int, seen: Mapping[str, Any]) -> None:
    """Keeps what a year's inbox was when it was prepared."""
    kept = {**_read(workspace), str(school_year): {"shape": seen["shape"], "content": seen["content"]()}}
    write_json(workspace.folder / STATE_FILE, kept)


def _shapes(workspace: Workspace, school_year: int) -> dict[str, Any]:
    """What the inbox of a year is: its files with sizes and times, and, when asked for, their content."""
    folder = workspace.inbox / str(school_year)
    shape = [[arrival.path.name, *of] for arrival, of in sorted(survey(folder).items())]
    return {"shape": shape, "content": lambda: digest_of(folder)}


def _read(workspace: Workspace) -> dict[str, dict[str, Any]]:
    try:
        read = json.loads((workspace.folder / STATE_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(year): dict(one) for year, one in read.items()} if isinstance(read, dict) else {}


def _told(year: Year) -> Iterator[str]:
    if year.refused:
        yield from as_lines(year.refused)
        yield f"{year.school_year}: nothing was prepared\n  next: mend the file in the inbox or take it out"
    for name in year.prepared:
        yield f"{year.school_year}: prepared {name[:12]}"
    if year.hold:
        gone = (
            "many students are gone"
            if year.hold == STUDENTS_GONE
            else "students changed, and padding hides who is gone"
        )
        yield f"{year.school_year}: {gone}; the hub will hold it ({year.hold}) until a person approves it"
        yield f"  next: read changes-KIND-{year.school_year}.csv in the workspace: who is gone, by your own numbers"


def _outcome(sent: Sent) -> str:
    if sent.answer is not None:
        return f"{sent.submission[:12]} {sent.answer.state}: {sent.answer.next_step}"
    error = sent.error
    return f"{sent.submission[:12]} not sent. " + (f"{error.code}  {error.sentence} {error.next_step}" if error else "")
