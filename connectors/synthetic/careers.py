"""Sends the county's children through its districts, year by year: entries, moves, repeats, departures, completions.

The rows that come out are what the districts' enrollment files say; outcomes are computed from them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from connectors.synthetic.calibration import Calibration, Text
from connectors.synthetic.organisations import COUNTY_OFFICE, County
from connectors.synthetic.people import EPOCH, NEVER, Flags, Ints, People, Span

NO_DAY = -1
TK = -1
_COLUMNS = ("person", "year", "organisation", "registration", "school", "grade", "start", "exit")
_LEAVING = ("T160", "T180", "T200", "T240", "T160", "E130", "T370", "E140")
_LEAVING_WEIGHTS = (0.28, 0.22, 0.28, 0.16, 0.03, 0.003, 0.017, 0.01)
# In high school a move inside the state without a later record counts against the cohort, and is rarer.
_LEAVING_WEIGHTS_HIGH = (0.10, 0.26, 0.36, 0.23, 0.0, 0.006, 0.034, 0.01)


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


@dataclass
class _Rows:
    """Grows by batches of rows that share a shape."""

    batches: list[dict[str, NDArray[np.generic]]] = field(default_factory=list)

    def add(self, person: Ints, **columns: object) -> None:
        texts = {"reason": "", "completion": "", "uc_csu": "", "status": "10", "transitional": False}
        batch = {"person": person}
        for name, value in {"exit": NO_DAY, **texts, **columns}.items():
            kind = np.bool_ if name == "transitional" else np.object_ if name in texts else np.int64
            batch[name] = np.broadcast_to(np.asarray(value, dtype=kind), person.shape)
        self.batches.append(batch)

    def done(self) -> Enrollments:
        columns = {
            name: np.concatenate([batch[name] for batch in self.batches]) for name in Enrollments.__annotations__
        }
        order = np.lexsort((columns["start"], columns["person"], columns["organisation"], columns["year"]))
        return Enrollments(**{name: column[order] for name, column in columns.items()})


class _State:
    """Where everybody stands between two school years."""

    def __init__(self, people: People, county: County) -> None:
        count = len(people)
        self.home = people.home.copy()
        self.organisation = np.full(count, -1)
        self.repeated = np.zeros(count, dtype=np.int64)
        self.away_until = np.zeros(count, dtype=np.int64)
        self.left = np.full(count, -1)
        self.done = np.zeros(count, dtype=bool)
        self.registration = np.zeros((count, len(county.organisations)), dtype=np.int64)


def simulate(
    people: People, *, span: Span, county: County, calibration: Calibration, rng: np.random.Generator
) -> Enrollments:
    """All enrollments of all years."""
    state, rows = _State(people, county), _Rows()
    for year in span.years:
        _school_year(year, people, state, rows, span=span, county=county, calibration=calibration, rng=rng)
    return rows.done()


def grade_in(people: People, year: int, repeated: Ints) -> Ints:
    """Grade of everybody in a year if at school: 0 is kindergarten, TK the year before."""
    return 12 - (people.class_year - year) - repeated


def organisation_for(home: Ints, grade: Ints, year: int, *, county: County) -> Ints:
    """The district that serves a catchment's child in a grade."""
    lower = np.array([one.lower for one in county.catchments])[home]
    upper = np.array([one.upper for one in county.catchments])[home]
    closes = np.array([one.last_year for one in county.catchments])[home]
    return np.where((grade <= county.last_grades()[lower]) & (year <= closes), lower, upper)


def takes_transitional(people: People, year: int, rng: np.random.Generator, calibration: Calibration) -> Flags:
    """Four-year-olds of age for transitional kindergarten, whose range of birthdays widens from 2022-23 on."""
    start = (np.array([f"{c - 19}-09-02" for c in people.class_year], dtype="datetime64[D]") - EPOCH).astype(np.int64)
    days = {2023: 153, 2024: 213, 2025: 274}.get(year, 91 if year < 2023 else 365)
    young = (people.birth - start >= 0) & (people.birth - start <= days)
    return np.asarray(young & (rng.random(len(people)) < calibration["transitional-kindergarten"]))


