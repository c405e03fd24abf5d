"""What the county's children reach at school: readiness, tests, days attended; and preschool before it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from connectors.synthetic.calibration import Calibration, Floats, Text
from connectors.synthetic.careers import NO_DAY, TK, Enrollments, census_day, day, first_day, last_day
from connectors.synthetic.organisations import CHILDRENS_CENTER, HEAD_START, County
from connectors.synthetic.people import RACES, Flags, Ints, People, Span

READY_SCORE = 47  # KSEP "Ready to Go" (Marin Promise early childhood page)
MOST_POINTS = 72
SUSPENDED = 2020  # no CAASPP in spring 2020
# Cuts of levels 2, 3 and 4 by grade: Smarter Balanced scale score ranges.
CUTS = {
    "ELA": {3: (2367, 2432, 2490), 4: (2416, 2473, 2533), 5: (2442, 2502, 2582), 6: (2457, 2531, 2618),
            7: (2479, 2552, 2649), 8: (2487, 2567, 2668), 11: (2493, 2583, 2682)},
    "MATH": {3: (2381, 2436, 2501), 4: (2411, 2485, 2549), 5: (2455, 2528, 2579), 6: (2473, 2552, 2610),
             7: (2484, 2567, 2635), 8: (2504, 2586, 2653), 11: (2543, 2628, 2718)},
}  # fmt: skip

_GRID: Floats = np.linspace(0.001, 0.999, 999)
_QUANTILES: Floats = np.array([NormalDist().inv_cdf(p) for p in _GRID])


@dataclass(frozen=True)
class Preschool:
    """One row a child's year in one early-learning programme."""

    person: Ints
    year: Ints
    organisation: Ints
    start: Ints
    end: Ints
    expected: Ints
    attended: Ints


@dataclass(frozen=True)
class Readiness:
    """One row a kindergarten entry assessment; `row` is the enrollment it belongs to."""

    row: Ints
    assessed: Ints
    score: Ints


@dataclass(frozen=True)
class Tests:
    """One row a student, subject and spring; `row` is the enrollment; level 0 where nothing valid was reached."""

    row: Ints
    subject: Text
    level: Ints
    scale: Ints
    valid: Flags


@dataclass(frozen=True)
class Days:
    """Days expected and attended, by enrollment."""

    expected: Ints
    attended: Ints


def attend_preschool(
    people: People,
    enrollments: Enrollments,
    *,
    span: Span,
    county: County,
    calibration: Calibration,
    rng: np.random.Generator,
) -> Preschool:
    """Two years or one before kindergarten; a year of transitional kindergarten takes the place of the second."""
    count = len(people)
    draw = rng.random(count)
    poor = people.disadvantaged
    head_start = poor & (draw < calibration["head-start-D"])
    center = ~head_start & (
        draw > 1 - np.where(poor, calibration["childrens-center-D"], calibration["childrens-center-N"])
    )
    organisation = np.where(head_start, county.index(HEAD_START), county.index(CHILDRENS_CENTER))
    from_three = rng.random(count) < 0.6
    young = people.arrives < people.class_year - 12
    parts = []
    for before, chosen in ((14, from_three), (13, np.ones(count, dtype=bool))):
        year = people.class_year - before
        goes = np.flatnonzero((head_start | center) & chosen & young & (year >= span.first) & (year <= span.last))
        parts.append((goes, year[goes]))
    person = np.concatenate([one for one, _ in parts])
    year = np.concatenate([one for _, one in parts])
    at_school = set(
        zip(
            enrollments.person[enrollments.grade == TK].tolist(),
            enrollments.year[enrollments.grade == TK].tolist(),
            strict=True,
        )
    )
    stays = np.array([pair not in at_school for pair in zip(person.tolist(), year.tolist(), strict=True)], dtype=bool)
    return _preschool_days(person[stays], year[stays], organisation, rng)


