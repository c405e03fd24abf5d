"""The edges of the demonstration county's providers: their keys, and each year checked and prepared by itself.

A year of a provider is one piece of work that needs nothing of the others, so that a large county's are shared out to
worker processes; only counts and the names of prepared submissions come back from them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from connectors.batches import Batch, batches, inbox_files, inbox_years, last_day, read_reports
from connectors.collection import collection_paused
from connectors.errors import WorkspaceError
from connectors.keystore import AGENT_FILE, REFERENCE_FILE, SEALING_FILE, write_key
from connectors.prepare import Prepared
from connectors.push import Answer
from connectors.reports import FileReport
from connectors.submitting import Preparation
from connectors.workspace import open_workspace, read_agreements
from policies.agreements import Agreement

WORKERS = 2
BYTES_FOR_WORKERS = 60_000_000  # below that the workers' own start costs more than they save


@dataclass
class Outcome:
    """What became of the files of the county: how many were accepted, held, rejected, and why."""

    files: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    submissions: Counter[str] = field(default_factory=Counter)
    bad: list[dict[str, Any]] = field(default_factory=list)
    providers: set[str] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)

    def mark(self, step: str) -> None:
        """Keeps how many seconds had passed when the step was done."""
        self.seconds[step] = round(time.perf_counter() - self.begun, 2)

    def add_report(self, report: FileReport) -> None:
        self.rows.update(rows=report.rows, accepted=report.rows - report.rejected, rejected=report.rejected)
        for cause in report.causes:
            self.findings[cause.rule.code, cause.column] += cause.rows

    def add_refused(self, reports: Sequence[FileReport]) -> None:
        """The files among these that the edge itself refused."""
        for report in reports:
            if report.refusal is not None:
                self.files["rejected"] += 1
                self.add_report(report)

    def add(self, other: Outcome) -> None:
        """Adds what was counted elsewhere: another year of another provider."""
        for name in ("files", "rows", "findings", "submissions"):
            getattr(self, name).update(getattr(other, name))

    def add_answer(self, answer: Answer, files: int) -> None:
        self.submissions[answer.state] += 1
        state = answer.state if answer.state in ("accepted", "held") else "rejected"
        self.files[state] += files

    def as_json(self) -> dict[str, Any]:
        kinds = ("accepted", "held", "rejected")
        files = {state: self.files[state] for state in kinds}
        return {
            "files": {"total": sum(files.values()), "providers": len(self.providers), **files},
            "rows": dict(self.rows),
            "submissions": dict(self.submissions),
            "findings": [
                {"code": code, "column": column, "rows": count}
                for (code, column), count in sorted(self.findings.items(), key=lambda item: (-item[1], item[0]))
            ],
            "bad": self.bad,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class YearPrepared:
    """A provider's submissions of one year in its outbox, each with the number of its files; and what was found."""

    provider: str
    submissions: tuple[tuple[Path, int], ...]
    outcome: Outcome


@dataclass(frozen=True)
class _Year:
    county: Path
    agreements: Path
    provider: str
    year: int


def prepared_years(
    county: Path, agreements: Path, *, bytes_for_workers: int = BYTES_FOR_WORKERS
) -> Iterator[YearPrepared]:
    """Every year of every provider, in order, checked and prepared; the workspaces must be complete."""
    years = [_Year(county, agreements, provider, year) for provider, year in years_of(county)]
    if _inbox_bytes(county) < bytes_for_workers or (os.cpu_count() or 1) < WORKERS:
        yield from map(_prepare_year, years)
        return
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as workers:
        yield from workers.map(_prepare_year, years)


def years_of(county: Path) -> list[tuple[str, int]]:
    """Every provider with each school year of its inbox."""
    return [
        (provider, year)
        for provider in providers_of(county)
        for year in inbox_years(county / "providers" / provider / "inbox")
    ]


def prepare_batch(preparation: Preparation, batch: Batch, outcome: Outcome) -> Prepared:
    """The batch in the outbox; its files are counted."""
    prepared = preparation.prepare(batch)
    for reading in batch.readings:
        later = prepared.rejected_later.get(reading.name, 0)
        outcome.add_report(FileReport(reading.name, reading, None, later))
    return prepared


def _prepare_year(work: _Year) -> YearPrepared:
    with collection_paused():  # until nothing of the year is left to look through
        return _prepared_year(work)


def _prepared_year(work: _Year) -> YearPrepared:
    edge = open_workspace(edge_folder(work.county, work.provider))
    now = dt.datetime.now(dt.UTC)
    preparation = Preparation.of(edge, now=now, agreements=_agreements(work.agreements))
    paths = inbox_files(edge.inbox, work.year)
    latest = last_day(work.year, now.date())
    reports = read_reports(paths, source_map=edge.source_map(), school_year=work.year, latest=latest)
    outcome = Outcome()
    outcome.add_refused(reports)
    submissions = tuple(
        (prepare_batch(preparation, batch, outcome).folder, len(batch.readings))
        for batch in batches(reports, school_year=work.year)
    )
    return YearPrepared(work.provider, submissions, outcome)


@cache
def _agreements(folder: Path) -> Sequence[Agreement]:
    return read_agreements(folder)


def _inbox_bytes(county: Path) -> int:
    return sum(path.stat().st_size for path in (county / "providers").glob("*/inbox/*/*"))


def seed_keys(county: Path, provider: str) -> None:
    """The keys of a provider's agent out of the county's seed, where there are none yet: two runs of one demonstration
    then encode alike and make the same release. A district's keys are drawn at random (`connectors.keystore`)."""
    folder = edge_folder(county, provider) / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    parts = {AGENT_FILE: ("agent",), REFERENCE_FILE: ("reference",), SEALING_FILE: ("seal 1", "seal 2", "seal 3")}
    for file, labels in parts.items():
        if not (folder / file).exists():
            write_key(folder / file, b"".join(seeded_key(county, f"{label} {provider}") for label in labels))


def seeded_key(county: Path, label: str) -> bytes:
    """32 bytes that the seed of a made-up county gives; raises WorkspaceError EDGE-012 where the folder is none."""
    seed = _told(county)["seed"]
    return hashlib.sha256(f"promise demonstration/1|{seed}|{label}".encode()).digest()


def providers_of(county: Path) -> list[str]:
    return sorted({str(provider["id"]) for provider in _told(county)["providers"]})


def _told(county: Path) -> dict[str, Any]:
    """What the county says of itself; raises WorkspaceError EDGE-012 when the folder is none."""
    try:
        told = json.loads((county / "county.json").read_text("utf-8"))
        return {"seed": int(told["seed"]), "providers": [{"id": one["id"]} for one in told["providers"]]}
    except (OSError, ValueError, KeyError, TypeError):
        raise WorkspaceError(
            "EDGE-012", "This folder is no county.", "Make one: python -m connectors.synthetic"
        ) from None


def edge_folder(county: Path, provider: str) -> Path:
    return county / "providers" / provider / "edge"
