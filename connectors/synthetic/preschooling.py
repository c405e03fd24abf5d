"""Early learning before kindergarten: which children attend which of the two providers, and their days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectors.synthetic.calibration import Calibration
from connectors.synthetic.organisations import CHILDRENS_CENTER, HEAD_START, County
from connectors.synthetic.people import Flags, Ints, People, Span
from connectors.synthetic.schooling import TK, Enrollments, same_day

# School years between a child's class year and the preschool years at three and at four.
_AT_THREE, _AT_FOUR = 14, 13


@dataclass(frozen=True)
class Preschool:
    """One row a child's year in one early-learning programme; days are counted from EPOCH."""

    person: Ints
    year: Ints
    organisation: Ints
    start: Ints
    end: Ints
    stayed: Flags
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
    draw = rng.random(len(people))
    poor = people.disadvantaged
    center_share = np.where(poor, calibration["childrens-center-D"], calibration["childrens-center-N"])
    head_start = poor & (draw < calibration["head-start-D"])
    goes = (head_start | (draw > 1 - center_share)) & (people.arrives < people.class_year - 12)
    from_three = goes & (rng.random(len(people)) < 0.6)
    person = np.concatenate([np.flatnonzero(from_three), np.flatnonzero(goes)])
    before = np.repeat([_AT_THREE, _AT_FOUR], [from_three.sum(), goes.sum()])
    year = people.class_year[person] - before
    seen = (year >= span.first) & (year <= span.last) & ~_at_school(person, year, enrollments)
    organisation = np.where(head_start, county.index(HEAD_START), county.index(CHILDRENS_CENTER))
    order = np.lexsort((person[seen], year[seen]))
    person, year = person[seen][order], year[seen][order]
    return _with_days(person, year, organisation[person], rng)


def _at_school(person: Ints, year: Ints, enrollments: Enrollments) -> Flags:
    """Whether a child is in transitional kindergarten in that year."""
    taken = enrollments.grade == TK
    return np.isin(person * 4096 + year, enrollments.person[taken] * 4096 + enrollments.year[taken])


def _with_days(person: Ints, year: Ints, organisation: Ints, rng: np.random.Generator) -> Preschool:
    count = len(person)
    opens, closes = same_day(year - 1, 9, 1), same_day(year, 6, 7)
    start = np.where(rng.random(count) < 0.25, opens + rng.integers(10, 150, count), opens)
    stayed = rng.random(count) >= 0.08
    end = np.where(stayed, closes, np.minimum(start + rng.integers(20, 120, count), closes))
    expected = np.maximum(((end - start) * 175) // 285, 5)
    attended = np.floor(expected * rng.beta(14, 1.7, count)).astype(np.int64)
    return Preschool(person, year, organisation, start, end, stayed, expected, attended)
