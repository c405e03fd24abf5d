"""Writes the rosters of the early-learning providers: a CDD-801A roster with titles, and a Head Start export; no state number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np

from connectors.synthetic.calibration import Text
from connectors.synthetic.calpads import FileLines, day_words
from connectors.synthetic.careers import last_day
from connectors.synthetic.learning import Preschool
from connectors.synthetic.organisations import CHILDRENS_CENTER, HEAD_START, County
from connectors.synthetic.people import Flags, Ints, People
from connectors.synthetic.writings import Addresses, Records

VENDOR = "A214 01"
ROSTER_TITLES = (
    "Report Month", "Vendor Number", "FICN", "Head of Household Last Name", "Head of Household First Name", "ZIP+4",
    "CalWORKs", "Family Size", "Child ID", "Child Last Name", "Child First Name", "Child Middle Initial", "Child Birth Date",
    "Child Sex", "Child Hispanic", "Child Race", "Program Code", "Start Date", "End Date", "Days Enrolled", "Days Attended",
)  # fmt: skip
HEAD_START_TITLES = (
    "Child ID", "Last", "First", "Middle", "DOB", "Sex", "Ethnicity", "Parent Last", "Parent First", "Zip", "Center",
    "Enrolled", "Exited", "Days scheduled", "Days present",
)  # fmt: skip
RACE_WORDS = {
    "100": "American Indian", "200": "Asian", "300": "Pacific Islander", "400": "Filipino", "500": "Hispanic or Latino",
    "600": "Black", "700": "White", "800": "Two or more", "": "",
}  # fmt: skip
HEAD_START_SOURCES = {
    "version": 1,
    "files": [
        {
            "pattern": "head_start_roster_*.csv",
            "layout": "mapped",
            "kind": "preschool",
            "table": "preschool",
            "delimiter": ",",
            "date_format": "%m/%d/%Y",
            "missing": ["", "N/A"],
            "constants": {"funding": "HEAD-START"},
            "titles": {
                "Child ID": "local_id",
                "Last": "surname",
                "First": "given",
                "Middle": "middle",
                "DOB": "birth_date",
                "Sex": "gender",
                "Ethnicity": "race_ethnicity",
                "Parent Last": "guardian_surname",
                "Parent First": "guardian_given",
                "Zip": "postcode",
                "Center": "site",
                "Enrolled": "start_date",
                "Exited": "end_date",
                "Days scheduled": "attendance.days_expected",
                "Days present": "attendance.days_attended",
            },
            "codes": {
                "gender": {"Female": "F", "Male": "M", "Nonbinary": "X"},
                "race_ethnicity": {word: code for code, word in RACE_WORDS.items() if code},
            },
        }
    ],
}


def preschool_lines(
    people: People, preschool: Preschool, records: Records, addresses: Addresses, *, county: County
) -> Sequence[FileLines]:
    """The rosters of both providers, by school year."""
    center = preschool.organisation == county.index(CHILDRENS_CENTER)
    children = _Children(people, preschool, records, addresses)
    return (
        _roster(children, np.flatnonzero(center)),
        _head_start(children, np.flatnonzero(preschool.organisation == county.index(HEAD_START))),
    )


class _Children:
    """Columns of the children's years, as their provider writes them."""

    def __init__(self, people: People, preschool: Preschool, records: Records, addresses: Addresses) -> None:
        self.one = preschool
        record = records.find(preschool.person, preschool.organisation, np.zeros(len(preschool.person), dtype=np.int64))
        self.local_id = records.local_id[record]
        self.given, self.middle, self.surname, self.birth, self.gender = (
            records.column(name, record, preschool.year) for name in ("given", "middle", "surname", "birth", "gender")
        )
        self.family = np.array(
            [f"F{100_000 + 7 * h}" for h in people.household[preschool.person].tolist()], dtype=object
        )
        self.guardian = people.names.guardian[preschool.person]
        self.postcode = addresses.at(preschool.person, preschool.year)[1]
        self.race = people.race[preschool.person]
        stayed = np.array([last_day(y) - 4 for y in preschool.year.tolist()], dtype=np.int64) == preschool.end
        self.end: Ints = np.where(stayed, -1, preschool.end)
        self.us: Text = np.array([f"{b[5:7]}/{b[8:]}/{b[:4]}" if b else "" for b in self.birth], dtype=object)


def _roster(children: _Children, rows: Ints) -> FileLines:
    one, days = children.one, day_words("us")
    year = one.year[rows]
    hispanic: Flags = children.race[rows] == "500"
    race = np.where(hispanic, "", children.race[rows])
    lines = _csv([
        [f"05/{y}" for y in year.tolist()], repeat(VENDOR), children.family[rows], children.surname[rows],
        children.guardian[rows], [f"{z}-{1000 + i % 8999}" for i, z in enumerate(children.postcode[rows])], repeat("N"),
        repeat("4"), children.local_id[rows], children.surname[rows], children.given[rows],
        [m[:1] for m in children.middle[rows]], children.us[rows], children.gender[rows], np.where(hispanic, "Y", "N"), race,
        repeat("CSPP"), days[one.start[rows]], days[children.end[rows]], _words(one.expected[rows]), _words(one.attended[rows]),
    ])  # fmt: skip
    return FileLines("CDD801A", year, one.organisation[rows], lines)


def _head_start(children: _Children, rows: Ints) -> FileLines:
    one, days = children.one, day_words("us")
    words = {"M": "Male", "F": "Female", "X": "Nonbinary"}
    lines = _csv([
        children.local_id[rows], children.surname[rows], children.given[rows], children.middle[rows], children.us[rows],
        [words.get(g, "") for g in children.gender[rows]], [RACE_WORDS[r] for r in children.race[rows]],
        children.surname[rows], children.guardian[rows], children.postcode[rows],
        [f"center-{1 + p % 4}" for p in one.person[rows].tolist()], days[one.start[rows]], days[children.end[rows]],
        _words(one.expected[rows]), _words(one.attended[rows]),
    ])  # fmt: skip
    return FileLines("HEADSTART", one.year[rows], one.organisation[rows], lines)


def _csv(columns: Sequence[object]) -> list[str]:
    return [",".join(fields) for fields in zip(*columns, strict=False)]  # type: ignore[call-overload]


def _words(numbers: Ints) -> list[str]:
    return [f"{one}" for one in numbers.tolist()]
