"""On PostgreSQL each role does its work under a login of its own, and can do nothing else."""

import datetime as dt
import importlib
import pkgutil
import threading
import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

import hub
from hub.app import create_app, hub_parts
from hub.cli import app
from hub.db import Base, Database, open_database
from hub.errors import Unavailable
from hub.identity.tables import ActRow
from hub.linking.service import accept_run, request_run
from hub.log import Log
from hub.operations import roles
from hub.operations.backup import make_backup
from hub.operations.destruction import EVERYBODY
from hub.operations.doctor import Patient, examine
from hub.operations.grants import (
    GRANTS,
    NEVER_CHANGED,
    PREFIX,
    ROLES,
    differences,
    grants_of,
    set_grants,
)
from hub.operations.installation import downgrade, upgrade
from hub.operations.sweeping import ask_for_sweep
from hub.release.tables import VoiceRow
from hub.settings import MIGRATION, Settings
from policies.principal import Role
from tests.conftest import StandingClock
from tests.databases import SUPERUSER, copy_home, make_database, make_logins, on_server
from tests.integration.hub.conftest import BASE, MadeUpHub

for module in pkgutil.walk_packages(hub.__path__, "hub."):
    if module.name.endswith(".tables"):
        importlib.import_module(module.name)
AFTER_THE_LAST_DAY = dt.datetime(2039, 7, 1, 10, tzinfo=dt.UTC)
EVERY_TABLE = sorted(Base.metadata.tables)
STATEMENTS = {
    "S": "SELECT count(*) FROM {table}",
    "I": "INSERT INTO {table} SELECT * FROM {table} WHERE false",
    "U": "UPDATE {table} SET {column} = {column} WHERE false",
    "D": "DELETE FROM {table} WHERE false",
}


@pytest.fixture(scope="module")
def logins(postgresql):
    make_logins(postgresql)
    return postgresql


@pytest.fixture(scope="module")
def roled(tmp_path_factory, home_template, logins):
    """A hub whose processes come under their own logins, over a database that `promise_migration` owns."""
    name = f"roled_{uuid.uuid4().hex[:8]}"
    logins.psql(f"CREATE DATABASE {name} OWNER {PREFIX}{MIGRATION};")
    address = on_server(logins, name, PREFIX + "{role}")
    owned = address.replace("{role}", MIGRATION)
    upgrade(owned)
    database = Database(owned)
    with database.transaction() as session:
        set_grants(session.connection())
    database.close()
    folder = tmp_path_factory.mktemp("roled") / "hub"
    copy_home(home_template, folder)
    hub = MadeUpHub(folder, owned, StandingClock())
    hub.parts.database.close()
    hub.settings = Settings(home=folder, database_url=address, public_url=BASE)
    hub.parts = hub_parts(hub.settings, clock=hub.clock, log=Log(clock=hub.clock))
    hub.app = create_app(hub.parts)
    hub.client._transport._inner.app = hub.app
    yield hub
    hub.close()
    logins.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture(scope="module")
def worked(roled):
    """The road under those logins: two offices send, rows are linked, pages are read, the log is signed."""
    for office, people, year in (("novato", range(20), 2026), ("reed", range(10, 30), 2025)):
        roled.enrol(office).deliver(people, year=year)
    operator = open_database(roled.settings, "operator")
    with operator.transaction() as session:
        version = request_run(session, audit=roled.trail)
    roled.work()
    with operator.transaction() as session:
        accept_run(session, version, audit=roled.trail)
    operator.close()
    return roled


def test_the_road_goes_through_with_one_login_a_role(worked):
    told = worked.events()

    assert [told.count(event) for event in ("submission.accepted", "linkage.resolved", "linkage.accepted")] == [2, 1, 1]
    assert "job.failed" not in told


@pytest.mark.parametrize("role", [Role.STEWARD, Role.COMPLIANCE, Role.ADMINISTRATOR, Role.SIGNATORY])
def test_pages_are_read_and_acts_are_asked_under_the_apis_login(worked, role):
    office = "novato" if role in (Role.STEWARD, Role.SIGNATORY) else "promise-partnership"
    cookie = worked.sign_in(office, role)

    answers = {
        path: worked.client.get(path, headers={"cookie": cookie, "accept": "text/html"}).status_code
        for path in ("/", "/account", "/submissions", "/linkage", "/log", "/acts", "/explore", "/reviews")
    }

    assert set(answers.values()) <= {200, 303, 401, 403, 404, 409}, answers


def test_every_login_has_exactly_what_is_declared(worked):
    with worked.database.snapshot() as connection:
        assert differences(connection) == []


def test_the_doctor_finds_a_login_that_has_more_than_is_declared(worked):
    def found():
        operator = open_database(worked.settings, "operator")
        told = [one.code for one in examine(Patient(worked.settings, worked.home, operator, worked.clock))]
        operator.close()
        return "grants-differ" in told

    before = found()
    with worked.database.transaction() as session:
        session.execute(text(f"GRANT DELETE ON audit_details TO {PREFIX}api"))
    during = found()
    with worked.database.transaction() as session:
        set_grants(session.connection())

    assert (before, during, found()) == (False, True, False)


