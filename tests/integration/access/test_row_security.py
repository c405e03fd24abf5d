"""PostgreSQL shows a transaction its own provider's rows alone, also when the application asks for all of them."""

import json
import re
import uuid
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

import hub
from hub.db import EVERYTHING, NOTHING, Database
from hub.http import scope_of
from hub.linking.service import request_run
from hub.submissions.agreed import idle_agreements
from policies.principal import ANONYMOUS, Principal, Role
from policies.roles import Extent, reach_of
from tests.conftest import StandingClock
from tests.databases import SUPERUSER, copy_home, make_database, on_server
from tests.integration.access.conftest import HUB, NOVATO, REED, People
from tests.integration.hub.conftest import MadeUpHub
from tests.postgresql_server import password_clause

pytestmark = pytest.mark.access
TABLES = {
    "submissions": "provider",
    "review_items": "provider",
    "links": "provider",
    "threshold_links": "provider",
    "opt_outs": "provider",
    "submission_chunks": "submission",
    "submission_statements": "submission",
}
FAMILY = {"review_items": "reviews", "links": "links", "threshold_links": "links", "opt_outs": "opt_outs"}
PRINCIPALS = {
    "steward": Principal("person:s", frozenset({Role.STEWARD}), NOVATO),
    "agent": Principal("agent:novato:1", frozenset({Role.AGENT}), NOVATO),
    "steward elsewhere": Principal("person:r", frozenset({Role.STEWARD}), REED),
    "steward of nobody's": Principal("person:k", frozenset({Role.STEWARD}), "kentfield"),
    "analyst": Principal("person:p", frozenset({Role.PARTNER}), "canal-alliance"),
    "signatory": Principal("person:g", frozenset({Role.SIGNATORY}), NOVATO),
    "compliance": Principal("person:c", frozenset({Role.COMPLIANCE}), HUB),
    "administrator": Principal("person:a", frozenset({Role.ADMINISTRATOR}), HUB),
    "anonymous": ANONYMOUS,
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, home_template, postgresql):
    """A hub whose database user is no superuser, as in earnest, with two providers' submissions, links and reviews."""
    folder = tmp_path_factory.mktemp("guarded") / "hub"
    copy_home(home_template, folder)
    name = f"hub_{uuid.uuid4().hex[:12]}"
    make_database(postgresql, name=name)
    postgresql.psql(f"CREATE ROLE {name} LOGIN {password_clause(postgresql)}; ALTER DATABASE {name} OWNER TO {name};")
    admin = Database(on_server(postgresql, name, SUPERUSER))
    with admin.transaction() as session:
        found = session.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for table in found:
            session.execute(text(f'ALTER TABLE "{table}" OWNER TO {name}'))
        session.execute(text(f"GRANT ALL ON SCHEMA public TO {name}"))
    url = admin.engine.url.set(username=name).render_as_string(hide_password=False)
    admin.close()
    hub = MadeUpHub(folder, url, StandingClock())
    for organisation in (NOVATO, REED):
        edge = hub.enrol(organisation)
        prepared = edge.prepare(range(30))
        edge.send(prepared)
        hub.work()
        steward = People(hub).cookie(Role.STEWARD, organisation)
        told = hub.client.post(f"/v1/submissions/{prepared.id}/certify", headers={"cookie": steward})
        assert told.status_code == 200
        objection = {"reference": edge.reference(1).hex(), "scope": "studies", "word": "record"}
        assert edge.ask("POST", "/v1/opt-outs", json.dumps(objection).encode()).status_code == 200
    with hub.database.transaction() as session:
        request_run(session, audit=hub.trail)
    hub.work()
    with hub.database.transaction() as session:
        columns = "run, threshold, provider, reference, person"
        session.execute(
            text(
                f"INSERT INTO threshold_links ({columns}) SELECT run, 'strict', provider, reference, person FROM links"
            )
        )
    yield hub
    hub.close()
    postgresql.psql(f"DROP DATABASE {name} WITH (FORCE);")
    postgresql.psql(f"DROP ROLE {name};")


