"""Benchmark of the encoder: records a second in one process, with a bar against clkhash.

python tests/bench/encode.py [--people N] [--summary FILE] [--peers PYTHON]
`--peers PYTHON` names the interpreter of an environment that has clkhash (it needs an older cryptography).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.encoder import encode_roster
from linkage.encode.person import GRADE_UNKNOWN, SpanFacts
from linkage.schema import current_schema
from tests.bench.linkage import row
from tests.bench.linkage_people import two_rosters

CLKHASH = """
import io, os
from clkhash import clk, randomnames
names = randomnames.NameList(4000)
text = ",".join(field.identifier for field in names.SCHEMA.fields) + "\\n"
text += "\\n".join(",".join(map(str, person)) for person in names.names)
spent = lambda: sum(os.times()[:4])
began = spent()
clk.generate_clk_from_csv(io.StringIO(text), "secret", names.SCHEMA, validate=False, progress_bar=False, max_workers=1)
print(4000 / (spent() - began))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--peers", default="")
    parser.add_argument("--summary", default="")
    options = parser.parse_args()
    rate = _rate(options.people)
    rows: list[dict[str, Any]] = [row("records a second, views dob and names", rate)]
    if options.peers:
        told = subprocess.run(
            [options.peers, "-W", "ignore", "-c", CLKHASH], capture_output=True, text=True, check=True
        )
        peer = float(told.stdout.split()[-1])
        rows += [row("clkhash records a second", peer), row("times clkhash", rate / peer, at_least=3.0)]
    for of_row in rows:
        held = "held" if of_row["held"] else "MISSED"
        print(f"{of_row['name']:50} {of_row['value']:>12.1f}  bar {of_row['bar']:<8} {held}")
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
            views=("dob", "names"),
            rng=np.random.default_rng(turn),
        )
        seconds = time.process_time() - began
    return count / seconds


if __name__ == "__main__":
    raise SystemExit(main())
