"""Writes the state's input files of each district: SENR, SINF, SELA, SPRG, STAS; caret, no header, CRLF.

Field order: CALPADS File Specifications; docs/edge.md and connectors/layouts hold the same order for the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat

import numpy as np

from connectors.synthetic.calibration import Text
from connectors.synthetic.careers import Enrollments
from connectors.synthetic.learning import Days
from connectors.synthetic.organisations import County
from connectors.synthetic.people import EPOCH, Ints, People
from connectors.synthetic.services import TRANSITIONAL, Services
from connectors.synthetic.writings import Addresses, Records

# From these school years on the file has one field more before the exit date, or twelve more before parent education.
WIDER_SENR = 2021
WIDER_SINF = 2022
# From this school year on transitional kindergarten has its own grade code; before, KN with program 185.
TK_GRADE = 2024
GRADES = ("TK", "KN", *(f"{grade:02d}" for grade in range(1, 13)))
_DAYS = 45_000
_BIRTHPLACES = (
    ("San Rafael", "CA", "US"),
    ("Novato", "CA", "US"),
    ("San Francisco", "CA", "US"),
    ("Greenbrae", "CA", "US"),
)
_ABROAD = (("Guatemala", "", "GT"), ("San Salvador", "", "SV"), ("Oaxaca", "", "MX"), ("Lima", "", "PE"))
_ASIAN = ("201", "202", "203", "204", "205", "299")


@dataclass(frozen=True)
class FileLines:
    """Lines of one kind of file for all districts and years, with the year and organisation of each."""

    name: str
    year: Ints
    organisation: Ints
    lines: Sequence[str]

    def files(self) -> Iterator[tuple[int, int, Sequence[str]]]:
        """Year, organisation and lines of each file."""
        key = self.year * 1000 + self.organisation
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(key)], strict=True):
            yield int(self.year[start]), int(self.organisation[start]), self.lines[start:stop]


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


@cache
def day_words(form: str) -> Text:
    """Days since EPOCH as words: `compact` CCYYMMDD, `us` month/day/year, `iso`; the last of them is for NO_DAY."""
    iso = np.datetime_as_string(EPOCH + np.arange(_DAYS).astype("timedelta64[D]"), unit="D").tolist()
    if form == "compact":
        words = [one.replace("-", "") for one in iso]
    elif form == "us":
        words = [f"{one[5:7]}/{one[8:]}/{one[:4]}" for one in iso]
    else:
        words = iso
    return np.array([*words, ""], dtype=object)


def academic_year(year: int) -> str:
    """2018-2019 for 2019."""
    return f"{year - 1}-{year}"


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
    columns = Columns(pupils, rows)
    city, state, country = _birthplaces(pupils.people, one.person)
    early = [
        repeat("SENR"), repeat(""), [f"{i}" for i in rows.tolist()], columns.agency, columns.school, repeat(""), columns.year,
        columns.ssid, columns.local_id, columns.given, columns.middle, columns.surname, repeat(""), columns.alias, repeat(""),
        repeat(""), columns.birth, columns.gender, city, state, country, days[one.start], one.status, columns.grade,
    ]  # fmt: skip
    wider = np.where(one.year >= WIDER_SENR, "^", "")
    late = [
        days[one.exit], one.reason, one.completion, repeat(""), one.uc_csu, repeat(""), columns.agency, repeat(""), repeat(""),
        repeat(""), repeat("^^^^"),
    ]  # fmt: skip
    first, second = joined(early), joined(late)
    lines = [f"{a}^{w}{b}" for a, w, b in zip(first, wider.tolist(), second, strict=True)]
    return FileLines("SENR", one.year, one.organisation, lines)


def information_lines(pupils: PupilFiles) -> FileLines:
    """SINF: one line a pupil's record and year; 38 fields, or 50 from WIDER_SINF on."""
    rows = _first_of_year(pupils)
    one, people, days = pupils.enrollments, pupils.people, day_words("compact")
    person, year = one.person[rows], one.year[rows]
    columns = Columns(pupils, rows)
    city, state, country = _birthplaces(people, person)
    hispanic, missing, races, race_missing = _race_fields(people, person)
    street, postcode = pupils.addresses.at(person, year)
    early = [
        repeat("SINF"), repeat(""), repeat(""), days[one.start[rows]], repeat(""), columns.agency, columns.school, columns.year,
        columns.ssid, columns.local_id, columns.given, columns.middle, columns.surname, repeat(""), columns.alias, repeat(""),
        repeat(""), columns.birth, columns.gender, city, state, country, hispanic, missing, races, race_missing, street,
        repeat(""), repeat("Marin County"), repeat("CA"), postcode, repeat(""), repeat(""),
    ]  # fmt: skip
    wider = np.where(year >= WIDER_SINF, "^" * 12, "")
    schooling = people.parent_education[person]
    lines = [f"{a}^{w}{b}" for a, w, b in zip(joined(early), wider.tolist(), schooling.tolist(), strict=True)]
    return FileLines("SINF", year, one.organisation[rows], lines)


def language_lines(pupils: PupilFiles) -> FileLines:
    """SELA: one line a pupil's record and year; 15 fields."""
    rows = _first_of_year(pupils)
    one, days = pupils.enrollments, day_words("compact")
    columns = Columns(pupils, rows)
    since = np.array([int((np.datetime64(f"{y - 1}-09-05") - EPOCH).astype(int)) for y in range(1990, 2100)])
    changed = days[since[pupils.services.reclassified[rows] - 1990]]
    tongue = np.where(pupils.people.custom[one.person[rows]] == "hispanic", "01", "00")
    spoken = np.where(pupils.services.language[rows] == "EO", "00", np.where(tongue == "01", "01", "99"))
    lines = joined([
        repeat("SELA"), repeat(""), repeat(""), columns.agency, columns.school, columns.year, columns.ssid, columns.given,
        columns.surname, columns.birth, columns.gender, columns.local_id, pupils.services.language[rows], changed, spoken,
    ])  # fmt: skip
    return FileLines("SELA", one.year[rows], one.organisation[rows], lines)


