"""Drills of the faults tests: a served hub that is killed while offices send, and what must hold afterwards.

The short forms run as tests; `python3 run.py soak` runs them at their full counts and prints the figures.
"""

import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib import resources
from types import SimpleNamespace

import httpx
from sqlalchemy import inspect, text

from hub.audit.events import AuditTrail
from hub.audit.service import open_log
from hub.audit.tables import Detail
from hub.audit.verify import Trusted, verify_log
from hub.db import Database, utc_now
from hub.identity.agents import load_roster
from hub.identity.service import load_organisations
from hub.jobs import LEASE_SECONDS
from hub.linking import service
from hub.linking.waiting import wait_for
from hub.operations.installation import downgrade, organisations, upgrade
from hub.settings import Home
from policies.translog.note import read_vkey
from tests.conftest import stand_in_force
from tests.databases import SETTING, settings_address
from tests.integration.hub.conftest import MadeUpEdge

READY_SECONDS = 10.0
PEOPLE = range(6)
ROSTERS = {"novato": range(60), "reed": range(30, 80), "ross": range(40, 90)}
SENT_SECONDS = LEASE_SECONDS + 60.0
"""A job whose worker was killed is taken again when its lease has run out."""


@dataclass
class Found:
    """What a drill counted; the first three are to be nothing."""

    lost: int = 0
    doubled: int = 0
    unclean: list = field(default_factory=list)
    points: int = 0
    slowest_start: float = 0.0
    whole: bool = False

    def as_json(self):
        return vars(self)


