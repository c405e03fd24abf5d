"""Before anything is sent: who is gone, new or told differently since the last one that the hub accepted."""

import json

import pytest
from typer.testing import CliRunner

from connectors.assembly import Assembly
from connectors.changes import Changes, changes, digests
from connectors.cli import app
from connectors.keystore import write_key
from connectors.workspace import open_workspace
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key
from tests.spec.connectors import source_files as made


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def edge(tmp_path):
    keys = {name: generate_recipient_key().public() for name in ("matcher_public_key", "resolver_public_key")}
    (tmp_path / "hub.json").write_text(json.dumps(keys | {"schema_hash": current_schema().hash, "epoch": 1}))
    write_key(tmp_path / "linkage.secret", bytes(32))
    run(
        "setup", tmp_path / "edge", "--organisation", "novato", "--hub", "http://127.0.0.1:9", "--hub-keys",
        tmp_path / "hub.json", "--agreements", "policies/agreements", "--secret", tmp_path / "linkage.secret",
    )  # fmt: skip
    (tmp_path / "edge" / "inbox" / "2026").mkdir()
    return tmp_path / "edge"


def lay(edge, numbers, **changed):
    rows = [made.senr(f9=f"L{n}", f8=f"{10**9 + n}", **changed) for n in numbers]
    (edge / "inbox" / "2026" / "senr.txt").write_text(made.lines(*rows), newline="")


def accept(edge, state="accepted"):
    for folder in open_workspace(edge).outbox.glob("[0-9a-f]*"):
        (edge / "receipts").mkdir(exist_ok=True)
        path = edge / "receipts" / f"{folder.name}.json"
        if not path.exists():
            path.write_text(json.dumps({"state": state}))


def test_a_first_submission_changes_nothing_that_anybody_knows(edge):
    lay(edge, range(20))

    done = run("prepare", edge)

    assert done.exit_code == 0, done.output
    assert "against the last one" not in done.output


def test_gone_new_and_changed_students_are_listed_by_the_stewards_own_numbers(edge):
    lay(edge, range(20))
    run("prepare", edge)
    accept(edge)
    lay(edge, range(3, 22), f24="06")

    done = run("prepare", edge)

    assert "3 gone (15.0%), 2 new, 17 changed, of 20 students" in done.output
    assert "HOLD-001" in done.output
    told = (edge / "changes-k12-2026.csv").read_text("utf-8-sig").splitlines()
    assert told[:6] == ["Local Student ID,Change", "L0,gone", "L1,gone", "L2,gone", "L20,new", "L21,new"]
    assert len(told) == 1 + 3 + 2 + 17


def test_only_what_the_hub_accepted_is_compared_with(edge):
    lay(edge, range(20))
    run("prepare", edge)
    accept(edge, state="held")
    lay(edge, range(10))

    assert "against the last one" not in run("prepare", edge).output


def test_the_same_again_changes_nothing(edge):
    lay(edge, range(20))
    run("prepare", edge)
    accept(edge)

    done = run("prepare", edge)

    assert "0 gone (0.0%), 0 new, 0 changed, of 20 students" in done.output
    assert "HOLD-001" not in done.output


def test_a_test_run_keeps_nothing(edge):
    lay(edge, range(20))
    before = {str(path) for path in edge.rglob("*")}

    done = run("prepare", edge, "--test")

    assert done.exit_code == 0, done.output
    assert "A test run: nothing was kept." in done.output
    assert {str(path) for path in edge.rglob("*")} - before <= {str(edge / "last"), str(edge / "outbox")}


def test_a_memory_that_was_spoiled_is_passed_over(edge):
    lay(edge, range(20))
    run("prepare", edge)
    accept(edge)
    for path in (edge / "last").glob("*.json"):
        path.write_text("{")

    assert "against the last one" not in run("prepare", edge).output


def test_numbers_that_look_like_formulas_are_text_and_the_repr_shows_counts():
    found = changes({"=1": "a", "b": "c"}, {"b": "d"})

    assert found == Changes(("=1",), (), ("b",), 2)
    assert found.text().splitlines()[1] == "'=1,gone"
    assert repr(found) == "Changes(gone=1, new=0, changed=1)"


@pytest.mark.parametrize(
    ("before", "now", "code"),
    [
        (range(40), range(39), "HOLD-003"),  # one child less, and 160 other made-up people
        (range(40), range(40), ""),  # the same roster is padded alike
        (range(195), range(194), ""),  # five made-up people of two hundred are too few to be held for
        (range(300), range(250), "HOLD-001"),  # too large to be padded
    ],
)
def test_a_roster_of_rows_alone_is_announced_as_held_where_padding_hides_who_is_gone(before, now, code):
    def rows_alone(numbers):
        local_ids = [str(number) for number in numbers]
        return digests(Assembly("novato", "programme", 2026, (), (), (), local_ids, {}), str.encode)

    assert changes(rows_alone(before), rows_alone(now)).hold == code
