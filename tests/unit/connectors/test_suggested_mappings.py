"""Titles of an unknown table: what is suggested, why, and that the suggestion can be followed."""

import datetime as dt

import pytest
from typer.testing import CliRunner

from connectors.cli import app
from connectors.errors import MappingError
from connectors.opening import open_source
from connectors.reading import read_file
from connectors.source_map import read_source_map
from connectors.suggestions import date_format, suggest
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)
TABLE = made.lines(
    "Member ID,First Nm,Last Name,DOB,Sex,Zip Code,Program Name,Date Joined,Shoe Size",
    *(f"M{n},{made.GIVEN},{made.SURNAME},2-{n + 12}-2012,F,9490{n},chess-club,2025-09-0{n},3{n}" for n in range(1, 9)),
)


def suggested(folder, text=TABLE, *, kind="programme", table="programme"):
    (folder / "members.csv").write_text(text, newline="")
    (grid,) = open_source(folder / "members.csv")
    return grid, suggest(grid, kind=kind, table=table, latest=LATEST)


def test_titles_are_suggested_by_what_they_say_and_what_stands_below(tmp_path):
    _, found = suggested(tmp_path)

    assert {one.title: one.element for one in found} == {
        "Member ID": "local_id",
        "First Nm": "given",
        "Last Name": "surname",
        "DOB": "birth_date",
        "Sex": "gender",
        "Zip Code": "postcode",
        "Program Name": "programme",
        "Date Joined": "start_date",
        "Shoe Size": None,
    }
    assert all(one.reason for one in found)


def test_a_title_that_sounds_right_above_cells_that_are_not_is_left_out_with_the_reason(tmp_path):
    _, found = suggested(tmp_path, made.lines("ID,DOB", *(f"{n},green" for n in range(9))))

    assert [(one.title, one.element) for one in found] == [("ID", "local_id"), ("DOB", None)]
    assert found[1].reason == "sounds like birth_date, but its cells are not (0% can be read)"


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["25-03-2012"], "%d-%m-%Y"),
        (["03-25-2012"], "%m-%d-%Y"),
        (["03-04-2012"], None),
        (["2012-03-25"], None),
        (["x-y-12345"], None),
    ],
)
def test_the_order_of_day_and_month_is_settled_by_the_whole_column(cells, order, tmp_path):
    rows = [f"{n},05-06-2012" for n in range(8)] + [f"9,{cell}" for cell in cells]
    grid, found = suggested(tmp_path, made.lines("ID,DOB", *rows))

    assert date_format(grid, found) == order


@pytest.mark.parametrize(("kind", "table"), [("college", "programme"), ("college", "nothing")])
def test_a_table_that_the_kind_has_not_is_refused_with_those_it_has(kind, table, tmp_path):
    with pytest.raises(MappingError, match="award"):
        suggested(tmp_path, kind=kind, table=table)


def test_a_table_without_rows_is_refused(tmp_path):
    with pytest.raises(MappingError, match="MAP-004"):
        suggested(tmp_path, "ID,DOB\n")


def test_an_aggregate_takes_no_names(tmp_path):
    _, found = suggested(tmp_path, f"{made.WAGE_TITLES},First Name\n2020,6,F,999,U,20,15,12,x\n", kind="employment",
                         table="employment_aggregate")  # fmt: skip

    assert {one.title: one.element for one in found}["First Name"] is None
    assert sum(one.element is not None for one in found) == 8


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_the_command_adds_an_entry_that_check_follows(tmp_path):
    (tmp_path / "members.csv").write_text(TABLE, newline="")
    sources = tmp_path / "sources.yaml"

    shown = run("map", tmp_path / "members.csv", "--kind", "programme", "--table", "programme")
    added = run("map", tmp_path / "members.csv", "--kind", "programme", "--table", "programme", "--out", sources)

    assert "version: 1\nfiles:\n" in shown.output
    assert added.exit_code == 0, added.output
    assert made.GIVEN not in shown.output + added.output
    assert "left out: " in sources.read_text()
    read = read_file(tmp_path / "members.csv", source_map=read_source_map(sources), latest=LATEST)
    assert (read.layout, read.rows) == ("mapped", 8)


def test_a_second_entry_is_added_behind_the_first_and_a_broken_list_is_left_alone(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(TABLE, newline="")
        run("map", tmp_path / name, "--kind", "programme", "--table", "programme", "--out", tmp_path / "sources.yaml")
    assert [one.pattern for one in read_source_map(tmp_path / "sources.yaml").files] == ["a.csv", "b.csv"]

    (tmp_path / "sources.yaml").write_text("files: [")
    refused = run(
        "map", tmp_path / "a.csv", "--kind", "programme", "--table", "programme", "--out", tmp_path / "sources.yaml"
    )

    assert isinstance(refused.exception, MappingError)
    assert (tmp_path / "sources.yaml").read_text() == "files: ["


def test_a_table_of_nothing_known_is_said(tmp_path):
    (tmp_path / "x.csv").write_text("Qqq,Www\n1,2\n")

    refused = run("map", tmp_path / "x.csv", "--kind", "programme", "--table", "programme")

    assert isinstance(refused.exception, MappingError)


def test_a_set_of_files_needs_no_map(tmp_path):
    run("sample", "edfi-api", "--out", tmp_path / "set")

    refused = run("map", tmp_path / "set", "--kind", "k12", "--table", "enrollment")

    assert refused.exception.code == "MAP-006"


FIXED = """version: 1
files:
  - pattern: "*.dat"
    kind: college
    table: person
    date_format: "%Y%m%d"
    positions: {CODE: [1, 2], ID: [3, 11], LAST: [12, 20], FIRST: [21, 29], BORN: [30, 37], SEX: [38, 38]}
    titles: {ID: local_id, LAST: surname, FIRST: given, BORN: birth_date, SEX: gender}
"""


def test_a_file_of_fixed_width_is_read_by_the_positions_its_provider_states(tmp_path):
    (tmp_path / "sources.yaml").write_text(FIXED)
    line = f"SB{'C0001':9}{made.SURNAME[:9]:9}{made.GIVEN[:9]:9}20050304F"
    (tmp_path / "sb.dat").write_text(f"{line}\r\n{line.replace('C0001', 'C0002')}\r\nSB{'C0003':9}\r\n\x1a", newline="")

    read = read_file(tmp_path / "sb.dat", source_map=read_source_map(tmp_path / "sources.yaml"), latest=LATEST)

    assert (read.said, read.rows, read.accepted, read.rejected) == ("mapped file (person), 6 columns", 3, 2, 1)
    assert {found.code for found in read.findings} == {"ROW-001", "FIL-015"}
    person = read.readings[0][1].person
    assert (person.surname, person.given, person.birth_date, person.sex) == (
        made.SURNAME[:9],
        made.GIVEN[:9],
        "2005-03-04",
        "F",
    )


@pytest.mark.parametrize("places", ["[0, 3]", "[5, 3]", "[1]", "x"])
def test_positions_that_are_none_are_refused(places, tmp_path):
    (tmp_path / "sources.yaml").write_text(FIXED.replace("[1, 2]", places))

    with pytest.raises(MappingError, match="MAP-001"):
        read_source_map(tmp_path / "sources.yaml")
