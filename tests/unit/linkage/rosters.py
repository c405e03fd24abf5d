"""Small rosters of made-up people, encoded and linked, for the tests of linkage."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from linkage.encode.encoder import EncodedRoster, encode_roster
from linkage.encode.person import ClearPerson, SpanFacts
from linkage.match.decision import EQUAL_COSTS, Costs
from linkage.match.matcher import RosterRows, compare_view
from linkage.match.pairs import ViewPairs
from linkage.match.resolver import LinkageResult, RosterSpans, resolve
from linkage.schema import current_schema

SECRET = b"\x07" * 32
ALL_VIEWS = tuple(view.name for view in current_schema().views)


def reference(number: int) -> bytes:
    return number.to_bytes(16, "big")


def span(
    record: int, *, year: int = 2020, grade: int = 3, full_time: bool = True, months: tuple[int, int] | None = None
) -> SpanFacts:
    first = (year - 2001) * 12 + 7
    start, end = months or (first, first + 9)
    return SpanFacts(record, reference(record), year, grade, full_time, start, end)


@dataclass
class Sent:
    """One provider's roster of one year, as the hub holds it."""

    submission: int
    provider: int
    people: Sequence[ClearPerson]
    year: int = 2020
    grade: int = 3
    spans: Sequence[SpanFacts] = ()
    views: tuple[str, ...] = ("dob", "names", "ssid")
    minimum_records: int = 0
    encoded: EncodedRoster = field(init=False)

    def __post_init__(self) -> None:
        spans = self.spans or [span(person.local_record, year=self.year, grade=self.grade) for person in self.people]
        self.encoded = encode_roster(
            self.people,
            spans=spans,
            schema=current_schema(),
            secret=SECRET,
            submission_key=self.key,
            views=self.views,
            minimum_records=self.minimum_records,
            rng=np.random.default_rng(self.submission),
        )

    @property
    def key(self) -> bytes:
        return self.submission.to_bytes(32, "big")

    @property
    def roster_spans(self) -> RosterSpans:
        return RosterSpans(self.submission, self.provider, self.key, self.encoded.spans)

    def rows(self, view: str) -> RosterRows:
        return RosterRows(self.submission, self.provider, self.encoded.rows[view])


def compared(sent: Sequence[Sent], view: str) -> ViewPairs:
    rosters = [one.rows(view) for one in sent if view in one.encoded.rows]
    return compare_view(rosters, schema=current_schema(), view=view)


def linked(
    sent: Sequence[Sent],
    *,
    views: Sequence[str] = ("dob", "names", "ssid"),
    previous: Mapping[Any, str] | None = None,
    costs: Costs = EQUAL_COSTS,
) -> LinkageResult:
    counter = itertools.count()
    return resolve(
        [one.roster_spans for one in sent],
        schema=current_schema(),
        views=[compared(sent, view) for view in views],
        previous=previous or {},
        new_id=lambda: f"person-{next(counter)}",
        costs=costs,
    )


def made_up_people(count: int, *, seed: int = 5, first: int = 0) -> list[ClearPerson]:
    """People of random syllables, birth dates over twelve years and thirty postcodes."""
    rng = np.random.default_rng(seed)
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    people = []
    for number in range(first, first + count):
        given, surname = ("".join(rng.choice(syllables, 3)) for _ in range(2))
        people.append(
            ClearPerson(
                number,
                given=f"{given}q",
                surname=f"{surname}x",
                birth_date=f"{rng.integers(2004, 2016)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}",
                sex=str(rng.choice(["F", "M"])),
                postcode=f"949{rng.integers(10, 40)}",
            )
        )
    return people


def partners(result: LinkageResult, key: tuple[int, bytes]) -> set[tuple[int, bytes]]:
    return {other for other, person in result.persons.items() if person == result.persons[key]} - {key}