def rows(hub, scope, table):
    """Every row that the database shows in a transaction of this scope: the query has no condition."""
    column = TABLES[table]
    with hub.database.reading(scope=scope) as session:
        if column == "provider":
            return sorted(session.execute(text(f"SELECT provider FROM {table}")).scalars())
        return sorted(session.execute(text(f"SELECT submission FROM {table}")).scalars())


def providers_of(hub):
    with hub.database.reading() as session:
        return {row.id: row.provider for row in session.execute(text("SELECT id, provider FROM submissions"))}


def test_the_road_works_for_a_database_user_who_is_no_superuser(guarded):
    with guarded.database.reading() as session:
        assert session.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar_one() is False
        assert set(session.execute(text("SELECT state FROM submissions")).scalars()) == {"accepted"}
    assert {"submission.accepted", "submission.certified"} <= set(guarded.events())


@pytest.mark.parametrize("who", PRINCIPALS)
def test_the_database_shows_what_the_decision_permits_with_the_applications_checks_off(guarded, who, record_property):
    principal, whose, tried = PRINCIPALS[who], providers_of(guarded), 0

    for table, column in TABLES.items():
        every = rows(guarded, EVERYTHING, table)
        reach = reach_of(FAMILY.get(table, "submissions"), principal.roles)
        mine = [one for one in every if (one if column == "provider" else whose[one]) == principal.organisation]
        assert len(set(every)) >= 2, table
        expected = {None: [], Extent.OWN: mine, Extent.ALL: every}[reach]
        assert rows(guarded, scope_of(principal), table) == expected, table
        tried += 1

    record_property("cells", tried)


def test_a_transaction_that_says_nothing_sees_and_changes_nothing(guarded):
    assert {table: rows(guarded, NOTHING, table) for table in TABLES} == {table: [] for table in TABLES}
    with guarded.database.transaction(scope=NOTHING) as session:
        assert session.execute(text("UPDATE submissions SET state = 'withdrawn'")).rowcount == 0
        assert session.execute(text("DELETE FROM submission_statements")).rowcount == 0


def test_a_provider_cannot_write_a_row_in_anothers_name(guarded):
    steward = scope_of(PRINCIPALS["steward"])
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        guarded.database.transaction(scope=steward) as session,
    ):
        session.execute(text("UPDATE submissions SET provider = 'reed'"))
    with guarded.database.transaction(scope=steward) as session:
        assert session.execute(text("UPDATE submissions SET state = state WHERE provider = 'reed'")).rowcount == 0


def test_the_scope_ends_with_its_transaction(guarded):
    rows(guarded, EVERYTHING, "submissions")

    assert rows(guarded, NOTHING, "submissions") == []
    with guarded.parts.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM submissions")).scalar_one() == 0


def test_which_agreements_give_nothing_is_known_whoever_asks_and_shows_no_row(guarded):
    with guarded.database.reading() as session:
        known = idle_agreements(session)
    with guarded.database.reading(scope=NOTHING) as session:
        told, shown = idle_agreements(session), session.execute(text("SELECT count(*) FROM submissions")).scalar_one()

    assert (told, shown) == (known, 0)
    assert "DSA-K12" not in told


def test_no_page_and_no_route_opens_a_transaction_without_saying_for_whom():
    """Only authentication does, which reads no row of a provider: it has to learn first who asks."""
    root = Path(hub.__path__[0])
    modules = [*root.glob("web/*.py"), *root.glob("**/routes.py")]
    bare = re.compile(r"database\.(reading|transaction)\(\)")
    found = {str(path.relative_to(root)) for path in modules if bare.search(path.read_text("utf-8"))}

    assert len(modules) >= 15
    # The report card draws a published release, which belongs to everybody.
    assert found == {"web/authentication.py", "web/results.py"}
