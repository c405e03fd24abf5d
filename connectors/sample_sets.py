"""Samples of sets of files: OneRoster 1.1 and 1.2, School Data Sync v2.1, Ed-Fi from the API and as bulk XML.

Field names: 1EdTech OneRoster CSV, Microsoft's page of SDS v2.1, Ed-Fi Data Standard 5. Every person is made up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

People = Sequence[tuple[int, str, str]]
"""Number, given name and surname of each made-up student."""


def _born(n: int) -> str:
    return f"2015-03-{n + 1:02}"


def _sex(n: int) -> str:
    return "female" if n % 2 else "male"


def _csv(titles: str, rows: Iterable[str]) -> str:
    return "\r\n".join([titles, *rows]) + "\r\n"


_ORGS = (
    "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    ("d1,active,2025-08-01,District,district,2165417,", "s1,active,2025-08-01,School,school,21654176111111,d1"),
)
_SESSIONS = (
    "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    ("y1,active,2025-08-01,2025-26,schoolYear,2025-08-20,2026-06-12,,2026",),
)
_FLAGS = "americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white"


def _demographics(people: People) -> str:
    rows = [
        f"u{n},active,2025-08-01,{_born(n)},{_sex(n)},false,{'true' if n % 3 else 'false'},"
        f"false,false,{'false' if n % 3 else 'true'},false,{'true' if n % 4 == 0 else 'false'}"
        for n, *_ in people
    ]
    titles = f"sourcedId,status,dateLastModified,birthDate,sex,{_FLAGS},demographicRaceTwoOrMoreRaces"
    return _csv(f"{titles},hispanicOrLatinoEthnicity", rows)


def _manifest(version: str, files: Iterable[str]) -> str:
    told = [f"file.{name},bulk" for name in files]
    return _csv("propertyName,value", ["manifest.version,1.0", f"oneroster.version,{version}", *told])


def oneroster_11(people: People) -> Mapping[str, str]:
    """A OneRoster 1.1 set: roles and grades stand with the users."""
    users = [
        f"u{n},active,2025-08-01,true,s1,student,user{n},{{SSID:10000{n:05}}},{given},{surname},,{n:06},,,,,05,"
        for n, given, surname in people
    ]
    users.append("t1,active,2025-08-01,true,s1,teacher,teach1,,Qzteach,Vzteach,,T1,,,,,,")
    enrollments = [f"e{n},active,2025-08-01,c1,s1,u{n},student,true,2025-08-20,2026-06-12" for n, *_ in people]
    return {
        "manifest.csv": _manifest("1.1", ("users", "demographics", "enrollments", "orgs", "academicSessions")),
        "users.csv": _csv(
            "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
            "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
            users,
        ),
        "demographics.csv": _demographics(people),
        "enrollments.csv": _csv(
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
            enrollments,
        ),
        "orgs.csv": _csv(*_ORGS),
        "academicSessions.csv": _csv(*_SESSIONS),
    }


def oneroster_12(people: People) -> Mapping[str, str]:
    """A OneRoster 1.2 set: roles stand in their own file."""
    users = [
        f"u{n},active,2025-08-01,true,user{n},{{SSID:10000{n:05}}},{given},{surname},,{n:06},,,,,05,,,{given},,,s1,"
        for n, given, surname in people
    ]
    roles = [f"r{n},active,2025-08-01,u{n},primary,student,2025-08-20,,s1," for n, *_ in people]
    return {
        "manifest.csv": _manifest("1.2", ("users", "demographics", "roles", "orgs", "academicSessions")),
        "users.csv": _csv(
            "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,"
            "email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,"
            "preferredFamilyName,primaryOrgSourcedId,pronouns",
            users,
        ),
        "roles.csv": _csv(
            "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
            roles,
        ),
        "demographics.csv": _demographics(people),
        "orgs.csv": _csv(*_ORGS),
        "academicSessions.csv": _csv(*_SESSIONS),
    }


def school_data_sync(people: People) -> Mapping[str, str]:
    """A School Data Sync v2.1 set: no status, no manifest, demographics by userSourcedId."""
    return {
        "orgs.csv": _csv(
            "sourcedId,name,type,parentSourcedId", ["2165417,District,district,", "6111111,School,school,2165417"]
        ),
        "users.csv": _csv(
            "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms",
            [f"{n:06},user{n},{given},{surname},,,,," for n, given, surname in people],
        ),
        "roles.csv": _csv(
            "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate",
            [f"{n:06},6111111,student,y1,05,true,2025-08-20," for n, *_ in people],
        ),
        "demographics.csv": _csv(
            "userSourcedId,sex,birthDate,birthCity,birthState,birthCountry,ethnicityCodes,raceCodes",
            [f"{n:06},{_sex(n)},{_born(n)},,,,,{'white' if n % 3 else 'asian'}" for n, *_ in people],
        ),
    }  # fmt: skip


def _descriptor(kind: str, value: str) -> str:
    return f"uri://ed-fi.org/{kind}Descriptor#{value}"


def edfi_resources(people: People) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The resources of a small data store, as the API answers them."""
    reference = {n: {"studentUniqueId": f"{604000 + n}"} for n, *_ in people}
    school = {"schoolId": 255901}
    return {
        "schools": [
            {
                **school,
                "nameOfInstitution": "School",
                "identificationCodes": [
                    {
                        "educationOrganizationIdentificationSystemDescriptor": _descriptor(
                            "EducationOrganizationIdentificationSystem", "State"
                        ),
                        "identificationCode": "21654176111111",
                    }
                ],
            }
        ],
        "students": [
            {"id": f"{n:032x}", **reference[n], "firstName": given, "lastSurname": surname, "birthDate": _born(n)}
            for n, given, surname in people
        ],
        "studentSchoolAssociations": [
            {
                "id": f"{n + 100:032x}",
                "studentReference": reference[n],
                "schoolReference": school,
                "entryDate": "2025-08-20",
                "entryGradeLevelDescriptor": _descriptor("GradeLevel", "Fifth grade"),
                "primarySchool": True,
            }
            for n, *_ in people
        ],
        "studentEducationOrganizationAssociations": [
            {
                "id": f"{n + 200:032x}",
                "studentReference": reference[n],
                "educationOrganizationReference": {"educationOrganizationId": 255900},
                "sexDescriptor": _descriptor("Sex", "Female" if n % 2 else "Male"),
                "hispanicLatinoEthnicity": n % 4 == 0,
                "races": [{"raceDescriptor": _descriptor("Race", "White" if n % 3 else "Asian")}],
                "limitedEnglishProficiencyDescriptor": _descriptor(
                    "LimitedEnglishProficiency", "Limited" if n % 4 == 0 else "NotLimited"
                ),
                "studentIdentificationCodes": [
                    {
                        "assigningOrganizationIdentificationCode": system,
                        "identificationCode": number,
                        "studentIdentificationSystemDescriptor": _descriptor("StudentIdentificationSystem", system),
                    }
                    for system, number in (("State", f"10000{n:05}"), ("District", f"{n:06}"))
                ],
            }
            for n, *_ in people
        ],
        "studentAssessments": [
            {
                "id": f"{n + 300:032x}",
                "studentReference": reference[n],
                "assessmentReference": {"assessmentIdentifier": "CAASPP Summative ELA", "namespace": "uri://cde.ca.gov"},
                "whenAssessedGradeLevelDescriptor": _descriptor("GradeLevel", "Fifth grade"),
                "performanceLevels": [
                    {"performanceLevelDescriptor": _descriptor("PerformanceLevel", f"Level {n % 4 + 1}")}
                ],
            }
            for n, *_ in people
        ],
        "calendarDates": [
            {
                "date": f"2025-09-{day:02}",
                "calendarReference": {"calendarCode": "1", "schoolId": 255901, "schoolYear": 2026},
                "calendarEvents": [{"calendarEventDescriptor": _descriptor("CalendarEvent", "Instructional day")}],
            }
            for day in range(1, 21)
        ],
        "studentSchoolAttendanceEvents": [
            {
                "studentReference": reference[n],
                "schoolReference": school,
                "eventDate": f"2025-09-{n:02}",
                "attendanceEventCategoryDescriptor": _descriptor("AttendanceEventCategory", "Unexcused Absence"),
            }
            for n, *_ in people
        ],
    }  # fmt: skip


