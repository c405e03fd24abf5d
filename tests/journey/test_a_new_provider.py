"""A new provider from nothing to its first accepted file, against a served hub: at most eight commands, each of which
prints the next one."""

import datetime as dt
import json
import re
import shlex
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
from tests.databases import empty_address, settings_of
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
    with settings_of(empty_address(tmp_path / "hub")):
        made_here = Partnership(tmp_path)
        yield made_here
        made_here.close()


def printed(told, **words):
    """The command that the last "next:" line says, as a person would type it."""
    line = told.strip().splitlines()[-1]
    found = re.search(r"promise-edge ((?:keys )?[a-z]+ [^\s,;]+)", line)
    assert "next: " in line and found, line
    text = found[1]
    for word, value in words.items():
        text = text.replace(word, value)
    first, *rest = shlex.split(text)
    return [first, *(name for part in rest for name in expanded(part))]


def expanded(part):
    """As a shell does: a star is every file of the folder."""
    return sorted(str(path) for path in Path(part).parent.glob("*")) if part.endswith("*") else [part]


def test_a_new_provider_has_its_first_file_accepted_in_at_most_eight_commands_each_printed_by_the_last(
    partnership, tmp_path
):
    edge = tmp_path / "novato"
    typed = [["setup", edge, "--organisation", "novato", "--hub", partnership.url, "--from", partnership.given]]
    told = [partnership.edge(*typed[0])]

    def lay_in_files():
        file = edge / "inbox" / "2026" / "senr.txt"
        file.parent.mkdir()
        file.write_text(made.lines(*(made.senr(f9=f"L{n}", f8=f"{10**9 + n}") for n in range(9))), encoding="utf-8")

    others = {
        "setup": lambda: partnership.take_on(edge / "roster-entry.json"),
        "keys accept": partnership.begin,
        "keys begin": lay_in_files,
    }
    """What the others do, or the steward without a command, after each of these."""
    while typed[-1][0] != "status":
        others.get(" ".join(map(str, typed[-1][: 1 + (typed[-1][0] == "keys")])), lambda: None)()
        typed.append(printed(told[-1], YEAR="2026"))
        told.append(partnership.edge(*typed[-1]))

    assert [" ".join(one[: 1 + (one[0] == "keys")]) for one in typed] == [
        "setup", "keys accept", "keys begin", "check", "prepare", "push", "receipt", "status",
    ]  # fmt: skip
    assert len(typed) <= COMMANDS_MAX
    assert "accepted" in told[5]
    assert "proved: event" in told[6]
    assert "accepted: it stands at the hub" in told[7]
