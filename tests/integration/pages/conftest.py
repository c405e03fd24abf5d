"""A hub in which every page has something to show, over real HTTP, and a browser to look at it with."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from hub.app import create_app, hub_parts
from hub.audit.events import AuditTrail
from hub.identity.two_persons import ask_act
from hub.linking.service import accept_run, request_run
from hub.log import Log
from hub.release.service import publish, store_release
from hub.settings import Settings
from policies.principal import Role
from tests.conftest import NOW, StandingClock, stand_in_force
from tests.databases import address_of, copy_home
from tests.integration.access.conftest import HUB, NOVATO, REED, People
from tests.integration.hub.conftest import MadeUpHub
from tests.integration.web.conftest import cell, cells_of, draft_of
from tests.playwright_browser import started_browser

SHOTS = Path(__file__).parents[3] / "build" / "screenshots"
LICENCE = """
id: DUL-PAGES
tier: DUL
version: 1
title: A partner's licence
parties:
  - {organisation: canal-alliance, role: licensee, authority: CBO, signatory: Somebody, signed_at: 2026-06-30}
parent: MOU-1
legal_basis: [ferpa-deidentified]
purposes: [{id: close-equity-gap-2028, text: Plan tutoring., activity: Ask for aggregates.}]
outputs: {indicators: [third-grade-reading], dimensions: [economic-status, gender, race, preschool], max_dimensions: 2}
retention: {effective: 2026-07-01, expires: 2026-12-15, destroy_within_days: 90}
clauses: {use_limited_to_purpose: For it alone., further_disclosure_barred: None., no_reidentification: None.,
  dissemination: With its source., security: Kept safe., destruction: In time.}
"""
READING = "third-grade-reading"
VOICE = {"indicator": "third-grade-reading", "agreed": "yes"}


class Filled:
    """The address of the hub, its people, and an example of everything that an address can name."""

    def __init__(self, url, people, examples):
        self.url, self.people, self.examples = url, people, examples

    def cookie(self, role, organisation):
        """The cookie of a person of this role, as a browser takes it."""
        name, _, value = apart(lambda: self.people.cookie(role, organisation)).partition("=")
        return {"name": name, "value": value, "url": self.url}

    def link(self, role, organisation):
        """A one-time link that signs a new person in."""
        from hub.identity.service import add_person, make_sign_in_link

        hub = self.people.hub
        with hub.database.transaction() as session:
            person = add_person(session, organisation=organisation, roles=frozenset({role}), audit=hub.trail)
            return f"{self.url}/sign-in?link={make_sign_in_link(session, person, audit=hub.trail)}"


def apart(act):
    """What an act gives, done in a thread of its own: the driver of the browser keeps this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(act).result()


@pytest.fixture(scope="session")
def filled(tmp_path_factory, home_template):
    """A hub with submissions in every state, a linkage run, a release, voices, requests, acts and agreements."""
    folder = tmp_path_factory.mktemp("filled") / "hub"
    copy_home(home_template, folder)
    hub = MadeUpHub(folder, address_of(folder), StandingClock())
    people = People(hub)
    examples = apart(lambda: fill(people))
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = Settings(home=folder, database_url=hub.settings.database_url, public_url=url)
    parts = hub_parts(settings, clock=hub.clock, log=Log(clock=hub.clock))
    app = create_app(parts)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Filled(url, people, examples)
    server.should_exit = True
    thread.join(5)
    parts.database.close()
    hub.close()


