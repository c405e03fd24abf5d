"""A watched folder: waits, takes in, puts aside, prepares, sends; nothing twice, wherever it is stopped."""

import datetime as dt
from contextlib import contextmanager

import httpx
import pytest
from typer.testing import CliRunner

from connectors.arrivals import drop_folder
from connectors.cli import app
from connectors.errors import WorkspaceError
from connectors.one_at_a_time import alone
from connectors.push import Hub
from connectors.road import prepare_year
from connectors.submitting import unsent
from connectors.watching import Watcher, due_years
from tests.spec.connectors import source_files as made
from tests.unit.connectors.accepting_hub import AcceptingHub, workspace_in

NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
pytestmark = pytest.mark.doors


@pytest.fixture
def workspace(tmp_path):
    return workspace_in(tmp_path)


class Watched:
    """A watcher of a workspace with a clock of its own and a hub that stands in."""

    def __init__(self, workspace):
        self.workspace, self.hub, self.now = workspace, AcceptingHub(), NOW
        self.watcher = self.again()

    def again(self):
        watcher = Watcher(self.workspace, self.connect, lambda: self.now)
        watcher.begin()
        return watcher

    @contextmanager
    def connect(self):
        with httpx.Client(base_url="http://hub.test", transport=httpx.MockTransport(self.hub)) as client:
            key = self.workspace.keys.agent()
            yield Hub(client, key, self.workspace.key_id, lambda: self.now, sleep=lambda seconds: None)

    def lay(self, name, content):
        path = drop_folder(self.workspace) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="")

    def look(self):
        self.now += dt.timedelta(seconds=30)
        return "\n".join(self.watcher.look())


@pytest.fixture
def watched(workspace):
    return Watched(workspace)


def enrollment(first, last):
    return made.lines(*(made.senr(f9=f"L{n}", f8=f"{10**9 + n}") for n in range(first, last)))


def test_a_file_is_taken_in_once_it_has_stopped_growing(watched):
    watched.lay("senr.txt", enrollment(0, 7))
    seen_growing = watched.look()
    watched.lay("senr.txt", enrollment(0, 9))
    still_growing = watched.look()

    at_rest = watched.look()

    assert (seen_growing, still_growing) == ("", "")
    assert "senr.txt: taken in for 2026" in at_rest
    assert "accepted: keep the receipt" in at_rest
    assert list(watched.hub.accepted.values()) == [1]
    assert not any(drop_folder(watched.workspace).iterdir())


def test_nothing_is_sent_twice(watched):
    watched.lay("senr.txt", enrollment(0, 7))
    watched.look()
    watched.look()
    watched.lay("senr (1).txt", enrollment(0, 7))
    watched.look()

    again = watched.look()
    watched.watcher = watched.again()

    assert "the same lies in the inbox of 2026 already" in again
    assert (watched.look(), watched.look()) == ("", "")
    assert len(watched.hub.accepted) == 1


def test_what_cannot_be_read_is_put_aside_with_its_findings_and_no_value(watched):
    watched.lay("users.csv", made.SDS_USERS)
    watched.lay("2026/senr.txt", enrollment(0, 7))
    watched.look()

    told = watched.look()

    (aside,) = (watched.workspace.folder / "aside").iterdir()
    assert "users.csv: put aside (FIL-005)" in told
    assert {path.name for path in aside.iterdir()} == {"users.csv", "users.csv.errors.csv", "findings.txt"}
    said = (aside / "findings.txt").read_text() + (aside / "users.csv.errors.csv").read_text() + told
    assert not any(word in said for word in made.MARKED)
    assert len(watched.hub.accepted) == 1


def test_a_file_without_a_school_year_is_put_aside_with_what_to_do(watched):
    watched.lay("roster.csv", made.lines(made.PARTNER_TITLES, made.PARTNER_ROW))
    watched.look()

    told = watched.look()

    (aside,) = (watched.workspace.folder / "aside").iterdir()
    assert "EDGE-044" in told
    assert "drop/YEAR" in (aside / "findings.txt").read_text()


