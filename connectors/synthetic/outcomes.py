"""The seven outcomes of everybody, by the published rules, computed from what happened and not from any file.

The rules are those of the indicators in `policies/indicators`, written a second time and in another way, so that the
hub's figures can be held against them. Races, genders and economic statuses are the levels of the dimensions there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from connectors.synthetic.learning import READY_SCORE
from connectors.synthetic.organisations import SEARCHING
from connectors.synthetic.people import EPOCH, Ints
from connectors.synthetic.schooling import NO_DAY, census_day, day
from connectors.synthetic.world import World

OUTCOME_TITLES = ("indicator", "cohort_year", "person", "outcome", "race", "gender", "ses")
RACE_LEVELS = {
    "100": "american-indian",
    "200": "asian",
    "300": "pacific-islander",
    "400": "filipino",
    "500": "hispanic",
    "600": "black",
    "700": "white",
    "800": "two-or-more",
    "": "not-reported",
}
GENDER_LEVELS = {"F": "female", "M": "male", "X": "nonbinary"}
# Removed from the adjusted cohort, when it is the last exit (CALPADS cohort glossary; data guide T79, T80).
REMOVALS = ("T180", "T200", "T240", "T370", "E130")
PROFICIENT = 3
WAGES_AFTER = 6
Judged = tuple[int, int, str]


def outcome_rows(world: World) -> Iterator[Sequence[str]]:
    """Rows of `outcomes.csv`: indicator, cohort year, person, outcome, race, gender, economic status."""
    facts = _Facts(world)
    for indicator, years, judged in (
        ("kindergarten-readiness", 1, _kindergarten(facts)),
        ("third-grade-reading", 1, _tested(facts, subject="ELA", grade=3)),
        ("eighth-grade-math", 1, _tested(facts, subject="MATH", grade=8)),
        ("high-school-graduation", 4, _graduation(facts)),
        ("postsecondary-enrollment", 4, _enrolling(facts, months=12)),
        ("postsecondary-completion", 4, _completing(facts)),
        ("employment", 0, _employment(facts)),
    ):
        for year, person, outcome in sorted(judged):
            yield indicator, str(year), f"P{person:06d}", outcome, *facts.levels(person, year, years)


@dataclass(frozen=True)
class _Facts:
    """The world, with what several rules look up."""

    world: World

    def levels(self, person: int, year: int, years: int) -> tuple[str, str, str]:
        """Race, gender and economic status: disadvantaged in any year of the window; ever, where it has no years."""
        people = self.world.people
        window = range(year - years + 1, year + 1) if years else self.world.span.years
        poor = any((person, one) in self.poor_years for one in window)
        status = "disadvantaged" if poor else "not-disadvantaged"
        return RACE_LEVELS[people.race[person]], GENDER_LEVELS[people.gender[person]], status

    @cached_property
    def poor_years(self) -> set[tuple[int, int]]:
        """Person and school year of each sign of disadvantage."""
        poor, one = self.world.services.poor, self.world.enrollments
        return set(zip(one.person[poor].tolist(), one.year[poor].tolist(), strict=True))

    @cached_property
    def completers(self) -> dict[int, tuple[int, int, bool]]:
        """By person: class year, day of the first completion, and whether the Clearinghouse can tell."""
        done, one = self.world.completions, self.world.enrollments
        names = [organisation.name for organisation in self.world.county.organisations]
        told = [names[o] in SEARCHING for o in one.organisation[done.row].tolist()]
        columns = (
            done.person.tolist(),
            done.class_year.tolist(),
            done.date.tolist(),
            (~done.blocked & np.array(told, dtype=bool)).tolist(),
        )
        return {person: (year, date, known) for person, year, date, known in zip(*columns, strict=True)}


def _kindergarten(facts: _Facts) -> Iterable[Judged]:
    """First-time kindergartners of the census day, with the entry assessment of that fall."""
    one, readiness = facts.world.enrollments, facts.world.readiness
    counts = (one.grade == 0) & ~one.transitional & one.came()
    first: dict[int, int] = {}
    for person, year in zip(one.person[counts].tolist(), one.year[counts].tolist(), strict=True):
        first[person] = min(year, first.get(person, year))
    census = np.array([census_day(y) for y in range(2000, 2100)])[one.year - 2000]
    there = np.flatnonzero(counts & one.present_on(census))
    scores: dict[tuple[int, int], int] = {}
    for row, score in zip(readiness.row.tolist(), readiness.score.tolist(), strict=True):
        scores.setdefault((int(one.person[row]), int(one.year[row])), score)
    cohort = {
        (p, y) for p, y in zip(one.person[there].tolist(), one.year[there].tolist(), strict=True) if first[p] == y
    }
    for person, year in cohort:
        score = scores.get((person, year))
        yield year, person, "unknown" if score is None else "yes" if score >= READY_SCORE else "no"


def _tested(facts: _Facts, *, subject: str, grade: int) -> Iterable[Judged]:
    """Students of the grade in a score file: at level three or four, below, or not tested."""
    one, tests = facts.world.enrollments, facts.world.tests
    mine = np.flatnonzero((tests.subject == subject) & (one.grade[tests.row] == grade))
    rank = {"unknown": 0, "no": 1, "yes": 2}
    best: dict[tuple[int, int], str] = {}
    for i in mine.tolist():
        outcome = "unknown" if not tests.valid[i] else "yes" if tests.level[i] >= PROFICIENT else "no"
        key = (int(one.year[tests.row[i]]), int(one.person[tests.row[i]]))
        best[key] = max(outcome, best.get(key, "unknown"), key=rank.__getitem__)
    return [(year, person, outcome) for (year, person), outcome in best.items()]


def _graduation(facts: _Facts) -> Iterable[Judged]:
    """The four-year adjusted cohorts whose four years have all been seen."""
    one, span = facts.world.enrollments, facts.world.span
    rows = np.flatnonzero((one.grade >= 9) & one.came())
    open_end = np.where(one.exit == NO_DAY, 10**6, one.exit)
    rows = rows[np.lexsort((open_end[rows], one.start[rows], one.year[rows], one.person[rows]))]
    for own in np.split(rows, np.flatnonzero(np.diff(one.person[rows])) + 1) if len(rows) else []:
        cohort = int(one.year[own[0]] + 12 - one.grade[own[0]])
        if cohort - 3 < span.first or cohort > span.last:
            continue
        within = own[one.year[own] <= cohort]
        graduated = (one.completion[within] == "100") & (one.exit[within] <= day(cohort, 8, 15))
        last = str(one.reason[within[-1]])
        if graduated.any():
            yield cohort, int(one.person[own[0]]), "yes"
        elif last not in REMOVALS:
            unseen = last == "" and int(one.year[within[-1]]) < cohort
            yield cohort, int(one.person[own[0]]), "unknown" if unseen else "no"


def _enrolling(facts: _Facts, *, months: int) -> Iterable[Judged]:
    """Completers of closed classes: in college within the months, not, or not to be told."""
    enrolled = _within(facts, facts.world.terms.person, facts.world.terms.begin, months=months)
    for person, (year, _, known) in facts.completers.items():
        if year + months // 12 <= facts.world.span.last:
            yield year, person, "unknown" if not known else "yes" if person in enrolled else "no"


def _completing(facts: _Facts) -> Iterable[Judged]:
    """Completers who enrolled within twelve months: a degree or certificate within six years, or none."""
    entered = {person for _, person, outcome in _enrolling(facts, months=12) if outcome == "yes"}
    awarded = _within(facts, facts.world.awards.person, facts.world.awards.date, months=72)
    for person, (year, _, _) in facts.completers.items():
        if person in entered and year + 6 <= facts.world.span.last:
            yield year, person, "yes" if person in awarded else "no"


def _within(facts: _Facts, person: Ints, date: Ints, *, months: int) -> set[int]:
    """Persons with a date after their completion and no later than so many months."""
    found = set()
    for one, when in zip(person.tolist(), date.tolist(), strict=True):
        _, completed, _ = facts.completers[one]
        if completed < when <= _later(completed, months):
            found.add(one)
    return found


def _later(date: int, months: int) -> int:
    """The same day so many months later; whole years only."""
    then = str(EPOCH + np.timedelta64(date, "D"))
    return day(int(then[:4]) + months // 12, int(then[5:7]), int(then[8:]))


def _employment(facts: _Facts) -> Iterable[Judged]:
    """Former students of each class, six years after: at work, not, or without a wage record to look for."""
    work = facts.world.work
    employed = work.employed_by[WAGES_AFTER - 1]
    columns = (work.class_year.tolist(), work.person.tolist(), work.matchable.tolist(), employed.tolist())
    for year, person, matchable, at_work in zip(*columns, strict=True):
        if year + WAGES_AFTER <= facts.world.span.last:
            yield year, person, "unknown" if not matchable else "yes" if at_work else "no"
