"""What tests of the hub start from: a migrated database of each kind, a clock that stands, a trail, a home."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.databases import (
    address_of,
    copy_home,
    drop_database,
    empty_address,
    make_database,
    make_logins,
    on_server,
    settings_of,
)
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
        if databases.EACH_ITS_LOGIN:
            make_logins(found)
        make_database(found, "template0", databases.TEMPLATE)
        upgrade(on_server(found, databases.TEMPLATE))
        if databases.EACH_ITS_LOGIN:
            give_rights(on_server(found, databases.TEMPLATE))
        yield found
        drop_database(found, databases.TEMPLATE)


def give_rights(address):
    from hub.db import Database
    from hub.operations.grants import set_grants

    database = Database(address)
    with database.transaction() as session:
        set_grants(session.connection())
    database.close()


@pytest.fixture(scope="session", autouse=databases.ALL_ON_POSTGRESQL)
def every_hub_on_postgresql(postgresql, tmp_path_factory):
    """Where all tests run on PostgreSQL: its server; in the end no database is left."""
    databases.SERVERS.append(postgresql)
    yield
    databases.drop_below(tmp_path_factory.getbasetemp())


@pytest.fixture(autouse=databases.ALL_ON_POSTGRESQL)
def databases_of_this_test(every_hub_on_postgresql, tmp_path):
    """Where all tests run on PostgreSQL: what a test made goes with it."""
    yield
    databases.drop_below(tmp_path)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """A migrated SQLite file to copy."""
    from hub.operations.installation import upgrade

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=databases.KINDS)
def database_url(request, tmp_path):
    """The address of a migrated, empty database; every test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "hub.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql")
    name = make_database(server)
    yield on_server(server, name)
    drop_database(server, name)


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
def home_template(tmp_path_factory):
    """A home made once by `promise-hub init`, to copy."""
    from hub.operations.installation import make_home

    folder = tmp_path_factory.mktemp("home") / "hub"
    with settings_of(empty_address(folder)):
        make_home(folder, clock=StandingClock(), synthetic=True)
    return folder


@pytest.fixture
def home(home_template, tmp_path) -> Iterator[Path]:
    """A home of made-up people; commands that are given it find its database."""
    folder = copy_home(home_template, tmp_path / "hub-home")
    with settings_of(address_of(folder)):
        yield folder


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
