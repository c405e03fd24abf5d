"""What protection costs: our releases beside plain primary suppression, rounding to five and a cell key.

    python3 run.py bench quality [--summary FILE]

The counts are drawn with the sizes of a county's districts and the shares of its groups; nobody is behind them.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hub.release.quality import OURS, PRIMARY, Quality, as_text, release_quality
from policies.disclosure.engine import protect
from policies.disclosure.types import Block, Rules
from tests.bench.disclosure import small_county


def compared(people: int, years: int) -> tuple[Quality, float]:
    """A county's cohorts of this size, protected against outsiders, every provider and every two together."""
    start = time.process_time()
    blocks: list[Block] = [small_county(seed, people=people, complete=True) for seed in range(years)]
    cells = protect(blocks, rules=Rules(pairs=people < 1000)).cells
    return release_quality(blocks, cells), time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description="What protection costs, and what it buys.")
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--peers", action="store_true", help="the other ways are always in the table")
    options = parser.parse_args()
    rows = []
    for people, years in ((115, 8), (2400, 2)):
        quality, seconds = compared(people, years)
        print(f"{years} cohorts of {people} students ({seconds:.1f} CPU seconds)\n{as_text(quality)}", flush=True)
        by_name = {one.method: one for one in quality.methods}
        for name, bar in ((OURS, 0), (PRIMARY, None)):
            value = by_name[name].given_away
            rows.append({
                "name": f"{years} cohorts of {people}: small groups given away, {name}",
                "value": value, "bar": bar, "held": bar is None or value <= bar,
            })  # fmt: skip
        rows.append({"name": f"{years} cohorts of {people}", "value": asdict(quality), "bar": None, "held": True})
    if options.summary:
        options.summary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["held"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