def _school_year(
    year: int,
    people: People,
    state: _State,
    rows: _Rows,
    *,
    span: Span,
    county: County,
    calibration: Calibration,
    rng: np.random.Generator,
) -> None:
    grade = grade_in(people, year, state.repeated)
    transitional = (grade == TK) & takes_transitional(people, year, rng, calibration)
    here = np.flatnonzero(
        ~state.done
        & (people.arrives <= year)
        & (state.away_until <= year)
        & (((grade >= 0) & (grade <= 12)) | transitional)
    )
    grade, transitional = grade[here], transitional[here]
    organisation = organisation_for(state.home[here], grade, year, county=county)
    _register(here, organisation, year, state, calibration=calibration, rng=rng, span=span)
    base = {
        "year": year,
        "organisation": organisation,
        "registration": state.registration[here, organisation],
        "school": _schools(state.home[here], organisation, here, county=county),
        "grade": grade,
        "start": _starts(here, year, state, people, span=span, rng=rng),
        "transitional": transitional,
    }
    state.organisation[here] = organisation
    no_show = (
        (state.left[here] >= 0) & (state.left[here] != organisation) & (rng.random(len(here)) < calibration["no-show"])
    )
    _no_shows(here[no_show], grade[no_show], year, state, rows, county=county)
    state.left[here] = -1
    draws = _draws(grade, people.disadvantaged[here], calibration, rng)
    _within_year(here, base, draws, year, state, rows, county=county, rng=rng)
    staying = draws.stay
    columns = {name: value[staying] if isinstance(value, np.ndarray) else value for name, value in base.items()}
    _end_of_year(
        here[staying], columns, year, people, state, rows, span=span, county=county, calibration=calibration, rng=rng
    )
    _second_enrollments(
        here[organisation != county.index(COUNTY_OFFICE)],
        year,
        people,
        state,
        rows,
        county=county,
        calibration=calibration,
        rng=rng,
    )


def _register(
    here: Ints,
    organisation: Ints,
    year: int,
    state: _State,
    *,
    calibration: Calibration,
    rng: np.random.Generator,
    span: Span,
) -> None:
    """Sometimes a child gets a second local number in a district: on coming back, or by a slip."""
    back = (state.organisation[here] == -2 - organisation) & (rng.random(len(here)) < 0.4)
    slip = (state.organisation[here] == organisation) & (rng.random(len(here)) < calibration["second-local-id"])
    again = back | slip
    state.registration[here[again], organisation[again]] += 1


def _schools(home: Ints, organisation: Ints, here: Ints, *, county: County) -> Ints:
    """The place of the school in its district: by catchment in high school, by household elsewhere."""
    count = np.array([max(1, len(one.schools)) for one in county.organisations])[organisation]
    preferred = np.array([one.school for one in county.catchments])[home]
    high = np.array([one.first_grade == 9 for one in county.organisations])[organisation]
    return np.where(high & (here % 23 != 0), preferred % count, here % count)


def _starts(here: Ints, year: int, state: _State, people: People, *, span: Span, rng: np.random.Generator) -> Ints:
    """The first day, or a day in the year for some of those who are new to the county."""
    new = (state.organisation[here] < 0) & (people.arrives[here] == year) & (year > span.first)
    late = new & (rng.random(len(here)) < 0.35)
    offset = rng.integers(20, 200, len(here))
    return np.where(late, first_day(year) + offset, first_day(year))


def _no_shows(here: Ints, grade: Ints, year: int, state: _State, rows: _Rows, *, county: County) -> None:
    """The district left in summer still has them on its list, and finds on the first day that they are gone."""
    expected = state.left[here]
    open_until = np.array([one.last_year for one in county.organisations])[expected]
    fits = (grade <= county.last_grades()[expected]) & (open_until >= year)
    here, expected, grade = here[fits], expected[fits], grade[fits]
    rows.add(
        here,
        year=year,
        organisation=expected,
        registration=state.registration[here, expected],
        school=0,
        grade=grade,
        start=first_day(year),
        exit=first_day(year),
        reason="N470",
    )


@dataclass(frozen=True)
class _Draws:
    stay: Flags
    moves: Flags
    leaves: Flags
    drops: Flags


def _draws(grade: Ints, disadvantaged: Flags, calibration: Calibration, rng: np.random.Generator) -> _Draws:
    draw = rng.random(len(grade))
    move = calibration["move-within-year"] * np.where(disadvantaged, 1.7, 0.65)
    leave = calibration["leave-within-year"] * np.where(grade >= 9, 0.6, 1.0)
    drop = np.where(disadvantaged, calibration["drop-out-D"], calibration["drop-out-N"]) * (grade >= 9)
    moves, leaves = draw < move, (draw >= move) & (draw < move + leave)
    drops = (draw >= move + leave) & (draw < move + leave + drop)
    return _Draws(~(moves | leaves | drops), moves, leaves, drops)


