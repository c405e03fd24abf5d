"""How long it takes a partnership to change its linkage secret: the ceremony, and every roster encoded and sent again.

`python3 run.py bench rotation [--people N] [--summary FILE]` makes a county, brings it in under a first epoch, then
proposes a second one, holds the ceremony, lets it begin, and lets every provider prepare and push all its years again.
Rows {name, value, bar, held}; a bar of null is a figure without a bar.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy"))
sys.path.insert(0, str(Path(__file__).parent))

import demo
from road import Row, at_most

PEOPLE = 60_000
SECONDS = 600.0
"""Twenty providers and 60,000 students in ten minutes."""


def rotate(run: demo.Demonstration) -> dict[str, float]:
    """Seconds of each step of a second epoch, from the roster to the last accepted submission."""
    roster, signatories = run.folder / "roster-2.json", run.folder / "signatories-2.json"
    begun = time.perf_counter()
    run.step(
        "make the roster", "-m", "connectors.county", "register", run.county, "--epoch", 2, "--out", roster,
        "--signatories", signatories,
    )  # fmt: skip
    demo.hold_ceremony(run, 2, roster=roster, signatories=signatories)
    ceremony = time.perf_counter() - begun
    demo.push(run, "encode and push again", summary=run.folder / "push-2.json")
    return {"ceremony": ceremony, "whole": time.perf_counter() - begun}


def measured(people: int, folder: Path) -> list[Row]:
    """The rotation of one county."""
    run = demo.Demonstration(folder, people=people, seed=1)
    run.clear()
    try:
        demo.bring_in(run)
        seconds = rotate(run)
    finally:
        run.stop()
    first, again = (json.loads((folder / name).read_text("utf-8")) for name in ("push.json", "push-2.json"))
    bar = SECONDS if people == PEOPLE else None
    return [
        at_most(f"{people} people: ceremony, seconds", round(seconds["ceremony"], 1), None),
        at_most(f"{people} people: rotation of all providers, seconds", round(seconds["whole"], 1), bar),
        Row("providers", again["files"]["providers"], None, True),
        Row(
            "submissions accepted again of those accepted before",
            again["submissions"]["accepted"] / first["submissions"]["accepted"], 1.0,
            again["submissions"]["accepted"] == first["submissions"]["accepted"],
        ),
    ]  # fmt: skip


def main() -> int:
    """Prints the rows; exit status 0 when every bar is held, 1 when one is not."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--people", type=int, default=PEOPLE)
    reader.add_argument("--summary", type=Path)
    options = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(options.people, Path(folder) / "rotation")
    for row in rows:
        print(f"{row.name:70}{row.value:>10}  {row.bar or ''}  {'held' if row.held else 'MISSED'}")
    if options.summary is not None:
        options.summary.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