class ServedHub:
    """A hub as processes on one port, in a group of their own that can be killed at once."""

    def __init__(self, folder, url):
        self.home, self.url, self.database = Home(folder), url, Database(url)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.trail = AuditTrail("operator", None, "command", "drill", utc_now)
        self.process, self.clients = None, []
        with self.database.transaction() as session:
            open_log(session)
            load_organisations(session, organisations())
            for file in resources.files("policies").joinpath("agreements").iterdir():
                stand_in_force(session, file.read_text("utf-8"), audit=self.trail)

    def start(self):
        """Start it; seconds until it was ready."""
        environment = os.environ | {SETTING: settings_address(self.url), "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "hub.cli", "serve", "--home", str(self.home.path), "--port", str(self.port)]
        begun = time.monotonic()
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while not self._ready():
            if time.monotonic() - begun > 6 * READY_SECONDS or self.process.poll() is not None:
                raise AssertionError("the hub did not come back")
            time.sleep(0.05)
        return time.monotonic() - begun

    def kill(self):
        """Every process of it at once, as a power cut does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def close(self):
        self.stop()
        for client in self.clients:
            client.close()
        self.database.close()

    def edge(self, organisation):
        """An enrolled edge that sends over real HTTP."""
        client = httpx.Client(base_url=self.address, timeout=30)
        self.clients.append(client)
        edge = MadeUpEdge(organisation, SimpleNamespace(facts=self.home.public_facts(), client=client, clock=utc_now))
        entry = {"organisation": organisation, "key_id": edge.key_id, "public_key": edge.public_key}
        with self.database.transaction() as session:
            load_roster(session, {"agents": [entry]}, audit=self.trail)
        return edge

    def accepted(self):
        """How often each submission was accepted, by the log."""
        with self.database.reading() as session:
            return Counter(row.resource for row in session.query(Detail).filter(Detail.event == "submission.accepted"))

    def verdict(self):
        log, last = read_vkey(self.home.public_facts()["log_verifier"]), self.home.signer / "last-checkpoint"
        notes = (last.read_text("utf-8"),) if last.is_file() else ()
        with self.database.reading() as session:
            return verify_log(session, Trusted(log, notes=notes))

    def _ready(self):
        try:
            return httpx.get(f"{self.address}/v1/ready", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False


def send_until_accepted(edge, prepared, unclean, *, seconds=SENT_SECONDS):
    """Send as an edge does: whatever breaks off is tried again; the state at the end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            opened = edge.open(prepared)
            if opened.status_code in (200, 201):
                for name in opened.json()["missing"]:
                    edge.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", prepared.chunks[name])
                edge.ask("POST", f"/v1/submissions/{prepared.id}/commit")
                state = edge.state(prepared).get("state")
                if state in ("accepted", "replaced"):
                    return state
            elif opened.status_code not in (500, 503):
                unclean.append(opened.status_code)
            if opened.status_code >= 500 and "next_step" not in opened.text:
                unclean.append(opened.status_code)
        except (httpx.HTTPError, ValueError, KeyError):
            pass
        time.sleep(0.1)
    return "lost"


def kill_while_sending(hub, points, *, seed, within_seconds=0.7, until=math.inf):
    """Kill every process at random moments of an intake, so often; each submission is to be accepted once."""
    rng, found = random.Random(seed), Found()
    edge, sent = hub.edge("novato"), []
    hub.start()
    for point in _while_there_is_time(found, points, until):
        prepared = edge.prepare(PEOPLE, year=2020 + point % 6)
        states = []
        sender = threading.Thread(
            target=lambda one=prepared, into=states: into.append(send_until_accepted(edge, one, found.unclean))
        )
        sender.start()
        time.sleep(rng.uniform(0, within_seconds))
        hub.kill()
        found.slowest_start = max(found.slowest_start, hub.start())
        sender.join()
        sent.append(prepared.id)
        found.lost += states != ["accepted"]
    time.sleep(0.5)
    hub.stop()
    told = hub.accepted()
    found.lost += sum(not told[f"submission:{one}"] for one in sent)
    found.doubled = sum(count - 1 for count in told.values() if count > 1)
    found.whole = hub.verdict().whole is True
    return found


def kill_while_linking(hub, points, *, seed, within_seconds=1.0, until=math.inf):
    """Kill every process at random moments of a linkage run; the former run holds until this one is done, once, and
    its persons are the same."""
    rng, found = random.Random(seed), Found()
    edges = [hub.edge(name) for name in ROSTERS]
    hub.start()
    for edge in edges:
        found.lost += send_until_accepted(edge, edge.prepare(ROSTERS[edge.organisation]), found.unclean) == "lost"
    persons = _linked(hub, _requested(hub))
    for _ in _while_there_is_time(found, points, until):
        version = _requested(hub)
        time.sleep(rng.uniform(0, within_seconds))
        hub.kill()
        found.lost += _links(hub) != persons
        found.slowest_start = max(found.slowest_start, hub.start())
        found.lost += _linked(hub, version) != persons
    hub.stop()
    with hub.database.reading() as session:
        resolved = Counter(row.resource for row in session.query(Detail).filter(Detail.event == "linkage.resolved"))
    found.lost += len(resolved) != found.points + 1
    found.doubled = sum(count - 1 for count in resolved.values()) + len(list(hub.home.handover.iterdir()))
    found.whole = hub.verdict().whole is True
    return found


def _while_there_is_time(found, points, until):
    """The number of each point, as long as there is time; counted in what was found."""
    for point in range(points):
        if time.monotonic() > until:
            return
        found.points += 1
        yield point


def _requested(hub):
    with hub.database.transaction() as session:
        return service.request_run(session, audit=hub.trail)


def _linked(hub, version):
    """The links once the run is resolved and holds."""
    wait_for(hub.database, version, timeout_seconds=SENT_SECONDS)
    with hub.database.transaction() as session:
        service.accept_run(session, version, audit=hub.trail)
    return _links(hub)


def _links(hub):
    with hub.database.reading() as session:
        held = service.current_links(session)
    return tuple(zip(held.provider, held.reference, held.person, strict=True))


def send_in_parallel(hub, senders):
    """The same submission so often at once: one accepted; all receipts are of one entry (the proof is up to
    the checkpoint of the moment)."""
    edge, found = hub.edge("novato"), Found(points=senders)
    hub.start()
    prepared, states, receipts = edge.prepare(PEOPLE), [], []

    def send():
        states.append(send_until_accepted(edge, prepared, found.unclean))
        receipt = edge.state(prepared)["receipt"]
        receipts.append(tuple(receipt[name] for name in ("sequence", "entry", "detail", "salt")))

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hub.stop()
    found.lost = sum(state != "accepted" for state in states) + (len(set(receipts)) - 1)
    found.doubled = sum(count - 1 for count in hub.accepted().values())
    found.whole = hub.verdict().whole is True
    return found


def kill_while_migrating(url, points, *, seed, from_revision="0001", until=math.inf):
    """Kill a migration with data in the tables at random moments; it leaves all of it or nothing, and then goes on."""
    rng, found = random.Random(seed), Found()
    downgrade(url, from_revision)
    database = Database(url)
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO organisations (id, kind) VALUES ('novato', 'unified') ON CONFLICT DO NOTHING")
        )
        held = session.execute(text("SELECT count(*) FROM organisations")).scalar_one()
    begun = time.monotonic()
    upgrade(url)
    seconds = time.monotonic() - begun
    expected = set(inspect(database.engine).get_table_names())
    for _ in _while_there_is_time(found, points, until):
        downgrade(url, from_revision)
        database.close()
        child = os.fork()
        if child == 0:
            try:
                upgrade(url)
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        again = time.monotonic()
        upgrade(url)
        found.slowest_start = max(found.slowest_start, time.monotonic() - again)
        with database.reading() as session:
            found.lost += session.execute(text("SELECT count(*) FROM organisations")).scalar_one() != held
        found.unclean += sorted(set(inspect(database.engine).get_table_names()) ^ expected)
    found.whole = not found.unclean
    database.close()
    return found


def fill_disk(folder):
    """Leave no room on the file system of a folder; the file to remove."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    for size in (1 << 20, 1 << 12, 1):
        try:
            while True:
                os.write(descriptor, bytes(size))
        except OSError:
            continue
    os.close(descriptor)
    return filler


def small_disk(place, megabytes):
    """A file system of so many megabytes, or None where this user may not mount one."""
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        return None
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place], check=False, capture_output=True
    )
    return place if done.returncode == 0 else None