def _within_year(
    here: Ints,
    base: dict[str, object],
    draws: _Draws,
    year: int,
    state: _State,
    rows: _Rows,
    *,
    county: County,
    rng: np.random.Generator,
) -> None:
    """Those who move or leave in the midst of a school year."""
    midway = np.maximum(np.asarray(base["start"]) + 15, first_day(year) + rng.integers(50, 240, len(here)))
    _move(here, base, draws.moves, midway, year, state, rows, county=county, rng=rng)
    for chosen, dropping in ((draws.leaves, False), (draws.drops, True)):
        grade = np.asarray(base["grade"])[chosen]
        reason = _drop_reasons(len(grade), rng) if dropping else leave_reasons(grade, rng)
        rows.add(here[chosen], **_chosen(base, chosen), exit=midway[chosen], reason=reason)
        _depart(here[chosen], reason, year, state, chance=0.15, gap=(0 if dropping else 1), rng=rng)


def _move(
    here: Ints,
    base: dict[str, object],
    moves: Flags,
    midway: Ints,
    year: int,
    state: _State,
    rows: _Rows,
    *,
    county: County,
    rng: np.random.Generator,
) -> None:
    gone = here[moves]
    grade = np.asarray(base["grade"])[moves]
    home = _new_homes(len(gone), grade, county=county, rng=rng)
    to = organisation_for(home, grade, year, county=county)
    elsewhere = to != np.asarray(base["organisation"])[moves]
    rows.add(
        gone,
        **_chosen(base, moves),
        exit=np.where(elsewhere, midway[moves], NO_DAY),
        reason=np.where(elsewhere, "T160", ""),
    )
    gone, grade, home, to = gone[elsewhere], grade[elsewhere], home[elsewhere], to[elsewhere]
    start = midway[moves][elsewhere] + rng.integers(1, 12, len(gone))
    last = grade == 12
    rows.add(
        gone,
        year=year,
        organisation=to,
        registration=state.registration[gone, to],
        school=_schools(home, to, gone, county=county),
        grade=grade,
        start=start,
        transitional=np.asarray(base["transitional"])[moves][elsewhere],
        exit=np.where(last, last_day(year), NO_DAY),
        reason=np.where(last, "E230", ""),
        completion=np.where(last, "100", ""),
        uc_csu=np.where(last, "N", ""),
    )
    state.home[gone], state.organisation[gone] = home, to
    state.done[gone[last]] = True


def _new_homes(count: int, grade: Ints, *, county: County, rng: np.random.Generator) -> Ints:
    """Another catchment, by size; not one of the smallest nor the private one."""
    weights = np.array([one.weight if one.weight >= 15 and one.from_grade < 0 else 0.0 for one in county.catchments])
    return rng.choice(len(weights), count, p=weights / weights.sum())


def _chosen(base: dict[str, object], chosen: Flags) -> dict[str, object]:
    return {name: value[chosen] if isinstance(value, np.ndarray) else value for name, value in base.items()}


def leave_reasons(grade: Ints, rng: np.random.Generator) -> Text:
    """Exit codes of those who leave the county's public schools."""
    codes = np.array(_LEAVING, dtype=object)
    low = codes[rng.choice(len(codes), len(grade), p=_LEAVING_WEIGHTS)]
    high = codes[rng.choice(len(codes), len(grade), p=_LEAVING_WEIGHTS_HIGH)]
    return np.asarray(np.where(grade >= 9, high, low), dtype=object)


def _drop_reasons(count: int, rng: np.random.Generator) -> Text:
    return np.array(["E140", "E300", "E400", "E410"], dtype=object)[rng.choice(4, count, p=[0.55, 0.1, 0.25, 0.1])]


def _depart(
    gone: Ints, reason: Text, year: int, state: _State, *, chance: float, gap: int, rng: np.random.Generator
) -> None:
    """Away for good, or for a year or two. Organisation -2 - i: was last in i."""
    back = (rng.random(len(gone)) < chance) & (reason != "E130")
    state.away_until[gone] = np.where(back, year + 1 + gap + rng.integers(0, 2, len(gone)), NEVER)
    state.repeated[gone] += 0 if gap else 1
    state.organisation[gone] = -2 - state.organisation[gone]


