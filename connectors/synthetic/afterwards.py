"""What follows school: college terms and degrees, the college's own students, a partner's programme, and work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from connectors.synthetic.calibration import Calibration, Text
from connectors.synthetic.organisations import County
from connectors.synthetic.people import Flags, Ints, People, Span
from connectors.synthetic.schooling import Enrollments, day, same_day

# OPEID and branch. The first four: NSC college list. The others stand for colleges farther away (numbers assumed).
COLLEGES = (
    ("001178-00", "COLLEGE OF MARIN", "CA", "2-year", "Public"),
    ("001287-00", "SANTA ROSA JUNIOR COLLEGE", "CA", "2-year", "Public"),
    ("001156-00", "SONOMA STATE UNIVERSITY", "CA", "4-year", "Public"),
    ("001196-00", "DOMINICAN UNIVERSITY OF CALIFORNIA", "CA", "4-year", "Private"),
    ("001312-00", "UNIVERSITY OF CALIFORNIA-BERKELEY", "CA", "4-year", "Public"),
    ("001313-00", "UNIVERSITY OF CALIFORNIA-DAVIS", "CA", "4-year", "Public"),
    ("001154-00", "SAN FRANCISCO STATE UNIVERSITY", "CA", "4-year", "Public"),
    ("003223-00", "UNIVERSITY OF OREGON", "OR", "4-year", "Public"),
)
COLLEGE_OF_MARIN = 0
COMPLETIONS = ("100", "120", "250", "320", "330")
TWO_YEAR_COLLEGES = 2  # the first of them
_TERMS = 15  # fall and spring for seven and a half years
_LOADS = np.array(["F", "H", "W", ""], dtype=object)
_LOAD_SHARES = (0.72, 0.19, 0.03, 0.06)
_LEFT = ("E140", "E300", "E400", "E410")


Table = TypeVar("Table", "Terms", "Awards", "Participations")


@dataclass(frozen=True)
class Completions:
    """One row a completer of high school: the first completion with a code that counts; `row` is the enrollment."""

    row: Ints
    person: Ints
    class_year: Ints
    date: Ints
    blocked: Flags


@dataclass(frozen=True)
class Terms:
    """One row a college term; `college` is a place in COLLEGES."""

    person: Ints
    college: Ints
    begin: Ints
    end: Ints
    status: Text


@dataclass(frozen=True)
class Awards:
    """One row a degree or certificate."""

    person: Ints
    college: Ints
    date: Ints
    level: Text


@dataclass(frozen=True)
class Participations:
    """One row a person's part in the partner's programme in one school year."""

    person: Ints
    year: Ints
    programme: Text
    start: Ints
    end: Ints


@dataclass(frozen=True)
class Work:
    """Completers and leavers of each class year, whether a wage record can be matched, and work by years after."""

    person: Ints
    class_year: Ints
    matchable: Flags
    employed_by: tuple[Flags, ...]


def complete(enrollments: Enrollments, *, calibration: Calibration, rng: np.random.Generator) -> Completions:
    """First completions by person."""
    rows = np.flatnonzero(np.isin(enrollments.completion.astype(str), COMPLETIONS) & (enrollments.reason == "E230"))
    rows = rows[np.lexsort((enrollments.exit[rows], enrollments.person[rows]))]
    first = np.unique(enrollments.person[rows], return_index=True)[1]
    rows = rows[first]
    blocked = rng.random(len(rows)) < calibration["college-blocked"]
    date = enrollments.exit[rows]
    class_year = enrollments.year[rows] + (date > same_day(enrollments.year[rows], 8, 15))
    return Completions(rows, enrollments.person[rows], class_year, date, blocked)


def go_to_college(
    people: People, completions: Completions, *, span: Span, calibration: Calibration, rng: np.random.Generator
) -> tuple[Terms, Awards]:
    """Terms and awards of completers, term by term, until the last report."""
    person, class_year = completions.person, completions.class_year
    count, poor = len(person), people.disadvantaged[person]
    trend = calibration["college-trend-D"] * (class_year - 2022)
    going = rng.random(count) < np.where(poor, calibration["college-D"] + trend, calibration["college-N"])
    two_year = rng.random(count) < np.where(poor, calibration["two-year-D"], calibration["two-year-N"])
    near = rng.choice([0, 1], count, p=[0.82, 0.18])
    college = np.where(two_year, near, rng.integers(TWO_YEAR_COLLEGES, len(COLLEGES), count))
    # First fall, the spring after, the next fall (too late for twelve months), the fall after that.
    entry = rng.choice([0, 1, 2, 4], count, p=[0.86, 0.05, 0.06, 0.03])
    studies = _Studies(person, class_year, poor, entry, college, going, np.zeros(count, dtype=np.int64))
    return studies.until(day(span.last, 8, 20), calibration, rng)


@dataclass
class _Studies:
    """Where each completer stands in college: at which, still going or not, after how many terms."""

    person: Ints
    class_year: Ints
    poor: Flags
    entry: Ints
    college: Ints
    going: Flags
    terms: Ints

    def until(self, report: int, calibration: Calibration, rng: np.random.Generator) -> tuple[Terms, Awards]:
        """Goes through the terms that begin before the report."""
        terms: list[Terms] = []
        awards: list[Awards] = []
        for term in range(_TERMS):
            year = self.class_year + (term + 1) // 2
            begin = same_day(year, 8, 25) if term % 2 == 0 else same_day(year, 1, 21)
            here = np.flatnonzero(self.going & (self.entry <= term) & (begin < report))
            end = np.minimum(begin[here] + 115, report)
            status = _LOADS[rng.choice(len(_LOADS), len(here), p=_LOAD_SHARES)]
            terms.append(Terms(self.person[here], self.college[here], begin[here], end, status))
            self.terms[here] += 1
            finished, level = self._finish(here, spring=term % 2 == 1, rng=rng)
            date = np.minimum(begin[finished] + 120, report)
            awards.append(Awards(self.person[finished], self.college[finished], date, level))
            self._go_on(here, finished, calibration, rng)
        return under_one_another(terms), under_one_another(awards)

    def _finish(self, here: Ints, *, spring: bool, rng: np.random.Generator) -> tuple[Ints, Text]:
        """Those who earn a degree at the end of a spring term: a certificate, an associate's, a bachelor's."""
        two_year = self.college[here] < TWO_YEAR_COLLEGES
        ripe = np.where(two_year, self.terms[here] >= 4, self.terms[here] >= 8) & spring
        chance = ripe * np.where(two_year, 0.42, 0.66) * np.where(self.poor[here], 0.85, 1.0)
        finishing = rng.random(len(here)) < chance
        short = rng.random(len(here)) < 0.12
        level = np.where(two_year, np.where(short, "certificate", "associate"), "bachelor").astype(object)
        return here[finishing], level[finishing]

    def _go_on(self, here: Ints, finished: Ints, calibration: Calibration, rng: np.random.Generator) -> None:
        """Stay, stop, or go on from a two-year to a four-year college."""
        two_year = self.college[here] < TWO_YEAR_COLLEGES
        stay = np.where(two_year, calibration["stay-two-year"], calibration["stay-four-year"])
        self.going[here] = rng.random(len(here)) < stay
        self.going[finished] = False
        upward = (self.college[finished] < TWO_YEAR_COLLEGES) & (rng.random(len(finished)) < 0.55)
        across = two_year & (self.terms[here] >= 4) & (rng.random(len(here)) < 0.12)
        going_on = np.union1d(finished[upward], here[across])
        self.college[going_on] = rng.integers(TWO_YEAR_COLLEGES, len(COLLEGES), len(going_on))
        self.going[going_on] = True
        self.terms[going_on] = np.maximum(self.terms[going_on], 4)


def under_one_another(parts: Sequence[Table]) -> Table:
    """Tables of one kind as one."""
    columns = {one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(parts[0])}
    return type(parts[0])(**columns)


def only(table: Table, rows: Ints) -> Table:
    """Some rows of a table, in that order."""
    return type(table)(**{one.name: getattr(table, one.name)[rows] for one in fields(table)})


def enroll_early(enrollments: Enrollments, *, calibration: Calibration, rng: np.random.Generator) -> Terms:
    """Terms at College of Marin of students who are still in high school."""
    rows = np.flatnonzero((enrollments.grade >= 11) & enrollments.came())
    rows = rows[rng.random(len(rows)) < calibration["dual-enrollment"]]
    begin = same_day(enrollments.year[rows], 1, 21)
    status = np.full(len(rows), "L", dtype=object)
    return Terms(enrollments.person[rows], np.full(len(rows), COLLEGE_OF_MARIN), begin, begin + 118, status)


def join_programme(
    people: People, enrollments: Enrollments, *, county: County, calibration: Calibration, rng: np.random.Generator
) -> Participations:
    """The partner's university preparation (grades 9-12) and family literacy (kindergarten to grade 3)."""
    names = [county.organisations[one.lower].name for one in county.catchments]
    near = np.isin(np.array(names)[people.home], ("san-rafael-elementary", "miller-creek", "novato"))
    asked = rng.random(len(people)) < calibration["partner-programme"]
    reached = near & people.disadvantaged & (people.race == "500") & asked
    grade = enrollments.grade
    fits = ((grade >= 9) | ((grade >= 0) & (grade <= 3))) & enrollments.came()
    rows = np.flatnonzero(fits & reached[enrollments.person] & (rng.random(len(grade)) < 0.72))
    pairs = np.stack([enrollments.person[rows], enrollments.year[rows]], axis=1)
    rows = rows[np.unique(pairs, axis=0, return_index=True)[1]]
    person, year = enrollments.person[rows], enrollments.year[rows]
    programme = np.where(grade[rows] >= 9, "university-prep", "family-literacy").astype(object)
    start = same_day(year - 1, 9, 15) + rng.integers(0, 40, len(rows))
    return Participations(person, year, programme, start, same_day(year, 6, 1))


def work(
    people: People,
    enrollments: Enrollments,
    completions: Completions,
    *,
    span: Span,
    calibration: Calibration,
    rng: np.random.Generator,
) -> Work:
    """Completers, and leavers without completing, by class year; at work or not one to ten years after."""
    left = np.isin(enrollments.reason.astype(str), _LEFT) & (enrollments.grade >= 9)
    leavers = np.unique(enrollments.person[left])
    class_year = people.class_year[leavers]
    fresh = ~np.isin(leavers, completions.person) & (class_year >= span.first) & (class_year <= span.last)
    person = np.concatenate([completions.person, leavers[fresh]])
    years = np.concatenate([completions.class_year, class_year[fresh]])
    chance = np.where(people.disadvantaged[person], calibration["employed-D"], calibration["employed-N"])
    chance = chance * np.where(np.arange(len(person)) < len(completions.person), 1.0, 0.8)
    matchable = rng.random(len(person)) < calibration["wage-matchable"]
    employed = tuple(rng.random(len(person)) < chance * min(1.0, 0.7 + 0.05 * k) for k in range(1, 11))
    return Work(person, years, matchable, employed)
