"""The dirt that real files carry: each line of the table is loaded with a finding, or refused with a named reason."""

import datetime as dt

import pytest

from connectors.errors import FileRefusedError
from connectors.reading import read_file
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)


def read(folder, name, content, **how):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_file(path, latest=LATEST, **how)


def many(count, row=made.senr):
    return [row(f9=f"L{number}", f8=f"{1_000_000_000 + number}") for number in range(10, 10 + count)]


LOADED = {
    "a byte order mark and CRLF": (b"\xef\xbb\xbf" + made.lines(*many(6)).encode(), 6, {}),
    "line feeds only": ("\n".join(many(6)), 6, {}),
    "carriage returns only": ("\r".join(many(6)), 6, {}),
    "blank lines between": ("\r\n\r\n".join(many(6)), 6, {}),
    "an accent of Windows-1252": (made.lines(*many(5), made.senr(f10="Qzaxiñol")).encode("cp1252"), 6, {"FIL-011": 1}),
    "UTF-16": (made.lines(*many(6)).encode("utf-16"), 6, {}),
    "commas for carets": (made.lines(*many(6)).replace("^", ","), 6, {}),
    "quoted carets": (made.lines(*(f'"{row}"'.replace("^", '"^"') for row in many(6))), 6, {}),
    "a delimiter inside quotes": (made.lines(*many(5), made.senr(f10='"Qz^axi"')), 6, {}),
    "a quotation mark that is never closed": (made.lines(made.senr(f10='"Qzaxi'), *many(25)), 26, {"FIL-014": 1}),
    "a row of names above an extract": (made.lines("^".join(["Record Type Code"] + ["x"] * 39), *many(6)), 6, {}),
    "zeros lost from the grade": (made.lines(*many(6, lambda **more: made.senr(f24="5", **more))), 6, {"COD-003": 6}),
    "a state number of five digits": (made.lines(*many(5), made.senr(f8="12345")), 6, {"IDN-002": 1}),
    "a state number that holds a local one": (made.lines(*many(5), made.senr(f8="STU-000123")), 6, {"IDN-002": 1}),
    "no birth date": (made.lines(*many(5), made.senr(f17="")), 6, {"IDN-004": 1}),
    "a birth date with slashes": (made.lines(*many(5), made.senr(f17="3/4/2015")), 6, {}),
    "two shapes of dates in one row": (made.lines(*many(5), made.senr(f17="03/04/2015", f22="2025-08-20")), 6, {}),
    "day and month that cannot be told apart": (made.lines(*many(5), made.senr(f17="10-08-2015")), 6, {"DAT-003": 1}),
    "a birth year of 1899": (made.lines(*many(5), made.senr(f17="12/30/1899")), 6, {"DAT-002": 1}),
    "a birth date in the future": (made.lines(*many(5), made.senr(f17="20290101")), 6, {"DAT-004": 1}),
    "a gender in words": (made.lines(*many(5), made.senr(f18="Female")), 6, {}),
    "a gender that is none": (made.lines(*many(5), made.senr(f18="?")), 6, {"COD-001": 1}),
    "five rows": (made.lines(*many(5)), 5, {"FIL-015": 1}),
    "a name with a control sign": (made.lines(*many(5), made.senr(f10="Qz\x07")), 6, {"TXT-001": 1}),
    "a formula for a name": (made.lines(*many(5), made.senr(f10='=HYPERLINK("x")')), 6, {"FIL-014": 0}),
}  # fmt: skip


@pytest.mark.parametrize("name", LOADED)
def test_a_dirty_file_is_loaded_and_the_dirt_is_named(name, tmp_path):
    content, rows, findings = LOADED[name]

    result = read(tmp_path, "senr.txt", content)

    assert (result.rows, result.accepted, result.rejected) == (rows, rows, 0)
    assert dict(result.findings.by_code()) == {code: count for code, count in findings.items() if count}