def fill(people):
    """Lets everything happen that a page can show; examples of what an address names."""
    hub = people.hub
    edge, reed = hub.enrol(NOVATO), hub.enrol(REED)
    people.edge = edge
    edge.deliver(range(40), year=2024)
    edge.deliver(range(30), year=2025)
    spoiled = edge.deliver(range(40), year=2026, findings={"DAT-055": 3, "IDN-005": 1})
    held, spare = edge.deliver(range(20), year=2026), edge.deliver(range(10), year=2025)
    broken = edge.prepare(range(12), year=2023)
    edge.send(edge.sign({**broken.manifest, "facts": {"demographics": 13}}, broken.chunks))
    reed.deliver(range(60))
    hub.work()
    with hub.database.transaction() as session:
        request_run(session, audit=hub.trail)
    hub.work()
    with hub.database.transaction() as session:
        accept_run(session, 1, audit=hub.trail)
        trail = AuditTrail("tester", None, "request-1", "test", lambda: NOW)
        stand_in_force(session, LICENCE, audit=trail)
        release = store_release(session, draft_with_links(), audit=trail)
        publish(session, release.id, audit=trail)
    act = ask(people)
    speak(people)
    again = edge.prepare(range(40), year=2026)
    return {
        "submission": spoiled.id,
        "mended": again,
        "name": "none",
        "held": held.id,
        "spare": spare.id,
        "number": act,
        "indicator": "third-grade-reading",
        "agreement": "DUL-PAGES",
    }


def draft_with_links():
    """A release of reading with what it tells of its links: by year, by group, and one year withheld."""
    cells = {(READING, year): cells_of(year, gap) for year, gap in ((2023, 35), (2025, 31), (2026, 26))}
    split = {"economic-status": "disadvantaged"}
    for year, rate in ((2025, 88), (2026, 91)):
        for name, share in (("linked-share", rate), ("linked-share-settled", 96)):
            total = cell(year, "total", {}, indicator=name, known=400, k=4 * share, rate=share)
            group = cell(year, "economic-status", split, indicator=name, known=100, k=share - 4, rate=share - 4)
            everybody = replace(total, table="economic-status", levels=(("economic-status", "Total"),))
            cells[name, year] = (total, everybody, group)
    cells["linked-share", 2023] = (cell(2023, "total", {}, indicator="linked-share"),)
    return draft_of(cells)


def ask(people):
    """An act that waits, and a request for a table."""
    hub, administrator = people.hub, people.principal(Role.ADMINISTRATOR)
    with hub.database.transaction() as session:
        act = ask_act(
            session, "data.destroy", {"agreement": "DSA-K12"}, organisations=frozenset({NOVATO}),
            why="The agreement ended.", principal=administrator, audit=hub.trail,
        )  # fmt: skip
    wanted = {
        "indicator": "third-grade-reading",
        "by0": "gender",
        "by1": "economic-status",
        "licence": "DUL-PAGES/close-equity-gap-2028",
        "why": "Plan where.",
    }
    asked = people.ask("POST", "/requests", people.cookie(Role.PARTNER, "canal-alliance"), data=wanted)
    assert asked.status_code == 303
    return act


def speak(people):
    """A voice that shows, one that waits, and one that was declined."""
    partner = people.cookie(Role.PARTNER, "canal-alliance")
    for words in (
        {"speaker": "family", "english": "Nobody answered us in Spanish, so we missed the place.",
         "spanish": "Nadie nos contestó en español, así que perdimos el lugar."},
        {"speaker": "youth", "english": "The bus left San Rafael before Qorvax could board, at-risk they said."},
        {"speaker": "partner", "english": "The waiting list for the evening programme was long all year."},
    ):  # fmt: skip
        people.ask("POST", "/voices", partner, data={**VOICE, **words})
    for role, organisation in ((Role.STEWARD, NOVATO), (Role.COMPLIANCE, HUB)):
        people.ask("POST", "/voices/1/approve", people.cookie(role, organisation), data={"declared": "yes"})
    people.ask(
        "POST", "/voices/3/decline", people.cookie(Role.COMPLIANCE, HUB), data={"reason": "Say what helped instead."}
    )


@pytest.fixture(scope="module")
def chromium():
    """A real browser; without one the tests are skipped, or fail where one is required."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with started_browser() as found:
        yield found


@pytest.fixture(scope="module")
def axe(chromium):
    """The engine of accessibility rules, as text: the pages' policy lets no other script in."""
    import axe_playwright_python

    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
