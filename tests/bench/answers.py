"""How fast a release answers: in the service, and over HTTP on loopback, with its audit event each time.

    python3 run.py bench answers [--summary FILE]

A release of seven outcomes over ten cohort years with the catalogue's tables of made-up counts, in SQLite on disk.
"""

import argparse
import datetime as dt
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import product
from pathlib import Path

import httpx
import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hub.app import create_app
from hub.audit.events import AuditTrail
from hub.audit.service import open_log
from hub.db import Base, Database
from hub.http import Hub
from hub.log import Log
from hub.release import questions
from hub.release.asking import Asker, Question
from hub.release.draft import Draft, Structure, release_content
from hub.release.requests.service import catalogue_to_ask
from hub.release.service import publish, store_release
from hub.settings import Home, Settings
from policies.catalogue_files import catalogue
from policies.disclosure.types import TOTAL, ReleasedCell, Verdict
from policies.indicator_files import dimensions
from policies.indicator_sets import indicator_sets
from policies.principal import ANONYMOUS
from tests.bench.measures import Row, at_most

NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
YEARS = range(2017, 2027)
SERVICE_BAR, HTTP_BAR = 0.020, 0.050
QUESTIONS = [((), None), (("race",), None), (("economic-status",), (2022, 2026)), (("gender",), (2026, 2026)),
             (("district",), None)]  # fmt: skip
DISTRICTS = tuple(f"district-{number:02d}" for number in range(24))


def made_up_cells(indicator: str, year: int) -> tuple[ReleasedCell, ...]:
    """The cells of every table of the catalogue, a third of them hidden."""
    chance = random.Random(f"{indicator} {year}")
    cells = []
    for table in catalogue().tables[indicator]:
        levels = [(TOTAL, *(dimensions()[n].leaves if n in dimensions() else DISTRICTS)) for n in table.dimensions]
        for chosen in product(*levels):
            named = tuple(zip(table.dimensions, chosen, strict=True))
            cell = ReleasedCell(indicator=indicator, cohort_year=year, table=table.name, levels=named, vintage="final")
            if chance.random() < 0.67:
                known = chance.randrange(11, 2000)
                k = chance.randrange(known)
                cell = ReleasedCell(
                    indicator=indicator, cohort_year=year, table=table.name, levels=named, vintage="final",
                    status="F", known=known, k=k, rate=round(100 * k / known), coverage_low=95, coverage_high=100,
                )  # fmt: skip
            cells.append(cell)
    return tuple(cells)


def draft() -> Draft:
    """A release of the seven outcomes over ten years."""
    cells = {(name, year): made_up_cells(name, year) for name in indicator_sets().core for year in YEARS}
    structures = {key: Structure("1", '{"dimensions":[],"tables":[]}') for key in cells}
    shown = sum(one.status == "F" for found in cells.values() for one in found)
    verdict = Verdict(clean=True, shown=shown, withheld=0, exact=0, narrow=0, attribute=0, kept_share={}, seconds=0.0)
    content = release_content(cells, structures, catalogue_version=1)
    return Draft("snapshot-1", 1, "{}", cells, structures, (), verdict, content, "0.0")


@contextmanager
def hub_of(folder: Path) -> Iterator[Hub]:
    """A hub with that release."""
    home = Home(folder)
    database = Database(f"sqlite:///{folder / 'hub.db'}")
    hub = Hub(Settings(home=folder, port=0), home, database, lambda: NOW, Log(StringIO()), {})
    create_app(hub)  # every table is declared once its routes are
    Base.metadata.create_all(database.engine)
    trail = AuditTrail("bench", None, "request-1", "bench", lambda: NOW)
    with database.transaction() as session:
        open_log(session)
        publish(session, store_release(session, draft(), audit=trail).id, audit=trail)
    yield hub
    database.close()


def in_service(hub: Hub, times: int) -> list[float]:
    """Seconds of an answer with its transaction and event, without HTTP."""
    taken = []
    asker = Asker(ANONYMOUS, None, None, (), NOW.date())
    trail = AuditTrail("bench", None, "request-1", "bench", lambda: NOW)
    for question in asked(times):
        start = time.perf_counter()
        with hub.database.transaction() as session:
            known = catalogue_to_ask(session, catalogue())
            questions.observations(session, question, catalogue=known, asker=asker, audit=trail)
        taken.append(time.perf_counter() - start)
    return taken


def over_http(hub: Hub, times: int) -> list[float]:
    """Seconds of an answer over loopback, one client after another."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(hub), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    taken = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for question in asked(times):
            params = {"indicator": question.indicator, "by": ",".join(question.by)}
            if question.first_year:
                params["cohort"] = f"{question.first_year}..{question.last_year}"
            start = time.perf_counter()
            client.get("/v1/observations", params=params).raise_for_status()
            taken.append(time.perf_counter() - start)
    server.should_exit = True
    thread.join(5)
    return taken


def asked(times: int) -> Iterator[Question]:
    """Tables of the report card, in turn."""
    for number in range(times):
        by, years = QUESTIONS[number % len(QUESTIONS)]
        indicator = indicator_sets().core[number % 6]
        first, last = years or (None, None)
        yield Question(indicator, by, first, last)


def percentile(taken: list[float], share: float) -> float:
    """The time within which this share of answers came."""
    return sorted(taken)[min(int(len(taken) * share), len(taken) - 1)]


def p95_rows(times: int = 400) -> list[Row]:
    """The time within which 95 of 100 answers came, in the service and over HTTP."""
    with tempfile.TemporaryDirectory() as folder, hub_of(Path(folder)) as hub:
        for warm in (in_service, over_http):
            warm(hub, 20)
        parts = (("in the service", in_service, SERVICE_BAR), ("over HTTP", over_http, HTTP_BAR))
        return [
            at_most(f"answers of seven outcomes, ten years, {name}: seconds within which 95 of 100 came",
                    percentile(measure(hub, times), 0.95), bar)
            for name, measure, bar in parts
        ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description="How fast a release answers.")
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--times", type=int, default=400)
    parser.add_argument("--peers", action="store_true", help="there are none for this measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, hub_of(Path(folder)) as hub:
        for warm in (in_service, over_http):
            warm(hub, 20)
        parts = [("in the service", in_service, SERVICE_BAR), ("over HTTP", over_http, HTTP_BAR)]
        rows = []
        for name, measure, bar in parts:
            cpu = time.process_time()
            taken = measure(hub, options.times)
            cpu = (time.process_time() - cpu) / options.times
            for share in (0.5, 0.95):
                value = round(percentile(taken, share), 4)
                held = value <= bar
                rows.append(
                    {"name": f"answer {name}, p{share * 100:.0f}, seconds", "value": value, "bar": bar, "held": held}
                )
                print("held  " if held else "BROKEN", rows[-1]["name"], value, "bar", bar, flush=True)
            rows.append({"name": f"answer {name}, CPU seconds each", "value": round(cpu, 4), "bar": None, "held": True})
            print("       ", rows[-1]["name"], rows[-1]["value"], flush=True)
    if options.summary:
        options.summary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["held"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
