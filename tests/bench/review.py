"""Benchmark of review without names: what verifying short lists gains in recall and precision, on made-up people.

python tests/bench/review.py [--people N] [--rounds N] [--summary FILE]
In each round every office gets its list, looks at the papers (the truth), answers, and sends its whole roster again
with what it corrected. Nobody is told who was in doubt; decoys are among the lines. How a steward answers: a field that
is as the papers say is right, any other is corrected.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.encoder import encode_roster
from linkage.encode.person import GRADE_UNKNOWN, ClearPerson, SpanFacts
from linkage.match.grouping import RosterRows
from linkage.match.metrics import Evaluation, evaluate
from linkage.match.person_table import empty_table
from linkage.match.resolver_change import ResolvedChange, resolve_change
from linkage.match.resolver_memory import ResolverMemory, empty_records
from linkage.match.reviews import Confirmed, RecordKey, review_lists
from linkage.match.spans import RosterSpans
from linkage.match.view_memory import compare_change, empty_memory
from linkage.schema import current_schema
from tests.bench import linkage_people as made

SECRET = b"\x11" * 32
Papers = list[ClearPerson]


def main() -> int:
    options = _options()
    sides, papers = _county(options.people)
    asked: set[RecordKey] = set()
    confirmed: dict[RecordKey, Confirmed] = {}
    rows: list[dict[str, Any]] = []
    rng = np.random.default_rng(3)
    lines = corrected = 0
    measured = []
    for number in range(options.rounds + 1):
        result = _linked([side.people for side in sides], confirmed)
        measured.append(_measured(result, sides))
        if number == options.rounds:
            break
        lists = review_lists(
            result.resolved.evidence, result.resolved.solved, records=result.resolved.records, asked=asked, waiting={},
            rng=rng,
        )  # fmt: skip
        for provider, listed in lists.items():
            for line in listed:
                record, key = int.from_bytes(line.reference, "big"), (provider, line.reference)
                asked.add(key)
                wrong, mended = _looked_up(sides[provider].people[record], papers[provider][record], line.fields)
                sides[provider].people[record] = mended
                confirmed[key] = frozenset(set(line.fields) - wrong)
                lines, corrected = lines + 1, corrected + bool(wrong)
    first, last = measured[0], measured[-1]
    rows = [
        _row("records", 2.0 * options.people),
        _row("lines verified, all rounds", lines),
        _row("of them corrected", corrected),
        _row("precision before", first.precision),
        _row("precision after", last.precision),
        _row("recall before", first.recall),
        _row("recall after", last.recall),
        _row("pairs gained a hundred lines", 100 * (last.correct_pairs - first.correct_pairs) / max(1, lines)),
        _row("gain in F1", last.f1 - first.f1, at_least=0.0),
    ]
    for row in rows:
        print(f"{row['name']:40} {row['value']:>12.4f}  bar {row['bar']:<8} {'held' if row['held'] else 'MISSED'}")
    if options.summary:
        Path(options.summary).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(row["held"] for row in rows) else 1


def _looked_up(written: ClearPerson, paper: ClearPerson, fields: Sequence[str]) -> tuple[set[str], ClearPerson]:
    """The fields that are not as the papers say, and the record as it is sent again."""
    wrong: set[str] = set()
    if "names" in fields and (written.given, written.surname) != (paper.given, paper.surname):
        wrong.add("names")
        written = replace(written, given=paper.given, surname=paper.surname)
    if "date" in fields and written.birth_date != paper.birth_date:
        wrong.add("date")
        written = replace(written, birth_date=paper.birth_date)
    if "sex" in fields and written.sex != paper.sex:
        wrong.add("sex")
        written = replace(written, sex=paper.sex)
    return wrong, written


def _county(count: int) -> tuple[tuple[made.Side, made.Side], tuple[Papers, Papers]]:
    """Two rosters as offices wrote them, and the same people as their papers say."""
    rng = np.random.default_rng(1)
    extra = int(count * 0.3)
    columns, other, custom = made._population(count + extra, rng=rng)
    chosen = (np.arange(count), np.arange(extra, count + extra))
    sides = tuple(made._side(one, columns, other, custom, rng=rng) for one in chosen)
    papers = tuple(
        [
            ClearPerson(n, **{name: values[person] for name, values in columns.items()})
            for n, person in enumerate(side.truth)
        ]
        for side in sides
    )
    return (sides[0], sides[1]), (papers[0], papers[1])


def _linked(rosters: Sequence[Sequence[ClearPerson]], confirmed: dict[RecordKey, Confirmed]) -> ResolvedChange:
    schema, ids = current_schema(), itertools.count()
    views = tuple(view for view in schema.default_views if view != "ssid")
    encoded = [
        encode_roster(
            people,
            spans=[
                SpanFacts(n, n.to_bytes(16, "big"), 2020 + number, GRADE_UNKNOWN, True, 0, 9)
                for n in range(len(people))
            ],
            schema=schema, secret=SECRET, submission_key=bytes([number]) * 32, views=views,
            rng=np.random.default_rng(number),
        )
        for number, people in enumerate(rosters)
    ]  # fmt: skip
    changes = [
        compare_change(
            empty_memory(view), added=[RosterRows(n, n, one.rows[view]) for n, one in enumerate(encoded)], gone=(),
            schema=schema,
        )[1]
        for view in views
    ]  # fmt: skip
    return resolve_change(
        ResolverMemory(empty_records(), {}), empty_table(),
        added=[RosterSpans(n, n, bytes([n]) * 32, one.spans) for n, one in enumerate(encoded)], gone=(),
        changes=changes, schema=schema, new_id=lambda: f"{next(ids):032x}", confirmed=confirmed,
    )  # fmt: skip


def _measured(result: ResolvedChange, sides: Sequence[made.Side]) -> Evaluation:
    keys, heads = result.resolved.records.keys(), result.resolved.heads.tolist()
    truth = {(side, n.to_bytes(16, "big")): str(one) for side in range(2) for n, one in enumerate(sides[side].truth)}
    held = {key: str(head) for key, head in zip(keys, heads, strict=True) if key in truth}
    return evaluate(held, truth=truth)


def _row(name: str, value: float, *, at_least: float | None = None) -> dict[str, Any]:
    bar = "none" if at_least is None else f">= {at_least}"
    return {"name": name, "value": float(value), "bar": bar, "held": at_least is None or value >= at_least}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--summary", default="")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
