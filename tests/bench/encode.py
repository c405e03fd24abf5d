"""Benchmark of the encoder: records a second in one process, with a bar against clkhash.

python tests/bench/encode.py [--people N] [--summary FILE] [--peers]
`--peers` runs clkhash in its own environment (`linkage_peers`); without it the bar that names clkhash is not held.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.encoder import encode_roster
from linkage.encode.person import GRADE_UNKNOWN, SpanFacts
from linkage.schema import current_schema
from tests.bench.linkage import print_rows, row
from tests.bench.linkage_peers import clkhash_records_a_second, clkhash_row
from tests.bench.linkage_people import two_rosters

CLKHASH_PEOPLE = 4_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--summary", default="")
    options = parser.parse_args()
    rate = _rate(options.people)
    rows: list[dict[str, Any]] = [row("records a second, default views", rate)]
    peer = clkhash_records_a_second(CLKHASH_PEOPLE) if options.peers else None
    rows += [*([row("clkhash records a second", peer)] if peer else []), clkhash_row(rate, peer)]
    print_rows(rows)
    if options.summary:
        Path(options.summary).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(of_row["held"] for of_row in rows) else 1


def _rate(count: int) -> float:
    people = two_rosters(count)[0].people
    spans = [
        SpanFacts(p.local_record, p.local_record.to_bytes(16, "big"), 2020, GRADE_UNKNOWN, True, 0, 9) for p in people
    ]
    seconds = 0.0
    for turn in range(2):
        began = time.process_time()
        encode_roster(
            people,
            spans=spans,
            schema=current_schema(),
            secret=b"\x11" * 32,
            submission_key=b"\x12" * 32,
            rng=np.random.default_rng(turn),
        )
        seconds = time.process_time() - began
    return count / seconds


if __name__ == "__main__":
    raise SystemExit(main())