def edfi_json(people: People) -> Mapping[str, str]:
    """What `promise-edge fetch` keeps: one file of JSON lines a resource."""
    return {
        f"{name}.jsonl": "".join(json.dumps(one) + "\n" for one in found)
        for name, found in edfi_resources(people).items()
    }


def edfi_xml(people: People) -> Mapping[str, str]:
    """Bulk XML: sex and race stand in the enrollment interchange, not with the student."""
    students = "".join(
        f"<Student><StudentUniqueId>{604000 + n}</StudentUniqueId><Name><FirstName>{given}</FirstName>"
        f"<LastSurname>{surname}</LastSurname></Name><BirthData><BirthDate>{_born(n)}</BirthDate></BirthData></Student>"
        for n, given, surname in people
    )
    told = "".join(_xml_enrollment(n) for n, *_ in people)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return {
        "student.xml": f'{head}<InterchangeStudent xmlns="http://ed-fi.org/5.0.0">{students}</InterchangeStudent>\n',
        "studentenrollment.xml": f'{head}<InterchangeStudentEnrollment xmlns="http://ed-fi.org/5.0.0">{told}'
        "</InterchangeStudentEnrollment>\n",
    }


def _xml_enrollment(n: int) -> str:
    identity = f"<StudentIdentity><StudentUniqueId>{604000 + n}</StudentUniqueId></StudentIdentity>"
    student = f"<StudentReference>{identity}</StudentReference>"
    system = _descriptor("StudentIdentificationSystem", "State")
    return (
        f"<StudentSchoolAssociation>{student}<SchoolReference><SchoolIdentity><SchoolId>6111111</SchoolId></SchoolIdentity>"
        "</SchoolReference><EntryDate>2025-08-20</EntryDate><EntryGradeLevel>"
        f"{_descriptor('GradeLevel', 'Fifth grade')}</EntryGradeLevel>"
        "</StudentSchoolAssociation><StudentEducationOrganizationAssociation>"
        f"{student}<Sex>{_descriptor('Sex', 'Female' if n % 2 else 'Male')}</Sex>"
        f"<HispanicLatinoEthnicity>{'true' if n % 4 == 0 else 'false'}</HispanicLatinoEthnicity>"
        f"<Race>{_descriptor('Race', 'White' if n % 3 else 'Asian')}</Race>"
        f"<StudentIdentificationCode><StudentIdentificationSystem>{system}</StudentIdentificationSystem>"
        f"<IdentificationCode>10000{n:05}</IdentificationCode></StudentIdentificationCode>"
        "</StudentEducationOrganizationAssociation>"
    )
