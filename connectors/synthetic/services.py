"""Language status and programmes of pupils, by school year: what disaggregates them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectors.synthetic.calibration import Calibration, Text
from connectors.synthetic.people import Flags, Ints, People
from connectors.synthetic.schooling import Enrollments

FREE_MEALS, REDUCED_MEALS, TRANSITIONAL, HOMELESS, MIGRANT = "181", "182", "185", "191", "135"
NOT_A_GRADUATE = "14"  # parent education: not a high school graduate (CALPADS code set)


@dataclass(frozen=True)
class Services:
    """By enrollment: language status; and one row a programme, `row` being the enrollment."""

    language: Text
    since: Ints
    row: Ints
    code: Text
    poor: Flags


def serve(people: People, enrollments: Enrollments, *, calibration: Calibration, rng: np.random.Generator) -> Services:
    """Statuses and programmes of all enrollments; the same in one school year, whichever the district."""
    person, year = enrollments.person, enrollments.year
    language, since = _language(people, enrollments, calibration, rng)
    meals = people.disadvantaged[person] & (_by_person_and_year(person, year, rng) < 0.97)
    free = (rng.random(len(people)) < 0.72)[person]
    homeless = people.homeless_in(person, year)
    columns = (
        (meals, np.where(free, FREE_MEALS, REDUCED_MEALS)),
        (enrollments.transitional, np.full(len(person), TRANSITIONAL)),
        (homeless, np.full(len(person), HOMELESS)),
        (people.migrant[person], np.full(len(person), MIGRANT)),
    )
    came = enrollments.reason != "N470"
    rows = [np.flatnonzero(flag & came) for flag, _ in columns]
    codes = [np.asarray(code, dtype=object)[row] for row, (_, code) in zip(rows, columns, strict=True)]
    row, code = np.concatenate(rows), np.concatenate(codes)
    order = np.argsort(row, kind="stable")
    poor = meals | homeless | people.migrant[person] | (people.parent_education[person] == NOT_A_GRADUATE)
    return Services(language, since, row[order], code[order], poor)


def _by_person_and_year(
    person: Ints, year: Ints, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A number between 0 and 1, the same for all enrollments of a person in a year."""
    unique, where = np.unique(person * 4096 + year, return_inverse=True)
    return np.asarray(rng.random(len(unique))[where])


def _language(
    people: People, enrollments: Enrollments, calibration: Calibration, rng: np.random.Generator
) -> tuple[Text, Ints]:
    """EL until reclassified, from grade 3 or the year after coming on; IFEP for some of other languages; EO."""
    count = len(people)
    arrived = np.clip(12 - (people.class_year - people.arrives), 2, 12)
    grade_of_change = arrived + rng.geometric(calibration["reclassified-a-year"], count)
    fluent = (
        ~people.learner
        & np.isin(people.custom.astype(str), ("hispanic", "east_asian", "other"))
        & (rng.random(count) < 0.2)
    )
    person = enrollments.person
    learner, changed = people.learner[person], enrollments.grade >= grade_of_change[person]
    status = np.where(learner, np.where(changed, "RFEP", "EL"), np.where(fluent[person], "IFEP", "EO")).astype(object)
    since = enrollments.year - np.where(
        changed & learner, enrollments.grade - grade_of_change[person], np.maximum(enrollments.grade, 0)
    )
    return status, since
