"""Two hundred planted people with names that are no words: no form of any of them is found behind the wall.

They go the whole way of a file: read, checked, encoded and sent by a real edge, taken in, linked and counted by a real
hub that also fails on purpose. Looked through are database and journal, every file opened with every key, what went
over the wire both ways, the temporary folder, what was printed and logged, and a backup. A build that leaks is caught.
"""

import datetime as dt
import importlib.util
import io
import shutil
import tempfile
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from connectors.batches import Batch
from connectors.keystore import write_key
from connectors.prepare import sealing_of
from connectors.push import Hub, push
from connectors.reading import read_file
from connectors.submitting import Preparation
from connectors.workspace import make_workspace, read_agreements
from hub.app import create_app, hub_parts
from hub.audit.events import EventType
from hub.audit.service import append
from hub.files import analysis_store
from hub.identity.agents import load_roster
from hub.linking.service import accept_run, request_run
from hub.log import Log
from hub.operations.opening import open_every_file
from hub.outcomes.service import take_snapshot
from tests.conftest import StandingClock
from tests.databases import address_of, content_of, copy_home
from tests.integration.hub.conftest import BASE, SECRET, AppTransport, MadeUpHub
from tests.spec.connectors import source_files as made

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("identity_search", ROOT / "tests" / "attacker" / "identity_search.py")
identity_search = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(identity_search)
SOUNDS = ("qwix", "zzyx", "vorq", "xebl", "jhux", "wqaz", "kzev", "yxor", "fquz", "bvix")
PEOPLE = [
    {
        "person": str(number),
        "given": f"{SOUNDS[number % 10]}{SOUNDS[number // 10 % 10]}ub".title(),
        "surname": f"{SOUNDS[number // 10 % 10]}{SOUNDS[number % 10]}{'aeiou'[number // 100]}rk".title(),
        "birth_date": f"2015-{1 + number % 12:02d}-{1 + number % 28:02d}",
        "marked": "1",
    }
    for number in range(200)
]


class Wire(httpx.BaseTransport):
    """Keeps what goes over the wire, each message a file, as somebody who listens behind the encryption would."""

    def __init__(self, inner, folder):
        self._inner, self._folder = inner, folder
        folder.mkdir()

    def handle_request(self, request):
        answer = self._inner.handle_request(request)
        number = len(list(self._folder.iterdir()))
        head = f"{request.method} {request.url}\n{request.headers}\n{answer.headers}".encode()
        for at, content in enumerate((head, request.content, answer.read())):
            (self._folder / f"{number + at:05d}").write_bytes(content)
        return answer


