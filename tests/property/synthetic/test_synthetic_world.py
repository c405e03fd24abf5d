"""What holds in every synthetic county, whatever its size, years and seed."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.synthetic.outcomes import outcome_rows
from connectors.synthetic.people import Span
from connectors.synthetic.schooling import NO_DAY, day
from connectors.synthetic.world import World, make_world

CASES = st.tuples(st.integers(30, 500), st.integers(0, 10_000), st.integers(2015, 2026), st.integers(1, 11))


def made(case: tuple[int, int, int, int]) -> World:
    people, seed, first, years = case
    return make_world(people, seed=seed, span=Span(first, first + years - 1))


@settings(max_examples=12, deadline=None)
@given(case=CASES)
def test_enrollments_lie_in_their_school_year_and_end_after_they_begin(case: tuple[int, int, int, int]) -> None:
    world = made(case)
    one = world.enrollments
    opens = np.array([day(year - 1, 7, 1) for year in one.year.tolist()])
    closes = np.array([day(year, 8, 15) for year in one.year.tolist()])
    ended = one.exit != NO_DAY

    assert np.all((one.start >= opens) & (one.start <= closes))
    assert np.all(one.exit[ended] >= one.start[ended])
    assert np.all(one.exit[ended] <= closes[ended])
    assert np.all(ended == (one.reason != ""))
    assert np.all((one.reason == "E230") | (one.completion == ""))


@settings(max_examples=12, deadline=None)
@given(case=CASES)
def test_every_enrollment_has_a_record_and_every_record_a_number_of_its_own(case: tuple[int, int, int, int]) -> None:
    world = made(case)
    one, records = world.enrollments, world.records

    found = records.find(one.person, one.organisation, one.registration)

    assert np.array_equal(records.person[found], one.person)
    assert np.array_equal(records.organisation[found], one.organisation)
    numbers = set(zip(records.organisation.tolist(), records.local_id.tolist(), strict=True))
    assert len(numbers) == len(records)


@settings(max_examples=12, deadline=None)
@given(case=CASES)
def test_nobody_goes_down_a_grade_or_attends_a_district_that_does_not_serve_the_grade(
    case: tuple[int, int, int, int],
) -> None:
    world = made(case)
    one, organisations = world.enrollments, world.county.organisations
    order = np.lexsort((one.start, one.year, one.person))
    person, grade = one.person[order], one.grade[order]
    came = one.reason[order] != "N470"
    person, grade = person[came], grade[came]

    assert not np.any((person[1:] == person[:-1]) & (grade[1:] < grade[:-1]))
    first = np.array([each.first_grade for each in organisations])
    last = np.array([each.last_grade for each in organisations])
    assert np.all(one.grade <= last[one.organisation])
    assert np.all((one.grade >= first[one.organisation]) | (one.grade == -1))


@settings(max_examples=12, deadline=None)
@given(case=CASES)
def test_an_outcome_is_told_once_a_person_and_year_in_words_of_three(case: tuple[int, int, int, int]) -> None:
    world = made(case)
    rows = list(outcome_rows(world))

    assert len({row[:3] for row in rows}) == len(rows)
    assert {row[3] for row in rows} <= {"yes", "no", "unknown"}