@pytest.mark.parametrize("role", ROLES)
def test_a_login_can_do_to_each_table_what_is_declared_and_nothing_else(worked, role):
    declared, refused, tried = grants_of(role, EVERY_TABLE), set(), 0
    login = open_database(worked.settings, role)
    with login.engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == f"{PREFIX}{role}"
        for table in EVERY_TABLE:
            column = next(iter(Base.metadata.tables[table].columns)).name
            for letter, statement in STATEMENTS.items():
                if letter == "I" and "S" not in declared.get(table, ""):
                    continue  # reading what it inserts would need another right
                wanted = letter in declared.get(table, "") and (letter in "SI" or "S" in declared[table])
                try:
                    with connection.begin_nested():
                        connection.execute(text(statement.format(table=table, column=column)))
                    done = True
                except ProgrammingError:
                    done = False
                tried += 1
                if done != wanted:
                    refused.add((table, letter))
        connection.rollback()
    login.close()

    assert refused == set()
    assert tried > 150


def test_nobody_but_the_owner_can_change_what_the_log_holds():
    for role in ROLES:
        granted = grants_of(role, EVERY_TABLE)
        assert [table for table in NEVER_CHANGED if set(granted.get(table, "")) & set("UD")] == [], role


def test_matcher_and_resolver_cannot_read_accounts_and_the_matcher_no_link():
    for role in ("matcher", "resolver", "signer", "messenger"):
        assert {"accounts", "passkeys", "people", "tokens", "invitations"} & set(GRANTS[role]) == set()
    assert {"links", "review_items", "snapshots", "agreement_salts"} & set(GRANTS["matcher"]) == set()


def test_every_table_that_is_granted_exists():
    assert {table for granted in GRANTS.values() for table in granted} - set(EVERY_TABLE) == set()


def test_a_right_that_was_taken_or_given_by_hand_is_told_and_mended(worked):
    with worked.database.transaction() as session:
        session.execute(text(f"GRANT DELETE ON audit_entries TO {PREFIX}api"))
        session.execute(text(f"REVOKE SELECT ON jobs FROM {PREFIX}matcher"))

    with worked.database.snapshot() as connection:
        found = differences(connection)
    with worked.database.transaction() as session:
        set_grants(session.connection())
    with worked.database.snapshot() as connection:
        mended = differences(connection)

    assert (found, mended) == (["api audit_entries SID SI", "matcher jobs IU SIU"], [])


def test_a_migration_that_cannot_have_a_table_gives_up_in_seconds_and_changes_nothing(logins):
    name = f"blocked_{uuid.uuid4().hex[:8]}"
    make_database(logins, name=name)
    url = on_server(logins, name)
    holder = Database(url)
    begun, done = threading.Event(), threading.Event()

    def hold():
        with holder.transaction() as session:
            session.execute(text("LOCK TABLE submissions IN ACCESS SHARE MODE"))
            begun.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(10)
    with pytest.raises(Unavailable) as told:
        downgrade(url, "0014")
    done.set()
    thread.join()
    downgrade(url, "0014")
    upgrade(url)
    holder.close()
    logins.psql(f"DROP DATABASE {name} WITH (FORCE);")

    assert told.value.code == "migration-blocked"


def test_the_command_prints_sets_and_checks(worked, home):
    printed = CliRunner().invoke(app, ["database", "roles", "--home", str(home)])
    file = {"PROMISE_HUB_DATABASE_URL": f"sqlite:///{home}/hub.db"}
    sqlite = CliRunner().invoke(app, ["database", "roles", "--set", "--home", str(home)], env=file)
    environment = {"PROMISE_HUB_DATABASE_URL": worked.settings.database_url}
    done = CliRunner().invoke(
        app, ["database", "roles", "--set", "--check", "--home", str(worked.home.path)], env=environment
    )

    assert (printed.exit_code, sqlite.exit_code, done.exit_code) == (0, 1, 0), done.output
    assert all(f"CREATE ROLE {PREFIX}{role} " in printed.stdout for role in (*ROLES, MIGRATION))
    assert "database-no-logins" in sqlite.stderr
    assert "database.roles_set" in worked.events()


def test_a_backup_under_the_operators_login_holds_every_row_that_row_security_guards(worked, logins, tmp_path):
    with worked.database.transaction() as session:
        session.add(
            VoiceRow(
                indicator="third-grade-reading", speaker="partner", english="Made up.", spanish="", actor="person:x",
                organisation="kentfield", written_at=worked.clock(), state="waiting", reason="",
            )
        )  # fmt: skip
    operator = open_database(worked.settings, "operator")
    made = make_backup(worked.home, operator, tmp_path / "backups", audit=worked.trail)
    operator.close()
    superuser = Database(on_server(logins, worked.database.engine.url.database, SUPERUSER))
    guarded = text("SELECT relname FROM pg_class WHERE relrowsecurity ORDER BY relname")
    with superuser.snapshot() as connection:
        tables = connection.execute(guarded).scalars().all()
        rows = {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}
    superuser.close()

    assert {name: int(made.tables[name]["rows"]) for name in tables} == rows
    assert {"links", "submissions", "voices"} <= {name for name, count in rows.items() if count}


def test_once_agreements_ended_the_resolver_asks_for_destruction_under_its_own_login(worked):
    """The last test here: the hub's clock does not go back."""
    worked.clock.now = AFTER_THE_LAST_DAY
    resolver = roles.resolver(worked.settings, log=worked.parts.log, clock=worked.clock)
    with resolver.broom.database.transaction() as session:
        ask_for_sweep(session, resolver.broom, due=worked.clock())
        login = session.scalar(text("SELECT current_user"))
    resolver.run_until_idle()
    resolver.close()

    with worked.database.reading() as session:
        asked = [(act.kind, act.payload["agreement"], act.payload["organisation"]) for act in session.query(ActRow)]
    assert (login, asked) == (f"{PREFIX}resolver", [("data.destroy", "DSA-K12", EVERYBODY)])
    assert "act.asked" in worked.events()
    assert "job.failed" not in worked.events()
