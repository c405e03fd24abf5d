"""Composes Ed-Fi resources (Data Standard 4 and 5) to rows: from API answers kept as JSON, or from bulk XML.

Descriptors are URIs `uri://ed-fi.org/XDescriptor#Value`; the value after the sign is what is read. studentUniqueId is a
number of one data store only; the state's number stands among the identification codes (Ed-Fi Data Standard 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.bundles.archive import Bundle
from connectors.bundles.edfi_resources import Resource, deep, first, read_resources, value_of, words
from connectors.bundles.tables import composed, squeezed
from connectors.decoding import refuse
from connectors.grids import Grid

ENROLLMENT_TITLES = (
    "Ed-Fi studentUniqueId", "Ed-Fi local number", "Ed-Fi state number", "Ed-Fi firstName", "Ed-Fi middleName",
    "Ed-Fi lastSurname", "Ed-Fi generationCodeSuffix", "Ed-Fi preferredFirstName", "Ed-Fi preferredLastSurname",
    "Ed-Fi birthDate", "Ed-Fi sex", "Ed-Fi hispanicLatinoEthnicity", "Ed-Fi races", "Ed-Fi limitedEnglishProficiency",
    "Ed-Fi postalCode", "Ed-Fi school", "Ed-Fi entryGradeLevel", "Ed-Fi entryDate", "Ed-Fi exitWithdrawDate",
    "Ed-Fi exitWithdrawType", "Ed-Fi completion", "Ed-Fi primarySchool",
)  # fmt: skip
ASSESSMENT_TITLES = (
    "Ed-Fi assessmentIdentifier", "Ed-Fi local number", "Ed-Fi state number", "Ed-Fi subject",
    "Ed-Fi whenAssessedGradeLevel", "Ed-Fi performanceLevel",
)  # fmt: skip
ATTENDANCE_TITLES = (
    "Ed-Fi local number", "Ed-Fi state number", "Ed-Fi school", "Ed-Fi days expected", "Ed-Fi days attended",
)  # fmt: skip
_GRADES = {
    "preschoolprekindergarten": "PS", "prekindergarten": "PS", "transitionalkindergarten": "TK", "kindergarten": "KN",
    "firstgrade": "01", "secondgrade": "02", "thirdgrade": "03", "fourthgrade": "04", "fifthgrade": "05",
    "sixthgrade": "06", "seventhgrade": "07", "eighthgrade": "08", "ninthgrade": "09", "tenthgrade": "10",
    "eleventhgrade": "11", "twelfthgrade": "12", "ungraded": "", "adulteducation": "AD",
}  # fmt: skip
_LANGUAGE = {"limited": "EL", "limitedmonitored1": "RFEP", "limitedmonitored2": "RFEP", "limitedmonitored": "RFEP"}
_LEVELS = {
    "standardnotmet": "1", "standardnearlymet": "2", "standardmet": "3", "standardexceeded": "4",
    "level1": "1", "level2": "2", "level3": "3", "level4": "4",
}  # fmt: skip
_SUMMATIVE = re.compile(r"summative|caaspp|smarter|sbac", re.IGNORECASE)
_INTERIM = re.compile(r"interim|\bica\b|\biab\b|\bfiab\b|practice", re.IGNORECASE)
_EXIT_CODE = re.compile(r"\b([ETN][0-9]{3})\b")
_STATE_DIGITS = 10


def compose(bundle: Bundle) -> list[Grid]:
    """The grids of the set: enrollment, and assessments and attendance if any; FIL-018 without students."""
    resources, form = read_resources(bundle)
    if not resources.get("students"):
        raise refuse("FIL-018", bundle.name, "no students among the resources")
    return list(_Store(bundle, resources, form).grids())


class _Store:
    """The resources of one data store, joined by student and school."""

    def __init__(self, bundle: Bundle, resources: Mapping[str, Sequence[Resource]], form: str) -> None:
        self._name = bundle.name
        self._form = form
        self._resources = resources
        self._stays = resources.get("studentSchoolAssociations", ())
        self._told: dict[str, list[Resource]] = {}
        for told in resources.get("studentEducationOrganizationAssociations", ()):
            self._told.setdefault(_student(told), []).append(told)
        self._numbers = {_student(student): self._numbers_of(student) for student in resources["students"]}
        self._schools = {
            str(first(school, "schoolId")): _school_code(school) for school in resources.get("schools", ())
        }

    def grids(self) -> Iterator[Grid]:
        rows = list(self._enrollments())
        unknown = [
            ("ROS-002", number, "studentUniqueId")
            for number, stay in enumerate(self._stays, start=1)
            if _student(stay) not in self._numbers
        ]
        yield self._grid("enrollments", ENROLLMENT_TITLES, rows, unknown)
        for name, titles, found in (
            ("assessments", ASSESSMENT_TITLES, list(self._assessments())),
            ("attendance", ATTENDANCE_TITLES, list(self._attendance())),
        ):
            if found:
                yield self._grid(name, titles, found, ())

    def _grid(
        self, what: str, titles: Sequence[str], rows: Sequence[list[str]], remarks: Iterable[tuple[str, int, str]]
    ) -> Grid:
        numbered = list(enumerate(rows, start=1))
        said = f"Ed-Fi {what} ({self._form}), {len(self._resources)} resources"
        return composed(f"{self._name}/{what}", titles, numbered, said=said, remarks=tuple(remarks))

    def _enrollments(self) -> Iterator[list[str]]:
        """One row for each student and school; one without a school for a student who has none."""
        stays: dict[str, list[Resource]] = {}
        for stay in self._stays:
            stays.setdefault(_student(stay), []).append(stay)
        diplomas = {_student(record): _diploma(record) for record in self._resources.get("studentAcademicRecords", ())}
        for student in self._resources["students"]:
            unique = _student(student)
            person = self._person(student)
            for stay in stays.get(unique) or [{}]:
                yield [*person, *self._place(stay, completion=diplomas.get(unique, ""))]

    def _person(self, student: Resource) -> list[str]:
        unique = _student(student)
        told = self._told.get(unique, [])
        both = [student, *told]
        return [
            unique,
            *self._numbers[unique],
            *(
                _text(first(student, name))
                for name in ("firstName", "middleName", "lastSurname", "generationCodeSuffix")
            ),
            *(_text(first(student, name)) for name in ("preferredFirstName", "preferredLastSurname")),
            _text(next((day for one in both if (day := first(one, "birthDate"))), "")),
            _text(next((value_of(sex) for one in [*told, student] if (sex := first(one, "sexDescriptor", "sex"))), "")),
            _text(next((flag for one in told if (flag := first(one, "hispanicLatinoEthnicity")) is not None), "")),
            ";".join(dict.fromkeys(value_of(race) for one in told for race in words(one, "races", "race"))),
            _language(told),
            _text(next((code for one in told if (code := first(one, "postalCode"))), "")),
        ]

    def _place(self, stay: Resource, *, completion: str) -> list[str]:
        exit_type = value_of(first(stay, "exitWithdrawTypeDescriptor", "exitWithdrawType"))
        code = _EXIT_CODE.search(exit_type)
        reason = code[1] if code else "E230" if "graduat" in exit_type.casefold() else ""
        primary = first(stay, "primarySchool")
        return [
            self._school(stay),
            _grade(first(stay, "entryGradeLevelDescriptor", "entryGradeLevel")),
            _text(first(stay, "entryDate")),
            _text(first(stay, "exitWithdrawDate")),
            reason,
            completion if reason == "E230" else "",
            "20" if str(primary).casefold() == "false" else "10",
        ]

    def _school(self, resource: Resource) -> str:
        number = _text(first(resource, "schoolId"))
        return self._schools.get(number) or number

    def _assessments(self) -> Iterator[list[str]]:
        titles = {_text(first(one, "assessmentIdentifier")): one for one in self._resources.get("assessments", ())}
        for taken in self._resources.get("studentAssessments", ()):
            identifier = _text(first(taken, "assessmentIdentifier"))
            about = titles.get(identifier, {})
            subject = _subject(" ".join([identifier, *map(str, deep(about, "assessmentTitle", "academicSubjects"))]))
            grade = _grade(first(taken, "whenAssessedGradeLevelDescriptor", "whenAssessedGradeLevel"))
            level = next(iter(words(taken, "performanceLevels", "performanceLevel")), "")
            yield [identifier, *self._number(taken), subject, grade, _level(value_of(level))]

    def _attendance(self) -> Iterator[list[str]]:
        """Days of instruction within each stay, less days absent; nothing where no calendar says what was expected."""
        days: dict[str, set[str]] = {}
        for day in self._resources.get("calendarDates", ()):
            if any(
                "instruction" in value_of(event).casefold() for event in words(day, "calendarEvents", "calendarEvent")
            ):
                days.setdefault(_text(first(day, "schoolId")), set()).add(_text(first(day, "date")))
        absent: dict[tuple[str, str], set[str]] = {}
        for event in self._resources.get("studentSchoolAttendanceEvents", ()):
            kind = value_of(first(event, "attendanceEventCategoryDescriptor", "attendanceEventCategory"))
            if "absence" in kind.casefold():
                key = _student(event), _text(first(event, "schoolId"))
                absent.setdefault(key, set()).add(_text(first(event, "eventDate")))
        for stay in self._stays:
            school, student = _text(first(stay, "schoolId")), _student(stay)
            begin, end = _text(first(stay, "entryDate")), _text(first(stay, "exitWithdrawDate")) or "9999"
            expected = {day for day in days.get(school, ()) if begin <= day <= end}
            if expected:
                missed = len(expected & absent.get((student, school), set()))
                row = [self._school(stay), str(len(expected)), str(len(expected) - missed)]
                yield [*self._number(stay), *row]

    def _number(self, resource: Resource) -> list[str]:
        return list(self._numbers.get(_student(resource), ("", "")))

    def _numbers_of(self, student: Resource) -> tuple[str, str]:
        """Local and state number: by the system that the code names; the local one falls back to the unique id."""
        local, state = "", ""
        for one in [student, *self._told.get(_student(student), [])]:
            for code in deep(one, "studentIdentificationCodes", "studentIdentificationCode"):
                if not isinstance(code, Mapping):
                    continue
                system = value_of(first(code, "studentIdentificationSystemDescriptor", "studentIdentificationSystem"))
                number = _text(first(code, "identificationCode"))
                state = state or (number if squeezed(system) in ("state", "ssid", "calpads") else "")
                local = local or (number if squeezed(system) in ("local", "district", "school") else "")
        return local or _student(student), state


def _student(resource: Resource) -> str:
    return _text(first(resource, "studentUniqueId"))


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, Mapping | list) else str(value).strip()


def _grade(value: Any) -> str:
    word = value_of(value)
    return _GRADES.get(squeezed(word), word)


def _language(told: Sequence[Resource]) -> str:
    names = ("limitedEnglishProficiencyDescriptor", "limitedEnglishProficiency")
    word = next((value_of(found) for one in told if (found := first(one, *names))), "")
    return _LANGUAGE.get(squeezed(word), word if word in ("EO", "IFEP", "EL", "RFEP", "TBD") else "")


def _subject(title: str) -> str:
    """English or mathematics, of a summative test of the state only."""
    if not _SUMMATIVE.search(title) or _INTERIM.search(title):
        return ""
    lowered = title.casefold()
    if "math" in lowered:
        return "MATH"
    return "ELA" if "ela" in lowered or "english" in lowered else ""


def _level(word: str) -> str:
    return _LEVELS.get(squeezed(word), word if word in ("1", "2", "3", "4") else "")


def _diploma(record: Resource) -> str:
    kinds = [value_of(kind) for kind in words(record, "diplomas", "diploma") if kind]
    return "100" if any("regular" in kind.casefold() for kind in kinds) else ""


def _school_code(school: Resource) -> str:
    for code in deep(school, "identificationCodes", "educationOrganizationIdentificationCode"):
        if isinstance(code, Mapping):
            number = _text(first(code, "identificationCode"))
            if number.isdigit() and len(number) in (7, 14):
                return number
    return ""
