"""Acts as every provider's edge of the demonstration county in turn, each with its own keys; no district runs this.

`register` makes the agents' keys and the roster; `push` checks, encodes and sends all years of all providers, then the
deliberately bad files, and joins the truth's local numbers with the references that each provider's key gives.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import hashlib
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from connectors.batches import Batch, batches, inbox_files, inbox_years, last_day, read_reports
from connectors.cli import install
from connectors.errors import EdgeError, WorkspaceError
from connectors.keystore import REFERENCE_FILE, write_key
from connectors.prepare import Prepared
from connectors.push import Answer, Hub, send, settle
from connectors.references import record_reference
from connectors.reports import FileReport, as_json
from connectors.submitting import TIMEOUT_SECONDS, Preparation
from connectors.workspace import Workspace, make_workspace, read_agreements, write_json, write_whole
from policies.agreements import Agreement

HUB_UNKNOWN = "http://localhost"
SENDERS = 3


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
class Sent:
    """One submission on its way: how many source files it is made of, and its provider."""

    provider: str
    submission: str
    files: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; exit status as of `promise-edge`."""
    options = _options(arguments)
    try:
        if options.command == "register":
            write_json(options.out, {"agents": register(options.county)})
            return 0
        outcome = push_county(
            options.county,
            hub=options.hub,
            hub_keys=options.hub_keys,
            agreements=options.agreements,
            secret=options.secret,
        )
        write_json(options.summary, outcome.as_json())
        print(f"{dict(outcome.files)} {dict(outcome.submissions)}")
    except EdgeError as error:
        print(f"{error.code}  {error.sentence}\n  next: {error.next_step}", file=sys.stderr)
        return error.exit_code
    return 0


def register(county: Path) -> list[dict[str, str]]:
    """A workspace with keys for every provider of the county; the agents as they stand on the roster."""
    agents = []
    for provider in _providers(county):
        _seed_reference_key(county, provider)
        workspace = make_workspace(_edge(county, provider), organisation=provider, hub=HUB_UNKNOWN, inbox="../inbox")
        key = workspace.keys.agent().public()
        agents.append({"organisation": provider, "key_id": workspace.key_id, "public_key": key})
    return agents


def push_county(county: Path, *, hub: str, hub_keys: Path, agreements: Path, secret: Path) -> Outcome:
    """Everything that the county's providers have, sent; then the bad files; then the references for the evaluation."""
    if not secret.exists():
        write_key(secret, _seeded_key(county, "linkage secret"))
    known = read_agreements(agreements)
    providers = _providers(county)
    edges = {
        provider: _edge_of(
            _edge(county, provider), provider, hub, hub_keys=hub_keys, agreements=agreements, secret=secret
        )
        for provider in providers
    }
    outcome = Outcome(providers=set(providers))
    with httpx.Client(base_url=hub, timeout=TIMEOUT_SECONDS) as client, ThreadPoolExecutor(SENDERS) as senders:
        sending = [
            senders.submit(_send, _hub(client, edge), edge, prepared=prepared, files=files)
            for edge in edges.values()
            for prepared, files in _prepared(edge, known, outcome, rng=_seeded_randomness(county, edge))
        ]
        sent = [future.result() for future in sending]
        outcome.mark("sent")
        settling = [senders.submit(_settle, client, edges[one.provider], one) for one in sent]
        for one, settled in zip(sent, settling, strict=True):
            outcome.add_answer(settled.result(), one.files)
        outcome.mark("settled")
        for case in sorted((county / "bad").glob("*/bad.json")):
            outcome.bad.append(_try_bad(case, client, edges, known=known, outcome=outcome))
    _write_references(county, edges)
    return outcome


def _seed_reference_key(county: Path, provider: str) -> None:
    """The provider's reference key out of the county's seed, where there is none yet."""
    path = _edge(county, provider) / "keys" / REFERENCE_FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_key(path, _seeded_key(county, f"reference {provider}"))


def _seeded_key(county: Path, label: str) -> bytes:
    """32 bytes that the county's seed gives: two runs of one demonstration then make the same release.

    Equal matches are told apart by references, and dummies move estimates; a district's keys are drawn at random.
    """
    seed = _told(county)["seed"]
    return hashlib.sha256(f"promise demonstration/1|{seed}|{label}".encode()).digest()


def _seeded_randomness(county: Path, edge: Workspace) -> np.random.Generator:
    """The order and dummies of one provider's submissions out of the county's seed."""
    return np.random.default_rng(int.from_bytes(_seeded_key(county, f"order {edge.settings.organisation}"), "little"))


def _providers(county: Path) -> list[str]:
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


def _edge(county: Path, provider: str) -> Path:
    return county / "providers" / provider / "edge"