def _preschool_days(person: Ints, year: Ints, organisation: Ints, rng: np.random.Generator) -> Preschool:
    order = np.lexsort((person, year))
    person, year = person[order], year[order]
    begin = np.array([first_day(y) + 10 for y in year.tolist()], dtype=np.int64)
    start = np.where(rng.random(len(year)) < 0.25, begin + rng.integers(10, 150, len(year)), begin)
    finish = np.array([last_day(y) - 4 for y in year.tolist()], dtype=np.int64)
    left = rng.random(len(year)) < 0.08
    end = np.where(left, np.minimum(start + rng.integers(20, 120, len(year)), finish), finish)
    expected = np.maximum(((end - start) * 175) // 285, 5)
    attended = np.floor(expected * rng.beta(14, 1.7, len(year))).astype(np.int64)
    return Preschool(person, year, organisation[person], start, end, expected, attended)


def attend(people: People, enrollments: Enrollments, rng: np.random.Generator) -> Days:
    """Days by enrollment: 180 in a whole year (Ed. Code 46208), fewer attended where life is harder."""
    last = np.array([last_day(y) for y in range(2000, 2100)])[enrollments.year - 2000]
    until = np.where(enrollments.exit == NO_DAY, last, np.minimum(enrollments.exit, last))
    expected = np.clip(((until - enrollments.start) * 180) // 293, 0, 180)
    poor = people.disadvantaged[enrollments.person]
    rate = np.where(poor, rng.beta(13, 1.35, len(poor)), rng.beta(24, 1.35, len(poor)))
    rate = np.where(enrollments.grade >= 9, rate - 0.012, rate)
    return Days(expected, np.floor(expected * np.clip(rate, 0.3, 1.0) + 0.5).astype(np.int64))


def screen_kindergartners(
    people: People,
    enrollments: Enrollments,
    preschool: Preschool,
    *,
    span: Span,
    calibration: Calibration,
    rng: np.random.Generator,
) -> Readiness:
    """The kindergartners whom their district assesses in the fall; more of them every year."""
    census = np.array([census_day(y) for y in range(2000, 2100)])[enrollments.year - 2000]
    there = (enrollments.grade == 0) & present_on(enrollments, census)
    share = calibration["kindergarten-screened"] + calibration["kindergarten-screened-trend"] * (
        enrollments.year - 2019
    )
    row = np.flatnonzero(there & (rng.random(len(there)) < np.clip(share, 0, 0.93)))
    person, year = enrollments.person[row], enrollments.year[row]
    attended = np.zeros(len(people), dtype=bool)
    attended[preschool.person] = True
    poor = people.disadvantaged[person]
    helped = np.where(attended[person], 0.08, np.where(poor, -0.06, -0.015))
    bases = (calibration["ready-D"], calibration["ready-N"], calibration["ready-trend-D"], calibration["ready-trend-N"])
    chance = _chance(people, person, year, bases=bases, calibration=calibration) + helped
    ready = _ability(len(people), rng)[person] * 0.8 + rng.standard_normal(len(row)) * 0.6 < _probit(chance)
    above, below = rng.beta(1.4, 2.2, len(row)), rng.beta(2.6, 1.4, len(row))
    score = np.where(ready, READY_SCORE + np.floor(above * 26), 18 + np.floor(below * 29)).astype(np.int64)
    opened = np.array([first_day(y) for y in range(2000, 2100)])[year - 2000]
    assessed = opened + 12 + rng.integers(0, 38, len(row))
    return Readiness(row, assessed, np.minimum(score, MOST_POINTS))


def sit_tests(people: People, enrollments: Enrollments, *, calibration: Calibration, rng: np.random.Generator) -> Tests:
    """English and mathematics in grades 3 to 8 and 11; enrolled students who were not tested have their row too."""
    spring = np.array([day(y, 4, 15) for y in range(2000, 2100)])[enrollments.year - 2000]
    grades = np.isin(enrollments.grade, list(CUTS["ELA"]))
    row = np.flatnonzero(grades & present_on(enrollments, spring) & (enrollments.year != SUSPENDED))
    ability = _ability(len(people), rng)
    parts = [_subject(name, row, ability, people, enrollments, calibration=calibration, rng=rng) for name in CUTS]
    order = np.argsort(np.concatenate([part.row for part in parts]), kind="stable")
    columns = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in Tests.__annotations__}
    return Tests(**columns)


def _subject(
    name: str,
    row: Ints,
    ability: Floats,
    people: People,
    enrollments: Enrollments,
    *,
    calibration: Calibration,
    rng: np.random.Generator,
) -> Tests:
    person, year, grade = enrollments.person[row], enrollments.year[row], enrollments.grade[row]
    chance = _test_chance(name, people, person, year, grade=grade, calibration=calibration)
    standing = ability[person] * 0.87 + rng.standard_normal(len(row)) * np.sqrt(1 - 0.87**2)
    spread = np.clip(chance, 0.02, 0.98)
    four, two = _probit(spread * 0.47), _probit(spread + (1 - spread) * 0.52)
    level = 1 + (standing < two).astype(np.int64) + (standing < _probit(spread)) + (standing < four)
    tested = rng.random(len(row)) < np.where(year == 2021, calibration["tested-2021"], calibration["tested"])
    low = np.array(
        [[CUTS[name][g][0] - 90, *CUTS[name][g]][k] for g, k in zip(grade.tolist(), (level - 1).tolist(), strict=True)]
    )
    high = np.array(
        [[*CUTS[name][g], CUTS[name][g][2] + 120][k] for g, k in zip(grade.tolist(), (level - 1).tolist(), strict=True)]
    )
    scale = low + np.floor(rng.random(len(row)) * (high - low)).astype(np.int64) if len(row) else level
    subject = np.full(len(row), name, dtype=object)
    return Tests(row, subject, np.where(tested, level, 0), np.where(tested, scale, 0), tested)


def _test_chance(
    name: str, people: People, person: Ints, year: Ints, *, grade: Ints, calibration: Calibration
) -> Floats:
    trends = (calibration["score-trend-D"], calibration["score-trend-N"])
    kind, special = ("reading", "reading-third") if name == "ELA" else ("math", "math-eighth")
    usual = _chance(
        people,
        person,
        year,
        bases=(calibration[f"{kind}-D"], calibration[f"{kind}-N"], *trends),
        calibration=calibration,
    )
    own = _chance(
        people,
        person,
        year,
        bases=(calibration[f"{special}-D"], calibration[f"{special}-N"], *trends),
        calibration=calibration,
    )
    points = calibration.pandemic[name]
    dip = np.array([points.get(y, 0.0) for y in range(2000, 2100)])[year - 2000]
    return np.where(grade == (3 if name == "ELA" else 8), own, usual) + dip


def _chance(
    people: People, person: Ints, year: Ints, *, bases: tuple[float, float, float, float], calibration: Calibration
) -> Floats:
    """Base and trend by economic status, and points by race."""
    poor = people.disadvantaged[person]
    base = np.where(poor, bases[0], bases[1]) + np.where(poor, bases[2], bases[3]) * (year - 2019)
    codes = (*RACES, "")
    place = {code: i for i, code in enumerate(codes)}
    points = {group: np.array([calibration.race_points[group].get(code, 0.0) for code in codes]) for group in "DN"}
    race = np.array([place[code] for code in people.race[person]], dtype=np.int64)
    return np.asarray(base + np.where(poor, points["D"][race], points["N"][race]))


def _ability(count: int, rng: np.random.Generator) -> Floats:
    return rng.standard_normal(count)


def _probit(chance: Floats) -> Floats:
    """Quantiles of the normal distribution, from a fine table."""
    return np.interp(chance, _GRID, _QUANTILES)


def present_on(enrollments: Enrollments, on: Ints) -> Flags:
    """Primary enrollments (status 10) of children who came and were there on that day."""
    there = (enrollments.start <= on) & ((enrollments.exit == NO_DAY) | (enrollments.exit >= on))
    return np.asarray(there & (enrollments.status == "10") & (enrollments.reason != "N470"))
