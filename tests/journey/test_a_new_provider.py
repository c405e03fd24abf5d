"""A new provider from nothing to its first accepted file, against a served hub: at most eight commands, each of which
prints the next one."""

import datetime as dt
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.cli import app as edge_app
from hub.audit.events import AuditTrail
from hub.cli import app as hub_app
from hub.db import Database
from hub.settings import Settings
from tests.conftest import stand_in_force
from tests.spec.connectors import source_files as made

pytestmark = [pytest.mark.doors, pytest.mark.journey]
COMMANDS_MAX = 8
CUSTODIANS = ("marin-coe", "college-of-marin")


def command(app, *arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    return done.output


def operator(*arguments):
    return command(hub_app, *arguments)


class Partnership:
    """All the others: the operator with a served hub, two custodians who sign too, who makes the roster."""

    def __init__(self, folder):
        self.folder, self.home, self.given = folder, folder / "hub", folder / "given"
        operator("init", self.home, "--synthetic")
        self.agree()
        serve = [sys.executable, "-m", "hub.cli", "serve", "--home", str(self.home), "--port", "0"]
        self.server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.server.stdout.readline().strip()
        signatories = {}
        for name in CUSTODIANS:
            key = folder / f"{name}.key"
            signatories |= json.loads(self.edge("keys", "signatory", key, "--organisation", name).splitlines()[0])
        self.give_out(signatories)
        for name in CUSTODIANS:
            self.edge("setup", folder / name, "--organisation", name, "--hub", self.url, "--from", self.given)

    def agree(self):
        """The agreements as they stand when all parties have signed and two persons approved."""
        database = Database(Settings(home=self.home).resolved_database_url())
        trail = AuditTrail("operator", None, "command", "test", lambda: dt.datetime.now(dt.UTC))
        with database.transaction() as session:
            for file in sorted(Path("policies/agreements").glob("*.yaml")):
                stand_in_force(session, file.read_text("utf-8"), audit=trail)
        database.close()

    def edge(self, *arguments):
        return command(edge_app, *arguments)

    def give_out(self, signatories):
        shutil.copytree("policies/agreements", self.given / "agreements")
        (self.given / "hub.json").write_bytes((self.home / "hub.json").read_bytes())
        (self.given / "signatories.json").write_text(json.dumps(signatories))

    def take_on(self, entry):
        """A roster with the newcomer, signed and proposed; the custodians give their shares."""
        roster = self.folder / "roster.json"
        entries = [self.folder / name / "roster-entry.json" for name in CUSTODIANS]
        named = [part for name in CUSTODIANS for part in ("--custodian", name)]
        self.edge("keys", "roster", roster, *entries, entry, "--epoch", "1", *named)
        for name in CUSTODIANS:
            self.edge("keys", "sign", roster, "--organisation", name, "--key", self.folder / f"{name}.key")
        operator("epochs", "propose", roster, "--signatories", self.given / "signatories.json", "--home", self.home)
        for name in (*CUSTODIANS, *CUSTODIANS):
            self.edge("keys", "give", self.folder / name)
        for name in CUSTODIANS:
            self.edge("keys", "accept", self.folder / name)

    def begin(self):
        operator("epochs", "begin", "1", "--home", self.home)

    def close(self):
        self.server.terminate()
        self.server.communicate(timeout=20)


@pytest.fixture
def partnership(tmp_path):
    made_here = Partnership(tmp_path)
    yield made_here
    made_here.close()


def test_a_new_provider_has_its_first_file_accepted_in_at_most_eight_commands(partnership, tmp_path):
    given: list[str] = []
    edge = tmp_path / "novato"

    def steward(*arguments):
        told = partnership.edge(*arguments)
        given.append(told)
        return told

    steward("setup", edge, "--organisation", "novato", "--hub", partnership.url, "--from", partnership.given)
    partnership.take_on(edge / "roster-entry.json")
    steward("keys", "accept", edge)
    partnership.begin()
    steward("keys", "begin", edge)
    file = edge / "inbox" / "2026" / "senr.txt"
    file.parent.mkdir()
    file.write_text(made.lines(*(made.senr(f9=f"L{n}", f8=f"{10**9 + n}") for n in range(9))), encoding="utf-8")
    steward("check", file)
    steward("prepare", edge)
    pushed = steward("push", edge)
    receipt = steward("receipt", edge)
    status = steward("status", edge)

    assert "accepted" in pushed
    assert "proved: event" in receipt
    assert "accepted: it stands at the hub" in status
    assert len(given) <= COMMANDS_MAX
    assert all("next: " in told for told in given), [told for told in given if "next: " not in told]
