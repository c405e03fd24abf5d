"""Phonetic codes compared by group: how many true pairs the view `names` would find by each, and at what price.

python tests/bench/phonetic.py [--people 100000] [--data DIR] [--summary FILE]

A code is good when both names of a child keep it through spelling, typing errors and romanisation (recall of the
unordered pair of codes, by group) and when few others share it (pairs of records of one side with equal codes).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jellyfish

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.forms import given_forms, surname_forms
from linkage.encode.person import ClearPerson
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import name_tables
from linkage.schema import current_schema
from tests.bench.linkage import SMALLEST_GROUP, row
from tests.bench.linkage_people import Side, two_rosters

CODES: dict[str, Callable[[str], str]] = {
    "Soundex, first letter folded (ours)": phonetic_code,
    "Soundex": jellyfish.soundex,
    "NYSIIS": jellyfish.nysiis,
    "Metaphone": jellyfish.metaphone,
    "Match rating": jellyfish.match_rating_codex,
    "exact spelling": str,
}
TABLES = name_tables(current_schema())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--data", default="")
    parser.add_argument("--summary", default="")
    options = parser.parse_args()
    sides = _read(Path(options.data)) if options.data else two_rosters(options.people)
    rows = [found for name, code in CODES.items() for found in measured(name, code, sides)]
    for one in rows:
        print(f"{one['name']:60} {one['value']:10.4f}")
    if options.summary:
        Path(options.summary).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


def measured(name: str, code: Callable[[str], str], sides: tuple[Side, Side]) -> Iterator[dict[str, Any]]:
    """Recall by group, and pairs of one side's records that share both codes."""
    code = cache(code)
    left, right = ([_pairs(person, code) for person in side.people] for side in sides)
    place = {person: number for number, person in enumerate(sides[1].truth)}
    true: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for number, person in enumerate(sides[0].truth):
        if person in place:
            group = sides[0].custom[number]
            true[group] += 1
            found[group] += not left[number].isdisjoint(right[place[person]])
    yield row(f"{name}, recall", found.total() / max(1, true.total()))
    for group in sorted(true):
        if true[group] >= SMALLEST_GROUP:
            yield row(f"{name}, recall, {group}", found[group] / true[group])
    sizes = Counter(pair for pairs in left for pair in pairs)
    yield row(f"{name}, pairs a record", sum(n * (n - 1) // 2 for n in sizes.values()) / len(left))


def _pairs(person: ClearPerson, code: Callable[[str], str]) -> set[tuple[str, ...]]:
    given = {code(form.coded_by) for form in given_forms(person.given, (), tables=TABLES) if form.text}
    surname = {code(form.coded_by) for form in surname_forms(person.surname, (), tables=TABLES) if form.text}
    return {tuple(sorted((one, other))) for one in given for other in surname}


def _read(folder: Path) -> tuple[Side, Side]:
    from tests.bench import linkage

    return linkage._read(folder)


if __name__ == "__main__":
    raise SystemExit(main())
