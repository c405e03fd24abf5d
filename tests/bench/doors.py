"""How long a district of ten thousand students waits from files to receipts: checked, encoded, sent to a served hub.

The files are those of `bench edge` without their spoiled rows: ten files, 84,000 rows. The hub is another process on
the same machine, so that its work is part of the waiting and not of the edge's memory.

`python tests/bench/doors.py [--students N] [--summary FILE]` prints a table and writes rows {name, value, bar, held}.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from typer.testing import CliRunner

from connectors.batches import batches
from connectors.installing import Given, install
from connectors.keystore import write_key
from connectors.road import read_year, send_all
from connectors.submitting import Preparation, connection, unsent
from connectors.workspace import Workspace, make_workspace
from hub.audit.events import AuditTrail
from hub.cli import app
from hub.db import Database
from hub.identity.agents import load_roster
from hub.settings import Settings
from tests.bench.edge import files_of
from tests.conftest import stand_in_force
from tests.spec.connectors import source_files as made

STUDENTS = 10_000
SECONDS_BAR, MEGABYTES_BAR = 60.0, 500.0
WAIT_SECONDS = 300.0
YEAR = 2026


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as workspace:
        for name, rows in files_of(options.students):
            (workspace.inbox / str(YEAR) / name).write_text(made.lines(*rows), encoding="utf-8", newline="")
        measured = _measure(workspace)
    for row in measured:
        print(f"{row['name']:44} {row['value']!s:>10} {row['bar']!s:>10}  {'held' if row['held'] else 'NOT HELD'}")
    if options.summary:
        options.summary.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["held"] for row in measured) else 1


def _measure(workspace: Workspace) -> list[dict[str, object]]:
    begun, cpu = time.perf_counter(), time.process_time()
    now = _now()
    reports = read_year(workspace, YEAR, now=now)
    checked = time.perf_counter() - begun
    preparation = Preparation.of(workspace, now=now)
    for batch in batches(reports, school_year=YEAR):
        preparation.prepare_and_compare(batch)
    prepared, count = time.perf_counter() - begun, len(unsent(workspace))
    with connection(workspace, clock=_now) as hub:
        sent = send_all(hub, workspace, wait_seconds=WAIT_SECONDS)
    seconds = time.perf_counter() - begun
    states = [one.answer.state if one.answer is not None else str(one.error) for one in sent]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    own = time.process_time() - cpu
    for refusal in {one for one in states if one != "accepted"}:
        print(refusal, file=sys.stderr)
    return [
        {"name": "rows read", "value": sum(report.rows for report in reports), "bar": "", "held": True},
        {"name": "submissions accepted", "value": f"{states.count('accepted')} of {count}", "bar": count,
         "held": set(states) == {"accepted"}},
        {"name": "seconds to check", "value": round(checked, 1), "bar": SECONDS_BAR, "held": checked <= SECONDS_BAR},
        {"name": "seconds to check and encode", "value": round(prepared, 1), "bar": SECONDS_BAR,
         "held": prepared <= SECONDS_BAR},
        {"name": "seconds to check, encode, push and be accepted", "value": round(seconds, 1), "bar": SECONDS_BAR,
         "held": seconds <= SECONDS_BAR},
        {"name": "CPU seconds of the edge", "value": round(own, 1), "bar": "", "held": True},
        {"name": "peak memory of the edge, MB", "value": round(peak), "bar": MEGABYTES_BAR,
         "held": peak <= MEGABYTES_BAR},
    ]  # fmt: skip


@contextmanager
def _served(folder: Path) -> Iterator[Workspace]:
    """A workspace of a district, and the hub that it sends to, served as processes."""
    home = folder / "hub"
    if CliRunner().invoke(app, ["init", str(home), "--synthetic"]).exit_code:
        raise SystemExit("promise-hub init failed")
    serve = [sys.executable, "-m", "hub.cli", "serve", "--home", str(home), "--port", "0"]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = server.stdout.readline().strip() if server.stdout is not None else ""
        write_key(folder / "linkage.secret", bytes(32))
        workspace = make_workspace(folder / "edge", organisation="novato", hub=url)
        given = Given(home / "hub.json", Path("policies/agreements"), secret=folder / "linkage.secret")
        install(workspace, given)
        (workspace.inbox / str(YEAR)).mkdir()
        _enrol(workspace, home)
        yield workspace
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _enrol(workspace: Workspace, home: Path) -> None:
    entry = {"organisation": "novato", "key_id": workspace.key_id, "public_key": workspace.keys.agent().public()}
    database = Database(Settings(home=home).resolved_database_url())
    trail = AuditTrail("operator", None, "command", "bench", _now)
    with database.transaction() as session:
        load_roster(session, {"agents": [entry]}, audit=trail)
        for file in sorted(Path("policies/agreements").glob("*.yaml")):
            stand_in_force(session, file.read_text("utf-8"), audit=trail)
    database.close()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="bench doors", description=__doc__)
    reader.add_argument("--students", type=int, default=STUDENTS)
    reader.add_argument("--summary", type=Path)
    return reader.parse_args()


if __name__ == "__main__":
    sys.exit(main())
