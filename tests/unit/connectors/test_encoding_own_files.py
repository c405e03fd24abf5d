"""`promise-edge encode`: any file of people becomes one encoded file, and nothing of them is left in it."""

import pytest
import yaml
from typer.testing import CliRunner

from connectors.cli import app
from connectors.errors import EdgeError, MappingError
from connectors.people_map import ordered_date, read_people_map
from connectors.standalone import read_people
from linkage.rows_file import read_rows_file

PEOPLE = """First,Last,Born,Boy or girl,Zip,Mother,Unused
Bimbaq,Dorvax Lumex,3/14/2011,girl,94901,Zeliq,1
Kastoq,Pelmux,31/31/2011,boy,94902,,2
Morliq,,not known,N/A,N/A,,3
"""
MAP = {
    "columns": {
        "given": "First",
        "surname": "last",
        "birth_date": "Born",
        "sex": "Boy or girl",
        "postcode": "Zip",
        "guardian": ["Mother"],
    },
    "date_order": "month-day-year",
    "missing": ["N/A"],
    "codes": {"sex": {"girl": "F", "boy": "M"}},
}


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE, "utf-8")
    write_map(tmp_path, MAP)
    assert run("keys", "new", tmp_path / "key").exit_code == 0
    return tmp_path


def write_map(folder, content):
    (folder / "map.yaml").write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def encode(folder, *more, out="people.rows", people="people.csv"):
    return run(
        "encode", folder / people, "--map", folder / "map.yaml", "--key", folder / "key", "--out", folder / out, *more
    )


def refusal(folder, *more, **names):
    done = encode(folder, *more, **names)
    assert isinstance(done.exception, EdgeError)
    return done.exception


def test_people_are_read_as_the_map_says(folder):
    read = read_people(folder / "people.csv", read_people_map(folder / "map.yaml"))

    first, second, third = read.people
    assert (first.local_record, first.given, first.surname) == (1, "Bimbaq", "Dorvax Lumex")
    assert (first.birth_date, first.sex, first.postcode, first.guardian) == ("2011-03-14", "F", "94901", ("Zeliq",))
    assert second.birth_date == "2011-31-31"
    assert (third.surname, third.birth_date, third.sex, third.postcode) == (None, None, None, None)
    assert (read.dates_unread, read.first_unread_line) == (1, 4)
    assert repr(read) == "People(3)"
    with pytest.raises(TypeError):
        read.__reduce__()


def test_the_command_says_counts_and_the_next_step_and_never_a_value(folder):
    done = encode(folder)

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "people.csv: 3 records (record 1 is the first row under the titles)",
        "  given          in 3",
        "  surname        in 2",
        "  birth_date     in 2",
        "  sex            in 2",
        "  postcode       in 2",
        "  guardian       in 1",
        "  birth dates not understood: 1, first in line 4",
        *(line for line in done.stdout.splitlines() if line.startswith("  view ")),
        "people.rows carries its own submission key: keep it as you keep people.csv.",
        "next: promise-hub link people.rows OTHER.rows --out pairs.csv --persons persons.csv",
    ]


def test_nothing_clear_is_in_the_file(folder):
    encode(folder)

    content = (folder / "people.rows").read_bytes()
    for value in ("Bimbaq", "Dorvax", "Kastoq", "Pelmux", "94901", "2011", "Zeliq", "bimbaq", "people.csv"):
        assert value.encode() not in content
    assert (folder / "people.rows").stat().st_mode & 0o077 == 0


def test_two_encodings_of_one_file_share_the_key_check_and_no_submission_key(folder):
    encode(folder)
    encode(folder, out="again.rows")

    one, other = (read_rows_file((folder / name).read_bytes(), name=name) for name in ("people.rows", "again.rows"))
    assert one.key_check == other.key_check
    assert one.submission_key != other.submission_key
    assert one.records == other.records == 3


def test_only_the_views_that_are_asked_for_are_encoded(folder):
    encode(folder, "--views", "dob, place")

    read = read_rows_file((folder / "people.rows").read_bytes(), name="people.rows")
    assert sorted(read.rows) == ["dob", "place"]


