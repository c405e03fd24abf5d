"""Writes the test files of districts: the state's student score file (caret, header, UTF-8) and the readiness file."""

from __future__ import annotations

from itertools import repeat

import numpy as np

from connectors.synthetic.calibration import Text
from connectors.synthetic.calpads import Columns, PupilFiles
from connectors.synthetic.forms import BLANK, Column, FileLines, day_words, joined, numbers, reformed, words_of
from connectors.synthetic.learning import READY_SCORE, Readiness, Tests
from connectors.synthetic.people import Flags
from connectors.synthetic.schooling import same_day
from policies.organisation_files import organisations

_GENDERS = {"M": "Male", "F": "Female", "X": "Nonbinary"}
_RACES = ("100", "200", "300", "400", "600", "700", "800")
_NO = repeat("No")


def score_lines(pupils: PupilFiles, tests: Tests) -> FileLines:
    """One line a student, subject and spring, tested or not."""
    c, people, tested = Columns(pupils, tests.row), pupils.people, tests.valid
    race, status = people.race[c.person], pupils.services.language[tests.row]
    names = _district_names(c)
    agency, school = _codes(c.agency, repeat("0000000")), _codes(c.agency, c.school)
    poor, disabled, migrant = (
        _yes(flag) for flag in (pupils.services.poor[tests.row], people.disabled[c.person], people.migrant[c.person])
    )
    homeless = _yes(people.homeless_in(c.person, c.years))
    sat = np.where(tested, day_words("iso")[same_day(c.years, 4, 20)], "")
    identity: list[Column] = [c.ssid, c.surname, c.given, c.middle, c.born, words_of(c.gender, _GENDERS), BLANK, BLANK]
    place: list[Column] = [c.grade, c.grade, agency, names, school, BLANK, BLANK, repeat("N"), BLANK]
    support: list[Column] = [_NO, BLANK, BLANK, disabled, disabled, migrant]
    language: list[Column] = [_yes(status == "EL"), BLANK, BLANK, BLANK, BLANK, status, BLANK, BLANK]
    status_fields: list[Column] = [_NO, _NO, homeless, poor, poor, repeat("N")]
    ethnicity: list[Column] = [
        *(_yes(race == code) for code in ("500", *_RACES)),
        race,
        people.parent_education[c.person],
    ]
    taken: list[Column] = [BLANK, agency, school, sat, BLANK, np.where(tested, "Y", "N"), np.where(tested, "V", "")]
    result: list[Column] = [
        np.where(tested, "O", ""),
        np.where(tested, "Y", "N"),
        _or_blank(tests.scale),
        BLANK,
        _or_blank(tests.level),
    ]
    serial: Column = [f"{1_000_000 + i:016d}" for i in range(len(tests.row))]
    subject = np.where(tests.subject == "ELA", "01", "02")
    columns: list[Column] = [
        subject,
        *identity,
        *place,
        *support,
        *language,
        *status_fields,
        *ethnicity,
        *taken,
        *result,
        serial,
    ]
    return c.lines("TOMS", joined("TOMS", [*columns, repeat("~")]))


def readiness_lines(pupils: PupilFiles, readiness: Readiness) -> FileLines:
    """One line a kindergartner who was assessed."""
    c = Columns(pupils, readiness.row)
    band = np.where(readiness.score >= READY_SCORE, "Ready to Go", "Not yet ready")
    person: list[Column] = [c.local_id, c.surname, c.given, reformed(c.born, "us")]
    assessed: list[Column] = [
        repeat("KSEP"),
        repeat("2018"),
        day_words("us")[readiness.assessed],
        numbers(readiness.score),
        band,
    ]
    return c.lines("KSEP", joined("KSEP", [*person, *assessed]))


def _district_names(c: Columns) -> Text:
    """Names as they were in the year: a district may have changed its own."""
    keys, where = np.unique(c.place * 10_000 + c.years, return_inverse=True)
    members = {one.id: one for one in organisations().members}
    names = [members[c.county.organisations[key // 10_000].name].name_in(key % 10_000) for key in keys.tolist()]
    return np.asarray(np.array(names, dtype=object)[where])


def _codes(agency: Text, school: Column) -> list[str]:
    return [f"{a}{b}" for a, b in zip(agency, school, strict=False)]


def _yes(flag: Flags) -> Text:
    return np.where(flag, "Yes", "No").astype(object)


def _or_blank(column: object) -> list[str]:
    return [f"{one}" if one else "" for one in np.asarray(column).tolist()]
