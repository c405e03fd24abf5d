"""The operator's commands over people: alone at the beginning, and not once an officer can approve."""

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.db import Database
from hub.identity.passkeys import passkeys_of
from hub.identity.tables import Passkey, Person, SignInLink
from policies.principal import Role
from tests.databases import address_of

pytestmark = pytest.mark.access


def run(home, *words):
    answer = CliRunner().invoke(app, [*words, "--home", str(home)])
    return answer.exit_code, answer.output.strip()


def rows(home, table):
    database = Database(address_of(home))
    with database.reading() as session:
        found = session.query(table).all()
        session.expunge_all()
    database.close()
    return found


def give_passkey(home, person, clock):
    database = Database(address_of(home))
    with database.transaction() as session:
        row = Passkey(credential=person, person=person, public_key=b"-", sign_count=0, added_at=clock())
        session.add(row)
        session.flush()
        assert passkeys_of(session, person) == 1
    database.close()


@pytest.fixture
def real_home(home):
    """A home whose people are not made up."""
    (home / "synthetic").unlink()
    return home


def test_the_first_people_get_links_to_set_up_accounts_and_then_two_persons_are_needed(real_home, clock):
    first = run(real_home, "sign-in-link", "--role", "compliance", "--url", "https://hub.example")
    second = run(real_home, "sign-in-link", "--role", "administrator")
    officer = next(one.id for one in rows(real_home, Person) if Role.COMPLIANCE in one.roles)
    give_passkey(real_home, officer, clock)
    third = run(real_home, "sign-in-link", "--role", "steward", "--organisation", "novato")

    assert first[0] == second[0] == 0
    assert first[1].startswith("https://hub.example/sign-in?link=")
    assert all(link.sets_up for link in rows(real_home, SignInLink))
    assert (third[0], "two-persons" in third[1]) == (1, True)


def test_among_made_up_people_a_link_signs_in_at_once(home):
    assert run(home, "sign-in-link", "--role", "steward", "--organisation", "novato")[0] == 0
    assert [link.sets_up for link in rows(home, SignInLink)] == [False]


def test_the_only_officer_is_reset_by_the_operator_and_nobody_else(real_home, clock):
    run(real_home, "sign-in-link", "--role", "compliance")
    run(real_home, "sign-in-link", "--role", "administrator")
    people = {next(iter(one.roles)): one.id for one in rows(real_home, Person)}
    give_passkey(real_home, people["compliance"], clock)

    other = run(real_home, "people", "reset", people["administrator"])
    only = run(real_home, "people", "reset", people["compliance"])

    assert (other[0], only[0], rows(real_home, Passkey)) == (1, 0, [])


def test_people_are_listed_and_removed_and_the_last_officer_is_not(home):
    run(home, "sign-in-link", "--role", "compliance")
    run(home, "sign-in-link", "--role", "steward", "--organisation", "novato")
    people = {next(iter(one.roles)): one.id for one in rows(home, Person)}

    listed = run(home, "people", "list")[1].splitlines()
    gone = run(home, "people", "remove", people["steward"])
    last = run(home, "people", "remove", people["compliance"])

    assert listed == [
        f"{people['steward']}  novato  steward",
        f"{people['compliance']}  promise-partnership  compliance",
    ]
    assert (gone[0], last[0], "last-of-role" in last[1]) == (0, 1, True)
    assert run(home, "people", "acts") == (0, "")
