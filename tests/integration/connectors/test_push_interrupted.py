"""A push that is killed at any moment: the next one goes on, and there is one submission and one receipt.

A child process pushes to a served hub and is killed (SIGKILL) after a random part of the time that a whole push takes;
small submissions, that go in one request, and large ones, that go in chunks, in turn.
"""

import datetime as dt
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from connectors.batches import batches, inbox_files, read_reports
from connectors.installing import Given, install
from connectors.keystore import write_key
from connectors.log_commands import checked
from connectors.prepare import agreed, prepare, sealing_of
from connectors.push import CARRIED_BYTES_MAX, Hub, push
from connectors.submitting import unsent
from connectors.workspace import make_workspace
from hub.audit.events import AuditTrail
from hub.audit.tables import Detail
from hub.cli import app
from hub.db import Database
from hub.identity.agents import load_roster
from hub.settings import Settings
from hub.submissions.tables import Submission
from policies.submission import canonical_json, manifest_bytes, read_manifest, sign_manifest, submission_id
from tests.conftest import stand_in_force
from tests.databases import empty_address, settings_of
from tests.spec.connectors import source_files as made

pytestmark = pytest.mark.doors
NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
SMALL, LARGE = 12, 3600
SYLLABLES = ("qua", "zor", "vex", "lim", "pha", "dro", "wyn")


class Road:
    """A served hub, an edge whose key it knows, and one small and one large prepared submission to vary."""

    def __init__(self, folder):
        self.folder, home = folder, folder / "hub"
        assert CliRunner().invoke(app, ["init", str(home), "--synthetic"]).exit_code == 0
        self.workspace = make_workspace(folder / "edge", organisation="novato", hub="http://hub.test")
        write_key(folder / "linkage.secret", bytes(32))
        given = Given(home / "hub.json", Path("policies/agreements"), secret=folder / "linkage.secret")
        install(self.workspace, given)
        self.database = Database(Settings(home=home).resolved_database_url())
        key = self.workspace.keys.agent()
        entry = {"organisation": "novato", "key_id": self.workspace.key_id, "public_key": key.public()}
        trail = AuditTrail("operator", None, "command", "test", now)
        with self.database.transaction() as session:
            load_roster(session, {"agents": [entry]}, audit=trail)
            for file in sorted(Path("policies/agreements").glob("*.yaml")):
                stand_in_force(session, file.read_text("utf-8"), audit=trail)
        serve = [sys.executable, "-m", "hub.cli", "serve", "--home", str(home), "--port", "0"]
        self.server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.server.stdout.readline().strip()
        self.bases = [self.prepared(SMALL, year=2026), self.prepared(LARGE, year=2025)]

    def prepared(self, students, *, year):
        inbox = self.workspace.inbox / str(year)
        inbox.mkdir(exist_ok=True)
        rows = (row_of(number, year) for number in range(students))
        (inbox / "senr.txt").write_text(made.lines(*rows), encoding="utf-8", newline="")
        latest = dt.date(year, 6, 30)
        paths = inbox_files(self.workspace.inbox, year)
        (batch,) = batches(
            read_reports(paths, source_map=self.workspace.source_map(), school_year=year, latest=latest),
            school_year=year,
        )
        done = prepare(
            batch.readings, workspace=self.workspace, sealing=sealing_of(self.workspace), kind="k12", school_year=year,
            agreement=agreed(self.workspace, self.workspace.agreements(), NOW.date()), now=NOW,
        )  # fmt: skip
        base = self.folder / f"base-{students}"
        done.folder.rename(base)
        return base

    def submission(self, number):
        """Another submission with the chunks of the small or the large one: made a second later, so named anew."""
        base = self.bases[number % 2]
        created = (NOW + dt.timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        manifest = read_manifest({**json.loads((base / "manifest.json").read_bytes()), "created_at": created})
        folder = self.workspace.outbox / submission_id(manifest)
        shutil.copytree(base, folder)
        (folder / "manifest.json").write_bytes(manifest_bytes(manifest))
        signature = sign_manifest(manifest, self.workspace.keys.agent().signer())
        (folder / "signature.json").write_bytes(canonical_json({"signature": signature}))
        return folder

    def push(self, folder):
        with httpx.Client(base_url=self.url, timeout=60) as client:
            hub = Hub(client, self.workspace.keys.agent(), self.workspace.key_id, now)
            return push(hub, folder, receipts=self.workspace.receipts)

    def push_and_be_killed(self, folder, seconds):
        """Whether the push was cut off: its process was killed before it ended."""
        child = os.fork()
        if child == 0:
            try:
                self.push(folder)
            finally:
                os._exit(0)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])

    def close(self):
        self.database.close()
        self.server.terminate()
        self.server.communicate(timeout=20)


def row_of(number, year):
    """An enrollment whose names and birth date are spread evenly; no word in it is a name."""
    one, other = (SYLLABLES[number // step % 7] + SYLLABLES[number // step // 7 % 7] for step in (1, 49))
    born = dt.date(2008, 1, 1) + dt.timedelta(days=number * 7919 % 3300)
    given, surname = f"Qz{one}{other}".title(), f"Vw{other}{one}".title()
    changed = {"f10": given, "f12": surname, "f17": born.strftime("%Y%m%d"), "f7": f"{year - 1}-{year}"}
    return made.senr(f22=f"{year - 1}0820", f9=f"L{number}", f8=f"{10**9 + number}", **changed)


def now():
    return dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    folder = tmp_path_factory.mktemp("road")
    with settings_of(empty_address(folder / "hub")):
        made_here = Road(folder)
    yield made_here
    made_here.close()


def interrupt(road, points, *, seed):
    """Cuts a push at each of so many random points and then gives it again; how many were cut before they ended."""
    chance, whole, cut, names = random.Random(seed), {}, 0, []
    for number in (0, 1):
        begun = time.perf_counter()
        names.append(road.push(road.submission(seed + number)).submission)
        whole[number] = time.perf_counter() - begun
    for number in range(points):
        folder = road.submission(seed + 2 + number)
        cut += road.push_and_be_killed(folder, chance.random() * whole[(seed + number) % 2])
        waiting = unsent(road.workspace)
        assert waiting in ([folder], [])
        assert road.push(folder).state in ("accepted", "replaced")
        assert unsent(road.workspace) == []
        names.append(folder.name)
    return cut, names


def check_once(road, names):
    """Each submission stands once at the hub, was opened, committed and accepted once, and has one true receipt."""
    with road.database.reading() as session:
        known = [name for (name,) in session.query(Submission.id)]
        events = [(row.event, row.resource) for row in session.query(Detail)]
    for name in names:
        assert known.count(name) == 1
        for event in ("submission.opened", "submission.committed", "submission.accepted"):
            assert events.count((event, f"submission:{name}")) == 1
        (receipt,) = road.workspace.receipts.glob(f"{name}*")
        assert checked(json.loads(receipt.read_text()), name, road.workspace).startswith("proved: event")


def test_the_large_one_goes_in_chunks_and_the_small_one_in_one_request(road):
    sizes = [sum(path.stat().st_size for path in (base / "chunks").iterdir()) for base in road.bases]

    assert sizes[0] < CARRIED_BYTES_MAX < sizes[1]


def test_a_push_killed_at_five_random_points_goes_on(road):
    _, names = interrupt(road, 5, seed=0)

    check_once(road, names)


@pytest.mark.faults
@pytest.mark.slow
def test_a_push_killed_at_a_hundred_random_points_goes_on(road):
    cut, names = interrupt(road, 100, seed=1000)

    check_once(road, names)
    assert cut >= 50
