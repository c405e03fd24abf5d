"""Each layout a steward has: what the edge says of it, and the facts that come of one row."""

import datetime as dt

import pytest

from connectors.errors import FileRefusedError
from connectors.reading import read_file
from connectors.source_map import read_source_map
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)
ENROLLMENT = {"school": "6111111", "grade": "05", "enrollment_status": "10", "start_date": "2025-08-20"}
GRADUATED = ENROLLMENT | {
    "grade": "12",
    "exit_date": "2026-06-10",
    "exit_reason": "E230",
    "completion_status": "100",
    "uc_csu_met": "Y",
}
WAGES = {
    "completion_year": 2020,
    "years_after": 6,
    "gender": "F",
    "race_ethnicity": "999",
    "economic_disadvantage": "U",
    "persons": 20,
    "matchable": 15,
    "employed": 12,
}

TABLE = {
    "enrollment of 2026": (
        "senr.txt",
        made.lines(made.senr()),
        "CALPADS enrollment (SENR) 2026, 40 fields, 2021 and later",
        "k12",
        [("enrollment", ENROLLMENT), ("demographics", {"gender": "F"})],
    ),
    "a graduate of 2026": (
        "senr.txt",
        made.lines(made.senr(f24="12", exit_date="20260610", exit_reason="E230", completion="100", uc_csu="Y")),
        "CALPADS enrollment (SENR) 2026, 40 fields, 2021 and later",
        "k12",
        [("enrollment", GRADUATED), ("demographics", {"gender": "F"})],
    ),
    "a graduate in the order of fields of 2020": (
        "senr.txt",
        made.lines(made.senr(39, f24="12", exit_date="20260610", exit_reason="E230", completion="100", uc_csu="Y")),
        "CALPADS enrollment (SENR) 2026, 39 fields, to 2020",
        "k12",
        [("enrollment", GRADUATED), ("demographics", {"gender": "F"})],
    ),
    "the extract of the operational data store": (
        "senr.txt",
        made.lines(made.senr(f1="SENR-R") + "^20260101^20260102"),
        "CALPADS enrollment (SENR) ODS extract 2026, 42 fields, 2021 and later",
        "k12",
        [("enrollment", ENROLLMENT), ("demographics", {"gender": "F"})],
    ),
    "student information": (
        "sinf.txt",
        made.lines(made.sinf()),
        "CALPADS student information (SINF) 2026, 38 fields, parent education at 2.38",
        "k12",
        [("demographics", {"gender": "F", "race_ethnicity": "700", "parent_education": "14"})],
    ),
    "student information, wider": (
        "sinf.txt",
        made.lines(made.sinf(50)),
        "CALPADS student information (SINF) 2026, 50 fields, parent education at 2.50",
        "k12",
        [("demographics", {"gender": "F", "race_ethnicity": "700", "parent_education": "14"})],
    ),
    "language": (
        "sela.txt",
        made.lines(made.sela()),
        "CALPADS English language acquisition (SELA) 2026, 15 fields",
        "k12",
        [("demographics", {"english_learner_status": "EL"})],
    ),
    "programme of the state": (
        "sprg.txt",
        made.lines(made.sprg()),
        "CALPADS student program (SPRG) 2026, 25 fields",
        "k12",
        [("program", {"program_code": "181", "start_date": "2025-08-20"})],
    ),
    "a programme that nobody asks for": (
        "sprg.txt",
        made.lines(made.sprg(f13="999")),
        "CALPADS student program (SPRG) 2026, 25 fields",
        "k12",
        [],
    ),
    "absence": (
        "stas.txt",
        made.lines(made.stas()),
        "CALPADS student absence summary (STAS) 2026, 21 fields",
        "k12",
        [("attendance", {"school": "6111111", "days_expected": 180, "days_attended": 171.5})],
    ),
    "English scores": (
        "toms.csv",
        made.toms_file(made.toms()),
        "CAASPP student score file, 13 columns",
        "k12",
        [
            (
                "assessment",
                {
                    "subject": "ELA",
                    "grade_assessed": "05",
                    "achievement_level": "3",
                    "valid": "Y",
                    "economic_disadvantage": "Y",
                },
            )
        ],
    ),
    "mathematics, enrolled but not tested": (
        "toms.csv",
        made.toms_file(
            made.toms(RecordType="02", Attemptedness="N", ScoreStatus="", IncludeIndicator="N", AchievementLevels="")
        ),
        "CAASPP student score file, 13 columns",
        "k12",
        [("assessment", {"subject": "MATH", "grade_assessed": "05", "valid": "N", "economic_disadvantage": "Y"})],
    ),
    "another test": (
        "toms.csv",
        made.toms_file(made.toms(RecordType="06")),
        "CAASPP student score file, 13 columns",
        "k12",
        [],
    ),
    "readiness": (
        "ksep.csv",
        made.lines(made.KSEP_TITLES, made.KSEP_ROW),
        "Kindergarten readiness file, 9 columns",
        "k12",
        [
            (
                "readiness",
                {
                    "instrument": "KSEP",
                    "instrument_version": "2018",
                    "assessed_on": "2025-08-25",
                    "total_score": 51,
                    "band": "Ready to Go",
                },
            )
        ],
    ),
    "preschool roster": (
        "cdd801a.csv",
        made.lines(made.ROSTER_TITLES, made.child()),
        "CDD-801A monthly roster, 18 columns",
        "preschool",
        [
            ("preschool", {"site": "A214-01", "funding": "CSPP", "start_date": "2025-09-02"}),
            ("demographics", {"gender": "F", "race_ethnicity": "500"}),
            ("attendance", {"school": "A214-01", "days_expected": 170, "days_attended": 160}),
        ],
    ),
    "an enrollment period": (
        "nsc.csv",
        made.lines(made.DETAIL_TITLES, made.detail()),
        "StudentTracker detail report, 14 columns",
        "clearinghouse",
        [
            ("college_search", {"result": "found", "searched_on": "2026-08-20"}),
            (
                "college_enrollment",
                {
                    "college": "001178-00",
                    "college_type": "2-year",
                    "begin_date": "2025-08-25",
                    "end_date": "2025-12-20",
                    "enrollment_status": "F",
                },
            ),
        ],
    ),
    "a degree": (
        "nsc.csv",
        made.lines(made.DETAIL_TITLES, made.degree()),
        "StudentTracker detail report, 14 columns",
        "clearinghouse",
        [
            ("college_search", {"result": "found", "searched_on": "2026-08-20"}),
            ("award", {"college": "001178-00", "award_level": "associate", "award_date": "2026-05-20"}),
        ],
    ),
    "the report with titles in upper snake case": (
        "nsc.csv",
        made.lines(
            "REQUESTER_RETURN_FIELD,RECORD_FOUND_Y/N,SEARCH_DATE,COLLEGE_CODE/BRANCH,2-YEAR/4-YEAR,ENROLLMENT_BEGIN,"
            "GRADUATED",
            "a1b2,N,20260820,,,,",
        ),
        "StudentTracker detail report, 7 columns",
        "clearinghouse",
        [("college_search", {"result": "not-found", "searched_on": "2026-08-20"})],
    ),
    "request map": (
        "map.csv",
        made.lines(made.MAP_TITLES, "a1b2,L1,Y,20260820"),
        "Clearinghouse request map, 4 columns",
        "clearinghouse",
        [("college_search", {"result": "blocked", "searched_on": "2026-08-20"})],
    ),
    "partner's roster": (
        "roster.csv",
        made.lines(made.PARTNER_TITLES, made.PARTNER_ROW),
        "Programme roster, 9 columns",
        "programme",
        [("programme", {"programme": "college-access", "start_date": "2025-09-10"}), ("demographics", {"gender": "F"})],
    ),
    "wages": (
        "wages.csv",
        made.lines(made.WAGE_TITLES, "2020,6,F,999,U,20,15,12"),
        "Employment aggregate, 8 columns",
        "employment",
        [("employment_aggregate", WAGES)],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_file_is_said_aloud_and_becomes_facts(name, tmp_path):
    file_name, content, said, kind, facts = TABLE[name]
    path = tmp_path / file_name
    path.write_text(content, encoding="utf-8", newline="")

    read = read_file(path, latest=LATEST)

    assert (read.said, read.kind, read.rows, read.accepted, read.rejected) == (said, kind, 1, 1, 0)
    assert [(table, dict(elements)) for table, elements in read.readings[0][1].facts] == facts


LOOK_ALIKES = {
    "one file of a Microsoft School Data Sync v2.1 set": made.SDS_USERS,
    "one file of a OneRoster set": "sourcedId,status,dateLastModified,givenName\n1,active,2026-01-01,x\n",
    "CALPADS discipline": made.caret(30, {1: "SDIS"}) + "\r\n",
    "CALPADS special education": made.caret(30, {1: "SPED"}) + "\r\n",
    "Clearinghouse graduates file (the request)": "PH3\t123456\tNAME\tP\t20260701\t01\n",
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_refused_by_its_name(name, tmp_path):
    path = tmp_path / "users.csv"
    path.write_text(LOOK_ALIKES[name], encoding="utf-8")

    with pytest.raises(FileRefusedError) as refusal:
        read_file(path, latest=LATEST)

    assert refusal.value.code == "FIL-005"
    assert name in refusal.value.sentence


def test_a_mapped_file_is_read_by_what_its_provider_said_of_it(tmp_path):
    (tmp_path / "sources.yaml").write_text(
        """
version: 1
files:
  - pattern: "HEAD_start_*.csv"
    layout: mapped
    kind: preschool
    table: preschool
    date_format: "%d-%m-%Y"
    missing: ["", "N/A"]
    constants: {funding: HEAD-START}
    titles: {ID: local_id, First: given, Last: surname, DOB: birth_date, Sex: gender, Race: race_ethnicity, Site: site,
             From: start_date, Days: attendance.days_expected, Present: attendance.days_attended}
    codes: {gender: {Girl: F}, race_ethnicity: {Latina: "500"}}
""",
        encoding="utf-8",
    )
    path = tmp_path / "head_start_2026.csv"
    path.write_text(
        "ID,First,Last,DOB,Sex,Race,Site,From,Days,Present\n"
        f"7,{made.GIVEN},{made.SURNAME},04-03-2021,girl,latina,c-1,02-09-2025,170,N/A\n",
        encoding="utf-8",
    )

    read = read_file(path, source_map=read_source_map(tmp_path / "sources.yaml"), latest=LATEST)

    assert read.said == "mapped file (preschool) 2026, 10 columns"
    row = read.readings[0][1]
    assert (row.local_id, row.person.birth_date, row.person.sex) == ("7", "2021-03-04", "F")
    assert dict(row.facts) == {
        "preschool": {"funding": "HEAD-START", "site": "c-1", "start_date": "2025-09-02"},
        "demographics": {"gender": "F", "race_ethnicity": "500"},
    }
