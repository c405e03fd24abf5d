"""What `check` finds beyond single files: together, row by row in a list, and against last time. It stores nothing."""

import csv
import datetime as dt
import io
import json

import pytest
from typer.testing import CliRunner

from connectors.batches import read_reports
from connectors.cli import app
from connectors.error_extract import extract
from connectors.errors import WorkspaceError
from connectors.history import History, compare_all, read_history
from connectors.joining import joined
from connectors.reading import read_file
from connectors.source_map import EMPTY
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)


def lay(folder, **files):
    paths = []
    for name, content in files.items():
        path = folder / name.replace("_txt", ".txt").replace("_csv", ".csv")
        path.write_text(content, encoding="utf-8", newline="")
        paths.append(path)
    return paths


def senr(count=8, year="2025-2026", **changed):
    return made.lines(*(made.senr(f9=f"L{n}", f8=f"{10**9 + n}", f7=year, **changed) for n in range(count)))


def together(paths, year=None):
    reports = read_reports(paths, source_map=EMPTY, school_year=year, latest=LATEST)
    return joined(reports, school_year=year)


def test_a_score_of_nobody_is_found_when_the_roster_lies_beside_it(tmp_path):
    scores = made.toms_file(*(made.toms(SSID=f"{10**9 + n}") for n in (1, 2, 77)))

    (roster, tests), told = together(lay(tmp_path, senr_txt=senr(), toms_csv=scores))

    assert (roster.rejected, tests.rejected, tests.rejected_later) == (0, 1, 1)
    assert [(cause.rule.code, cause.first_rows) for cause in tests.causes] == [("ROW-004", (4,)), ("FIL-015", (0,))]
    assert told == []


def test_scores_alone_are_looked_at_alone_and_that_is_said(tmp_path):
    (tests,), told = together(lay(tmp_path, toms_csv=made.toms_file(made.toms())))

    assert tests.rejected == 0
    assert told == ["k12: not joined, because no file here says who the students are"]


def test_files_of_two_years_are_not_joined_unless_one_is_named(tmp_path):
    paths = lay(tmp_path, a_txt=senr(), b_txt=senr(year="2024-2025"))

    assert together(paths)[1] == ["k12: files of several school years are not joined; name one with --year"]
    assert together(paths, year=2026)[1] == []


def test_a_report_without_its_map_is_said_and_with_it_joined(tmp_path):
    report, return_map = lay(
        tmp_path,
        nsc_csv=made.lines(made.DETAIL_TITLES, made.detail(), made.detail(**{"Requester Return Field": "zz"})),
        map_csv=made.lines(made.MAP_TITLES, "a1b2,L1,N,20260820"),
    )

    alone, with_map = together([report]), together([report, return_map])

    assert "NSC-005" not in alone[1][0]
    assert "The request map of this report is missing" in alone[1][0]
    assert [one.rejected for one in with_map[0]] == [1, 0]


def test_one_number_with_six_birth_dates_is_an_identity_conflict(tmp_path):
    rows = [made.senr(f9="L1", f8="1000000001", f17=f"2015030{1 + n % 6}", f18="MF"[n % 2]) for n in range(14)]
    shared = made.senr(f9="L9", f8="1000000001")

    (report,), _ = together(lay(tmp_path, senr_txt=made.lines(*rows, shared)))

    counts = report.reading.findings.by_code()
    assert counts["IDN-005"] == 11  # three of the fourteen agree with the first
    assert counts["IDN-006"] == 1


def test_the_list_of_errors_names_lines_and_codes_and_no_cell(tmp_path):
    rows = [made.senr(f9=f"L{n}", f8=f"{10**9 + n}") for n in range(9)] + [made.senr(f24="13"), made.senr(f8="12")]
    (report,) = read_reports(
        lay(tmp_path, senr_txt=made.lines(*rows)), source_map=EMPTY, school_year=None, latest=LATEST
    )

    told = list(csv.reader(io.StringIO(extract(report))))

    assert told[0] == ["Line", "Code", "Column", "Effect", "What is wrong", "What to do", "Example"]
    assert [row[:4] for row in told[1:]] == [
        ["10", "COD-051", "grade", "row rejected"],
        ["11", "IDN-002", "ssid", "cell left out"],
    ]
    assert not any(word in extract(report) for word in made.MARKED)


