"""Composes OneRoster 1.1 and 1.2 CSV sets and Microsoft School Data Sync v2.1 sets to one row a student and school.

Field names: 1EdTech OneRoster CSV 1.1 and 1.2; Microsoft's page of the SDS v2.1 CSV format. What real exports do
differently (userSourcedId for sourcedId, a list of races for flags, other order) is read; a set of changes is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.bundles.archive import Bundle
from connectors.bundles.tables import Row, Table, composed, table
from connectors.decoding import refuse
from connectors.grids import Grid

USERS = "users.csv"
VERSIONS = ("", "1.1", "1.2")
"""Versions that a manifest may name; a set without a manifest is read as 1.1."""
_TITLES = (
    "Roster Number", "Roster SSID", "Roster Given", "Roster Middle", "Roster Family",
    "Roster Preferred Given", "Roster Preferred Family", "Roster Birth Date", "Roster Sex", "Roster Hispanic",
    "Roster Races", "Roster Grade", "Roster School", "Roster Begin", "Roster End", "Roster Enrollment",
)  # fmt: skip
_RACE_FLAGS = {
    "americanindianoralaskanative": "100", "asian": "200", "nativehawaiianorotherpacificislander": "300",
    "blackorafricanamerican": "600", "white": "700", "demographicracetwoormoreraces": "800",
}  # fmt: skip
_STATE_NUMBERS = frozenset(
    {"ssid", "stateid", "statestudentid", "stateuniqueid", "calpads", "calpadsssid", "statessid"}
)
# CEDS grade levels as OneRoster lists them, where the state's code differs; no code where none is meant.
_GRADES = {"pk": "PS", "pr": "PS", "kg": "KN", "it": "", "ps": "", "13": "", "ug": "", "other": ""}
_USER_ID = re.compile(r"\{?\s*([^:{},]+)\s*:\s*([^{},]+?)\s*\}?\s*(?:,|$)")
_TRUE = frozenset({"true", "yes", "y", "1", "primary"})
_STUDENTS = frozenset({"student", "learner"})


@dataclass
class _Stay:
    """One student at one school, as the rows so far say."""

    begin: list[str] = field(default_factory=list)
    end: list[str] = field(default_factory=list)
    primary: bool = False
    grade: str = ""


def compose(bundle: Bundle) -> Grid:
    """One grid of the set; raises FileRefusedError FIL-002, FIL-018 or FIL-019."""
    users = table(bundle, USERS)
    if not users.rows:
        raise refuse("FIL-002", bundle.name, USERS)
    if not users.titles & {"sourcedid", "usersourcedid"}:
        raise refuse("FIL-018", bundle.name, "users.csv has no sourcedId")
    version, is_delta = _manifest(table(bundle, "manifest.csv"))
    if is_delta:
        raise refuse("FIL-019", bundle.name)
    if version not in VERSIONS:
        raise refuse("FIL-018", bundle.name, "its manifest names no version of OneRoster that is read")
    is_sds = not version and not users.titles & {"status", "datelastmodified", "datalastmodified", "enableduser"}
    return _Roster(bundle, users).grid(is_sds=is_sds, version=version)


def _manifest(manifest: Table) -> tuple[str, bool]:
    """The version that the manifest names, and whether a file that we read holds changes only."""
    told = {row.get("propertyname"): row.get("value").casefold() for row in manifest.rows}
    read = ("users", "demographics", "enrollments", "roles", "orgs")
    return told.get("oneroster.version", ""), any(told.get(f"file.{name}") == "delta" for name in read)


class _Roster:
    """The tables of one set, joined."""

    def __init__(self, bundle: Bundle, users: Table) -> None:
        self._bundle = bundle
        self._users = users
        self._demographics = table(bundle, "demographics.csv")
        self._enrollments = table(bundle, "enrollments.csv")
        self._roles = table(bundle, "roles.csv")
        self._orgs = table(bundle, "orgs.csv")
        self._classes = table(bundle, "classes.csv")
        self._sessions = table(bundle, "academicsessions.csv")
        self._by_user = {_sourced(row): row for row in self._demographics.rows}
        self._school_codes = {_sourced(row): row.get("identifier") or _sourced(row) for row in self._orgs.rows}
        self._schools = {_sourced(row) for row in self._orgs.rows if row.get("type").casefold() in ("school", "")}
        self._roles_of: dict[str, list[Row]] = {}
        for row in self._roles.rows:
            self._roles_of.setdefault(row.get("usersourcedid"), []).append(row)

    def grid(self, *, is_sds: bool, version: str) -> Grid:
        stays, strangers = self._stays()
        numbers = self._numbers()
        first_day = self._first_day()
        left_out = [(code, user.number, "") for user in self._users.rows if (code := self._left_out(user))]
        rows = [
            (user.number, row)
            for user in self._users.rows
            if not self._left_out(user)
            for row in self._rows_of(user, stays.get(_sourced(user), {}), numbers=numbers, first_day=first_day)
        ]
        key = "SDS sourcedId" if is_sds else "OneRoster sourcedId"
        what = "Microsoft School Data Sync v2.1" if is_sds else f"OneRoster {version or '1.1'}"
        notes = [
            note for one in (self._users, self._demographics, self._enrollments, self._roles) for note in one.notes
        ]
        return composed(
            self._bundle.name,
            (key, *_TITLES),
            rows,
            said=f"{what}, {len(self._bundle.files)} files, {len(rows)} students and schools",
            notes=notes,
            remarks=[*left_out, *(("ROS-002", number, "userSourcedId") for number in strangers)],
        )

    def _left_out(self, user: Row) -> str:
        """The code of why a user gives no row: no student, or deleted; nothing for a student."""
        if self._role(user) != "student":
            return "ROW-007"
        return "ROW-002" if user.get("status").casefold() in ("tobedeleted", "inactive") else ""

    def _rows_of(
        self, user: Row, stays: Mapping[str, _Stay], *, numbers: Mapping[str, str], first_day: str
    ) -> Iterator[list[str]]:
        """The rows of one user: one for each school, or one without a school."""
        sourced = _sourced(user)
        person = [sourced, *self._person(user, numbers)]
        grade = _grade(user.get("grades", "grade"))
        schools = stays or {"": _Stay()}
        has_primary = any(stay.primary for stay in schools.values())
        for position, (school, stay) in enumerate(sorted(schools.items())):
            primary = stay.primary if has_primary else position == 0
            begin = min(stay.begin, key=_sortable, default="") or (first_day if school else "")
            end = max(stay.end, key=_sortable) if stay.end and len(stay.end) == len(stay.begin) else ""
            place = [_grade(stay.grade) or grade, self._school_codes.get(school, school), begin, end]
            yield [*person, *place, "10" if primary else "20"]

    def _person(self, user: Row, numbers: Mapping[str, str]) -> list[str]:
        facets = self._by_user.get(_sourced(user))
        told = facets if facets is not None else user
        return [
            numbers.get(_sourced(user), ""),
            _state_number(user),
            user.get("givenname", "firstname"),
            user.get("middlename"),
            user.get("familyname", "lastname"),
            user.get("preferredgivenname", "prefferedgivenname", "preferredfirstname"),
            user.get("preferredfamilyname", "prefferedfamilyname", "preferredlastname"),
            told.get("birthdate"),
            told.get("sex", "gender"),
            told.get("hispanicorlatinoethnicity", "hispanic", "ethnicitycodes"),
            _races(told),
        ]

    def _role(self, user: Row) -> str:
        """The user's role: a student where any of the roles says so."""
        roles = [user.get("role")] + [row.get("role") for row in self._roles_of.get(_sourced(user), ())]
        told = [role.casefold() for role in roles if role]
        return "student" if not told or _STUDENTS & set(told) else told[0]

    def _numbers(self) -> dict[str, str]:
        """Local numbers: the users' identifiers where every student has one of his own, else their sourcedIds."""
        own = {_sourced(user): user.get("identifier") for user in self._users.rows if self._role(user) == "student"}
        seen = Counter(own.values())
        if own and all(number and seen[number] == 1 for number in own.values()):
            return own
        return {_sourced(user): _sourced(user) for user in self._users.rows}

    def _stays(self) -> tuple[dict[str, dict[str, _Stay]], list[int]]:
        """The schools of each user; and the lines of enrollments.csv that name nobody."""
        known = {_sourced(user) for user in self._users.rows}
        strangers = [row.number for row in self._enrollments.rows if row.get("usersourcedid") not in known]
        school_of_class = {_sourced(row): row.get("schoolsourcedid", "orgsourcedid") for row in self._classes.rows}
        stays: dict[str, dict[str, _Stay]] = {}
        for user in self._users.rows:
            for school in _listed(user.get("orgsourcedids", "orgsourcedid", "primaryorgsourcedid")):
                if school in self._schools or not self._orgs.rows:
                    stays.setdefault(_sourced(user), {}).setdefault(school, _Stay())
        for row in self._roles.rows:
            self._add(stays, row, row.get("orgsourcedid"))
        for row in self._enrollments.rows:
            if row.get("role").casefold() in ("", *_STUDENTS):
                school = row.get("schoolsourcedid") or school_of_class.get(row.get("classsourcedid"), "")
                self._add(stays, row, school)
        return stays, strangers

    def _add(self, stays: dict[str, dict[str, _Stay]], row: Row, school: str) -> None:
        if not school or row.get("status").casefold() == "tobedeleted":
            return
        stay = stays.setdefault(row.get("usersourcedid"), {}).setdefault(school, _Stay())
        stay.primary |= row.get("isprimary", "roletype").casefold() in _TRUE
        stay.grade = stay.grade or row.get("grade")
        begin, end = row.get("begindate", "rolestartdate"), row.get("enddate", "roleenddate")
        if begin:
            stay.begin.append(begin)
        if end:
            stay.end.append(end)

    def _first_day(self) -> str:
        """The first day of the latest school year that the sessions name."""
        years = [row for row in self._sessions.rows if row.get("startdate")]
        latest = max((row.get("schoolyear") for row in years), default="")
        return min(
            (row.get("startdate") for row in years if row.get("schoolyear") == latest), key=_sortable, default=""
        )


