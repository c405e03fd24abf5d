"""Writes the state's input files of each district: SENR, SINF, SELA, SPRG, STAS; caret, no header, CRLF.

Field order: CALPADS File Specifications; docs/edge.md and connectors/layouts hold the same order for the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from connectors.synthetic.calibration import Text
from connectors.synthetic.forms import BLANK, Column, FileLines, day_words, joined, numbers, reformed
from connectors.synthetic.learning import Days
from connectors.synthetic.organisations import County
from connectors.synthetic.people import Ints, People
from connectors.synthetic.schooling import Enrollments, same_day
from connectors.synthetic.services import HOMELESS, TRANSITIONAL, Services
from connectors.synthetic.writings import Addresses, Records

# From these school years on the file has one field more before the exit date, or twelve more before parent education.
WIDER_SENR = 2021
WIDER_SINF = 2022
# From this school year on transitional kindergarten has its own grade code; before, KN with program 185.
TK_GRADE = 2024
GRADES = ("TK", "KN", *(f"{grade:02d}" for grade in range(1, 13)))
_BORN_HERE = (
    ("San Rafael", "CA", "US"),
    ("Novato", "CA", "US"),
    ("San Francisco", "CA", "US"),
    ("Greenbrae", "CA", "US"),
)
_BORN_ABROAD = (("Guatemala", "", "GT"), ("San Salvador", "", "SV"), ("Oaxaca", "", "MX"), ("Lima", "", "PE"))
_ASIAN = ("201", "202", "203", "204", "205", "299")
_SHELTER = "120"  # homeless dwelling: doubled up (CALPADS code set)


@dataclass(frozen=True)
class PupilFiles:
    """What the writers of district files read."""

    people: People
    county: County
    enrollments: Enrollments
    records: Records
    addresses: Addresses
    services: Services
    days: Days

    def record(self, rows: Ints) -> Ints:
        """The record behind each enrollment."""
        one = self.enrollments
        return self.records.find(one.person[rows], one.organisation[rows], one.registration[rows])


class Columns:
    """Columns that all files of pupils share."""

    def __init__(self, pupils: PupilFiles, rows: Ints) -> None:
        one, records, organisations = pupils.enrollments, pupils.records, pupils.county.organisations
        record, self.county = pupils.record(rows), pupils.county
        self.place, self.years, self.person = one.organisation[rows], one.year[rows], one.person[rows]
        self.agency = np.array([o.cds for o in organisations], dtype=object)[self.place]
        self.school = _schools(pupils.county, self.place, one.school[rows])
        year = np.array([f"{y - 1}-{y}" for y in range(2000, 2100)], dtype=object)
        self.academic_year = year[self.years - 2000]
        grade = one.grade[rows]
        # A new number is late for some; nobody sits the state's tests without one.
        waiting = records.number_late[record] & ((grade < 3) | (grade == 9))
        self.ssid = np.where(waiting, "", records.ssid[record])
        self.local_id = records.local_id[record]
        names = ("given", "middle", "surname", "alias", "gender", "birth")
        columns = (records.column(name, record, self.years) for name in names)
        self.given, self.middle, self.surname, self.alias, self.gender, self.born = columns
        self.birth = reformed(self.born, "compact")
        coded = np.array(GRADES, dtype=object)[grade + 1]
        self.grade = np.where((grade < 0) & (self.years < TK_GRADE), "KN", coded)

    def lines(self, name: str, lines: list[str]) -> FileLines:
        """The lines as files of that kind."""
        return FileLines(name, self.years, self.place, lines)


def state_files(pupils: PupilFiles) -> Iterator[FileLines]:
    """The five files of every district and year."""
    yield enrollment_lines(pupils)
    yield information_lines(pupils)
    yield language_lines(pupils)
    yield program_lines(pupils)
    yield absence_lines(pupils)


def enrollment_lines(pupils: PupilFiles) -> FileLines:
    """SENR: one line an enrollment; 39 fields, or 40 from WIDER_SENR on."""
    one, days = pupils.enrollments, day_words("compact")
    rows = np.arange(len(one))
    c = Columns(pupils, rows)
    fields_1_to_9: list[Column] = [
        repeat("SENR"),
        BLANK,
        numbers(rows),
        c.agency,
        c.school,
        BLANK,
        c.academic_year,
        c.ssid,
        c.local_id,
    ]
    fields_10_to_18: list[Column] = [c.given, c.middle, c.surname, BLANK, c.alias, BLANK, BLANK, c.birth, c.gender]
    fields_19_to_24: list[Column] = [*_birthplaces(pupils.people, c.person), days[one.start], one.status, c.grade]
    inserted = np.where(one.year >= WIDER_SENR, "^", "")
    ends: list[Column] = [days[one.exit], one.reason, one.completion, BLANK, one.uc_csu, BLANK, c.agency, *[BLANK] * 8]
    early, late = joined("SENR", fields_1_to_9 + fields_10_to_18 + fields_19_to_24), joined("SENR", ends)
    return c.lines("SENR", [f"{a}^{more}{b}" for a, more, b in zip(early, inserted.tolist(), late, strict=True)])


def information_lines(pupils: PupilFiles) -> FileLines:
    """SINF: one line a pupil's record and year; 38 fields, or 50 from WIDER_SINF on."""
    rows, days = _first_of_year(pupils), day_words("compact")
    c, start = Columns(pupils, rows), pupils.enrollments.start[rows]
    street, postcode = pupils.addresses.at(c.person, c.years)
    fields_1_to_10: list[Column] = [
        *(repeat("SINF"), BLANK, BLANK, days[start], BLANK),
        *(c.agency, c.school, c.academic_year, c.ssid, c.local_id),
    ]
    fields_11_to_19: list[Column] = [c.given, c.middle, c.surname, BLANK, c.alias, BLANK, BLANK, c.birth, c.gender]
    fields_20_to_30: list[Column] = [*_birthplaces(pupils.people, c.person), *_race_fields(pupils.people, c.person)]
    fields_31_to_37: list[Column] = [street, BLANK, repeat("Marin County"), repeat("CA"), postcode, BLANK, BLANK]
    inserted = np.where(c.years >= WIDER_SINF, "^" * 12, "")
    schooling = pupils.people.parent_education[c.person]
    early = joined("SINF", fields_1_to_10 + fields_11_to_19 + fields_20_to_30 + fields_31_to_37)
    columns = zip(early, inserted.tolist(), schooling.tolist(), strict=True)
    return c.lines("SINF", [f"{a}^{more}{b}" for a, more, b in columns])


