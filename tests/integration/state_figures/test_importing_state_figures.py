"""The state's public files come in by a command, said aloud or refused, and stand beside our figures."""

import datetime as dt

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

import hub.release.tables  # noqa: F401 (declares its tables)
from hub.audit.events import AuditTrail
from hub.audit.tables import Detail
from hub.errors import Invalid
from hub.outcomes.commands import app
from hub.outcomes.state import all_state_figures, import_state_file, read_state_file, state_figures
from hub.outcomes.tables import StateFileRow
from hub.release.slices import PublishedCell
from hub.release.state_lines import StateLine, state_lines, state_rows
from policies.state_figures.reading import StateFigure

DAY = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
TRAIL = AuditTrail("tester", None, "request-1", "test", lambda: DAY)
HEADER = (
    "Academic Year\tAggregate Level\tCounty Code\tDistrict Code\tSchool Code\tCounty Name\tDistrict Name\tSchool Name\t"
    "Charter School\tDASS\tReporting Category\tChronicAbsenteeismEligibleCumulativeEnrollment\t"
    "ChronicAbsenteeismCount\tChronicAbsenteeismRate\r\n"
)


def absence(*rows: str) -> bytes:
    return (HEADER + "".join(f"2022-23\t{row}\r\n" for row in rows)).encode("utf-8-sig")


COUNTY = "C\t21\t00000\t0000000\tA\tB\tC\tAll\tAll\tTA\t30000\t{}\t{}"
STATE = "T\t00\t00000\t0000000\tA\tB\tC\tAll\tAll\tTA\t5900000\t1470000\t24.9"
BLACK = "C\t21\t00000\t0000000\tA\tB\tC\tAll\tAll\tRB\t*\t*\t*"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "chronicabsenteeism23.txt"
    path.write_bytes(absence(COUNTY.format(6000, "20.0"), STATE, BLACK))
    return path


def test_the_figures_of_a_file_are_kept_with_its_source_and_one_event(database, file) -> None:
    with database.transaction() as session:
        read = import_state_file(session, file, audit=TRAIL)

    with database.reading() as session:
        kept = all_state_figures(session)
        (event,) = [(row.event, row.resource, row.counts) for row in session.scalars(select(Detail))]
    assert (
        kept
        == read.figures
        == (
            StateFigure("chronic-absence", 2023, "county", n=30000, k=6000, rate=20.0),
            StateFigure("chronic-absence", 2023, "county", "race", "black", hidden=True),
            StateFigure("chronic-absence", 2023, "state", n=5900000, k=1470000, rate=24.9),
        )
    )
    counts = {"figures": 3, "hidden": 1}
    assert event == ("state_figures.imported", "state-file:chronic-absenteeism", counts)


def test_a_corrected_file_takes_the_place_of_the_one_before(database, file) -> None:
    with database.transaction() as session:
        import_state_file(session, file, audit=TRAIL)
    file.write_bytes(absence(COUNTY.format(5400, "18.0")))

    with database.transaction() as session:
        import_state_file(session, file, audit=TRAIL)
        import_state_file(session, file, audit=TRAIL)

    with database.reading() as session:
        assert [one.figure.rate for one in state_figures(session, "chronic-absence")] == [18.0]
        assert len(session.scalars(select(StateFileRow)).all()) == 2


def test_the_command_says_layout_year_and_counts_aloud(home, file) -> None:
    done = CliRunner().invoke(app, ["import-state", "--home", str(home), str(file)])

    assert done.exit_code == 0
    assert "chronicabsenteeism23.txt: Chronic absenteeism, 2023. 3 figures, 1 of them hidden;" in done.output


def test_a_file_of_another_layout_is_refused_with_the_reason_and_leaves_nothing(home, tmp_path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("one,two\n1,2\n", "utf-8")

    done = CliRunner().invoke(app, ["import-state", "--home", str(home), str(other)])

    assert done.exit_code == 1
    assert "state-layout-unknown: other.csv is not imported" in done.output + done.stderr
    assert "Next step: These are read: Adjusted Cohort Graduation Rate" in done.output + done.stderr


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"PK\x03\x04 no workbook", "state-file-unreadable"), (b"\x00", "state-layout-unknown"),
     (None, "state-file-unreadable"),
     (HEADER.encode() + b'"' + b"x" * 20_000, "state-file-unreadable")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(tmp_path, content, code) -> None:
    path = tmp_path / "broken.xlsx"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(Invalid) as caught:
        read_state_file(path)

    assert caught.value.code == code
    assert "broken.xlsx" in caught.value.detail


def test_names_of_places_in_another_encoding_do_not_stop_a_file(tmp_path) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes(absence(COUNTY.format(6000, "20.0"))[3:].replace(b"\tA\t", b"\tCa\xf1ada\t"))

    assert read_state_file(path).figures[0].rate == 20.0


def test_the_sheet_with_a_known_header_is_found_in_a_workbook(tmp_path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Read me first"])
    sheet = book.create_sheet("LEA-Level CALPADS UPC Data")
    sheet.append(["CALPADS UPC Source Data"])
    sheet.append(
        ["Academic Year", "County Code", "District Code", "School Code", "Total\nEnrollment",
         "Free & Reduced Meal Program", "Homeless", "Migrant Program", "English Learner\n(EL)",
         "CALPADS Unduplicated Pupil Count\n(UPC)"]
    )  # fmt: skip
    sheet.append(["2023-24", "21", "65417", "0000000", 7474.0, 2800, 200, 2, 1295, 2934])
    path = tmp_path / "cupc2324-k12.xlsx"
    book.save(path)

    read = read_state_file(path)

    assert (read.layout, read.years) == ("upc", (2024,))
    assert StateFigure("unduplicated-pupils", 2024, "county", n=7474, k=2934, rate=39.3) in read.figures


def cell(year: int, **numbers) -> PublishedCell:
    given = {"n": None, "known": 20, "k": None, "rate": None, "rate_low": None, "rate_high": None} | numbers
    return PublishedCell("i", year, "final", 0, "total", {}, *given.values(), None, None, "F", "", "1")


def test_ours_and_the_states_stand_on_one_line_a_year(database, file) -> None:
    with database.transaction() as session:
        import_state_file(session, file, audit=TRAIL)
        figures = state_figures(session, "chronic-absence")

    lines = state_lines([cell(2023, rate=19), cell(2024, rate=17)], figures)

    assert lines == (StateLine(2023, "19 %", "20 %", "24.9 %", figures[0].source),)
    assert "cde.ca.gov/ds/ad/fsabd.asp" in lines[0].source


def test_a_hidden_figure_of_the_state_is_null_in_an_answer_and_says_so(database, file) -> None:
    with database.transaction() as session:
        import_state_file(session, file, audit=TRAIL)
        rows = state_rows(state_figures(session, "chronic-absence"))

    assert [(row["place_label"], row["level_label"], row["rate"], row["status"]) for row in rows] == [
        ("County", "All", 20.0, "F"),
        ("County", "Black or African American", None, "C"),
        ("California", "All", 24.9, "F"),
    ]
