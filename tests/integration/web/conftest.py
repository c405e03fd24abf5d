"""A hub over real HTTP on loopback, with one hand-made release whose every number is known to the tests."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select

from hub.app import create_app
from hub.audit.events import AuditTrail
from hub.audit.service import open_log
from hub.audit.tables import Detail
from hub.db import Base, Database
from hub.http import Hub
from hub.identity.service import add_person, load_organisations, make_sign_in_link, make_token
from hub.log import Log
from hub.release.draft import Draft, Structure, release_content
from hub.release.service import publish, store_release
from hub.settings import Home, Settings
from policies.disclosure.types import ReleasedCell, Status, Verdict
from policies.principal import Role
from tests.conftest import stand_in_force
from tests.databases import address_of

NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
LICENCE = """
id: DUL-TEST
tier: DUL
version: 1
title: A partner's licence
parties:
  - {organisation: canal-alliance, role: licensee, authority: CBO, signatory: Somebody, signed_at: 2026-06-30}
parent: MOU-1
legal_basis: [ferpa-deidentified]
purposes: [{id: tutoring, text: Plan tutoring., activity: Ask for aggregates.}]
outputs:
  min_n: 30
  indicators: [third-grade-reading]
  dimensions: [economic-status, race, preschool]
  max_dimensions: 1
retention: {effective: 2026-07-01, expires: 2030-06-30, destroy_within_days: 90}
clauses: {use_limited_to_purpose: For it alone., further_disclosure_barred: None., no_reidentification: None.,
  dissemination: With its source., security: Kept safe., destruction: In time.}
"""


@dataclass(frozen=True)
class Served:
    """The address of the hub, its database, and a way in for each person."""

    url: str
    home: Home
    database: Database
    token: str
    link: Callable[[Role], str]
    link_under: Callable[[str, str, Role], str]

    def event_at(self, sequence: int) -> Detail:
        """An event of the audit log."""
        with self.database.reading() as session:
            found = session.get_one(Detail, sequence)
            session.expunge(found)
        return found

    def last_event(self) -> Detail:
        """The newest event of the audit log."""
        with self.database.reading() as session:
            found = session.scalars(select(Detail).order_by(Detail.sequence.desc()).limit(1)).one()
            session.expunge(found)
        return found


def cell(
    year: int, table: str, levels: dict[str, str], *, indicator: str = "third-grade-reading", **numbers: int | None
) -> ReleasedCell:
    status: Status = "F" if numbers else "C"
    return ReleasedCell(
        indicator=indicator,
        cohort_year=year,
        table=table,
        levels=tuple(levels.items()),
        status=status,
        vintage="final",
        **numbers,
    )


def cells_of(year: int, gap: int) -> tuple[ReleasedCell, ...]:
    economic, by_both = "economic-status", "preschool-by-economic-status"
    return (
        cell(year, "total", {}, known=200, k=120, rate=60, coverage_low=95, coverage_high=100),
        cell(year, economic, {economic: "Total"}, known=200, k=120, rate=60, coverage_low=95, coverage_high=100),
        cell(year, economic, {economic: "disadvantaged"}, known=100, k=70 - gap, rate=70 - gap),
        cell(year, economic, {economic: "not-disadvantaged"}, known=100, k=70, rate=70),
        cell(year, "race", {"race": "Total"}, known=200, k=120, rate=60),
        cell(year, "race", {"race": "hispanic"}, known=90, k=45, rate=50),
        cell(year, "race", {"race": "white"}, known=14, rate_low=80, rate_high=100),
        cell(year, "race", {"race": "pacific-islander"}),
        cell(year, "preschool", {"preschool": "Total"}, known=200, k=120, rate=60),
        cell(year, "preschool", {"preschool": "any"}, known=40, k=30, rate=75),
        cell(year, "preschool", {"preschool": "none"}, known=20, k=10, rate=50),
        cell(year, by_both, {"preschool": "any", economic: "Total"}, known=40, k=30, rate=75),
        cell(year, by_both, {"preschool": "any", economic: "disadvantaged"}, known=25, k=17, rate=68),
        cell(year, by_both, {"preschool": "any", economic: "not-disadvantaged"}),
    )


def hand_made_draft() -> Draft:
    return draft_of(
        {("third-grade-reading", year): cells_of(year, gap) for year, gap in ((2023, 35), (2025, 31), (2026, 26))}
    )


def draft_of(cells: dict[tuple[str, int], tuple[ReleasedCell, ...]]) -> Draft:
    structures = {key: Structure("1", '{"dimensions":[],"tables":[]}') for key in cells}
    shown = sum(one.status == "F" for found in cells.values() for one in found)
    verdict = Verdict(
        clean=True, shown=shown, withheld=3, exact=0, narrow=0, attribute=0, kept_share={"total": 1.0}, seconds=0.0
    )
    return Draft(
        snapshot="snapshot-1",
        catalogue_version=1,
        rules="{}",
        new_cells=cells,
        new_structures=structures,
        frozen=(),
        verdict=verdict,
        content=release_content(cells, structures, catalogue_version=1),
        ledger_mark="0.0",
    )


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = Home(tmp_path_factory.mktemp("home"))
    database = Database(address_of(home.path))
    hub = Hub(
        settings=Settings(home=home.path, port=0),
        home=home,
        database=database,
        clock=lambda: NOW,
        log=Log(StringIO()),
        facts={},
    )
    app = create_app(hub)
    Base.metadata.create_all(database.engine)
    trail = AuditTrail("tester", None, "request-1", "test", lambda: NOW)
    with database.transaction() as session:
        open_log(session)
        load_organisations(
            session, [("canal-alliance", "partner"), ("novato", "unified"), ("promise-partnership", "hub")]
        )
        stand_in_force(session, LICENCE, audit=trail)
        partner = add_person(session, organisation="canal-alliance", roles=frozenset({Role.PARTNER}), audit=trail)
        token = make_token(session, partner, agreement="DUL-TEST", audit=trail)
        release = store_release(session, hand_made_draft(), audit=trail)
        publish(session, release.id, audit=trail)

    def link(role: Role) -> str:
        homes = {Role.PARTNER: "canal-alliance", Role.STEWARD: "novato"}
        with database.transaction() as session:
            organisation = homes.get(role, "promise-partnership")
            person = add_person(session, organisation=organisation, roles=frozenset({role}), audit=trail)
            return make_sign_in_link(session, person, audit=trail)

    def link_under(agreement: str, organisation: str, role: Role) -> str:
        with database.transaction() as session:
            load_organisations(session, [(organisation, "partner")])
            stand_in_force(session, agreement, audit=trail)
            person = add_person(session, organisation=organisation, roles=frozenset({role}), audit=trail)
            return make_sign_in_link(session, person, audit=trail)

    with running(app) as url:
        yield Served(url, home, database, token, link, link_under)
    database.close()


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The app over HTTP on a port of its own; its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def public(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        yield client


@pytest.fixture
def partner(served: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {served.token}"}
    with httpx.Client(base_url=served.url, headers=headers, trust_env=False) as client:
        yield client
