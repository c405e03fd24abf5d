"""How children leave a school within a year and at its end: moves, departures, dropping out, repeating, completing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from connectors.synthetic.calibration import Text
from connectors.synthetic.people import NEVER, Flags, Ints
from connectors.synthetic.schooling import NO_DAY, Pupils, Run, day, first_day, last_day

_LEAVING = ("T160", "T180", "T200", "T240", "T160", "E130", "T370", "E140")
_WEIGHTS = (0.28, 0.22, 0.28, 0.16, 0.03, 0.003, 0.017, 0.01)
# In high school a move inside the state without a later record counts against the cohort, and is rarer.
_WEIGHTS_HIGH = (0.10, 0.26, 0.36, 0.23, 0.0, 0.006, 0.034, 0.01)
_DROPPING = ("E140", "E300", "E400", "E410")
_DROPPING_WEIGHTS = (0.55, 0.10, 0.25, 0.10)
_DIED = "E130"
# What becomes of a senior without a diploma: exit reason, completion code (blank and blank: comes back), chance.
_OTHER_ENDS = (
    ("", "", 0.30),
    ("E230", "360", 0.22),
    ("E230", "320", 0.10),
    ("E230", "330", 0.07),
    ("E230", "120", 0.06),
    ("E230", "250", 0.05),
    ("T260", "", 0.08),
    ("E140", "", 0.12),
)
_COMES_BACK, _NOT_GRADUATED, _DISABLED_ONLY = 0, 1, 4


def leave_within_year(pupils: Pupils, run: Run) -> Pupils:
    """Writes the rows of those who move or leave in the midst of the year; returns those who stay."""
    count, calibration = len(pupils), run.calibration
    poor = run.people.disadvantaged[pupils.person]
    draw = run.rng.random(count)
    move = calibration["move-within-year"] * np.where(poor, 1.7, 0.65)
    leave = calibration["leave-within-year"] * np.where(pupils.grade >= 9, 0.6, 1.0)
    drop = np.where(poor, calibration["drop-out-D"], calibration["drop-out-N"]) * (pupils.grade >= 9)
    moves = draw < move
    leaves = ~moves & (draw < move + leave)
    drops = ~moves & ~leaves & (draw < move + leave + drop)
    midway = np.maximum(pupils.start + 15, first_day(pupils.year) + run.rng.integers(50, 240, count))
    _move_midway(pupils.only(moves), midway[moves], run)
    _leave_midway(pupils.only(leaves), midway[leaves], run)
    _drop_out(pupils.only(drops), midway[drops], run)
    return pupils.only(~(moves | leaves | drops))


def _move_midway(pupils: Pupils, midway: Ints, run: Run) -> None:
    """Two enrollments in one year, where the new home is another district's."""
    standing = run.standing
    home = run.other_homes(pupils.person)
    to = run.organisation_for(home, pupils.grade, pupils.year)
    elsewhere = to != pupils.organisation
    senior = ~elsewhere & (pupils.grade == 12)
    staying = pupils.only(~elsewhere & ~senior)
    run.rows.add(staying.person, **staying.columns())
    complete_seniors(pupils.only(senior), run)
    gone = pupils.only(elsewhere)
    run.rows.add(gone.person, **gone.columns(), exit=midway[elsewhere], reason="T160")
    standing.home[pupils.person] = home
    home, to = home[elsewhere], to[elsewhere]
    arrived = Pupils(
        person=gone.person,
        year=gone.year,
        organisation=to,
        registration=standing.registration[gone.person, to],
        school=run.schools(home, to, gone.person, grade=gone.grade),
        grade=gone.grade,
        start=midway[elsewhere] + run.rng.integers(1, 12, len(gone)),
        transitional=gone.transitional,
    )
    standing.organisation[gone.person] = to
    last = arrived.grade == 12
    remaining = arrived.only(~last)
    run.rows.add(remaining.person, **remaining.columns())
    complete_seniors(arrived.only(last), run)


def _leave_midway(pupils: Pupils, midway: Ints, run: Run) -> None:
    reason = _leave_reasons(pupils.grade, run.rng)
    run.rows.add(pupils.person, **pupils.columns(), exit=midway, reason=reason)
    _depart(pupils, reason, run, chance=0.15, years_away=1)


def _drop_out(pupils: Pupils, midway: Ints, run: Run) -> None:
    """Some come back the year after, to the grade they left."""
    reason = np.array(_DROPPING, dtype=object)[run.rng.choice(len(_DROPPING), len(pupils), p=_DROPPING_WEIGHTS)]
    run.rows.add(pupils.person, **pupils.columns(), exit=midway, reason=reason)
    run.standing.repeated[pupils.person] += 1
    _depart(pupils, reason, run, chance=0.15, years_away=0)


