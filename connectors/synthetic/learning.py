"""What the county's children reach at school: readiness at its beginning, the spring tests, days attended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from connectors.synthetic.calibration import Calibration, Floats, Text
from connectors.synthetic.evenness import even_draws
from connectors.synthetic.people import RACES, Flags, Ints, People
from connectors.synthetic.preschooling import Preschool
from connectors.synthetic.schooling import NO_DAY, Enrollments, census_day, same_day

READY_SCORE = 47  # KSEP "Ready to Go" (Marin Promise early childhood page)
FEWEST_POINTS, MOST_POINTS = 18, 72
SUSPENDED = 2020  # no CAASPP in spring 2020
# Lowest scale scores of levels 2, 3 and 4 by grade (Smarter Balanced; grade 3 reading 2432, grade 8 math 2586).
CUTS: Mapping[str, Mapping[int, tuple[int, int, int]]] = {
    "ELA": {
        3: (2367, 2432, 2490),
        4: (2416, 2473, 2533),
        5: (2442, 2502, 2582),
        6: (2457, 2531, 2618),
        7: (2479, 2552, 2649),
        8: (2487, 2567, 2668),
        11: (2493, 2583, 2682),
    },
    "MATH": {
        3: (2381, 2436, 2501),
        4: (2411, 2485, 2549),
        5: (2455, 2528, 2579),
        6: (2473, 2552, 2610),
        7: (2484, 2567, 2635),
        8: (2504, 2586, 2653),
        11: (2543, 2628, 2718),
    },
}
# How much of a score is the child's own from year to year; the rest is the day's.
_STEADY = 0.87
_FIRST_TREND_YEAR = 2019
_GRID: Floats = np.linspace(0.001, 0.999, 999)
_QUANTILES: Floats = np.array([NormalDist().inv_cdf(p) for p in _GRID])


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


def attend(people: People, enrollments: Enrollments, rng: np.random.Generator) -> Days:
    """Days by enrollment: 180 in a whole year (Ed. Code 46208), fewer attended where life is harder."""
    last = same_day(enrollments.year, 6, 11)
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
    calibration: Calibration,
    rng: np.random.Generator,
) -> Readiness:
    """The kindergartners whom their district assesses in the fall; more of them every year."""
    census = np.array([census_day(year) for year in range(2000, 2100)])[enrollments.year - 2000]
    there = (enrollments.grade == 0) & enrollments.present_on(census)
    trend = calibration["kindergarten-screened-trend"] * (enrollments.year - _FIRST_TREND_YEAR)
    hispanic = people.race[enrollments.person] == "500"
    fewer = np.where(hispanic, calibration["screened-hispanic"], calibration["screened-others"])
    growing = np.clip((enrollments.year - _FIRST_TREND_YEAR) / 7, 0, 1)
    share = np.clip(calibration["kindergarten-screened"] + trend, 0, 0.93) * (fewer + (1 - fewer) * growing)
    row = np.flatnonzero(there)
    group = enrollments.year[row] * 2 + hispanic[row]
    row = row[even_draws(group, enrollments.organisation[row], rng) < share[row]]
    person, year = enrollments.person[row], enrollments.year[row]
    poor, hispanic = people.disadvantaged[person], hispanic[row]
    helped = np.where(np.isin(person, preschool.person), 0.08, np.where(poor, -0.06, -0.015))
    chance = _chance(_Bases.of(calibration, "ready"), people, person, year, calibration=calibration) + helped
    chance = chance + np.where(hispanic, calibration["ready-points-hispanic"], 0.0)
    ready = even_draws(year * 4 + hispanic * 2 + poor, enrollments.organisation[row], rng) < chance
    above, below = rng.beta(1.4, 2.2, len(row)), rng.beta(2.6, 1.4, len(row))
    high = READY_SCORE + np.floor(above * (MOST_POINTS - READY_SCORE + 1))
    low = FEWEST_POINTS + np.floor(below * (READY_SCORE - FEWEST_POINTS))
    score = np.where(ready, np.minimum(high, MOST_POINTS), np.minimum(low, READY_SCORE - 1)).astype(np.int64)
    return Readiness(row, same_day(year - 1, 9, 3) + rng.integers(0, 38, len(row)), score)


def sit_tests(people: People, enrollments: Enrollments, *, calibration: Calibration, rng: np.random.Generator) -> Tests:
    """English and mathematics in grades 3 to 8 and 11; enrolled students who were not tested have their row too."""
    there = enrollments.present_on(same_day(enrollments.year, 4, 15)) & (enrollments.year != SUSPENDED)
    row = np.flatnonzero(there & np.isin(enrollments.grade, list(CUTS["ELA"])))
    ability = rng.standard_normal(len(people))
    sitting = _Sitting(people, row, enrollments.person[row], enrollments.year[row], enrollments.grade[row])
    parts = [_subject(name, sitting, ability, calibration=calibration, rng=rng) for name in CUTS]
    order = np.argsort(np.concatenate([part.row for part in parts]), kind="stable")
    columns = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in Tests.__annotations__}
    return Tests(**columns)


@dataclass(frozen=True)
class _Sitting:
    """The students of all springs, a row for each enrollment."""

    people: People
    row: Ints
    person: Ints
    year: Ints
    grade: Ints


def _subject(
    name: str, sitting: _Sitting, ability: Floats, *, calibration: Calibration, rng: np.random.Generator
) -> Tests:
    row, person, year = sitting.row, sitting.person, sitting.year
    chance = np.clip(_test_chance(name, sitting, calibration), 0.02, 0.98)
    standing = ability[person] * _STEADY + rng.standard_normal(len(row)) * np.sqrt(1 - _STEADY**2)
    three, four, two = _probit(chance), _probit(chance * 0.47), _probit(chance + (1 - chance) * 0.52)
    level = 1 + (standing < two).astype(np.int64) + (standing < three) + (standing < four)
    share = np.where(year == 2021, calibration["tested-2021"], calibration["tested"])
    tested = rng.random(len(row)) < share
    bounds = _bounds(name)[sitting.grade]
    low, high = np.take_along_axis(bounds, np.stack([level - 1, level], axis=1), axis=1).T
    scale = low + np.floor(rng.random(len(row)) * (high - low)).astype(np.int64)
    subject = np.full(len(row), name, dtype=object)
    return Tests(row, subject, np.where(tested, level, 0), np.where(tested, scale, 0), tested)


def _bounds(name: str) -> Ints:
    """By grade: the lowest score in use, the cuts of levels 2 to 4, the highest score in use."""
    table = np.zeros((13, 5), dtype=np.int64)
    for grade, (two, three, four) in CUTS[name].items():
        table[grade] = (two - 90, two, three, four, four + 120)
    return table


@dataclass(frozen=True)
class _Bases:
    """Chances in the first year and their change a year: of disadvantaged children (D) and others (N)."""

    poor: float
    others: float
    poor_trend: float
    others_trend: float

    @classmethod
    def of(cls, calibration: Calibration, name: str, trend: str = "ready") -> _Bases:
        return cls(
            calibration[f"{name}-D"],
            calibration[f"{name}-N"],
            calibration[f"{trend}-trend-D"],
            calibration[f"{trend}-trend-N"],
        )


def _test_chance(name: str, sitting: _Sitting, calibration: Calibration) -> Floats:
    kind, special, at = ("reading", "reading-third-base", 3) if name == "ELA" else ("math", "math-eighth", 8)
    usual, own = (
        _chance(
            _Bases.of(calibration, one, "score"),
            sitting.people,
            sitting.person,
            sitting.year,
            calibration=calibration,
        )
        for one in (kind, special)
    )
    points = calibration.pandemic[name]
    dip = np.array([points.get(one, 0.0) for one in range(2000, 2100)])[sitting.year - 2000]
    return np.asarray(np.where(sitting.grade == at, own, usual) + dip)


def _chance(bases: _Bases, people: People, person: Ints, year: Ints, *, calibration: Calibration) -> Floats:
    """Base and trend by economic status, and points by race."""
    poor = people.disadvantaged[person]
    trend = np.where(poor, bases.poor_trend, bases.others_trend) * (year - _FIRST_TREND_YEAR)
    codes = (*RACES, "")
    place = {code: i for i, code in enumerate(codes)}
    race = np.array([place[code] for code in people.race[person]], dtype=np.int64)
    points = [np.array([calibration.race_points[group].get(code, 0.0) for code in codes])[race] for group in "DN"]
    return np.asarray(np.where(poor, bases.poor + points[0], bases.others + points[1]) + trend)


def _probit(chance: Floats) -> Floats:
    """Quantiles of the normal distribution, from a fine table."""
    return np.asarray(np.interp(chance, _GRID, _QUANTILES), dtype=np.float64)