def _edge_of(folder: Path, provider: str, hub: str, *, hub_keys: Path, agreements: Path, secret: Path) -> Workspace:
    workspace = make_workspace(folder, organisation=provider, hub=hub, inbox="../inbox")
    install(workspace, hub_keys=hub_keys, agreements=agreements, secret=secret)
    return workspace


def _hub(client: httpx.Client, edge: Workspace) -> Hub:
    return Hub(client, edge.keys.agent(), edge.key_id, _now)


def _prepared(
    edge: Workspace, known: Sequence[Agreement], outcome: Outcome, *, rng: np.random.Generator
) -> Iterator[tuple[Prepared, int]]:
    """Every submission of one provider, year by year, with the number of its files; what is refused is counted."""
    preparation = replace(Preparation.of(edge, now=_now(), agreements=known), rng=rng)
    source_map = edge.source_map()
    for year in inbox_years(edge.inbox):
        paths = inbox_files(edge.inbox, year)
        reports = read_reports(paths, source_map=source_map, school_year=year, latest=last_day(year, _now().date()))
        outcome.add_refused(reports)
        for batch in batches(reports, school_year=year):
            yield _prepare(preparation, batch, outcome), len(batch.readings)


def _prepare(preparation: Preparation, batch: Batch, outcome: Outcome) -> Prepared:
    prepared = preparation.prepare(batch)
    for reading in batch.readings:
        later = prepared.rejected_later.get(reading.name, 0)
        outcome.add_report(FileReport(reading.name, reading, None, later))
    return prepared


def _send(hub: Hub, edge: Workspace, *, prepared: Prepared, files: int) -> Sent:
    return Sent(edge.settings.organisation, send(hub, prepared.folder), files)


def _settle(client: httpx.Client, edge: Workspace, sent: Sent) -> Answer:
    return settle(_hub(client, edge), sent.submission, receipts=edge.receipts)


def _try_bad(
    case: Path, client: httpx.Client, edges: Mapping[str, Workspace], *, known: Sequence[Agreement], outcome: Outcome
) -> dict[str, Any]:
    """One deliberately bad delivery, tried like any other: what became of it, with code, place, cause and fix."""
    told = json.loads(case.read_text("utf-8"))
    edge, year = edges[str(told["provider"])], int(told["school_year"])
    paths = sorted(path for path in case.parent.iterdir() if path.is_file() and path.name != case.name)
    reports = read_reports(paths, source_map=edge.source_map(), school_year=year, latest=last_day(year, _now().date()))
    fate: dict[str, Any] = {"name": told["name"], "provider": told["provider"], "expect": told["expect"]}
    refused = [report for report in reports if report.refusal is not None]
    if refused:
        outcome.add_refused(reports)
        outcome.files["rejected"] += len(reports) - len(refused)
        return {**fate, "state": "refused", "by": "edge", **as_json(refused)}
    hub, preparation = _hub(client, edge), Preparation.of(edge, now=_now(), agreements=known)
    prepared = [_prepare(preparation, batch, outcome) for batch in batches(reports, school_year=year)]
    answers = [settle(hub, send(hub, one.folder), receipts=edge.receipts) for one in prepared]
    later = {name: count for one in prepared for name, count in one.rejected_later.items()}
    reports = [replace(report, rejected_later=later.get(report.name, 0)) for report in reports]
    for answer in answers:
        outcome.add_answer(answer, len(reports))
    states = [answer.state for answer in answers]
    found = [answer.content.get("findings") for answer in answers]
    return {**fate, "state": states[0], "by": "hub", "hub_findings": found, **as_json(reports)}


def _write_references(county: Path, edges: Mapping[str, Workspace]) -> None:
    """truth/references.csv: which record reference is which made-up person, for the evaluation only."""
    keys = {provider: edge.keys.reference() for provider, edge in edges.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("provider", "record_reference", "person", "custom"))
    with (county / "truth" / "records.csv").open(encoding="utf-8", newline="") as records:
        for row in csv.DictReader(records):
            reference = record_reference(keys[row["provider"]], row["local_id"]).hex()
            writer.writerow((row["provider"], reference, row["person"], row["custom"]))
    write_whole(county / "truth" / "references.csv", text.getvalue().encode("utf-8"))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m connectors.county", description="Acts as every provider's edge.")
    commands = reader.add_subparsers(dest="command", required=True)
    keys = commands.add_parser("register", help="make the agents' keys and the roster")
    keys.add_argument("county", type=Path)
    keys.add_argument("--out", type=Path, required=True)
    sending = commands.add_parser("push", help="check, encode and send everything")
    sending.add_argument("county", type=Path)
    sending.add_argument("--hub", required=True)
    for option in ("--hub-keys", "--agreements", "--secret", "--summary"):
        sending.add_argument(option, type=Path, required=True)
    return reader.parse_args(arguments)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    sys.exit(main())
