"""A researcher links files of her own, with the example of docs/link-your-own-files.md and without a hub."""

import csv
import json
import re
import shutil
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.cli import app as edge
from hub.cli import app as hub
from linkage.rows_file import FORMAT


def run(app, *arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def encode(folder, name, *, key="key", out=None, views=""):
    done = run(
        edge, "encode", folder / "example" / f"{name}.csv", "--map", folder / "example" / f"{name}.yaml",
        "--key", folder / key,
        "--out", folder / (out or f"{name}.rows"), "--views", views,
    )  # fmt: skip
    assert done.exit_code == 0, done.exception


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded")
    assert run(edge, "example", folder / "example").exit_code == 0
    for key in ("key", "other.key"):
        run(edge, "keys", "new", folder / key)
    for name in ("school", "club"):
        encode(folder, name)
    return folder


@pytest.fixture
def folder(encoded, tmp_path):
    shutil.copytree(encoded, tmp_path, dirs_exist_ok=True)
    return tmp_path


def link(folder, *names, more=(), out="pairs.csv", persons="persons.csv"):
    files = [folder / name for name in names]
    return run(hub, "link", *files, "--out", folder / out, "--persons", folder / persons, *more)


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def truth(folder):
    """(file, record) to who it is, by the last digits of the number in the source."""
    people = {}
    for name in ("school", "club"):
        with (folder / "example" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for record, row in enumerate(list(csv.reader(file))[1:], start=1):
                people[f"{name}.rows", str(record)] = row[0][1:]
    return people


def pairs(persons, *, across):
    of_person = {}
    for record, person in persons.items():
        of_person.setdefault(person, []).append(record)
    found = {tuple(sorted(pair)) for records in of_person.values() for pair in combinations(records, 2)}
    return {pair for pair in found if not across or pair[0][0] != pair[1][0]}


def shares(folder, *, across):
    found = {(row["file"], row["record"]): row["person"] for row in table(folder / "persons.csv")}
    assert set(found) == set(truth(folder))
    got, true = pairs(found, across=across), pairs(truth(folder), across=across)
    return len(got & true) / len(got), len(got & true) / len(true)


def test_the_commands_of_the_manual_page_work_as_they_stand(tmp_path, monkeypatch):
    page = Path("docs/link-your-own-files.md").read_text("utf-8")
    commands = [line.split() for line in re.findall(r"```\n(.*?)```", page, re.DOTALL)[0].splitlines()]
    monkeypatch.chdir(tmp_path)

    ended = [run(edge if program == "promise-edge" else hub, *words).exit_code for program, *words in commands]

    assert ended == [0, 0, 0, 0, 0]
    shown = page.split("left_file,")[1].splitlines()[1]
    assert ",match," in shown
    assert {"pairs.csv", "persons.csv"} <= {path.name for path in tmp_path.iterdir()}


def test_every_refusal_is_on_the_manual_page():
    page = Path("docs/link-your-own-files.md").read_text("utf-8")
    sources = (
        "hub/linking/standalone.py",
        "connectors/standalone.py",
        "connectors/people_map.py",
        "linkage/rows_file.py",
    )

    raised = {
        code
        for source in sources
        for code in re.findall(r'(?:code=|Error\(\s*|_refused\()"([A-Za-z_0-9-]+)"', Path(source).read_text("utf-8"))
    }

    assert len(raised) >= 12
    assert [code for code in sorted(raised) if f"`{code}`" not in page] == []


def test_two_files_are_linked_by_record_number(folder):
    done = link(folder, "school.rows", "club.rows", more=("--summary", folder / "told.json"))

    assert done.exit_code == 0, done.output
    precision, recall = shares(folder, across=True)
    assert precision >= 0.99
    assert recall >= 0.93
    rows = table(folder / "pairs.csv")
    linked = [row for row in rows if row["decision"] == "match"]
    assert all(row["person"] and float(row["posterior"]) >= 0.5 for row in linked)
    assert all(row["left_file"] == "school.rows" and row["right_file"] == "club.rows" for row in rows)
    assert any("given name and surname swapped" in row["agreement"] for row in linked)
    told = json.loads((folder / "told.json").read_text("utf-8"))
    assert told["links"] == len(linked)
    assert told["expected_precision"] == pytest.approx(precision, abs=0.02)


def test_records_of_one_file_are_joined_only_where_that_is_asked(folder):
    link(folder, "school.rows", "club.rows")
    plain = {(row["file"], row["record"]): row["person"] for row in table(folder / "persons.csv")}
    for name in ("pairs.csv", "persons.csv"):
        (folder / name).unlink()

    done = link(folder, "school.rows", "club.rows", more=("--dedupe",))

    assert done.exit_code == 0, done.output
    assert not pairs(plain, across=False) - pairs(plain, across=True)
    precision, recall = shares(folder, across=False)
    assert precision >= 0.98
    assert recall >= 0.93


def test_one_file_is_searched_for_duplicates(folder):
    done = link(folder, "club.rows", more=("--dedupe",))

    assert done.exit_code == 0, done.output
    found = {(row["file"], row["record"]): row["person"] for row in table(folder / "persons.csv")}
    true = {record: person for record, person in truth(folder).items() if record[0] == "club.rows"}
    assert pairs(found, across=False) == pairs(true, across=False)


def test_the_order_of_the_files_does_not_change_who_is_one_person(folder):
    link(folder, "school.rows", "club.rows")
    link(folder, "club.rows", "school.rows", out="pairs2.csv", persons="persons2.csv")

    one, other = (
        pairs({(row["file"], row["record"]): row["person"] for row in table(folder / name)}, across=True)
        for name in ("persons.csv", "persons2.csv")
    )
    assert one == other


def test_files_of_one_name_are_told_apart_by_their_folders(folder):
    (folder / "second").mkdir()
    shutil.move(folder / "club.rows", folder / "second" / "school.rows")

    link(folder, "school.rows", "second/school.rows")

    files = {row["file"] for row in table(folder / "persons.csv")}
    assert files == {str(folder / "school.rows"), str(folder / "second" / "school.rows")}


def test_views_may_be_chosen(folder):
    done = link(folder, "school.rows", "club.rows", more=("--views", "ssid"))

    assert done.exit_code == 0, done.output
    assert "views ssid" in done.output
    assert table(folder / "pairs.csv") == []


def test_the_example_is_the_same_at_every_making_and_never_written_over(folder):
    run(edge, "example", folder / "again")

    names = {path.name for path in (folder / "example").iterdir()}
    assert names == {"school.csv", "school.yaml", "club.csv", "club.yaml"}
    assert all((folder / "example" / name).read_bytes() == (folder / "again" / name).read_bytes() for name in names)
    assert run(edge, "example", folder / "again").exception.code == "ENC-003"


def refusal(folder, *names, more=(), **to):
    done = link(folder, *names, more=more, **to)
    assert done.exit_code == 1, done.output
    assert "Next step: " in done.stderr
    assert not (folder / "pairs2.csv").exists()
    return done.stderr.split(":")[0]


def test_what_cannot_be_linked_is_refused_with_a_code_and_a_next_step(folder):
    encode(folder, "club", key="other.key", out="other.rows")
    encode(folder, "club", views="place", out="place.rows")
    whole = (folder / "club.rows").read_bytes()
    (folder / "cut.rows").write_bytes(whole[:-1])
    (folder / "empty.rows").write_bytes(b"")
    (folder / "schema.rows").write_bytes(re.sub(rb'"schema_hash": "..', b'"schema_hash": "zz', whole, count=1))
    place = whole.index(b"\n", len(FORMAT)) + 1
    (folder / "spans.rows").write_bytes(whole[:place] + whole[place + 32 : place + 64] + whole[place + 32 :])
    (folder / "rows.rows").write_bytes(whole[:-1] + b"\x01")
    (folder / "repeated.rows").write_bytes(whole[:-120] + whole[-240:-120])
    shutil.copy(folder / "club.rows", folder / "again.rows")

    assert refusal(folder, "school.rows") == "one-file"
    assert refusal(folder, "school.rows", "none.rows") == "file-missing"
    assert refusal(folder, "school.rows", "empty.rows") == "not_a_rows_file"
    assert refusal(folder, "school.rows", "key") == "not_a_rows_file"
    assert refusal(folder, "school.rows", "cut.rows") == "truncated_rows_file"
    assert refusal(folder, "school.rows", "schema.rows") == "schema-other"
    assert refusal(folder, "school.rows", "other.rows") == "key-other"
    assert refusal(folder, "club.rows", "again.rows") == "file-twice"
    assert refusal(folder, "school.rows", "place.rows") == "view-missing"
    assert refusal(folder, "school.rows", "club.rows", more=("--views", "place")) == "view-missing"
    assert refusal(folder, "school.rows", "rows.rows") == "bad_spare"
    assert refusal(folder, "school.rows", "spans.rows") == "row_without_span"
    assert refusal(folder, "school.rows", "repeated.rows") == "row_repeated"
    assert refusal(folder, "school.rows", "club.rows", more=("--engine", "abacus")) == "engine-unknown"
    assert refusal(folder, "school.rows", "club.rows", out="none/pairs.csv") == "folder-missing"
    assert refusal(folder, "school.rows", "club.rows", out="key") == "file-exists"