def test_a_value_that_very_many_records_share_is_told(folder):
    lines = "".join(f"Vem{chr(97 + n % 26)}q,Tor{chr(97 + n // 26)}x,1/1/2011,girl,94901,,\n" for n in range(60))
    (folder / "people.csv").write_text(PEOPLE + lines, "utf-8")

    done = encode(folder, "--views", "dob")

    assert "note: 60 records share one value of view dob" in done.stdout


def test_a_birth_date_may_lie_in_three_columns(folder):
    (folder / "people.csv").write_text("N,Y,M,D\nBimbaq,2011,3,14\nKastoq,2011,,\n", "utf-8")
    write_map(folder, {"columns": {"given": "N", "birth_year": "Y", "birth_month": "M", "birth_day": "D"}})

    read = read_people(folder / "people.csv", read_people_map(folder / "map.yaml"))

    assert [person.birth_date for person in read.people] == ["2011-03-14", None]
    assert dict(read.filled) == {"given": 2, "birth_date": 1}


@pytest.mark.parametrize(
    ("cell", "order", "date"),
    [
        ("2011-03-14", "year-month-day", "2011-03-14"),
        ("2011/3/4", "day-month-year", "2011-03-04"),
        ("3/14/2011", "month-day-year", "2011-03-14"),
        ("14.3.2011", "day-month-year", "2011-03-14"),
        ("20110314", "year-month-day", "2011-03-14"),
        ("03142011", "month-day-year", "2011-03-14"),
        ("14032011", "day-month-year", "2011-03-14"),
        ("2011-03-14 00:00:00", "month-day-year", "2011-03-14"),
        ("3/14/11", "month-day-year", None),
        ("2011-03-2011", "year-month-day", None),
        ("March 2011", "year-month-day", None),
    ],
)
def test_a_date_is_read_in_the_order_that_the_map_says(cell, order, date):
    assert ordered_date(cell, order) == date


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"columns": {}}, "MAP-004"),
        ({"columns": {"given": "First"}, "colour": "red"}, "MAP-004"),
        ({"columns": {"first_name": "First"}}, "MAP-005"),
        ({"columns": {"given": "First"}, "date_order": "any"}, "MAP-005"),
        ({"columns": {"given": "Forename"}}, "MAP-006"),
    ],
)
def test_a_map_that_cannot_be_followed_is_refused(folder, content, code):
    write_map(folder, content)

    assert refusal(folder).code == code


@pytest.mark.parametrize("content", [b"columns: [", b"\xff\xfe"])
def test_a_map_that_is_no_yaml_is_refused(folder, content):
    (folder / "map.yaml").write_bytes(content)

    assert refusal(folder).code == "MAP-004"


def test_a_map_that_is_missing_is_refused(tmp_path):
    with pytest.raises(MappingError) as told:
        read_people_map(tmp_path / "none.yaml")

    assert told.value.code == "MAP-004"


def test_files_that_cannot_be_encoded_are_refused(folder):
    (folder / "titles.csv").write_text("First,Last,Born,Boy or girl,Zip,Mother\n", "utf-8")
    (folder / "nameless.csv").write_text("First,Last,Born,Boy or girl,Zip,Mother\n,,3/14/2011,girl,,\n", "utf-8")

    assert refusal(folder, people="none.csv").code == "FIL-007"
    assert refusal(folder, people="titles.csv").code == "FIL-001"
    assert refusal(folder, people="nameless.csv").code == "ENC-001"
    assert refusal(folder, "--views", "colour").code == "ENC-002"
    assert refusal(folder, out="none/people.rows").code == "ENC-003"


def test_an_encoded_file_and_a_key_are_never_written_over(folder):
    encode(folder)
    before = (folder / "people.rows").read_bytes()

    assert refusal(folder).code == "ENC-003"
    assert run("keys", "new", folder / "key").exception.code == "KEY-004"
    assert (folder / "people.rows").read_bytes() == before
