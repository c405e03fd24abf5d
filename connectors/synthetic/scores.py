"""Writes the test files of districts: the state's student score file (caret, header, UTF-8) and the readiness file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np

from connectors.synthetic.calibration import Text
from connectors.synthetic.calpads import Columns, FileLines, PupilFiles, day_words, joined
from connectors.synthetic.careers import day
from connectors.synthetic.learning import READY_SCORE, Readiness, Tests
from connectors.synthetic.people import Ints

# A part of the true columns, in their true order (the state's file has 375 of them in 2024).
SCORE_TITLES = ["RecordType", "SSID", "StudentLastName", "StudentFirstName", "StudentMiddleName", "DateofBirth", "Gender", "Blank1", "Blank2", "CALPADSGrade", "GradeAssessed", "CALPADSDistrictCode", "CALPADSDistrictName", "CALPADSSchoolCode", "CALPADSSchoolName", "CALPADSCharterCode", "CALPADSCharterSchoolIndicator", "SPEDAcctDist", "Section504Status", "PrimaryDisabilityType", "PrimaryDisabilityforTesting", "CALPADSIDEAIndicator", "IDEAIndicatorforTesting", "MigrantStatus", "ELStatus", "ELEntryDate", "RFEPDate", "FirstEntryDateInUSSchool", "EnrollmentEffectiveDate", "ELAS", "CEDSLanguageCode", "CALPADSPrimaryLanguage", "MilitaryStatus", "FosterStatus", "HomelessStatus", "EconomicDisadvantageStatus", "EconomicDisadvantageTesting", "CALPADSNPSSchoolFlag", "HispanicorLatino", "AmericanIndianorAlaskaNative", "Asian", "HawaiianOrOtherPacificIslander", "Filipino", "BlackorAfricanAmerican", "White", "TwoorMoreRaces", "ReportingEthnicity", "ParentEducationLevel", "TestRegistrationID", "FinalTestedDistrictCode", "FinalTestedSchoolCode", "FinalTestCompletedDate", "ConditionCode", "Attemptedness", "ScoreStatus", "TestMode", "IncludeIndicator", "ScaleScore", "StandardErrorMeasurement", "AchievementLevels", "UIN", "EndofRecord"]
READINESS_TITLES = ("Local Student ID", "Last Name", "First Name", "Date of Birth", "Instrument", "Instrument Version",
                    "Assessment Date", "Total Score", "Band")  # fmt: skip
_FLAGS = ("100", "200", "300", "400", "600", "700", "800")


def score_lines(pupils: PupilFiles, tests: Tests) -> FileLines:
    """One line a student, subject and spring, tested or not."""
    rows, one, people = tests.row, pupils.enrollments, pupils.people
    columns, person, year = Columns(pupils, rows), one.person[rows], one.year[rows]
    names = np.array([o.title for o in pupils.county.organisations], dtype=object)[one.organisation[rows]]
    agency = np.array([f"{code}0000000" for code in columns.agency], dtype=object)
    school = np.array([f"{a}{b}" for a, b in zip(columns.agency, columns.school, strict=True)], dtype=object)
    status, grade = pupils.services.language[rows], columns.grade
    race = people.race[person]
    poor = _yes(pupils.services.poor[rows])
    tested = tests.valid
    sat = np.array([day_words("iso")[day(y, 4, 20)] for y in range(2000, 2100)], dtype=object)[year - 2000]
    flags = [_yes(race == "500"), *(_yes(race == code) for code in _FLAGS)]
    lines = joined([
        np.where(tests.subject == "ELA", "01", "02"), columns.ssid, columns.surname, columns.given, columns.middle,
        pupils.records.column("birth", pupils.record(rows), year), _genders(columns.gender), repeat(""), repeat(""), grade,
        grade, agency, names, school, repeat(""), repeat(""), repeat("N"), repeat(""), repeat("No"), repeat(""), repeat(""),
        _yes(people.disabled[person]), _yes(people.disabled[person]), _yes(people.migrant[person]), _yes(status == "EL"),
        repeat(""), repeat(""), repeat(""), repeat(""), status, repeat(""), repeat(""), repeat("No"), repeat("No"),
        _homeless(pupils, person, year), poor, poor, repeat("N"), *flags, race, people.parent_education[person], repeat(""),
        agency, school, np.where(tested, sat, ""), repeat(""), np.where(tested, "Y", "N"), np.where(tested, "V", ""),
        np.where(tested, "O", ""), np.where(tested, "Y", "N"), _or_blank(tests.scale), repeat(""), _or_blank(tests.level),
        [f"{1_000_000 + i:016d}" for i in range(len(rows))], repeat("~"),
    ])  # fmt: skip
    return FileLines("TOMS", year, one.organisation[rows], lines)


def readiness_lines(pupils: PupilFiles, readiness: Readiness) -> FileLines:
    """One line a kindergartner who was assessed."""
    rows, days = readiness.row, day_words("us")
    one, columns = pupils.enrollments, Columns(pupils, readiness.row)
    year = one.year[rows]
    born = pupils.records.column("birth", pupils.record(rows), year)
    lines = [
        ",".join(fields)
        for fields in zip(
            columns.local_id, columns.surname, columns.given, [_us(b) for b in born], repeat("KSEP"), repeat("2018"),
            days[readiness.assessed], [f"{s}" for s in readiness.score.tolist()],
            np.where(readiness.score >= READY_SCORE, "Ready to Go", "Not yet ready"), strict=False,
        )
    ]  # fmt: skip
    return FileLines("KSEP", year, one.organisation[rows], lines)


def _us(born: str) -> str:
    return f"{born[5:7]}/{born[8:]}/{born[:4]}" if born else ""


def _yes(flag: object) -> Text:
    return np.where(np.asarray(flag, dtype=bool), "Yes", "No").astype(object)


def _genders(codes: Text) -> Text:
    words = {"M": "Male", "F": "Female", "X": "Nonbinary"}
    return np.array([words.get(code, "") for code in codes], dtype=object)


def _homeless(pupils: PupilFiles, person: Ints, year: Ints) -> Text:
    begins = pupils.people.homeless_from[person]
    return _yes((year >= begins) & (year <= begins + 1))


def _or_blank(numbers: Ints) -> Sequence[str]:
    return [f"{one}" if one else "" for one in numbers.tolist()]
