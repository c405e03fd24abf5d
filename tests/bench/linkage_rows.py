"""Stored view rows to persons in a process of its own: its processor time, its memory and what it found.

python tests/bench/linkage_rows.py FOLDER VIEW...    FOLDER holds what `stored` wrote; prints one line of JSON
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.encoder import EncodedRoster
from linkage.match.decision import DECISION_MATCH, EQUAL_COSTS, decisions
from linkage.match.evidence import join_evidence
from linkage.match.matcher import RosterRows, compare_view
from linkage.match.opening import record_pairs
from linkage.match.person_table import NOBODY, PersonTable, named_change
from linkage.match.persons import joined_heads
from linkage.match.prior import solve_posteriors
from linkage.match.quality import measure_quality
from linkage.match.spans import RosterSpans, all_records
from linkage.schema import current_schema

SOME = 2_000
"""Records linked before the clock starts, so that everything is compiled."""
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 36),
    "MALLOC_TOP_PAD_": str(1 << 28),
}
"""glibc otherwise gives every large array back to the system and has the next one zeroed anew, which on a virtual
machine takes longer than the work; other platforms ignore it."""


@dataclass(frozen=True)
class Found:
    """What a run found: pairs of record numbers with posterior and whether they are linked; expectations and costs."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    posterior: NDArray[np.float64]
    linked: NDArray[np.bool_]
    expected_precision: float
    expected_recall: float
    cpu_seconds: float
    peak_bytes: int
    candidate_pairs: int
    records: int


def stored(rosters: Sequence[EncodedRoster], folder: Path, *, views: Sequence[str]) -> None:
    """Rows by view and side, and spans, as a hub holds them; record references are record numbers."""
    for side, roster in enumerate(rosters):
        np.save(folder / f"{side}.spans.npy", roster.spans)
        for view in views:
            np.save(folder / f"{side}.{view}.npy", roster.rows[view])


def linked_in_own_process(rosters: Sequence[EncodedRoster], *, views: Sequence[str]) -> Found:
    """Links two encoded rosters whose submission keys are their numbers 32 times."""
    with tempfile.TemporaryDirectory(prefix="rows-") as name:
        stored(rosters, Path(name), views=views)
        command = [sys.executable, __file__, name, *views]
        done = subprocess.run(command, env=os.environ | KEEP_MEMORY, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.splitlines()[-1])
        pairs = {key: np.load(Path(name, f"{key}.npy")) for key in ("left", "right", "posterior", "linked")}
    return Found(**pairs, **told)


def main() -> None:
    folder, *views = sys.argv[1:]
    _linked(Path(folder), views=views, most=SOME)
    before = time.process_time()
    told = _linked(Path(folder), views=views, most=None)
    seconds = time.process_time() - before
    status = Path("/proc/self/status").read_text("utf-8")  # getrusage would count the process that started this one
    peak = 1024 * int(status.split("VmHWM:")[1].split()[0])
    print(json.dumps({**told, "cpu_seconds": seconds, "peak_bytes": peak}))


def _linked(folder: Path, *, views: Sequence[str], most: int | None) -> dict[str, float]:
    schema, ids = current_schema(), itertools.count()
    spans = [RosterSpans(side, side, bytes([side]) * 32, np.load(folder / f"{side}.spans.npy")) for side in (0, 1)]
    records = all_records(spans)
    found, candidate_pairs = [], 0
    for view in views:
        rows = [np.load(folder / f"{side}.{view}.npy", mmap_mode="r" if most else None)[:most] for side in (0, 1)]
        rosters = [RosterRows(side, side, np.ascontiguousarray(of_side)) for side, of_side in enumerate(rows)]
        del rows
        pairs = compare_view(rosters, schema=schema, view=view)
        del rosters
        candidate_pairs += len(pairs.left) + int(pairs.dropped.sum())
        found.append(record_pairs(pairs, records=records, rosters=spans))
        del pairs
    evidence = join_evidence(found, schema=schema, provider=records.provider)
    del found
    solved = solve_posteriors(evidence, provider=records.provider)
    decided = decisions(solved.posterior, costs=EQUAL_COSTS)
    heads = joined_heads(evidence, accepted=decided == DECISION_MATCH, records=records)
    nobody = PersonTable(np.empty(0, dtype="S32"), np.full(len(heads), NOBODY), {})
    named_change(heads, table=nobody, new_id=lambda: f"{next(ids):032x}")
    quality = measure_quality(evidence, solved=solved, decided=decided, heads=heads, records=records, schema=schema)
    if most is None:
        number = np.ascontiguousarray(records.reference).view(">u8").reshape(-1, 2)[:, 1].astype(np.int64)
        np.save(folder / "left.npy", number[evidence.left])
        np.save(folder / "right.npy", number[evidence.right])
        np.save(folder / "posterior.npy", solved.posterior)
        np.save(folder / "linked.npy", heads[evidence.left] == heads[evidence.right])
    return {
        "expected_precision": quality.expected_precision,
        "expected_recall": quality.expected_recall,
        "candidate_pairs": candidate_pairs,
        "records": len(records.provider),
    }


if __name__ == "__main__":
    main()
