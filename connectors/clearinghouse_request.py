"""Writes the graduates file for the Clearinghouse and the map that reads its report: before data come back to the road.

Every graduate gets a random number for this request only, so that the report is joined by it and by nothing else. Form:
StudentTracker for High Schools, "Submit a graduates file" (28 columns A to AB, text, tab between, PH3, PD3, PT3).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.errors import WorkspaceError
from connectors.reading import FileReading
from connectors.roster import build_roster
from connectors.rows import RowReading
from linkage.encode.person import ClearPerson

COLUMNS = 28
RETURN_NUMBER_BYTES = 8
"""Sixteen signs: a StudentID may have twenty (Clearinghouse data definitions)."""
_COMPLETED = "E230"
_DIPLOMAS: Mapping[str, str] = {
    "100": "Regular Diploma",
    "250": "Regular Diploma",
    "320": "High School Equivalency Credential (other than GED)",
    "330": "High School Equivalency Credential (other than GED)",
    "120": "Other",
}
"""Diploma types as vendors list them for this file, by the state's completion code."""
_FIRST, _MIDDLE, _LAST, _SUFFIX, _PREVIOUS_LAST, _PREVIOUS_FIRST, _BORN, _ID = range(2, 10)
_DIPLOMA, _GRADUATED, _BLOCKED, _SCHOOL_NAME, _SCHOOL_CODE, _END = 10, 11, 12, 13, 14, 27


@dataclass(frozen=True)
class Account:
    """Who asks: the account's code and name, the high school's name and its ACT code, the diploma period."""

    code: str
    name: str
    school_name: str
    school_code: str
    period: str


@dataclass(frozen=True, repr=False)
class Request:
    """The two files of one request; clear, to be kept in the district. Its repr shows counts only."""

    graduates: str
    return_map: str
    count: int
    left_out: int

    def __repr__(self) -> str:
        return f"Request({self.count} graduates, {self.left_out} left out)"


def write_request(
    files: Sequence[FileReading],
    *,
    account: Account,
    day: dt.date,
    blocked: frozenset[str],
    random_number: Callable[[], str],
) -> Request:
    """The graduates of these enrollment files; one without name or birth date is left out and counted.

    Raises WorkspaceError REQ-001 when there is nobody to ask for.
    """
    roster = build_roster(files)
    people = dict(zip(roster.local_ids, roster.people, strict=True))
    details, pairs, left_out = [], [], 0
    for local_id, (code, graduated) in sorted(_completions(files).items()):
        person = people[local_id]
        if not (person.given and person.surname and person.birth_date):
            left_out += 1
            continue
        number = random_number()
        is_blocked = "Y" if local_id in blocked else "N"
        details.append(_detail(person, account, number=number, diploma=code, graduated=graduated, blocked=is_blocked))
        pairs.append([number, local_id, is_blocked, day.isoformat()])
    if not details:
        raise WorkspaceError(
            "REQ-001", "No student of these files completed school.", "Lay the year's SENR file into the inbox first."
        )
    order = sorted(range(len(details)), key=lambda place: pairs[place][0])
    return Request(
        _text([_header(account, day), *(details[place] for place in order), _trailer(len(details) + 2)]),
        _map_text(pairs[place] for place in order),
        len(details),
        left_out,
    )


def _completions(files: Sequence[FileReading]) -> dict[str, tuple[str, str]]:
    """Completion code and day of each student who completed, by local number; the latest of several."""
    found: dict[str, tuple[str, str]] = {}
    for reading in (reading for file in files for _, reading in file.readings):
        for code, day in _completed(reading):
            if reading.local_id is not None and day >= found.get(reading.local_id, ("", ""))[1]:
                found[reading.local_id] = code, day
    return found


def _completed(reading: RowReading) -> Iterator[tuple[str, str]]:
    for table, elements in reading.facts:
        code, day = str(elements.get("completion_status", "")), str(elements.get("exit_date", ""))
        if table == "enrollment" and elements.get("exit_reason") == _COMPLETED and code in _DIPLOMAS and day:
            yield code, day


def _header(account: Account, day: dt.date) -> list[str]:
    return ["PH3", account.code, account.name, "P", f"{day:%Y%m%d}", account.period]


def _trailer(rows: int) -> list[str]:
    return ["PT3", str(rows)]


def _detail(
    person: ClearPerson, account: Account, *, number: str, diploma: str, graduated: str, blocked: str
) -> list[str]:
    """One graduate: what a match needs and no more; social security number, demographics and scores stay blank."""
    cells = [""] * COLUMNS
    cells[0] = "PD3"
    cells[_FIRST], cells[_MIDDLE] = person.given or "", (person.middle or "")[:1]
    cells[_LAST], cells[_SUFFIX] = person.surname or "", person.suffix or ""
    cells[_PREVIOUS_LAST] = next(iter(person.alias_surname), "")
    cells[_PREVIOUS_FIRST] = next(iter(person.alias_given), "")
    cells[_BORN], cells[_ID] = (person.birth_date or "").replace("-", ""), number
    cells[_DIPLOMA], cells[_GRADUATED], cells[_BLOCKED] = _DIPLOMAS[diploma], graduated.replace("-", ""), blocked
    cells[_SCHOOL_NAME], cells[_SCHOOL_CODE], cells[_END] = account.school_name, account.school_code, "ED"
    return cells


def _text(rows: Sequence[Sequence[str]]) -> str:
    return "".join("\t".join(cell.replace("\t", " ") for cell in row) + "\r\n" for row in rows)


def _map_text(pairs: Iterator[Sequence[str]]) -> str:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(["Requester Return Field", "Local Student ID", "FERPA Block", "Request Date"])
    table.writerows(pairs)
    return written.getvalue()
