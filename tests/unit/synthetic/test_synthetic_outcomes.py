"""The truth's seven outcomes obey the published rules, seen against the enrollments they come from."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from connectors.synthetic.outcomes import REMOVALS, outcome_rows
from connectors.synthetic.people import Span
from connectors.synthetic.schooling import NO_DAY, day
from connectors.synthetic.world import World, make_world

SPAN = Span(2019, 2026)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(6000, seed=3, span=SPAN)


@pytest.fixture(scope="module")
def outcomes(world: World) -> dict[str, dict[tuple[int, int], str]]:
    found: dict[str, dict[tuple[int, int], str]] = defaultdict(dict)
    for indicator, year, person, outcome, *_ in outcome_rows(world):
        assert (int(year), int(person[1:])) not in found[indicator]
        found[indicator][int(year), int(person[1:])] = outcome
    return found


def enrollments_of(world: World) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = defaultdict(list)
    for row, person in enumerate(world.enrollments.person.tolist()):
        rows[person].append(row)
    return rows


def test_all_seven_outcomes_are_there_for_the_years_that_can_be_seen(
    outcomes: dict[str, dict[tuple[int, int], str]],
) -> None:
    years = {indicator: sorted({year for year, _ in found}) for indicator, found in outcomes.items()}

    tested = [2019, *range(2021, 2027)]
    assert years == {
        "kindergarten-readiness": list(SPAN.years),
        "third-grade-reading": tested,
        "eighth-grade-math": tested,
        "high-school-graduation": list(range(2022, 2027)),
        "postsecondary-enrollment": list(range(2019, 2026)),
        "postsecondary-completion": [2019, 2020],
        "employment": [2019, 2020],
    }


def test_nobody_is_a_first_time_kindergartner_twice(outcomes: dict[str, dict[tuple[int, int], str]]) -> None:
    persons = Counter(person for _, person in outcomes["kindergarten-readiness"])

    assert set(persons.values()) == {1}


def test_transitional_kindergarten_is_not_kindergarten(
    world: World, outcomes: dict[str, dict[tuple[int, int], str]]
) -> None:
    one = world.enrollments
    transitional = set(zip(one.year[one.transitional].tolist(), one.person[one.transitional].tolist(), strict=True))

    assert transitional
    assert not transitional & set(outcomes["kindergarten-readiness"])


def test_a_documented_departure_leaves_the_graduation_cohort(
    world: World, outcomes: dict[str, dict[tuple[int, int], str]]
) -> None:
    one, rows, found = world.enrollments, enrollments_of(world), outcomes["high-school-graduation"]
    cohorts = {person: year for year, person in found}
    removed = 0
    for person, own in rows.items():
        high = [r for r in own if one.grade[r] >= 9 and one.status[r] == "10" and one.reason[r] != "N470"]
        if not high:
            continue
        cohort = int(min((one.year[r], one.start[r], one.year[r] + 12 - one.grade[r]) for r in high)[2])
        last = max((r for r in high if one.year[r] <= cohort), key=lambda r: (one.year[r], one.start[r]))
        if one.reason[last] in REMOVALS:
            removed += 1
            assert person not in cohorts

    assert removed > 20


def test_a_late_graduate_is_in_the_cohort_and_did_not_graduate_in_time(
    world: World, outcomes: dict[str, dict[tuple[int, int], str]]
) -> None:
    one, found = world.enrollments, outcomes["high-school-graduation"]
    late = 0
    for (cohort, person), outcome in found.items():
        mine = (one.person == person) & (one.completion == "100")
        dates = one.exit[mine]
        in_time = bool(len(dates)) and int(dates.min()) <= day(cohort, 8, 15)
        assert (outcome == "yes") == in_time
        late += bool(len(dates)) and not in_time

    assert late > 3


def test_a_blocked_completer_is_unknown_and_so_is_one_whom_nobody_looks_for(
    world: World, outcomes: dict[str, dict[tuple[int, int], str]]
) -> None:
    done = world.completions
    blocked = set(done.person[done.blocked].tolist())
    found = outcomes["postsecondary-enrollment"]

    assert all(outcome == "unknown" for (_, person), outcome in found.items() if person in blocked)
    assert Counter(found.values())["unknown"] > 10
    assert not {person for _, person in outcomes["postsecondary-completion"]} & blocked


def test_a_college_term_before_completing_school_does_not_count(
    world: World, outcomes: dict[str, dict[tuple[int, int], str]]
) -> None:
    own, done = world.own_terms, world.completions
    completed = dict(zip(done.person.tolist(), done.date.tolist(), strict=True))
    early = {p for p, b in zip(own.person.tolist(), own.begin.tolist(), strict=True) if b < completed.get(p, 0)}
    later = set(world.terms.person.tolist())
    only_early = early - later

    found = outcomes["postsecondary-enrollment"]
    judged = [outcome for (_, person), outcome in found.items() if person in only_early]
    assert judged
    assert "yes" not in judged


def test_history_holds_every_case_that_a_rule_speaks_of(world: World) -> None:
    one = world.enrollments
    reasons, completions = set(one.reason.tolist()), set(one.completion.tolist())

    assert {"T160", "T180", "T200", "T240", "E140", "E230", "N470", "T260"} <= reasons
    assert {"100", "320", "330", "250", "360", "480"} <= completions
    assert (one.status == "20").any()
    assert ((one.exit == NO_DAY) & (one.grade == 12)).any()
