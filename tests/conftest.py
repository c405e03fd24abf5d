"""What tests of the hub start from: a migrated database of each kind, a clock that stands, a trail, a home."""

import datetime as dt
import shutil
import uuid
from pathlib import Path

import pytest

from tests.postgresql_server import server

NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)


class StandingClock:
    """Tells the time it was set to; tests move it by hand."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, **by):
        self.now += dt.timedelta(**by)


@pytest.fixture
def clock():
    return StandingClock()


@pytest.fixture
def trail(clock):
    from hub.audit.events import AuditTrail

    return AuditTrail("person:tester", "novato", "request-1", "test", clock)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """A real PostgreSQL server, started once or installed already, with a migrated template database."""
    from hub.operations.installation import upgrade

    with server(tmp_path_factory.mktemp("runtime")) as found:
        found.psql("CREATE DATABASE template_hub;")
        upgrade(_address(found, "template_hub"))
        yield found


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """A migrated SQLite file to copy."""
    from hub.operations.installation import upgrade

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


def _address(server, name):
    return server.get_uri(database=name).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The address of a migrated, empty database; every test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "hub.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql")
    name = f"hub_{uuid.uuid4().hex[:12]}"
    server.psql(f"CREATE DATABASE {name} TEMPLATE template_hub;")
    yield _address(server, name)
    server.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture
def database(database_url):
    """A migrated database with an open log."""
    from hub.audit.service import open_log
    from hub.db import Database

    opened = Database(database_url)
    with opened.transaction() as session:
        open_log(session)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def home_template(tmp_path_factory, migrated_sqlite):
    """A home made once by `promise-hub init`, to copy."""
    from hub.operations.installation import make_home

    folder = tmp_path_factory.mktemp("home") / "hub"
    make_home(folder, clock=StandingClock(), synthetic=True)
    return folder


@pytest.fixture
def home(home_template, tmp_path) -> Path:
    """A home of made-up people on SQLite."""
    folder = tmp_path / "hub-home"
    shutil.copytree(home_template, folder)
    return folder


def stand_in_force(session, text, *, audit):
    """Load an agreement and let it hold at once, without signatures: for tests of what stands behind it."""
    from hub.agreements.service import load_agreement
    from hub.agreements.tables import AgreementVersion

    agreement = load_agreement(session, text, audit=audit)
    session.get_one(AgreementVersion, (agreement.id, agreement.version)).activated_at = audit.clock()
    return agreement


def pytest_terminal_summary(terminalreporter, config):
    """After the tests of access: how many cases were tried, and how many cells of tables inside them."""
    if "access" not in (config.option.markexpr or ""):
        return
    ran = [report for state in ("passed", "failed") for report in terminalreporter.stats.get(state, [])]
    cells = sum(value for report in ran for name, value in report.user_properties if name == "cells")
    terminalreporter.write_line(f"access: {len(ran)} cases tried, with {cells} cells of tables inside them")
