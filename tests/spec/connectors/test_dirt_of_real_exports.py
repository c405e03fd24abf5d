"""Each line of the list of dirt that real exports carry, in its order: loaded with a finding, or refused by name."""

import datetime as dt

import pytest

from connectors.batches import read_reports
from connectors.errors import FileRefusedError
from connectors.joining import joined
from connectors.reading import read_file
from connectors.samples import sample_sets
from connectors.source_map import EMPTY
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)


def read(folder, content, name="file.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path, latest=LATEST)


def scores(**how):
    rows = [made.toms(SSID=f"{10**9 + n}", **how) for n in range(8)]
    return made.toms_file(*rows)


ENCODINGS = {
    "utf-8-sig": {}, "utf-16": {}, "cp1252": {"FIL-011": 1}, "latin-1": {"FIL-011": 1}, "utf-16-le": "FIL-003",
    "utf-32": "FIL-003",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_1_encodings_are_read_or_refused_by_name(encoding, tmp_path):
    content = scores(StudentFirstName="Qzñola").encode(encoding)
    expected = ENCODINGS[encoding]

    if isinstance(expected, str):
        with pytest.raises(FileRefusedError, match=expected):
            read(tmp_path, content)
    else:
        assert read(tmp_path, content).findings.by_code() == expected


@pytest.mark.parametrize("delimiter", ["^", ","])
@pytest.mark.parametrize("quoted", [False, True])
def test_2_the_same_file_with_another_delimiter_or_quoted_is_the_same(delimiter, quoted, tmp_path):
    text = scores().replace("^", f'"{delimiter}"' if quoted else delimiter)
    if quoted:
        text = "".join(f'"{line}"\r\n' for line in text.splitlines())

    assert (read(tmp_path, text).layout, read(tmp_path, text).accepted) == ("toms-scores", 8)


def test_2_a_fixed_width_twin_is_refused_with_what_to_do(tmp_path):
    line = f"0110000000{made.SURNAME:20}{made.GIVEN:20}2015030405"

    with pytest.raises(FileRefusedError, match="FIL-017") as refusal:
        read(tmp_path, f"{line}\r\n" * 5)

    assert "positions" in refusal.value.next_step


def test_3_a_score_file_without_its_titles_is_refused_and_never_guessed(tmp_path):
    with pytest.raises(FileRefusedError, match="FIL-004"):
        read(tmp_path, made.lines(*[made.toms()] * 8))


@pytest.mark.parametrize("columns", [43, 165, 249, 250, 292, 351, 363, 364, 365, 375, 401])
def test_3_score_files_of_every_width_in_use_are_read(columns, tmp_path):
    more = "".join(f"^Other{number}" for number in range(columns - len(made.TOMS_TITLES)))
    titles = "^".join(made.TOMS_TITLES[:5]) + more + "^" + "^".join(made.TOMS_TITLES[5:])
    cells = made.toms().split("^")
    row = "^".join([*cells[:5], *["x"] * (columns - len(cells)), *cells[5:]])

    found = read(tmp_path, made.lines(titles, *[row] * 8), "21000000000000_CAASPP_Enrolled_2024_DLMTR.csv")

    assert (found.said, found.accepted) == (f"CAASPP student score file 2024, {columns} columns", 8)


def test_4_zeros_that_a_spreadsheet_ate_are_put_back_or_named(tmp_path):
    roster = [made.child(**{"ZIP+4": "1234", "Child ID": f"C{n}"}) for n in range(8)]
    lost = scores(RecordType="1", GradeAssessed="3").replace("^1000000003^", "^12345^")

    assert read(tmp_path, made.lines(made.ROSTER_TITLES, *roster)).findings.by_code() == {"COD-003": 8}
    assert read(tmp_path, lost).findings.by_code() == {"COD-003": 16, "IDN-002": 1, "IDN-007": 1}


def test_5_the_birth_dates_of_214_rows_are_read_or_named_shape_by_shape(tmp_path):
    shapes = ["2020-03-04"] * 136 + [""] * 45 + ["03/04/2020"] * 19 + ["10-08-2020"] * 10 + ["3/4/2020"] * 4
    who = f"{made.SURNAME},{made.GIVEN}"
    rows = [f"P{n},{who},{day},F,94901,college-access,2025-09-10," for n, day in enumerate(shapes)]
    text = made.lines(made.PARTNER_TITLES, *rows)

    found = read(tmp_path, text)

    assert (found.rows, found.accepted, found.rejected) == (214, 204, 10)
    assert found.findings.by_code() == {"DAT-053": 10, "IDN-004": 45}


@pytest.mark.parametrize(("cell", "value"), [("M", "M"), ("F", "F"), ("Male", "M"), ("female", "F"), ("", None)])
def test_6_gender_in_every_spelling(cell, value, tmp_path):
    found = read(tmp_path, made.lines(*[made.senr(f18=cell)] * 6), "senr.txt")

    assert found.readings[0][1].person.sex == value


RACES = {
    "500 with flags": ({"23": "Y", "25": "700"}, "500", {}),
    "two races": ({"23": "N", "25": "700", "26": "600"}, "800", {}),
    "blank with flags": ({"23": "", "25": "700"}, "700", {}),
    "not reported": ({"23": "", "25": "999"}, None, {"DEM-001": 6}),
    "all blank": ({"23": "", "25": ""}, None, {"DEM-001": 6}),
}


@pytest.mark.parametrize("name", RACES)
def test_7_race_and_ethnicity_in_every_form(name, tmp_path):
    fields, expected, findings = RACES[name]
    row = made.sinf(**{f"f{place}": cell for place, cell in fields.items()})

    found = read(tmp_path, made.lines(*[row] * 6), "sinf.txt")

    assert dict(found.readings[0][1].facts[0][1]).get("race_ethnicity") == expected
    assert found.findings.by_code() == findings


def test_8_a_code_of_fourteen_digits_is_its_last_seven_and_a_local_number_is_no_state_number(tmp_path):
    found = read(tmp_path, made.lines(*[made.senr(f5="21654176111111", f8="STU-00012")] * 6), "senr.txt")

    assert dict(found.readings[0][1].facts[0][1])["school"] == "6111111"
    assert found.findings.by_code() == {"IDN-002": 6}
    nsc = made.lines(made.DETAIL_TITLES, made.detail(**{"Requester Return Field": "a1b2_"}))
    assert read(tmp_path, nsc).readings[0][1].return_field == "a1b2"


def test_9_one_identifier_with_six_birth_dates_and_two_genders_is_an_identity_conflict(tmp_path):
    rows = [made.senr(f9="L1", f17=f"2015030{1 + n % 6}", f18="MF"[n % 2]) for n in range(14)]
    (tmp_path / "senr.txt").write_text(made.lines(*rows), newline="")

    (report,), _ = joined(read_reports([tmp_path / "senr.txt"], source_map=EMPTY, school_year=None, latest=LATEST))

    assert report.reading.findings.by_code()["IDN-005"] == 11


SHORT = {
    "one row": (made.lines(made.senr()), {"FIL-015": 1}, 1),
    "five rows": (made.lines(*[made.senr()] * 5), {"FIL-015": 1}, 5),
    "the last line cut short": (made.lines(*[made.senr()] * 7) + made.senr()[:70], {"ROW-001": 1}, 7),
}


@pytest.mark.parametrize("name", SHORT)
def test_10_short_files_are_noted(name, tmp_path):
    content, findings, accepted = SHORT[name]

    found = read(tmp_path, content, "senr.txt")

    assert (found.findings.by_code(), found.accepted) == (findings, accepted)


@pytest.mark.parametrize(("content", "code"), [(b"", "FIL-001"), (made.toms_file().encode(), "FIL-002")])
def test_10_empty_files_are_refused(content, code, tmp_path):
    with pytest.raises(FileRefusedError, match=code):
        read(tmp_path, content)


def test_11_interim_tests_and_students_who_were_not_tested_are_counted_and_not_scored(tmp_path):
    titles = "StudentIdentifier,AssessmentSubType,Subject,GradeLevelWhenAssessed,ScaleScoreAchievementLevel"
    rows = [f"{10**9 + n},{kind},ELA,03,{level}" for n, (kind, level) in enumerate(
        [("SUM", "3"), ("SUM", ""), ("ICA", "2"), ("IAB", "1"), ("SUM", "4"), ("SUM", "1")])]  # fmt: skip

    found = read(tmp_path, made.lines(titles, *rows))

    assert found.findings.by_code() == {"AST-003": 1, "AST-004": 2}
    valid = [dict(one.facts[0][1])["valid"] for _, one in found.readings if one.facts]
    assert valid == ["Y", "N", "Y", "Y"]


def test_12_a_look_alike_is_read_by_its_own_rules_or_refused_by_its_name(tmp_path):
    roster = sample_sets()["school-data-sync-2.1"]
    folder = tmp_path / "sds"
    folder.mkdir()
    for name, text in roster.items():
        (folder / name).write_text(text, newline="")

    assert read_file(folder, latest=LATEST).said.startswith("Microsoft School Data Sync v2.1")
    with pytest.raises(FileRefusedError, match="one file of a Microsoft School Data Sync"):
        read_file(folder / "users.csv", latest=LATEST)
    ods = read(tmp_path, made.lines(*[made.senr(42, f1="SENR-R")] * 6), "senr.txt")
    assert ods.said == "CALPADS enrollment (SENR) ODS extract 2026, 42 fields, 2021 and later"


def oneroster(folder, version="1.1", **changed):
    """The sample set with some files changed: text in, text out; None leaves a file out."""
    folder.mkdir()
    for name, text in sample_sets()[f"oneroster-{version}"].items():
        change = changed.get(name.removesuffix(".csv"), lambda same: same)
        if change is not None:
            (folder / name).write_text(change(text), encoding="utf-8", newline="")
    return folder


ODD_ROSTERS = {
    "userSourcedId for sourcedId": {"demographics": lambda text: text.replace("sourcedId", "userSourcedId", 1)},
    "birthdate": {"demographics": lambda text: text.replace("birthDate", "birthdate")},
    "dataLastModified": {"users": lambda text: text.replace("dateLastModified", "dataLastModified")},
    "no manifest": {"manifest": None},
    "two shapes of dates": {"enrollments": lambda text: text.replace("2025-08-20", "8/20/2025", 3)},
    "stamps": {"enrollments": lambda text: text.replace("2025-08-20", "2025-08-20T00:00:00.000Z")},
    "empty titles behind": {"users": lambda text: text.replace("password", "password,,", 1)},
    "no sessions": {"academicSessions": None},
    "no classes' schools": {"enrollments": None},
}


@pytest.mark.parametrize("name", ODD_ROSTERS)
def test_rosters_that_do_not_conform_are_read_all_the_same(name, tmp_path):
    found = read_file(oneroster(tmp_path / "set", **ODD_ROSTERS[name]), latest=LATEST)

    assert (found.layout, found.accepted, found.rejected) == ("oneroster", 8, 0)
    assert all(one.person.birth_date and one.facts[0][0] == "enrollment" for _, one in found.readings)


def test_a_list_of_races_for_flags_and_missing_flags(tmp_path):
    def listed(text):
        _, *rows = text.splitlines()
        return "\r\n".join(["sourcedId,birthDate,sex,raceCodes", *(
            f"{row.split(',')[0]},2015-03-04,F,{codes}" for row, codes in zip(
                rows, ["asian", "white|asian", "hispanic", "", "100", "not reported", "martian", "700"], strict=True)
        )])  # fmt: skip

    found = read_file(oneroster(tmp_path / "set", demographics=listed), latest=LATEST)

    races = [dict(one.facts[1][1]).get("race_ethnicity") for _, one in found.readings]
    assert races == ["200", "800", "500", None, "100", None, None, "700"]
    assert found.findings.by_code() == {"COD-001": 1, "DEM-001": 3, "ROW-007": 1}


def test_deleted_users_staff_and_strangers_are_left_out_by_name(tmp_path):
    found = read_file(
        oneroster(
            tmp_path / "set",
            users=lambda text: text.replace("u3,active", "u3,tobedeleted"),
            enrollments=lambda text: text.replace(",u5,", ",u55,"),
        ),
        latest=LATEST,
    )

    assert (found.rows, found.accepted) == (7, 7)
    assert found.findings.by_code() == {"ROS-002": 1, "ROW-002": 1, "ROW-007": 1}


REFUSED_SETS = {
    "a set of changes": ({"manifest": lambda text: text.replace("file.users,bulk", "file.users,delta")}, "FIL-019"),
    "a version that nobody reads": ({"manifest": lambda text: text.replace("1.1", made.GIVEN)}, "FIL-018"),
    "no users": ({"users": lambda text: text.splitlines()[0]}, "FIL-002"),
    "users without an id": ({"users": lambda text: text.replace("sourcedId", "x", 1)}, "FIL-018"),
}


@pytest.mark.parametrize("name", REFUSED_SETS)
def test_a_set_that_would_be_misread_is_refused(name, tmp_path):
    changed, code = REFUSED_SETS[name]

    with pytest.raises(FileRefusedError, match=code) as refusal:
        read_file(oneroster(tmp_path / "set", **changed), latest=LATEST)

    assert not any(word in str(refusal.value) for word in made.MARKED)


EDFI = {
    "no students": ({"students.jsonl": ""}, "FIL-018"),
    "a line cut short": ({"students.jsonl": '{"a": '}, "FIL-020"),
    "a list of words": ({"students.json": '["x"]', "students.jsonl": None}, "FIL-020"),
    "an entity": ({"x.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}, "FIL-020"),
    "markup that is never closed": ({"x.xml": "<x><Student>"}, "FIL-020"),
    "an encoding that nobody knows": ({"x.xml": '<?xml version="1.0" encoding="UTFB8"?><x/>'}, "FIL-020"),
    "markup too deep": ({"x.xml": "<a>" * 60 + "</a>" * 60}, "FIL-020"),
}


@pytest.mark.parametrize("name", EDFI)
def test_resources_that_cannot_be_read_are_refused(name, tmp_path):
    changed, code = EDFI[name]
    for member, text in {**sample_sets()["edfi-api"], **changed}.items():
        if text is not None:
            (tmp_path / member).write_text(text)

    with pytest.raises(FileRefusedError, match=code):
        read_reports_or_raise(tmp_path)


def read_reports_or_raise(path):
    for report in read_reports([path], source_map=EMPTY, school_year=None, latest=LATEST):
        if report.refusal is not None:
            raise report.refusal


def test_a_student_of_ed_fi_without_associations_is_a_person_without_enrollment(tmp_path):
    import json

    lone = {"studentUniqueId": "7", "firstName": made.GIVEN, "lastSurname": made.SURNAME, "birthDate": "2015-03-04"}
    (tmp_path / "students.json").write_text(json.dumps([lone]))
    stray = {
        "studentReference": {"studentUniqueId": "8"},
        "schoolReference": {"schoolId": 1},
        "entryDate": "2025-08-20",
    }
    (tmp_path / "studentSchoolAssociations.json").write_text(json.dumps([stray]))

    (report,) = read_reports([tmp_path], source_map=EMPTY, school_year=None, latest=LATEST)

    assert report.reading.findings.by_code() == {"DEM-001": 1, "FIL-015": 1, "ROS-001": 1, "ROS-002": 1}


@pytest.mark.parametrize(("dragged", "noted"), [(30, 29), (13, 12), (12, 0)])
def test_dates_that_a_spreadsheet_advanced_from_row_to_row_are_noted(dragged, noted, tmp_path):
    first = dt.date(2015, 1, 20)
    days = [first + dt.timedelta(days=min(number, dragged - 1)) for number in range(dragged + 10)]
    rows = [made.senr(f9=f"L{number}", f17=f"{day:%Y%m%d}") for number, day in enumerate(days)]

    found = read(tmp_path, made.lines(*rows), "senr.txt")

    assert found.findings.by_code() == ({"DAT-006": noted} if noted else {})
    assert {one.column for one in found.findings} == ({"birth_date"} if noted else set())