ROWS = {
    "no local number": (made.senr(f9=""), "IDN-001", "local_id"),
    "no grade": (made.senr(f24=""), "COD-052", "grade"),
    "a grade that is none": (made.senr(f24="13"), "COD-051", "grade"),
    "no start": (made.senr(f22=""), "DAT-056", "start_date"),
    "a start that is no date": (made.senr(f22="20251350"), "DAT-051", "start_date"),
    "a record that is deleted": (made.senr(f2="D"), "ROW-002", ""),
    "another school year": (made.senr(f7="2024-2025"), "ROW-003", ""),
    "one field too many": (made.senr(f10="Qz^axi"), "ROW-001", ""),
    "cut short": (made.senr()[:60], "ROW-001", ""),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_cannot_be_used_is_rejected_with_its_line_and_column(name, tmp_path):
    row, code, column = ROWS[name]

    result = read(tmp_path, "senr.txt", made.lines(*many(6), row))

    assert (result.rows, result.accepted, result.rejected) == (7, 6, 1)
    assert [(found.code, found.row, found.column) for found in result.findings] == [(code, 7, column)]


REFUSED = {
    "an empty file": (b"", "FIL-001"),
    "blanks only": (b" \r\n\r\n", "FIL-001"),
    "titles without rows": (made.lines(made.KSEP_TITLES), "FIL-002"),
    "mapped titles without the date": (made.lines("SSID,TotalScore", "1,2"), "FIL-004"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "FIL-003"),
    "a document": (b"%PDF-1.7 ...", "FIL-012"),
    "a gzip": (b"\x1f\x8b\x08\x00abc", "FIL-012"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FIL-012"),
    "a zip that is not whole": (b"PK\x03\x04abc", "FIL-013"),
    "half a UTF-16 sign": (b"\xff\xfea", "FIL-003"),
    "one line of two million signs": (b"a" * 2_000_000, "FIL-006"),
    "titles of nothing known": (b"a,b,c\n1,2,3\n", "FIL-004"),
    "too few fields for an enrollment": (made.lines(made.caret(12, {1: "SENR"})), "FIL-004"),
    "a roster without birth dates": (
        made.lines(made.ROSTER_TITLES.replace("Child Birth Date", "Note"), made.child()),
        "FIL-009",
    ),
    "a fixed-width twin": (b"01 1234567890 QZAXI     05\r\n02 1234567890 QZAXI     05\r\n", "FIL-017"),
    "most birth dates dragged": (
        made.lines(
            made.ROSTER_TITLES, *(made.child(**{"Child Birth Date": "12/30/1899"}) for _ in range(9)), made.child()
        ),
        "FIL-010",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_with_a_code_and_a_next_step(name, tmp_path):
    content, code = REFUSED[name]

    with pytest.raises(FileRefusedError) as refusal:
        read(tmp_path, "file.csv", content)

    assert refusal.value.code == code
    assert refusal.value.next_step


def test_a_file_of_another_year_only_is_refused(tmp_path):
    with pytest.raises(FileRefusedError, match="FIL-016"):
        read(tmp_path, "senr.txt", made.lines(*many(6)), school_year=2024)


def test_a_folder_that_is_no_set_of_files_is_refused(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"x")

    with pytest.raises(FileRefusedError, match="FIL-018"):
        read_file(tmp_path, latest=LATEST)
    with pytest.raises(FileRefusedError, match="FIL-007"):
        read_file(tmp_path / "absent", latest=LATEST)


HEADERS = {
    "other case, spaces and order": "version, LOCAL student ID ,total_score,ASSESSMENT DATE,instrument",
    "empty cells at the end": "Version,LocalStudentID,TotalScore,AssessmentDate,Instrument,,",
    "a column in the middle": "Version,LocalStudentID,Extra,TotalScore,AssessmentDate,Instrument",
}


@pytest.mark.parametrize("name", HEADERS)
def test_columns_are_found_by_title_wherever_they_stand(name, tmp_path):
    titles = HEADERS[name].split(",")
    cells = {
        "version": "2018",
        "localstudentid": "L1",
        "totalscore": "51",
        "assessmentdate": "2025-08-25",
        "instrument": "KSEP",
    }
    row = ",".join(cells.get(title.lower().replace("_", "").replace(" ", ""), "") for title in titles)

    result = read(tmp_path, "ksep.csv", made.lines(HEADERS[name], row))

    assert dict(result.readings[0][1].facts[0][1])["total_score"] == 51


def test_scores_saved_with_commas_and_lost_zeros_are_read(tmp_path):
    rows = [made.toms(",", RecordType="1", GradeAssessed="5", SSID=f"{1_000_000_000 + n}") for n in range(6)]

    result = read(tmp_path, "toms.csv", made.toms_file(*rows, delimiter=","))

    assert result.accepted == 6
    assert result.findings.by_code() == {"COD-003": 12}
    assert dict(result.readings[0][1].facts[0][1])["grade_assessed"] == "05"


def test_a_trailing_underscore_is_no_part_of_a_return_field(tmp_path):
    result = read(
        tmp_path, "nsc.csv", made.lines(made.DETAIL_TITLES, made.detail(**{"Requester Return Field": "a1b2_"}))
    )

    assert result.readings[0][1].return_field == "a1b2"
