"""Acts as every provider's edge of the demonstration county in turn, each with its own keys; no district runs this.

`register` makes the agents' keys, the signatories' and the signed roster; `ceremony` gives and accepts the epoch's
secret; `push` checks, encodes and sends all years of all providers, then the deliberately bad files, and joins the
truth's local numbers with the references that each provider's key gives;
`witness` lets each cosign the hub's log, as it would every day.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from connectors.batches import batches, last_day, read_reports
from connectors.county_ceremony import SENDERS, begin_epoch, hold_ceremony, register, sign_agreements
from connectors.county_edges import (
    Outcome,
    edge_folder,
    prepare_batch,
    prepared_years,
    providers_of,
    years_of,
)
from connectors.errors import EdgeError
from connectors.installing import Given, install
from connectors.progress import progress
from connectors.push import Answer, Hub, send, settle
from connectors.references import record_reference
from connectors.reports import as_json
from connectors.submitting import TIMEOUT_SECONDS, Preparation
from connectors.witness import witness
from connectors.workspace import Workspace, make_workspace, open_workspace, read_agreements, write_json, write_whole
from policies.agreements import Agreement

BEHIND = 12
"""So many submissions are on their way before the hub is asked what became of the first: it has checked it by then."""


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
            roster, signatories = register(options.county, epoch=options.epoch)
            write_json(options.out, roster)
            write_json(options.signatories, signatories)
            if options.agreements is None:
                return 0
            party_keys, words = sign_agreements(options.county, read_agreements(options.agreements), now=_now())
            write_json(options.party_keys, party_keys)
            write_json(options.words, words)
            return 0
        if options.command == "ceremony":
            hold_ceremony(options.county, hub=options.hub, signatories=options.signatories, clock=_now)
            return 0
        if options.command == "witness":
            print(f"cosigned by {witness_county(options.county, hub=options.hub)}")
            return 0
        outcome = push_county(options.county, hub=options.hub, hub_keys=options.hub_keys, agreements=options.agreements)
        write_json(options.summary, outcome.as_json())
        print(f"{dict(outcome.files)} {dict(outcome.submissions)}")
    except EdgeError as error:
        print(f"{error.code}  {error.sentence}\n  next: {error.next_step}", file=sys.stderr)
        return error.exit_code
    return 0


def push_county(county: Path, *, hub: str, hub_keys: Path, agreements: Path) -> Outcome:
    """Everything that the county's providers have, sent; then the bad files; then the references for the evaluation."""
    known = read_agreements(agreements)
    providers = providers_of(county)
    edges = {
        provider: _edge_of(edge_folder(county, provider), provider, hub, hub_keys=hub_keys, agreements=agreements)
        for provider in providers
    }
    outcome = Outcome(providers=set(providers))
    begin_epoch(edges.values(), hub=hub, clock=_now)
    with httpx.Client(base_url=hub, timeout=TIMEOUT_SECONDS) as client, ThreadPoolExecutor(SENDERS) as senders:
        _send_all(county, agreements, client, senders, edges=edges, outcome=outcome)
        for case in sorted((county / "bad").glob("*/bad.json")):
            outcome.bad.append(_try_bad(case, client, edges, known=known, outcome=outcome))
    _write_references(county, edges)
    return outcome


def witness_county(county: Path, *, hub: str) -> int:
    """Every provider's agent cosigns the log once; how many did."""
    edges = [open_workspace(edge_folder(county, provider)) for provider in providers_of(county)]
    with httpx.Client(base_url=hub, timeout=TIMEOUT_SECONDS) as client, ThreadPoolExecutor(SENDERS) as agents:
        return len(list(agents.map(lambda edge: witness(_hub(client, edge), edge), edges)))


def _send_all(
    county: Path,
    agreements: Path,
    client: httpx.Client,
    senders: ThreadPoolExecutor,
    *,
    edges: Mapping[str, Workspace],
    outcome: Outcome,
) -> None:
    """Sends what is prepared, and fetches the hub's word on what was sent, while the next is being prepared."""
    sending: list[Future[Sent]] = []
    settling: list[Future[tuple[Answer, int]]] = []

    def settle_but(behind: int) -> None:
        due = sending[len(settling) : max(0, len(sending) - behind)]
        settling.extend([senders.submit(_settled, client, edges, one) for one in due])

    with progress("checking, encoding, sending", len(years_of(county))) as step:
        for year in prepared_years(county, agreements):
            outcome.add(year.outcome)
            edge = edges[year.provider]
            sending += [
                senders.submit(_send, _hub(client, edge), edge, folder=folder, files=files)
                for folder, files in year.submissions
            ]
            settle_but(BEHIND)
            step()
        outcome.mark("prepared")
        settle_but(0)
        for one in settling:
            outcome.add_answer(*one.result())
        outcome.mark("settled")


def _edge_of(folder: Path, provider: str, hub: str, *, hub_keys: Path, agreements: Path) -> Workspace:
    workspace = make_workspace(folder, organisation=provider, hub=hub, inbox="../inbox")
    install(workspace, Given(hub_keys, agreements))
    return workspace


def _hub(client: httpx.Client, edge: Workspace) -> Hub:
    return Hub(client, edge.keys.agent(), edge.key_id, _now)


def _send(hub: Hub, edge: Workspace, *, folder: Path, files: int) -> Sent:
    return Sent(edge.settings.organisation, send(hub, folder), files)


def _settled(client: httpx.Client, edges: Mapping[str, Workspace], sending: Future[Sent]) -> tuple[Answer, int]:
    """The hub's word on a submission, and its files; the sending began before."""
    sent = sending.result()
    edge = edges[sent.provider]
    return settle(_hub(client, edge), sent.submission, receipts=edge.receipts), sent.files


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
    prepared = [prepare_batch(preparation, batch, outcome) for batch in batches(reports, school_year=year)]
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
    keys = commands.add_parser("register", help="make the agents' keys and the signed roster of an epoch")
    keys.add_argument("county", type=Path)
    keys.add_argument("--epoch", type=int, default=1)
    keys.add_argument("--out", type=Path, required=True)
    for option in ("--agreements", "--party-keys", "--words"):
        keys.add_argument(option, type=Path)
    holding = commands.add_parser("ceremony", help="give and accept the secret of the newest epoch")
    holding.add_argument("county", type=Path)
    holding.add_argument("--hub", required=True)
    for command in (keys, holding):
        command.add_argument("--signatories", type=Path, required=True)
    sending = commands.add_parser("push", help="check, encode and send everything")
    sending.add_argument("county", type=Path)
    sending.add_argument("--hub", required=True)
    for option in ("--hub-keys", "--agreements", "--summary"):
        sending.add_argument(option, type=Path, required=True)
    cosigning = commands.add_parser("witness", help="cosign the hub's log")
    cosigning.add_argument("county", type=Path)
    cosigning.add_argument("--hub", required=True)
    return reader.parse_args(arguments)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    sys.exit(main())