class World:
    """A hub and an edge, and all the places behind the wall where a name could lie."""

    def __init__(self, folder, template):
        self.folder, self.clock = folder, StandingClock()
        copy_home(template, folder / "hub")
        self.hub = MadeUpHub(folder / "hub", address_of(folder / "hub"), self.clock)
        self.told = io.StringIO()
        parts = hub_parts(self.hub.settings, clock=self.clock, log=Log(clock=self.clock, stream=self.told))
        self.client = httpx.Client(transport=Wire(AppTransport(create_app(parts)), folder / "wire"), base_url=BASE)
        self.parts = parts

    def go_the_whole_way(self, people):
        edge = make_workspace(self.folder / "edge", organisation="novato", hub=BASE)
        shutil.copyfile(self.hub.home.public, edge.folder / "hub.json")
        write_key(edge.keys.folder / "linkage.secret", SECRET)
        entry = {"organisation": "novato", "key_id": edge.key_id, "public_key": edge.keys.agent().public()}
        with self.hub.database.transaction() as session:
            load_roster(session, {"agents": [entry]}, audit=self.hub.trail)
        (edge.inbox / "senr.txt").write_text(made.lines(*map(row_of, people)), "utf-8")
        reading = read_file(edge.inbox / "senr.txt", latest=dt.date(2026, 6, 30))
        agreements = read_agreements(ROOT / "policies" / "agreements")
        agreement = next(one for one in agreements if one.id == "DSA-K12")
        preparation = Preparation(edge, sealing_of(edge), agreement, self.clock())
        prepared = preparation.prepare(Batch("k12", 2026, [reading]))
        wire = Hub(self.client, edge.keys.agent(), edge.key_id, self.clock, sleep=lambda seconds: self.hub.work())
        answer = push(wire, prepared.folder, receipts=edge.receipts)
        assert answer.state == "accepted"
        shutil.copytree(edge.outbox, self.folder / "outbox")
        shutil.rmtree(edge.folder)

    def link_and_count(self):
        with self.hub.database.transaction() as session:
            version = request_run(session, audit=self.hub.trail)
        self.hub.work()
        with self.hub.database.transaction() as session:
            accept_run(session, version, audit=self.hub.trail)
        take_snapshot(self.hub.database, analysis=analysis_store(self.hub.home), audit=self.hub.trail)

    def fail(self):
        """A request that fails inside, so that its traceback is told as the hub tells it."""
        with self.hub.database.transaction() as session:
            session.execute(text("ALTER TABLE releases RENAME TO gone"))
        assert self.client.get("/v1/releases").status_code == 500
        with self.hub.database.transaction() as session:
            session.execute(text("ALTER TABLE gone RENAME TO releases"))

    def found(self):
        """What the search finds, after a backup was made and every store was opened with its key."""
        open_every_file(self.hub.settings, self.hub.database, out=self.folder / "opened", audit=self.hub.trail)
        (self.folder / "backup").mkdir()
        (self.folder / "backup" / "hub.db").write_bytes(content_of(self.hub.database))
        (self.folder / "told.log").write_text(self.told.getvalue(), "utf-8")
        found = identity_search.search(PEOPLE, [self.folder])
        return {Path(path).relative_to(self.folder).parts[0] for path in found["paths"]}, found

    def close(self):
        self.hub.close()
        self.parts.database.close()


def row_of(person):
    number = int(person["person"])
    return made.senr(
        f8=f"{1_000_000_000 + number}", f9=f"L{number}", f10=person["given"], f12=person["surname"],
        f17=person["birth_date"].replace("-", ""),
    )  # fmt: skip


@pytest.fixture
def world(tmp_path, home_template):
    (tmp_path / "temporary").mkdir()
    kept, tempfile.tempdir = tempfile.tempdir, str(tmp_path / "temporary")
    made_up = World(tmp_path, home_template)
    yield made_up
    tempfile.tempdir = kept
    made_up.close()


def test_no_form_of_two_hundred_marked_people_is_found_behind_the_wall(world, capfd):
    world.go_the_whole_way(PEOPLE)
    world.link_and_count()
    world.fail()
    printed = capfd.readouterr()
    (world.folder / "printed.log").write_text(printed.out + printed.err, "utf-8")

    places, found = world.found()

    assert places == set()
    assert (found["hits"], found["marked"]) == (0, 200)
    assert found["files"] > 60
    assert "request.failed" in world.told.getvalue()
    assert "request.failed" in world.hub.events()


def test_a_build_that_tells_a_name_to_its_log_is_caught_in_database_and_backup(world):
    with world.hub.database.transaction() as session:
        append(session, world.hub.trail, EventType.PAGE_READ, resource=f"person:{PEOPLE[7]['surname'].lower()}")

    places, _ = world.found()

    assert places == ({"hub", "backup"} if world.hub.database.is_sqlite else {"backup"})


def test_a_build_whose_edge_sends_a_name_among_facts_is_caught_on_the_wire_and_in_the_opened_store(world):
    edge = world.hub.enrol("novato")
    edge.hub.client.close()
    edge.hub.client = world.client
    facts = [
        {
            "t": "attendance",
            "r": edge.reference(1).hex(),
            "school": PEOPLE[3]["surname"],
            "days_expected": 180,
            "days_attended": 170,
        }
    ]
    edge.send(edge.prepare([], facts=facts))
    world.hub.work()

    places, _ = world.found()

    assert places == {"wire", "opened"}


def test_a_build_that_leaves_a_file_in_the_temporary_folder_is_caught(world):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(PEOPLE[5]["given"][::-1].lower().encode())

    places, _ = world.found()

    assert places == {"temporary"}