def program_lines(pupils: PupilFiles) -> FileLines:
    """SPRG: one line a programme; 25 fields."""
    rows, days = pupils.services.row, day_words("compact")
    one, code = pupils.enrollments, pupils.services.code
    columns = Columns(pupils, rows)
    dwelling = np.where(code == "191", "120", "")
    lines = joined([
        repeat("SPRG"), repeat(""), repeat(""), columns.agency, columns.school, columns.year, columns.ssid, columns.local_id,
        columns.given, columns.surname, columns.birth, columns.gender, code, repeat("1"), days[one.start[rows]],
        np.where(code == TRANSITIONAL, days[one.exit[rows]], ""), repeat(""), repeat(""), repeat(""), repeat(""), repeat(""),
        repeat(""), dwelling, repeat(""), repeat(""),
    ])  # fmt: skip
    return FileLines("SPRG", one.year[rows], one.organisation[rows], lines)


def absence_lines(pupils: PupilFiles) -> FileLines:
    """STAS: one line a school and pupil with days expected; 21 fields."""
    one, days = pupils.enrollments, pupils.days
    rows = np.flatnonzero((days.expected > 0) & (one.status == "10") & (one.reason != "N470"))
    columns = Columns(pupils, rows)
    absent = days.expected[rows] - days.attended[rows]
    excused = (absent * 2) // 3
    lines = joined([
        repeat("STAS"), repeat(""), repeat(""), columns.agency, columns.school, columns.year, columns.ssid, columns.local_id,
        columns.given, columns.surname, columns.birth, columns.gender, columns.grade, repeat("N"),
        _decimals(days.expected[rows]), _decimals(days.attended[rows]), repeat("0.00"), repeat("0.00"), _decimals(excused),
        _decimals(absent - excused), repeat("0.00"),
    ])  # fmt: skip
    return FileLines("STAS", one.year[rows], one.organisation[rows], lines)


class Columns:
    """Columns that all files of pupils share."""

    def __init__(self, pupils: PupilFiles, rows: Ints) -> None:
        one, record = pupils.enrollments, pupils.record(rows)
        organisation, year = one.organisation[rows], one.year[rows]
        self.agency = np.array([o.cds for o in pupils.county.organisations], dtype=object)[organisation]
        most = max(len(o.schools) for o in pupils.county.organisations)
        schools = [
            o.schools[i % len(o.schools)] if o.schools else "" for o in pupils.county.organisations for i in range(most)
        ]
        self.school = np.array(schools, dtype=object)[organisation * most + one.school[rows] % most]
        self.year = np.array([academic_year(y) for y in range(2000, 2100)], dtype=object)[year - 2000]
        self.ssid = pupils.records.ssid[record]
        self.local_id = pupils.records.local_id[record]
        self.given, self.middle, self.surname, self.alias, self.gender = (
            pupils.records.column(name, record, year) for name in ("given", "middle", "surname", "alias", "gender")
        )
        self.birth = np.array(
            [one.replace("-", "") for one in pupils.records.column("birth", record, year)], dtype=object
        )
        grade = np.array(GRADES, dtype=object)[one.grade[rows] + 1]
        self.grade = np.where((one.grade[rows] < 0) & (year < TK_GRADE), "KN", grade)


def joined(columns: Sequence[Iterable[str]]) -> list[str]:
    return ["^".join(fields) for fields in zip(*columns, strict=False)]


def _decimals(days: Ints) -> list[str]:
    return [f"{one}.00" for one in days.tolist()]


def _first_of_year(pupils: PupilFiles) -> Ints:
    """The first enrollment of each record and year, in order."""
    one = pupils.enrollments
    key = (one.year * 100 + one.organisation) * 10_000_000 + one.person
    return np.sort(np.unique(key * 10 + np.minimum(one.registration, 9), return_index=True)[1])


def _birthplaces(people: People, person: Ints) -> tuple[Text, Text, Text]:
    abroad = people.learner[person] & (person % 5 < 2)
    places = np.array([*_BIRTHPLACES, *_ABROAD], dtype=object)[person % 4 + 4 * abroad]
    return places[:, 0], places[:, 1], places[:, 2]


def _race_fields(people: People, person: Ints) -> tuple[Text, Text, Text, Text]:
    """Hispanic, ethnicity missing, five race codes joined, race missing."""
    race = people.race[person]
    detail = np.array(_ASIAN, dtype=object)[person % len(_ASIAN)]
    first = np.where(race == "200", detail, np.where(race == "300", "301", race)).astype(object)
    first = np.where(race == "500", np.where(person % 3 == 0, "", "700"), np.where(race == "800", "700", first)).astype(
        object
    )
    second = np.where(race == "800", np.where(person % 2 == 0, detail, "600"), "").astype(object)
    unknown = race == ""
    joined = np.array([f"{a}^{b}^^^" for a, b in zip(first, second, strict=True)], dtype=object)
    missing = np.where(unknown, "Y", "N").astype(object)
    return (
        np.where(race == "500", "Y", np.where(unknown, "", "N")).astype(object),
        missing,
        joined,
        np.where(first == "", "Y", "N").astype(object),
    )
