"""Sends the county's children through its districts, year by year: entries, moves, repeats, departures, completions.

The rows that come out are what the districts' enrollment files say; outcomes are computed from them apart.
"""

from __future__ import annotations

import numpy as np

from connectors.synthetic.calibration import Calibration
from connectors.synthetic.departures import complete_seniors, end_year, leave_within_year
from connectors.synthetic.organisations import COUNTY_OFFICE, County
from connectors.synthetic.people import Flags, Ints, People, Span
from connectors.synthetic.schooling import TK, Enrollments, Pupils, Rows, Run, Standing, first_day, same_day

# Days after 1 September up to which a birthday still gives a place: Ed. Code 48000, widened year by year from 2022-23.
_TRANSITIONAL_DAYS = {2023: 153, 2024: 213, 2025: 274}
_BEFORE, _ALL_YEAR = 91, 365


def simulate(
    people: People, *, span: Span, county: County, calibration: Calibration, rng: np.random.Generator
) -> Enrollments:
    """All enrollments of all years."""
    run = Run(people, span, county, calibration, rng, Standing(people, county), Rows())
    for year in span.years:
        _school_year(year, run)
    return run.rows.done()


def _school_year(year: int, run: Run) -> None:
    pupils = _begin(year, run)
    _report_no_shows(pupils, run)
    staying = leave_within_year(pupils, run)
    seniors = staying.grade == 12
    end_year(staying.only(~seniors), run)
    complete_seniors(staying.only(seniors), run)
    _enroll_twice(pupils, run)


def _begin(year: int, run: Run) -> Pupils:
    """Everybody who is at school in a year, at the district and school that serves them."""
    standing, people = run.standing, run.people
    grade = 12 - (people.class_year - year) - standing.repeated
    transitional = (grade == TK) & _takes_transitional(people, year, run)
    of_age = ((grade >= 0) & (grade <= 12)) | transitional
    here = np.flatnonzero(~standing.done & (people.arrives <= year) & (standing.away_until <= year) & of_age)
    organisation = run.organisation_for(standing.home[here], grade[here], year)
    _number_again(here, organisation, run)
    start = _starts(here, year, run)
    standing.organisation[here] = organisation
    return Pupils(
        person=here,
        year=year,
        organisation=organisation,
        registration=standing.registration[here, organisation],
        school=run.schools(standing.home[here], organisation, here, grade=grade[here]),
        grade=grade[here],
        start=start,
        transitional=transitional[here],
    )


def _takes_transitional(people: People, year: int, run: Run) -> Flags:
    """Four-year-olds of age for transitional kindergarten."""
    days = _TRANSITIONAL_DAYS.get(year, _BEFORE if year < min(_TRANSITIONAL_DAYS) else _ALL_YEAR)
    age = people.birth - same_day(people.class_year - 19, 9, 2)
    taking = run.rng.random(len(people)) < run.calibration["transitional-kindergarten"]
    return np.asarray((age >= 0) & (age <= days) & taking)


def _number_again(here: Ints, organisation: Ints, run: Run) -> None:
    """Sometimes a child gets a second local number in a district: on coming back, or by a slip."""
    before = run.standing.organisation[here]
    back = (before == -2 - organisation) & (run.rng.random(len(here)) < 0.4)
    slip = (before == organisation) & (run.rng.random(len(here)) < run.calibration["second-local-id"])
    again = back | slip
    run.standing.registration[here[again], organisation[again]] += 1


def _starts(here: Ints, year: int, run: Run) -> Ints:
    """The first day, or a day in the year for some of those who are new to the county."""
    new = (run.standing.organisation[here] < 0) & (run.people.arrives[here] == year) & (year > run.span.first)
    late = new & (run.rng.random(len(here)) < 0.35)
    return np.where(late, first_day(year) + run.rng.integers(20, 200, len(here)), first_day(year))


def _report_no_shows(pupils: Pupils, run: Run) -> None:
    """The district left in summer still has some on its list, and finds on the first day that they are gone."""
    here = pupils.person
    expected = run.standing.moved_from[here]
    run.standing.moved_from[here] = -1
    organisations = run.county.organisations
    still_open = np.array([one.last_year >= pupils.year for one in organisations])[expected]
    fits = (expected >= 0) & (expected != pupils.organisation) & still_open
    fits &= (pupils.grade <= run.county.last_grades()[expected]) & ~pupils.transitional
    chosen = fits & (run.rng.random(len(here)) < run.calibration["no-show"])
    here, expected, opens = here[chosen], expected[chosen], first_day(pupils.year)
    run.rows.add(
        here,
        year=pupils.year,
        organisation=expected,
        registration=run.standing.registration[here, expected],
        school=0,
        grade=pupils.grade[chosen],
        start=opens,
        exit=opens,
        reason="N470",
    )


def _enroll_twice(pupils: Pupils, run: Run) -> None:
    """High school students who are also enrolled in a programme of the county office (status 20)."""
    office = run.county.index(COUNTY_OFFICE)
    fits = (pupils.grade >= 9) & (pupils.organisation != office)
    chosen = pupils.only(fits & (run.rng.random(len(pupils)) < run.calibration["second-enrollment"]))
    run.rows.add(
        chosen.person,
        year=pupils.year,
        organisation=office,
        registration=run.standing.registration[chosen.person, office],
        school=2,
        grade=chosen.grade,
        start=np.maximum(chosen.start, first_day(pupils.year) + 14),
        status="20",
    )