def language_lines(pupils: PupilFiles) -> FileLines:
    """SELA: one line a pupil's record and year; 15 fields."""
    rows, days = _first_of_year(pupils), day_words("compact")
    c, status = Columns(pupils, rows), pupils.services.language[rows]
    since = days[same_day(pupils.services.since[rows] - 1, 9, 5)]
    spanish = pupils.people.custom[c.person] == "hispanic"
    spoken = np.where(status == "EO", "00", np.where(spanish, "01", "99"))
    place: list[Column] = [repeat("SELA"), BLANK, BLANK, c.agency, c.school, c.academic_year]
    pupil: list[Column] = [c.ssid, c.given, c.surname, c.birth, c.gender, c.local_id]
    return c.lines("SELA", joined("SELA", [*place, *pupil, status, since, spoken]))


def program_lines(pupils: PupilFiles) -> FileLines:
    """SPRG: one line a programme; 25 fields."""
    rows, code, days = pupils.services.row, pupils.services.code, day_words("compact")
    one, c = pupils.enrollments, Columns(pupils, rows)
    until = np.where(code == TRANSITIONAL, days[one.exit[rows]], "")
    dwelling = np.where(code == HOMELESS, _SHELTER, "")
    membership: list[Column] = [code, repeat("1"), days[one.start[rows]], until, *[BLANK] * 6, dwelling, BLANK, BLANK]
    return c.lines("SPRG", joined("SPRG", [*_named("SPRG", c), *membership]))


def absence_lines(pupils: PupilFiles) -> FileLines:
    """STAS: one line a school and pupil with days expected; 21 fields."""
    one, days = pupils.enrollments, pupils.days
    rows = np.flatnonzero((days.expected > 0) & one.came())
    c = Columns(pupils, rows)
    absent = days.expected[rows] - days.attended[rows]
    excused = (absent * 2) // 3
    none = repeat("0.00")
    came = [_decimals(days.expected[rows]), _decimals(days.attended[rows]), none, none]
    stayed_away = [_decimals(excused), _decimals(absent - excused), none]
    return c.lines("STAS", joined("STAS", [*_named("STAS", c), c.grade, repeat("N"), *came, *stayed_away]))


def _named(record_type: str, c: Columns) -> list[Column]:
    """Fields 1 to 12 of files 3 and 13."""
    place: list[Column] = [repeat(record_type), BLANK, BLANK, c.agency, c.school, c.academic_year]
    return [*place, c.ssid, c.local_id, c.given, c.surname, c.birth, c.gender]


def _decimals(days: Ints) -> list[str]:
    return [f"{one}.00" for one in days.tolist()]


def _schools(county: County, place: Ints, school: Ints) -> Text:
    most = max(len(one.schools) for one in county.organisations)
    codes = [
        one.schools[i % len(one.schools)] if one.schools else "" for one in county.organisations for i in range(most)
    ]
    return np.asarray(np.array(codes, dtype=object)[place * most + school % most], dtype=object)


def _first_of_year(pupils: PupilFiles) -> Ints:
    """The first enrollment of each record and year, in order."""
    one = pupils.enrollments
    key = (one.year * 100 + one.organisation) * 10_000_000 + one.person
    return np.sort(np.unique(key * 10 + np.minimum(one.registration, 9), return_index=True)[1])


def _birthplaces(people: People, person: Ints) -> tuple[Text, Text, Text]:
    abroad = people.learner[person] & (person % 5 < 2)
    places = np.array([*_BORN_HERE, *_BORN_ABROAD], dtype=object)[person % 4 + 4 * abroad]
    return places[:, 0], places[:, 1], places[:, 2]


def _race_fields(people: People, person: Ints) -> tuple[Text, ...]:
    """Fields 23 to 30: Hispanic, ethnicity missing, five race codes, race missing."""
    race = people.race[person]
    asian = np.array(_ASIAN, dtype=object)[person % len(_ASIAN)]
    first = np.where(race == "200", asian, np.where(race == "300", "301", race))
    of_hispanic = np.where(person % 3 == 0, "", "700")
    first = np.where(race == "500", of_hispanic, np.where(race == "800", "700", first))
    second = np.where(race == "800", np.where(person % 2 == 0, asian, "600"), "")
    none = np.full(len(person), "", dtype=object)
    unknown = race == ""
    hispanic = np.where(race == "500", "Y", np.where(unknown, "", "N"))
    missing, race_missing = np.where(unknown, "Y", "N"), np.where(first == "", "Y", "N")
    return hispanic, missing, first, second, none, none, none, race_missing
