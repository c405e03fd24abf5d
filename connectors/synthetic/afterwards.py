"""What follows school: college terms and degrees, the college's own students, a partner's programme, and work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectors.synthetic.calibration import Calibration, Text
from connectors.synthetic.careers import Enrollments, day, last_day
from connectors.synthetic.organisations import County
from connectors.synthetic.people import Flags, Ints, People, Span

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
_TERMS = 15  # fall and spring for seven and a half years


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
    cut = np.array([day(y, 8, 15) for y in range(2000, 2100)])[enrollments.year[rows] - 2000]
    return Completions(rows, enrollments.person[rows], enrollments.year[rows] + (date > cut), date, blocked)


def go_to_college(
    people: People, completions: Completions, *, span: Span, calibration: Calibration, rng: np.random.Generator
) -> tuple[Terms, Awards]:
    """Terms and awards of completers, term by term, until the last report."""
    person, class_year = completions.person, completions.class_year
    poor = people.disadvantaged[person]
    trend = calibration["college-trend-D"] * (class_year - 2022)
    chance = np.where(poor, calibration["college-D"] + trend, calibration["college-N"])
    ever = rng.random(len(person)) < chance
    two_year = rng.random(len(person)) < np.where(poor, calibration["two-year-D"], calibration["two-year-N"])
    # First fall, the spring after, the next fall (too late for twelve months), the fall after that.
    entry = rng.choice([0, 1, 2, 4], len(person), p=[0.86, 0.05, 0.06, 0.03])
    college = np.where(
        two_year, rng.choice([0, 1], len(person), p=[0.82, 0.18]), rng.integers(2, len(COLLEGES), len(person))
    )
    terms, awards = _study(
        person, class_year, entry, college, going=ever, poor=poor, span=span, calibration=calibration, rng=rng
    )
    return terms, awards


def _study(
    person: Ints,
    class_year: Ints,
    entry: Ints,
    college: Ints,
    *,
    going: Flags,
    poor: Flags,
    span: Span,
    calibration: Calibration,
    rng: np.random.Generator,
) -> tuple[Terms, Awards]:
    terms: list[tuple[Ints, ...]] = []
    statuses: list[Text] = []
    awards: list[tuple[Ints, ...]] = []
    levels: list[Text] = []
    at, going, done_terms = college.copy(), going.copy(), np.zeros(len(person), dtype=np.int64)
    report = day(span.last, 8, 20)
    starts = {
        (y, half): day(y, 8, 25) if half == 0 else day(y + 1, 1, 21) for y in range(2000, 2100) for half in (0, 1)
    }
    for term in range(_TERMS):
        begin = np.array([starts[(c + term // 2, term % 2)] for c in class_year.tolist()], dtype=np.int64)
        here = np.flatnonzero(going & (entry <= term) & (begin < report))
        end = np.minimum(begin[here] + np.where(term % 2 == 0, 112, 118), report)
        terms.append((person[here], at[here], begin[here], end))
        statuses.append(
            np.array(["F", "H", "W", ""], dtype=object)[rng.choice(4, len(here), p=[0.72, 0.19, 0.03, 0.06])]
        )
        done_terms[here] += 1
        finished, level = _finish(here, at, done_terms, term, poor, rng)
        awards.append((person[finished], at[finished], np.minimum(begin[finished] + 120, report)))
        levels.append(level)
        _go_on(here, finished, level, at, going, done_terms, calibration=calibration, rng=rng)
    joined = [np.concatenate(column) for column in zip(*terms, strict=True)]
    given = [np.concatenate(column) for column in zip(*awards, strict=True)]
    return Terms(*joined, np.concatenate(statuses)), Awards(*given, np.concatenate(levels))


def _finish(
    here: Ints, at: Ints, done_terms: Ints, term: int, poor: Flags, rng: np.random.Generator
) -> tuple[Ints, Text]:
    """Those who earn a degree at the end of a spring term: an associate's or certificate, a bachelor's."""
    if term % 2 == 0:
        return here[:0], np.empty(0, dtype=object)
    two_year = at[here] < 2
    chance = np.where(two_year, (done_terms[here] >= 4) * 0.42, (done_terms[here] >= 8) * 0.66) * np.where(
        poor[here], 0.85, 1.0
    )
    finishing = rng.random(len(here)) < chance
    short = rng.random(len(here)) < 0.12
    level = np.where(two_year, np.where(short, "certificate", "associate"), "bachelor").astype(object)
    return here[finishing], level[finishing]


def _go_on(
    here: Ints,
    finished: Ints,
    level: Text,
    at: Ints,
    going: Flags,
    done_terms: Ints,
    *,
    calibration: Calibration,
    rng: np.random.Generator,
) -> None:
    """Stay, stop, or go on from a two-year to a four-year college."""
    two_year = at[here] < 2
    stay = np.where(two_year, calibration["stay-two-year"], calibration["stay-four-year"])
    going[here] = rng.random(len(here)) < stay
    going[finished] = False
    upward = finished[(at[finished] < 2) & (rng.random(len(finished)) < 0.55)]
    also = here[two_year & (done_terms[here] >= 4) & (rng.random(len(here)) < 0.12)]
    for transferring in (upward, also):
        at[transferring] = rng.integers(2, len(COLLEGES), len(transferring))
        going[transferring] = True
        done_terms[transferring] = np.maximum(done_terms[transferring], 4)


def enroll_early(enrollments: Enrollments, *, calibration: Calibration, rng: np.random.Generator) -> Terms:
    """Terms at College of Marin of students who are still in high school."""
    rows = np.flatnonzero((enrollments.grade >= 11) & (enrollments.status == "10") & (enrollments.reason != "N470"))
    rows = rows[rng.random(len(rows)) < calibration["dual-enrollment"]]
    begin = np.array([day(y, 1, 21) for y in enrollments.year[rows].tolist()], dtype=np.int64)
    status = np.full(len(rows), "L", dtype=object)
    return Terms(enrollments.person[rows], np.full(len(rows), COLLEGE_OF_MARIN), begin, begin + 118, status)


def join_programme(
    people: People, enrollments: Enrollments, *, county: County, calibration: Calibration, rng: np.random.Generator
) -> Participations:
    """The partner's university preparation (grades 9-12) and family literacy (kindergarten to grade 3)."""
    names = [county.organisations[one.lower].name for one in county.catchments]
    near = np.isin(np.array(names)[people.home], ("san-rafael-elementary", "miller-creek", "novato"))
    reached = (
        near
        & people.disadvantaged
        & (people.race == "500")
        & (rng.random(len(people)) < calibration["partner-programme"])
    )
    grade = enrollments.grade
    fits = (
        ((grade >= 9) | ((grade >= 0) & (grade <= 3))) & (enrollments.status == "10") & (enrollments.reason != "N470")
    )
    rows = np.flatnonzero(fits & reached[enrollments.person] & (rng.random(len(grade)) < 0.72))
    pairs = np.stack([enrollments.person[rows], enrollments.year[rows]], axis=1)
    rows = rows[np.unique(pairs, axis=0, return_index=True)[1]]
    start = np.array([day(y - 1, 9, 15) for y in enrollments.year[rows].tolist()], dtype=np.int64)
    end = np.array([last_day(y) - 10 for y in enrollments.year[rows].tolist()], dtype=np.int64)
    programme = np.where(grade[rows] >= 9, "university-prep", "family-literacy").astype(object)
    return Participations(
        enrollments.person[rows], enrollments.year[rows], programme, start + rng.integers(0, 40, len(rows)), end
    )


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
    left = np.flatnonzero(
        np.isin(enrollments.reason.astype(str), ("E140", "E300", "E400", "E410")) & (enrollments.grade >= 9)
    )
    leavers, first = np.unique(enrollments.person[left][::-1], return_index=True)
    class_year = people.class_year[leavers]
    fresh = ~np.isin(leavers, completions.person) & (class_year >= span.first) & (class_year <= span.last)
    person = np.concatenate([completions.person, leavers[fresh]])
    years = np.concatenate([completions.class_year, class_year[fresh]])
    chance = np.where(people.disadvantaged[person], calibration["employed-D"], calibration["employed-N"])
    chance = chance * np.where(np.arange(len(person)) < len(completions.person), 1.0, 0.8)
    matchable = rng.random(len(person)) < calibration["wage-matchable"]
    employed = tuple(rng.random(len(person)) < chance * min(1.0, 0.7 + 0.05 * k) for k in range(1, 11))
    return Work(person, years, matchable, employed)
