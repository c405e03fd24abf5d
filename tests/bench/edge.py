"""How long a district of ten thousand students waits: ten files checked, encoded, sealed and laid into the outbox.

The score file has the 375 columns of 2024, one row in eight is spoiled as spreadsheets do, so that
findings are paid for too.

`python tests/bench/edge.py [--students N] [--summary FILE]` prints a table and writes rows {name, value, bar, held}.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from connectors.batches import batches, inbox_files, read_reports
from connectors.installing import Given, install
from connectors.keystore import write_key
from connectors.submitting import Preparation
from connectors.workspace import Workspace, make_workspace, write_json
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key
from tests.spec.connectors import source_files as made

STUDENTS = 10_000
SCORE_COLUMNS = 375
SECONDS_BAR, MEGABYTES_BAR = 60.0, 500.0
SYLLABLES = ("qua", "zor", "vex", "lim", "pha", "dro", "wyn", "tik", "sul", "mabe")
YEAR = 2026


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(Path(folder))
        for name, rows in files_of(options.students):
            (workspace.inbox / str(YEAR) / name).write_text(made.lines(*spoiled(rows)), encoding="utf-8", newline="")
        measured = _measure(workspace)
    for row in measured:
        print(f"{row['name']:32} {row['value']:>10} {row['bar']:>10}  {'held' if row['held'] else 'NOT HELD'}")
    if options.summary:
        options.summary.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["held"] for row in measured) else 1


def _measure(workspace: Workspace) -> list[dict[str, object]]:
    begun, cpu = time.perf_counter(), time.process_time()
    paths = inbox_files(workspace.inbox, YEAR)
    reports = read_reports(paths, source_map=workspace.source_map(), school_year=YEAR, latest=dt.date(YEAR, 6, 30))
    checked = time.perf_counter() - begun
    preparation = Preparation.of(workspace, now=dt.datetime.now(dt.UTC))
    for batch in batches(reports, school_year=YEAR):
        preparation.prepare(batch)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = sum(report.rows for report in reports)
    return [
        {"name": "files", "value": len(reports), "bar": 10, "held": len(reports) >= 10},
        {"name": "rows read", "value": rows, "bar": 0, "held": rows > 0},
        {"name": "seconds to check", "value": round(checked, 2), "bar": SECONDS_BAR, "held": checked <= SECONDS_BAR},
        {"name": "seconds to check and encode", "value": round(seconds, 2), "bar": SECONDS_BAR, "held": seconds <= 60},
        {"name": "CPU seconds", "value": round(time.process_time() - cpu, 2), "bar": SECONDS_BAR, "held": True},
        {"name": "peak memory, MB", "value": round(peak), "bar": MEGABYTES_BAR, "held": peak <= MEGABYTES_BAR},
    ]


def files_of(students: int) -> Iterator[tuple[str, list[str]]]:
    """Ten files of made-up students; no word in them is a name."""
    who = [_student(number) for number in range(students)]
    yield "senr.txt", [made.senr(f8=s, f9=i, f10=g, f12=n, f17=b) for s, i, g, n, b in who]
    yield "sinf.txt", [made.sinf(f9=s, f10=i, f11=g, f13=n, f18=b) for s, i, g, n, b in who]
    yield "sela.txt", [made.sela(f7=s, f12=i) for s, i, *_ in who]
    yield "sprg.txt", [made.sprg(f7=s, f8=i) for s, i, *_ in who]
    yield "stas.txt", [made.stas(f7=s, f8=i) for s, i, *_ in who]
    scores = (made.toms(SSID=s, RecordType=subject) for s, *_ in who for subject in ("01", "02"))
    blank = "^" * (SCORE_COLUMNS - len(made.TOMS_TITLES))
    more = "".join(f"^Unused{number}" for number in range(len(made.TOMS_TITLES), SCORE_COLUMNS))
    yield "toms_2026.csv", ["^".join(made.TOMS_TITLES) + more, *(row + blank for row in scores)]
    yield "ksep.csv", [made.KSEP_TITLES, *(made.KSEP_ROW.replace("L1", i, 1) for _, i, *_ in who[: students // 10])]
    yield "profile.csv", ["SSID,EthnicityRace,EnglishLearner", *(f"{s},White,N" for s, *_ in who)]
    graduates = who[: students // 12]
    numbers = [(f"{number:016x}", i) for number, (_, i, *_) in enumerate(graduates)]
    yield "map.csv", [made.MAP_TITLES, *(f"{number},{i},N,20260820" for number, i in numbers)]
    periods = [made.detail(**{"Requester Return Field": number}) for number, _ in numbers for _ in range(3)]
    yield "report.csv", [made.DETAIL_TITLES, *periods]


def spoiled(rows: list[str]) -> Iterator[str]:
    """One row in eight with a slip that a spreadsheet makes."""
    for number, row in enumerate(rows):
        yield row.replace("2015", "1899", 1).replace("^05", "^5", 1) if number % 8 == 7 else row


def _student(number: int) -> tuple[str, str, str, str, str]:
    """State number, local number, two made-up names and a birth date, spread evenly."""
    first, second, third = number % 10, number // 10 % 10, number // 100 % 10
    given = SYLLABLES[first] + SYLLABLES[third] + SYLLABLES[(first + second) % 10]
    surname = (
        SYLLABLES[second] + SYLLABLES[first] + SYLLABLES[(third * 7 + second) % 10] + SYLLABLES[number // 1000 % 10]
    )
    born = dt.date(2008, 1, 1) + dt.timedelta(days=number * 7919 % 4300)
    return f"{10**9 + number}", f"L{number}", given.title(), surname.title(), born.strftime("%Y%m%d")


def _workspace(folder: Path) -> Workspace:
    hub_keys, secret = folder / "hub.json", folder / "linkage.secret"
    keys = {name: generate_recipient_key().public() for name in ("matcher_public_key", "resolver_public_key")}
    write_json(hub_keys, keys | {"schema_hash": current_schema().hash, "epoch": 1})
    write_key(secret, os.urandom(32))
    workspace = make_workspace(folder / "edge", organisation="novato", hub="http://localhost")
    install(workspace, Given(hub_keys, Path("policies/agreements"), secret=secret))
    (workspace.inbox / str(YEAR)).mkdir()
    return workspace


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="bench edge", description=__doc__)
    reader.add_argument("--students", type=int, default=STUDENTS)
    reader.add_argument("--summary", type=Path)
    return reader.parse_args()


if __name__ == "__main__":
    sys.exit(main())
