"""Benchmark of linking again: one more roster of one per cent of the records, against a run over everything.

python tests/bench/incremental.py [--people N] [--summary FILE]
CPU seconds of matcher and resolver, from rows and memories in this process to named persons; compilation excluded.
Both run in one process, one after the other, twice; the better of each counts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.encoder import EncodedRoster, encode_roster
from linkage.encode.person import GRADE_UNKNOWN, ClearPerson, SpanFacts
from linkage.match.grouping import RosterRows
from linkage.match.person_table import PersonTable, empty_table
from linkage.match.resolver_change import ResolvedChange, resolve_change
from linkage.match.resolver_memory import ResolverMemory, empty_records
from linkage.match.spans import RosterSpans
from linkage.match.view_memory import ViewMemory, compare_change, empty_memory
from linkage.schema import current_schema
from tests.bench.linkage_people import two_rosters

SECRET = b"\x11" * 32
BAR = 0.1


@dataclass
class Standing:
    """Memories of matcher and resolver between two runs."""

    views: dict[str, ViewMemory]
    memory: ResolverMemory = field(default_factory=lambda: ResolverMemory(empty_records(), {}))
    persons: PersonTable = field(default_factory=empty_table)


def main() -> int:
    options = _options()
    one, other = two_rosters(options.people)
    late = list(two_rosters(max(300, options.people // 50), seed=2)[0].people)
    rosters = [_encoded(people, number=number) for number, people in enumerate((one.people, other.people, late))]
    best = {"full": float("inf"), "change": float("inf")}
    same = True
    for _ in range(3):
        standing, _seconds, _ = _linked(_nothing(), rosters[:2], first=0)
        changed, seconds, after = _linked(standing, rosters[2:], first=2)
        best["change"] = min(best["change"], seconds)
        whole, seconds, before = _linked(_nothing(), rosters, first=0)
        best["full"] = min(best["full"], seconds)
        same = same and _partition(changed, after) == _partition(whole, before)
    ratio = best["change"] / best["full"]
    rows = [
        _row("records", sum(roster.records for roster in rosters)),
        _row("run over everything, CPU seconds", best["full"]),
        _row("one more roster of 1 %, CPU seconds", best["change"]),
        _row("one more roster, share of a run over everything", ratio, at_most=BAR),
        _row("the same persons (1 yes)", float(same), at_least=1.0),
    ]
    for row in rows:
        print(f"{row['name']:50} {row['value']:>12.4f}  bar {row['bar']:<8} {'held' if row['held'] else 'MISSED'}")
    if options.summary:
        Path(options.summary).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(row["held"] for row in rows) else 1


def _linked(
    standing: Standing, rosters: Sequence[EncodedRoster], *, first: int
) -> tuple[Standing, float, ResolvedChange]:
    schema, began = current_schema(), time.process_time()
    ids = itertools.count(len(standing.persons.ids))
    views, changes = {}, []
    for view, memory in standing.views.items():
        rows = [RosterRows(first + n, first + n, roster.rows[view]) for n, roster in enumerate(rosters)]
        views[view], change = compare_change(memory, added=rows, gone=(), schema=schema)
        changes.append(change)
    spans = [RosterSpans(first + n, first + n, bytes([first + n]) * 32, r.spans) for n, r in enumerate(rosters)]
    result = resolve_change(
        standing.memory, standing.persons, added=spans, gone=(), changes=changes, schema=schema,
        new_id=lambda: f"{next(ids):032x}", confirmed={},
    )  # fmt: skip
    seconds = time.process_time() - began
    return Standing(views, result.memory, result.named.table), seconds, result


def _partition(standing: Standing, result: ResolvedChange) -> bytes:
    """The first record of every record's person: equal for equal persons, whatever they are called."""
    heads: bytes = result.resolved.heads.tobytes() + standing.memory.records.reference.tobytes()
    return heads


def _nothing() -> Standing:
    return Standing({view: empty_memory(view) for view in _views()})


def _views() -> tuple[str, ...]:
    return tuple(view for view in current_schema().default_views if view != "ssid")


def _encoded(people: Sequence[ClearPerson], *, number: int) -> EncodedRoster:
    numbered = list(people)
    spans = [
        SpanFacts(n.local_record, n.local_record.to_bytes(16, "big"), 2020 + number, GRADE_UNKNOWN, True, 0, 9)
        for n in numbered
    ]
    return encode_roster(
        numbered, spans=spans, schema=current_schema(), secret=SECRET, submission_key=bytes([number]) * 32,
        views=_views(), rng=np.random.default_rng(number),
    )  # fmt: skip


def _row(name: str, value: float, *, at_least: float | None = None, at_most: float | None = None) -> dict[str, Any]:
    held = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    bar = f">= {at_least}" if at_least is not None else f"<= {at_most}" if at_most is not None else "none"
    return {"name": name, "value": float(value), "bar": bar, "held": held}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--summary", default="")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