def test_names_of_unfinished_files_and_links_wait(watched, tmp_path):
    (tmp_path / "elsewhere.txt").write_text(enrollment(0, 7))
    for name in (".senr.txt", "senr.txt.part", "~senr.txt", "senr.TMP"):
        watched.lay(name, enrollment(0, 7))
    (drop_folder(watched.workspace) / "link.txt").symlink_to(tmp_path / "elsewhere.txt")

    assert (watched.look(), watched.look()) == ("", "")


def test_a_hub_that_is_silent_is_tried_again_later_with_the_same_submission(watched):
    watched.hub.silent = True
    watched.lay("senr.txt", enrollment(0, 7))
    watched.look()
    assert "PUSH-001" in watched.look()
    (waiting,) = unsent(watched.workspace)

    assert watched.look() == ""
    watched.hub.silent = False
    watched.now += dt.timedelta(seconds=600)

    assert "accepted" in watched.look()
    assert list(watched.hub.accepted) == [waiting.name]


def test_who_is_gone_when_the_hub_will_hold_it_stands_in_a_list_beside_the_inbox(watched):
    for first in (0, 3):
        watched.lay("senr.txt", enrollment(first, 9))
        told = [watched.look() for _ in range(3)]

    assert "HOLD-001" in "".join(told)
    assert "changes-KIND-2026.csv" in "".join(told)
    gone = (watched.workspace.folder / "changes-k12-2026.csv").read_text("utf-8-sig").splitlines()
    assert gone[1:] == ["L0,gone", "L1,gone", "L2,gone"]


def test_stopped_after_preparing_it_forgets_what_was_never_sent(watched):
    watched.lay("senr.txt", enrollment(0, 7))
    watched.look()
    inbox = watched.workspace.inbox / "2026"
    inbox.mkdir()
    (drop_folder(watched.workspace) / "senr.txt").rename(inbox / "senr.txt")
    prepare_year(watched.workspace, 2026, now=watched.now)
    (first,) = unsent(watched.workspace)

    watched.look()

    assert len(watched.hub.accepted) == 1
    assert first.name not in watched.hub.accepted


def test_a_file_mended_in_the_inbox_is_prepared_again_and_a_touched_one_is_not(watched):
    inbox = watched.workspace.inbox / "2026"
    inbox.mkdir()
    (inbox / "senr.txt").write_text("no layout has this\n")
    assert "nothing was prepared" in watched.look()
    assert watched.look() == ""

    (inbox / "senr.txt").write_text(enrollment(0, 7))
    mended = watched.look()
    (inbox / "senr.txt").write_text(enrollment(0, 7))

    assert "prepared" in mended
    assert due_years(watched.workspace) == []


def test_what_a_person_prepared_is_not_prepared_again(watched):
    inbox = watched.workspace.inbox / "2026"
    inbox.mkdir()
    (inbox / "senr.txt").write_text(enrollment(0, 7))

    done = CliRunner().invoke(app, ["prepare", str(watched.workspace.folder)])

    assert done.exit_code == 0, done.output
    assert due_years(watched.workspace) == []


def test_one_program_at_a_time(workspace):
    with alone(workspace.folder):
        done = CliRunner().invoke(app, ["watch", str(workspace.folder), "--once"])
    assert isinstance(done.exception, WorkspaceError)
    assert done.exception.code == "EDGE-043"
    with alone(workspace.folder):
        pass


def test_a_dry_run_does_nothing(watched):
    watched.lay("senr.txt", enrollment(0, 7))

    done = CliRunner().invoke(app, ["watch", str(watched.workspace.folder), "--dry-run"])

    assert "would check and take in: senr.txt" in done.output
    assert "next: promise-edge watch" in done.output
    assert [path.name for path in drop_folder(watched.workspace).iterdir()] == ["senr.txt"]


def test_one_look_takes_in_what_is_there_and_ends(watched):
    watched.lay("users.csv", made.SDS_USERS)

    done = CliRunner().invoke(app, ["watch", str(watched.workspace.folder), "--once", "--every", "0.1"])

    assert done.exit_code == 0, done.output
    assert "users.csv: put aside (FIL-005)" in done.output
    assert "next: promise-edge status" in done.output