def test_a_title_that_is_a_formula_is_text_in_the_list(tmp_path):
    sources = tmp_path / "sources.yaml"
    sources.write_text(
        'files: [{pattern: "*", kind: programme, table: programme,'
        ' titles: {"=1+1": local_id, What: programme, When: start_date}}]'
    )
    (tmp_path / "x.csv").write_text("=1+1,What,When\n" + "P1,chess,never\n" * 3)

    done = run("check", tmp_path / "x.csv", "--sources", sources, "--errors", tmp_path / "errors")

    assert done.exit_code == 1
    text = (tmp_path / "errors" / "x.csv.errors.csv").read_text("utf-8-sig")
    assert "DAT-051,When" in text
    (tmp_path / "x.csv").write_text("=1+1,What,When\n" + ",chess,2025-09-01\n" * 3)
    run("check", tmp_path / "x.csv", "--sources", sources, "--errors", tmp_path / "errors")
    assert "IDN-001,'=1+1" in (tmp_path / "errors" / "x.csv.errors.csv").read_text("utf-8-sig")


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_check_lists_a_refused_file_too_and_stores_nothing_else(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\x00\x01")
    before = {path.name for path in tmp_path.iterdir()}

    run("check", tmp_path / "x.bin")
    assert {path.name for path in tmp_path.iterdir()} == before
    run("check", tmp_path / "x.bin", "--errors", tmp_path / "errors")

    assert "0,FIL-003,,file refused" in (tmp_path / "errors" / "x.bin.errors.csv").read_text("utf-8-sig")


def reading(folder, count, year="2025-2026", **changed):
    (path,) = lay(folder, senr_txt=senr(count, year, **changed))
    return read_file(path, latest=LATEST)


def test_a_file_that_lost_a_third_of_its_rows_is_noted(tmp_path):
    history = History({})
    history.add(reading(tmp_path, 90, "2024-2025"))
    now = reading(tmp_path, 60)

    moved = history.compared(now)

    assert [str(one) for one in moved] == ["rows: 90 -> 60"]
    assert now.findings.by_code() == {"PLA-001": 1}


def test_a_group_that_vanished_is_noted_by_its_column(tmp_path):
    history = History({})
    history.add(reading(tmp_path, 80, "2024-2025"))
    now = reading(tmp_path, 80, f18="")

    moved = [str(one) for one in history.compared(now)]

    assert moved == ["demographics.gender=: 0 -> 80", "demographics.gender=F: 80 -> 0"]
    assert {(found.code, found.column) for found in now.findings} == {("PLA-002", "demographics.gender")}


@pytest.mark.parametrize(("before", "now"), [(80, 78), (40, 10), (None, 80)])
def test_small_moves_small_files_and_first_files_are_not_noted(before, now, tmp_path):
    history = History({})
    if before is not None:
        history.add(reading(tmp_path, before, "2024-2025"))

    assert history.compared(reading(tmp_path, now)) == []


def test_a_file_without_a_year_is_never_compared(tmp_path):
    (path,) = lay(tmp_path, toms_csv=made.toms_file(made.toms()))
    file = read_file(path, latest=LATEST)
    history = History({})

    history.add(file)

    assert history.compared(file) == []


def test_the_history_is_kept_in_a_file_of_counts(tmp_path):
    history = tmp_path / "history.json"
    (path,) = lay(tmp_path, senr_txt=senr(90, "2024-2025"))
    read = read_reports([path], source_map=EMPTY, school_year=None, latest=LATEST)
    assert compare_all(read, history) == []

    (path,) = lay(tmp_path, senr_txt=senr(60))
    done = run("check", path, "--history", history)

    assert "moved: senr.txt: rows: 90 -> 60" in done.output
    assert "PLA-001" in done.output
    kept = json.loads(history.read_text())
    assert sorted(kept) == ["calpads-senr 2025", "calpads-senr 2026"]
    assert not any(word in history.read_text() for word in made.MARKED)


@pytest.mark.parametrize("content", ["[", "[1]", '{"a": 1}', '{"a": {"rows": "x"}}'])
def test_a_history_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "history.json").write_text(content)

    with pytest.raises(WorkspaceError, match="EDGE-013"):
        read_history(tmp_path / "history.json")


def test_samples_are_listed_printed_and_written(tmp_path):
    listed = run("sample")
    printed = run("sample", "calpads-senr")
    written = run("sample", "oneroster-1.2", "--out", tmp_path / "set")

    assert "oneroster-1.2" in listed.output
    assert printed.output.startswith("SENR^")
    assert written.exit_code == 0
    assert run("check", tmp_path / "set").exit_code == 0
    assert isinstance(run("sample", "oneroster-1.2").exception, WorkspaceError)
    assert isinstance(run("sample", "oneroster").exception, WorkspaceError)