def end_year(pupils: Pupils, run: Run) -> None:
    """Stay, move over the summer, leave, repeat, or go up to another district; all but seniors."""
    standing, grade, here = run.standing, pupils.grade, pupils.person
    leaves, moves, repeats = _summer(pupils, run)
    home = np.where(moves, run.other_homes(here), standing.home[here])
    after = run.organisation_for(home, grade + 1, pupils.year + 1)
    promoted = ~repeats & (grade == run.county.last_grades()[pupils.organisation])
    moved = ~leaves & ~repeats & ~promoted & (after != pupils.organisation)
    gone = leaves & ~promoted
    reason = np.where(promoted, "E230", np.where(moved, "T160", "")).astype(object)
    reason[gone] = _leave_reasons(grade[gone], run.rng)
    run.rows.add(
        here,
        **pupils.columns(),
        reason=reason,
        completion=np.where(promoted, "480", ""),
        exit=np.where(reason == "", NO_DAY, last_day(pupils.year)),
    )
    standing.home[here] = home
    standing.moved_from[here[moved]] = pupils.organisation[moved]
    standing.repeated[here[repeats]] += 1
    _depart(pupils.only(leaves), reason[leaves], run, chance=run.calibration["come-back"], years_away=1)


def _summer(pupils: Pupils, run: Run) -> tuple[Flags, Flags, Flags]:
    """Who leaves the county's public schools, who moves within the county, who repeats the grade."""
    calibration, grade = run.calibration, pupils.grade
    draw = run.rng.random(len(pupils))
    poor = run.people.disadvantaged[pupils.person]
    move = calibration["move-in-summer"] * np.where(poor, 1.6, 0.7)
    usual = calibration["leave-in-summer"] * np.where(grade > 8, 0.6, 1.0)
    others = np.array([one.leave_after_eighth for one in run.county.organisations])[pupils.organisation]
    private = np.where(poor, calibration["leave-after-eighth-D"], others)
    leave = np.where(grade == 8, private, usual)
    small = np.array([len(one.schools) == 1 for one in run.county.organisations])[pupils.organisation]
    leaves = draw < leave * np.where(small & (grade < 8), 0.4, 1.0)
    moves = ~leaves & (draw < leave + move)
    return leaves, moves, ~leaves & ~moves & _repeats(grade, run)


def _repeats(grade: Ints, run: Run) -> Flags:
    calibration = run.calibration
    chance = np.where(grade == 0, calibration["repeat-kindergarten"], calibration["repeat-grade"])
    chance = np.where(grade >= 9, calibration["repeat-ninth"] * np.where(grade == 9, 1.0, 0.4), chance)
    return np.asarray((grade >= 0) & (run.rng.random(len(grade)) < chance))


def complete_seniors(pupils: Pupils, run: Run) -> None:
    """Diplomas in June or late in summer, other completions, a fifth year, the adult school, or nothing."""
    count, calibration, here = len(pupils), run.calibration, pupils.person
    poor = run.people.disadvantaged[here]
    fifth = run.people.class_year[here] < pupils.year
    chance = np.where(poor, calibration["graduate-D"], calibration["graduate-N"]) * np.where(fifth, 0.65, 1.0)
    graduates = run.rng.random(count) < chance
    end = run.rng.choice(len(_OTHER_ENDS), count, p=[one[2] for one in _OTHER_ENDS])
    end = np.where(fifth & (end == _COMES_BACK), _NOT_GRADUATED, end)
    end = np.where((end == _DISABLED_ONLY) & ~run.people.disabled[here], _NOT_GRADUATED, end)
    white = run.people.race[here] == "700"
    rates = [calibration[f"uc-csu-{one}"] for one in ("others-N", "others-D", "white-N", "white-D")]
    met = run.rng.random(count) < np.array(rates)[white * 2 + poor]
    late = graduates & (run.rng.random(count) < 0.015)
    reason = np.where(graduates, "E230", _column([one[0] for one in _OTHER_ENDS], end))
    done = np.where(late, day(pupils.year, 7, 24), last_day(pupils.year))
    run.rows.add(
        here,
        **pupils.columns(),
        reason=reason,
        completion=np.where(graduates, "100", _column([one[1] for one in _OTHER_ENDS], end)),
        uc_csu=np.where(graduates, np.where(met, "Y", "N"), ""),
        exit=np.where(reason == "", NO_DAY, done),
    )
    again = ~graduates & (end == _COMES_BACK)
    run.standing.repeated[here[again]] += 1
    run.standing.done[here[~again]] = True


def _column(words: Sequence[str], place: Ints) -> Text:
    return np.array(words, dtype=object)[place]


def _leave_reasons(grade: Ints, rng: np.random.Generator) -> Text:
    """Exit codes of those who leave the county's public schools."""
    low = rng.choice(len(_LEAVING), len(grade), p=_WEIGHTS)
    high = rng.choice(len(_LEAVING), len(grade), p=_WEIGHTS_HIGH)
    return _column(_LEAVING, np.where(grade >= 9, high, low))


def _depart(pupils: Pupils, reason: Text, run: Run, *, chance: float, years_away: int) -> None:
    """Away for good, or for a year or two."""
    gone, standing = pupils.person, run.standing
    back = (run.rng.random(len(gone)) < chance) & (reason != _DIED)
    return_year = pupils.year + 1 + years_away + run.rng.integers(0, 2, len(gone))
    standing.away_until[gone] = np.where(back, return_year, NEVER)
    standing.organisation[gone] = -2 - standing.organisation[gone]
