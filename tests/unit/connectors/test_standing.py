"""What `setup`, `status`, `schedule` and `push --dry-run` say to a steward."""

import json
import plistlib
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.cli import app
from connectors.errors import WorkspaceError
from connectors.keystore import write_key
from connectors.schedules import lines_for
from connectors.standing import WORDS, Told, as_lines
from connectors.workspace import open_workspace, write_json
from hub.submissions.tables import STATES
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key

pytestmark = pytest.mark.doors


def run(*arguments, typed=None):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)


@pytest.fixture
def given(tmp_path):
    folder = tmp_path / "given"
    (folder / "agreements").mkdir(parents=True)
    for path in Path("policies/agreements").glob("*.yaml"):
        (folder / "agreements" / path.name).write_text(path.read_text())
    keys = {name: generate_recipient_key().public() for name in ("matcher_public_key", "resolver_public_key")}
    write_json(folder / "hub.json", keys | {"schema_hash": current_schema().hash, "epoch": 1})
    write_json(folder / "signatories.json", {"marin-coe": "AAAA"})
    return folder


def test_setup_asks_for_what_was_left_out_and_tells_four_parts_and_the_next_step(given, tmp_path):
    done = run("setup", tmp_path / "edge", typed=f"novato\nhttp://127.0.0.1:9\n{given}\n")

    assert done.exit_code == 0, done.output
    for word in ("keys", "roster     not in an epoch yet", "agreement  DSA-K12 version 1, in force", "sources"):
        assert word in done.output
    assert "roster-entry.json to who makes the roster" in done.output
    entry = json.loads((tmp_path / "edge" / "roster-entry.json").read_text())
    assert entry["public_key"] == open_workspace(tmp_path / "edge").keys.agent().public()


def test_setup_given_again_asks_nothing_and_keeps_the_keys(given, tmp_path):
    run("setup", tmp_path / "edge", "--organisation", "novato", "--hub", "http://127.0.0.1:9")
    before = (tmp_path / "edge" / "roster-entry.json").read_text()

    done = run("setup", tmp_path / "edge", "--from", given)

    assert done.exit_code == 0, done.output
    assert (tmp_path / "edge" / "roster-entry.json").read_text() == before
    assert open_workspace(tmp_path / "edge").settings.hub == "http://127.0.0.1:9"


@pytest.mark.parametrize(("options", "code"), [((), "EDGE-041"), (("--from", "."), "EDGE-041")])
def test_setup_that_nobody_answers_says_what_to_give(options, code, tmp_path):
    done = run("setup", tmp_path / "edge", *options)

    assert isinstance(done.exception, WorkspaceError)
    assert done.exception.code == code
    assert not (tmp_path / "edge").exists()


def test_a_folder_with_nothing_in_it_is_refused_before_anything_is_made(tmp_path):
    done = run("setup", tmp_path / "edge", "--organisation", "novato", "--hub", "https://hub.test", "--from", tmp_path)

    assert done.exception.code == "EDGE-040"
    assert not (tmp_path / "edge").exists()


def test_status_without_a_hub_tells_the_receipts_and_the_next_step(given, tmp_path):
    edge = tmp_path / "edge"
    write_key(tmp_path / "secret", bytes(32))
    run("setup", edge, "--organisation", "novato", "--hub", "http://127.0.0.1:9", "--from", given,
        "--secret", tmp_path / "secret")  # fmt: skip
    held = {"kind": "k12", "school_year": 2026, "state": "held", "next_step": "look at it", "owner": "provider",
            "findings": [{"at": "submission", "code": "HOLD-001"}]}  # fmt: skip
    write_json(edge / "receipts" / f"{'a' * 64}.json", held)

    done = run("status", edge)

    assert done.exit_code == 0, done.output
    for line in (
        "The hub was not reached (PUSH-001)", "k12 2026  aaaaaaaaaaaa  on hold: stored, but not used",
        "HOLD-001 at submission", "next: look at it (owner: provider)", "the inbox is empty",
        "next: lay files into",
    ):  # fmt: skip
        assert line in done.output


def test_every_state_of_the_hub_has_its_words():
    assert set(WORDS) == set(STATES)


def test_accepted_says_that_it_is_not_certified_until_two_persons_said_so():
    def told(persons):
        one = {"submission": "b" * 64, "kind": "k12", "school_year": 2026, "state": "accepted", "certified_by": persons}
        return "\n".join(as_lines(Told([one])))

    assert "not certified: 1 of 2" in told(1)
    assert "not certified" not in told(2)


def test_replaced_ones_are_told_only_when_asked_for():
    one = Told([{"submission": "c" * 64, "state": "replaced"}])

    assert "nothing is at the hub yet" in "\n".join(as_lines(one))
    assert "replaced by a newer one" in "\n".join(as_lines(one, everything=True))


FOLDER, PYTHON = Path("/srv/my edge"), Path("/opt/env/bin/python")


def lines(system, at="02:15", python=PYTHON):
    return list(lines_for(system, folder=FOLDER, at=at, python=python))


def test_a_cron_line_quotes_the_folder_and_ends_after_one_look():
    line, _ = lines("cron")

    assert line.startswith("15 2 * * * ")
    assert shlex.split(line)[5:11] == [
        "umask", "077;", "/opt/env/bin/promise-edge", "watch", "/srv/my edge", "--once",
    ]  # fmt: skip


def test_a_timer_of_systemd_names_program_folder_and_hour():
    told = "\n".join(lines("linux"))

    assert 'ExecStart="/opt/env/bin/promise-edge" watch "/srv/my edge" --once' in told
    assert "OnCalendar=*-*-* 02:15:00" in told


def test_an_agent_of_macos_is_a_property_list():
    told = lines("darwin")

    read = plistlib.loads("\n".join(told[: told.index("")]).encode())
    assert read["ProgramArguments"] == ["/opt/env/bin/promise-edge", "watch", "/srv/my edge", "--once"]
    assert read["StartCalendarInterval"] == {"Hour": 2, "Minute": 15}


def test_a_task_of_windows_names_the_program_with_its_ending():
    told = lines("win32", python=Path("/opt/env/Scripts/python.exe"))[0]

    assert told.startswith("schtasks /Create /TN promise-edge /SC DAILY /ST 02:15 /TR ")
    assert r"\opt\env\Scripts\promise-edge.exe\" watch \"\srv\my edge\" --once" in told


@pytest.mark.parametrize(("system", "at"), [("amiga", "02:15"), ("cron", "25:00"), ("cron", "2:15")])
def test_another_system_or_time_is_refused(system, at):
    with pytest.raises(WorkspaceError, match="EDGE-042"):
        lines(system, at)