def _sourced(row: Row) -> str:
    return row.get("sourcedid", "usersourcedid")


def _state_number(user: Row) -> str:
    """The state's number where the set names it as such: a typed identifier or a column of its own; never a guess."""
    for kind, number in _USER_ID.findall(user.get("userids")):
        if "".join(sign for sign in kind.casefold() if sign.isalnum()) in _STATE_NUMBERS:
            return str(number)
    return user.get(*sorted(_STATE_NUMBERS))


def _races(row: Row) -> str:
    flagged = [code for title, code in _RACE_FLAGS.items() if row.get(title).casefold() in _TRUE]
    return ";".join(flagged) or row.get("racecodes", "races", "race")


def _listed(cell: str) -> Sequence[str]:
    return [part.strip() for part in cell.split(",") if part.strip()]


def _grade(cell: str) -> str:
    """The state's grade code; nothing where several grades are named."""
    named = _listed(cell)
    return _GRADES.get(named[0].casefold(), named[0]) if len(named) == 1 else ""


def _sortable(day: str) -> tuple[str, ...]:
    """A day in an order of time whether it is written year first or month first."""
    parts = re.split(r"[/ T-]", day)
    month_first = len(parts) >= 3 and len(parts[2]) == 4
    year, month, date = (parts[2], parts[0], parts[1]) if month_first else (*parts, "", "", "")[:3]
    return (year, month.zfill(2), date.zfill(2))
