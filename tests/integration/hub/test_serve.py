"""`promise-hub` as programs: set up, served over real HTTP, killed, stopped, verified."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from hub.audit.tables import Detail
from hub.cli import app
from hub.errors import SettingError
from hub.linking.service import request_run
from hub.serve import supervise
from hub.settings import Settings

COMMANDS = {
    "init", "migrate", "serve", "work", "sign-in-link", "token", "roster", "agreements", "submissions", "linkage",
    "audit", "outcomes", "release", "operations",
}  # fmt: skip


def promise_hub(*command):
    """One command in this process: exit code, standard output, standard error."""
    done = CliRunner().invoke(app, [str(part) for part in command])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def served(home):
    """A hub served as processes on a free port; the address and the supervisor."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "serve", "--home", str(home), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    url = process.stdout.readline().strip()
    yield url, process
    if process.poll() is None:
        process.terminate()
    process.communicate(timeout=20)


def children(pid):
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    return [int(line) for line in listed.stdout.split()]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_served_hub_answers_survives_a_killed_role_and_stops_with_a_whole_log(home, served):
    url, supervisor = served

    ready = httpx.get(f"{url}/v1/ready")
    until(lambda: len(children(supervisor.pid)) == 4)
    killed = children(supervisor.pid)[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(set(children(supervisor.pid)) - {killed}) == 4)
    until(lambda: httpx.get(f"{url}/v1/log/checkpoint").status_code == 200)
    supervisor.terminate()
    supervisor.wait(20)
    code, told, _ = promise_hub("audit", "verify", "--home", home)

    assert (ready.status_code, supervisor.returncode, code) == (200, 0, 0)
    assert "whole" in told


def test_roles_stop_by_themselves_when_the_supervisor_is_killed(served):
    _, supervisor = served
    until(lambda: len(children(supervisor.pid)) == 4)
    roles = children(supervisor.pid)

    supervisor.kill()
    supervisor.wait(5)

    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in roles))


def test_a_taken_port_is_told(home):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingError) as refused:
        supervise(Settings(home=home, port=taken.getsockname()[1]), announce=print)

    assert refused.value.code == "port-taken"


def test_a_changed_log_ends_with_one_and_names_the_entry(sqlite_hub, tmp_path):
    sqlite_hub.enrol("novato")
    sqlite_hub.work()
    summary = tmp_path / "audit.json"
    with sqlite_hub.database.transaction() as session:
        session.execute(update(Detail).where(Detail.sequence == 2).values(actor="person:other"))

    code, _, told = promise_hub("audit", "verify", "--home", sqlite_hub.home.path, "--summary", summary)

    assert (code, json.loads(summary.read_text())["first_bad"]) == (1, 2)
    assert "entry 2" in told


def test_a_log_that_nobody_signed_ends_with_three(home):
    code, _, told = promise_hub("audit", "verify", "--home", home)

    assert (code, "Cannot tell" in told) == (3, True)


def test_the_commands_of_a_home_load_link_and_export(sqlite_hub, tmp_path):
    home, edge = sqlite_hub.home.path, sqlite_hub.enrol("novato")
    edge.deliver(range(12))
    roster = tmp_path / "roster.json"
    roster.write_text(
        json.dumps({"agents": [{"organisation": "reed", "key_id": "reed:1", "public_key": edge.public_key}]})
    )
    with sqlite_hub.database.transaction() as session:
        version = request_run(session, audit=sqlite_hub.trail)
    sqlite_hub.work()
    truth = tmp_path / "truth.csv"
    truth.write_text("provider,record_reference,person,custom\nnovato," + edge.reference(1).hex() + ",p1,made-up\n")
    sent = {}
    for command in (
        ("roster", "load", roster, "--home", home),
        ("agreements", "load", Path(__file__).parents[3] / "policies" / "agreements", "--home", home),
        ("linkage", "accept", version, "--home", home),
        ("operations", "approve-made-up", "--home", home),
        ("linkage", "evaluate", "--truth", truth, "--home", home),
        ("work", "--role", "matcher", "--home", home),
        ("sign-in-link", "--role", "steward", "--organisation", "novato", "--home", home, "--url", "http://hub.test"),
        ("token", "--agreement", "DUL-7", "--organisation", "canal-alliance", "--home", home),
        ("audit", "export", "--out", tmp_path / "log.jsonl", "--home", home),
        ("operations", "open", "--out", tmp_path / "opened", "--home", home),
        ("linkage", "revert", "--home", home),
        ("migrate", "--home", home),
    ):
        sent[" ".join(map(str, command[:2]))] = promise_hub(*command)

    assert {name: code for name, (code, _, _) in sent.items()} == dict.fromkeys(sent, 0)
    assert "Act 1 is asked." in sent["roster load"][1]
    assert sent["operations approve-made-up"][1] == "2 acts are approved.\n"
    assert sent["sign-in-link --role"][1].startswith("http://hub.test/sign-in?link=")
    assert json.loads(sent["linkage evaluate"][1])["records"] == 1
    bundle = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    signed = sum("detail" in line for line in bundle)
    assert bundle[-1]["entries"] == signed
    assert len(sqlite_hub.events()) - 26 <= signed <= len(sqlite_hub.events())
    assert list((tmp_path / "opened" / "rows").iterdir())


@pytest.mark.parametrize("command", [("submissions", "approve", "0" * 64), ("release", "publish")])
def test_a_refused_command_ends_with_one_and_says_what_to_do_next(home, command):
    code, _, told = promise_hub(*command, "--home", home)

    assert (code, "Next step: " in told) == (1, True)


def test_a_wrong_role_is_wrong_use(home):
    assert promise_hub("sign-in-link", "--role", "agent", "--home", home)[0] == 2
    assert promise_hub("work", "--role", "api", "--home", home)[0] == 2


def test_a_hub_is_not_made_where_one_stands(home):
    code, _, told = promise_hub("init", home)

    assert (code, told.split(":")[0]) == (1, "home-exists")


def test_every_command_group_is_there():
    found = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    named = {name or "" for name in found} | {
        command.callback.__name__ for command in app.registered_commands if command.name is None
    }

    assert named >= COMMANDS
