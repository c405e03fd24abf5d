"""The enrollment rows the simulation makes, the days of a school year, and where everybody stands between two years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from connectors.synthetic.calibration import Calibration, Floats, Text
from connectors.synthetic.evenness import GOLDEN
from connectors.synthetic.organisations import County, high_school_shares
from connectors.synthetic.people import EPOCH, Flags, Ints, People, Span

NO_DAY = -1
TK = -1
_DEFAULTS: Mapping[str, Any] = {
    "exit": NO_DAY,
    "reason": "",
    "completion": "",
    "uc_csu": "",
    "status": "10",
    "transitional": False,
}
_TEXTS = ("reason", "completion", "uc_csu", "status")


@dataclass(frozen=True)
class Enrollments:
    """One row an enrollment, in columns; days are counted from EPOCH, NO_DAY where there is none."""

    person: Ints
    year: Ints
    organisation: Ints
    registration: Ints
    school: Ints
    grade: Ints
    start: Ints
    exit: Ints
    reason: Text
    completion: Text
    uc_csu: Text
    status: Text
    transitional: Flags

    def __len__(self) -> int:
        return len(self.person)

    def came(self) -> Flags:
        """Primary enrollments (status 10) of pupils who came at all."""
        return np.asarray((self.status == "10") & (self.reason != "N470"))

    def present_on(self, on: Ints) -> Flags:
        """Primary enrollments of pupils who were there on that day."""
        there = (self.start <= on) & ((self.exit == NO_DAY) | (self.exit >= on))
        return np.asarray(there & self.came())


def day(year: int, month: int, day_of_month: int) -> int:
    """Days since EPOCH."""
    return int((np.datetime64(f"{year:04d}-{month:02d}-{day_of_month:02d}") - EPOCH).astype(int))


def first_day(year: int) -> int:
    """The first day of a school year, by its ending year."""
    return day(year - 1, 8, 22)


def last_day(year: int) -> int:
    """The last day of a school year."""
    return day(year, 6, 11)


def census_day(year: int) -> int:
    """The first Wednesday of October (CALPADS Fall 1)."""
    october = np.datetime64(f"{year - 1:04d}-10-01")
    return int((np.busday_offset(october, 0, roll="forward", weekmask="Wed") - EPOCH).astype(int))


def same_day(years: Ints, month: int, day_of_month: int) -> Ints:
    """One day of the calendar in each of these years."""
    days = np.array([day(year, month, day_of_month) for year in range(2000, 2100)], dtype=np.int64)
    return np.asarray(days[years - 2000])


@dataclass
class Rows:
    """Grows by batches of rows that share a shape; columns left out have their usual value."""

    batches: list[dict[str, Any]] = field(default_factory=list)

    def add(self, person: Ints, **columns: Any) -> None:
        """Adds a row for each person; a column is one value for all or one for each."""
        batch: dict[str, Any] = {"person": person}
        for name, value in {**_DEFAULTS, **columns}.items():
            kind = np.bool_ if name == "transitional" else np.object_ if name in _TEXTS else np.int64
            batch[name] = np.broadcast_to(np.asarray(value, dtype=kind), person.shape)
        self.batches.append(batch)

    def done(self) -> Enrollments:
        """All rows by year, organisation, person and start."""
        columns = {
            name: np.concatenate([batch[name] for batch in self.batches]) for name in Enrollments.__annotations__
        }
        order = np.lexsort((columns["start"], columns["person"], columns["organisation"], columns["year"]))
        return Enrollments(**{name: column[order] for name, column in columns.items()})


class Standing:
    """Where everybody stands between two school years."""

    def __init__(self, people: People, county: County) -> None:
        count = len(people)
        self.home = people.home.copy()
        self.organisation = np.full(count, -1)  # -1 never at school; -2 - i was last in i and left
        self.repeated = np.zeros(count, dtype=np.int64)
        self.away_until = np.zeros(count, dtype=np.int64)
        self.moved_from = np.full(count, -1)
        self.done = np.zeros(count, dtype=bool)
        self.registration = np.zeros((count, len(county.organisations)), dtype=np.int64)


@dataclass(frozen=True)
class Run:
    """One simulation: what it is of, the chance it draws, where everybody stands, the rows so far."""

    people: People
    span: Span
    county: County
    calibration: Calibration
    rng: np.random.Generator
    standing: Standing
    rows: Rows

    def organisation_for(self, home: Ints, grade: Ints, year: int) -> Ints:
        """The district that serves a catchment's child in a grade."""
        lower = np.array([one.lower for one in self.county.catchments])[home]
        upper = np.array([one.upper for one in self.county.catchments])[home]
        closes = np.array([one.last_year for one in self.county.catchments])[home]
        return np.asarray(np.where((grade <= self.county.last_grades()[lower]) & (year <= closes), lower, upper))

    def schools(self, home: Ints, organisation: Ints, person: Ints, *, grade: Ints) -> Ints:
        """The place of the school in its district: by catchment in high school, by person below."""
        below = np.array([max(1, one.schools_below_ninth) for one in self.county.organisations])[organisation]
        high = np.array([bool(one.high_schools) for one in self.county.organisations])[organisation] & (grade >= 9)
        cumulated = np.cumsum(self.high_school_shares[home], axis=1)
        of_ninth = (cumulated <= (person * GOLDEN % 1.0)[:, None]).sum(axis=1)
        return np.asarray(np.where(high, of_ninth, person % below))

    @cached_property
    def high_school_shares(self) -> Floats:
        """Looked up for every year."""
        return high_school_shares(self.county)

    def other_homes(self, person: Ints) -> Ints:
        """New catchments, by size and by how many there are of one's own kind; nobody moves to or from the smallest.

        Kinds: English learners at entry, others of little means, the rest: so that moves leave the shares as they are.
        """
        places, people = self.county.catchments, self.people
        sizes = np.array([one.weight if one.weight >= 15 and one.from_grade < 0 else 0.0 for one in places])
        upc = np.array([one.upc for one in places])
        learners = np.array([one.english_learners for one in places])
        shares = (1 - upc, np.maximum(upc - learners, 0.02), learners)
        kind = np.where(people.learner[person], 2, people.disadvantaged[person].astype(np.int64))
        drawn = [self.rng.choice(len(places), len(person), p=sizes * one / (sizes * one).sum()) for one in shares]
        home = self.standing.home[person]
        return np.asarray(np.where(sizes[home] > 0, np.choose(kind, drawn), home))


@dataclass(frozen=True)
class Pupils:
    """The pupils of one school year: who, and the columns their enrollment rows share."""

    person: Ints
    year: int
    organisation: Ints
    registration: Ints
    school: Ints
    grade: Ints
    start: Ints
    transitional: Flags

    def __len__(self) -> int:
        return len(self.person)

    def only(self, chosen: Flags) -> Pupils:
        """Those chosen."""
        columns = {name: getattr(self, name)[chosen] for name in self.__annotations__ if name != "year"}
        return Pupils(year=self.year, **columns)

    def columns(self) -> dict[str, Any]:
        """The shared columns, without the person."""
        return {name: getattr(self, name) for name in self.__annotations__ if name != "person"}
