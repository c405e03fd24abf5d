"""The graduates file for the Clearinghouse and its map; the report that comes back is joined by random numbers only."""

import datetime as dt
import itertools

import pytest
from typer.testing import CliRunner

from connectors.assembly import assemble
from connectors.clearinghouse_request import Account, write_request
from connectors.cli import app
from connectors.errors import WorkspaceError
from connectors.reading import read_file
from tests.spec.connectors import source_files as made

DAY = dt.date(2026, 7, 1)
ACCOUNT = Account("10012345", "DISTRICT", "HIGH SCHOOL", "053210", "2025-2026")


def graduate(number, *, completion="100", reason="E230", day="20260610", **changed):
    return made.senr(
        f9=f"L{number}",
        f8=f"{10**9 + number}",
        f24="12",
        exit_date=day,
        exit_reason=reason,
        completion=completion,
        **changed,
    )


def read(folder, *rows):
    (folder / "senr.txt").write_text(made.lines(*rows), encoding="utf-8", newline="")
    return [read_file(folder / "senr.txt", latest=DAY)]


def request(files, **how):
    numbers = (f"{number:016x}" for number in itertools.count(0xABC))
    how = {"account": ACCOUNT, "day": DAY, "blocked": frozenset(), "random_number": lambda: next(numbers), **how}
    return write_request(files, **how)


def test_every_completer_is_asked_for_under_a_random_number(tmp_path):
    files = read(
        tmp_path,
        graduate(1, f11="Zqmid", f13="JR", f14="Oldgq", f16="Oldfq"),
        graduate(2, completion="320"),
        graduate(3, completion="480"),
        graduate(4, completion="", reason="E140"),
        made.senr(f9="L5"),
    )

    asked = request(files, blocked=frozenset({"L2"}))

    rows = [line.split("\t") for line in asked.graduates.split("\r\n")]
    assert rows[0] == ["PH3", "10012345", "DISTRICT", "P", "20260701", "2025-2026"]
    assert rows[-2:] == [["PT3", "4"], [""]]
    assert [len(row) for row in rows[1:3]] == [28, 28]
    first, second = rows[1], rows[2]
    assert first[:10] == ["PD3", "", made.GIVEN, "Z", made.SURNAME, "JR", "Oldfq", "Oldgq", "20150304", f"{0xABC:016x}"]
    assert first[10:15] == ["Regular Diploma", "20260610", "N", "HIGH SCHOOL", "053210"]
    assert (first[15:27], first[27]) == ([""] * 12, "ED")
    assert second[10:13] == ["High School Equivalency Credential (other than GED)", "20260610", "Y"]
    assert asked.return_map.split("\r\n") == [
        "Requester Return Field,Local Student ID,FERPA Block,Request Date",
        f"{0xABC:016x},L1,N,2026-07-01",
        f"{0xABD:016x},L2,Y,2026-07-01",
        "",
    ]
    assert (asked.count, asked.left_out) == (2, 0)
    assert made.GIVEN not in repr(asked)


def test_no_number_of_the_district_leaves_in_the_request(tmp_path):
    asked = request(read(tmp_path, graduate(1), graduate(2)))

    assert "L1" not in asked.graduates
    assert f"{10**9 + 1}" not in asked.graduates


def test_a_graduate_without_a_birth_date_is_left_out_and_counted(tmp_path):
    asked = request(read(tmp_path, graduate(1), graduate(2, f17="")))

    assert (asked.count, asked.left_out) == (1, 1)


def test_the_latest_of_two_completions_counts_and_a_tab_in_a_name_stays_one_cell(tmp_path):
    files = read(tmp_path, graduate(1, completion="320", day="20260801"), graduate(1))

    asked = request(files)

    assert asked.count == 1
    assert "High School Equivalency" in asked.graduates


def test_nobody_to_ask_for_is_said(tmp_path):
    with pytest.raises(WorkspaceError) as refusal:
        request(read(tmp_path, made.senr()))

    assert refusal.value.code == "REQ-001"


@pytest.mark.parametrize("where", ["return field", "unique identifier"])
def test_the_report_is_joined_by_the_number_wherever_it_comes_back(where, tmp_path):
    asked = request(read(tmp_path, graduate(1)))
    number = f"{0xABC:016x}"
    back = {"Requester Return Field": number} if where == "return field" else {
        "Requester Return Field": "", "Your Unique Identifier": f"{number}_"
    }  # fmt: skip
    (tmp_path / "map.csv").write_text(asked.return_map, newline="")
    (tmp_path / "report.csv").write_text(made.lines(made.DETAIL_TITLES, made.detail(**back)), newline="")
    files = [read_file(tmp_path / name, latest=DAY) for name in ("map.csv", "report.csv")]

    assembly = assemble(
        files, provider="x", kind="clearinghouse", school_year=2026, reference_of=lambda local_id: local_id.encode()
    )

    assert assembly.rejected_later == {}
    assert {fact.reference for fact in assembly.facts} == {b"L1".hex()}
    assert {fact.table for fact in assembly.facts} == {"college_search", "college_enrollment"}


def test_a_report_without_any_number_is_rejected_row_by_row(tmp_path):
    row = made.detail(**{"Requester Return Field": "", "Your Unique Identifier": ""})
    (tmp_path / "report.csv").write_text(made.lines(made.DETAIL_TITLES, row), newline="")

    read_back = read_file(tmp_path / "report.csv", latest=DAY)

    assert (read_back.accepted, read_back.findings.by_code()) == (0, {"FIL-015": 1, "NSC-001": 1})


def test_the_command_writes_both_files_and_says_which_to_keep(tmp_path):
    edge = tmp_path / "edge"
    CliRunner().invoke(app, ["setup", str(edge), "--organisation", "novato", "--hub", "http://127.0.0.1:9"])
    (edge / "inbox" / "2026").mkdir(parents=True)
    read(edge / "inbox" / "2026", graduate(1), graduate(2))
    (tmp_path / "blocked.txt").write_text("L2\n")

    done = CliRunner().invoke(
        app,
        ["request", str(edge), "--year", "2026", "--account", "10012345", "--account-name", "D", "--school-name", "H",
         "--school-code", "053210", "--blocked", str(tmp_path / "blocked.txt")],
    )  # fmt: skip

    assert done.exit_code == 0, done.output
    (kept,) = (edge / "requests").iterdir()
    lines = (kept / "request_map.csv").read_text().splitlines()
    assert [line.split(",")[1:3] for line in sorted(lines[1:], key=lambda line: line.split(",")[1])] == [
        ["L1", "N"],
        ["L2", "Y"],
    ]
    assert "keep" in done.output
    assert made.GIVEN not in done.output