def _end_of_year(
    here: Ints,
    base: dict[str, object],
    year: int,
    people: People,
    state: _State,
    rows: _Rows,
    *,
    span: Span,
    county: County,
    calibration: Calibration,
    rng: np.random.Generator,
) -> None:
    """Stay, move over the summer, leave, repeat, go up to another district, complete."""
    grade, organisation = np.asarray(base["grade"]), np.asarray(base["organisation"])
    senior = grade == 12
    draw = rng.random(len(here))
    move = calibration["move-in-summer"] * np.where(people.disadvantaged[here], 1.6, 0.7)
    leave = np.where(
        grade == 8, calibration["leave-after-eighth"], calibration["leave-in-summer"] * np.where(grade > 8, 0.6, 1)
    )
    small = np.array([len(one.schools) == 1 and one.cds != "" for one in county.organisations])[organisation]
    leaves = ~senior & (draw < leave * np.where(small & (grade < 8), 0.4, 1.0))
    moves = ~senior & ~leaves & (draw < leave + move)
    repeats = ~senior & ~leaves & ~moves & _repeats(grade, calibration, rng)
    home = np.where(moves, _new_homes(len(here), grade, county=county, rng=rng), state.home[here])
    after = organisation_for(home, grade + 1, year + 1, county=county)
    promoted = ~senior & ~repeats & (grade == county.last_grades()[organisation])
    moved = ~senior & ~leaves & ~repeats & ~promoted & (after != organisation)
    gone = leaves & ~promoted
    reason = np.where(gone, leave_reasons(grade, rng), np.where(moved, "T160", np.where(promoted, "E230", ""))).astype(
        object
    )
    completion = np.where(promoted, "480", "").astype(object)
    rest = ~senior
    rows.add(
        here[rest],
        **_chosen(base, rest),
        reason=reason[rest],
        completion=completion[rest],
        exit=np.where(reason != "", last_day(year), NO_DAY)[rest],
    )
    state.home[here[moves]] = home[moves]
    state.left[here[moved]] = organisation[moved]
    state.repeated[here[repeats]] += 1
    _depart(here[leaves], reason[leaves], year, state, chance=calibration["come-back"], gap=1, rng=rng)
    _seniors(here[senior], _chosen(base, senior), year, people, state, rows, calibration=calibration, rng=rng)


def _repeats(grade: Ints, calibration: Calibration, rng: np.random.Generator) -> Flags:
    chance = np.where(grade == 0, calibration["repeat-kindergarten"], calibration["repeat-grade"])
    chance = np.where(grade >= 9, calibration["repeat-ninth"] * np.where(grade == 9, 1.0, 0.4), chance)
    return np.asarray((grade >= 0) & (rng.random(len(grade)) < chance))


def _seniors(
    here: Ints,
    base: dict[str, object],
    year: int,
    people: People,
    state: _State,
    rows: _Rows,
    *,
    calibration: Calibration,
    rng: np.random.Generator,
) -> None:
    """Diplomas in June or late in summer, other completions, a fifth year, the adult school, or nothing."""
    poor = people.disadvantaged[here]
    fifth = people.class_year[here] < year
    chance = np.where(poor, calibration["graduate-D"], calibration["graduate-N"]) * np.where(fifth, 0.65, 1.0)
    graduates = rng.random(len(here)) < chance
    other = rng.choice(8, len(here), p=[0.30, 0.22, 0.10, 0.07, 0.06, 0.05, 0.08, 0.12])
    other = np.where(fifth & (other == 0), 1, other)
    other = np.where((other == 4) & ~people.disabled[here], 1, other)
    codes = np.array(["", "360", "320", "330", "120", "250", "", ""], dtype=object)
    reasons = np.array(["", "E230", "E230", "E230", "E230", "E230", "T260", "E140"], dtype=object)
    met = rng.random(len(here)) < np.where(poor, calibration["uc-csu-D"], calibration["uc-csu-N"])
    late = graduates & (rng.random(len(here)) < 0.015)
    done = np.where(late, day(year, 7, 24), last_day(year))
    reason = np.where(graduates, "E230", reasons[other]).astype(object)
    rows.add(
        here,
        **base,
        reason=reason,
        completion=np.where(graduates, "100", codes[other]),
        uc_csu=np.where(graduates, np.where(met, "Y", "N"), ""),
        exit=np.where(reason == "", NO_DAY, done),
    )
    again = ~graduates & (other == 0)
    state.repeated[here[again]] += 1
    state.done[here[~again]] = True


def _second_enrollments(
    here: Ints,
    year: int,
    people: People,
    state: _State,
    rows: _Rows,
    *,
    county: County,
    calibration: Calibration,
    rng: np.random.Generator,
) -> None:
    """High school students who are also enrolled in a programme of the county office (status 20)."""
    grade = grade_in(people, year, state.repeated)[here]
    chosen = (grade >= 9) & (grade <= 12) & (rng.random(len(here)) < calibration["second-enrollment"])
    office = county.index(COUNTY_OFFICE)
    rows.add(
        here[chosen],
        year=year,
        organisation=office,
        registration=state.registration[here[chosen], office],
        school=2,
        grade=grade[chosen],
        start=first_day(year) + 14,
        status="20",
    )
