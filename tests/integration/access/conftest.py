"""A hub of this folder's tests, with people of every role."""

import pytest

from policies.principal import Principal, Role
from tests.conftest import StandingClock
from tests.databases import address_of, copy_home
from tests.integration.hub.conftest import MadeUpHub

HUB, NOVATO, REED = "promise-partnership", "novato", "reed"


class People:
    """People of a made-up hub, each signed in once: their cookies and how the log names them."""

    def __init__(self, hub):
        self.hub, self.cookies, self.principals = hub, {}, {}

    def cookie(self, role, organisation=HUB, *, name=""):
        """The cookie of one person of this role and organisation."""
        key = (role, organisation, name)
        if key not in self.cookies:
            from hub.identity.service import add_person, make_sign_in_link

            with self.hub.database.transaction() as session:
                person = add_person(session, organisation=organisation, roles=frozenset({role}), audit=self.hub.trail)
                link = make_sign_in_link(session, person, audit=self.hub.trail)
            answer = self.hub.client.post("/sign-in", content=f"link={link}")
            self.hub.client.cookies.clear()
            self.cookies[key] = answer.headers["set-cookie"].split(";")[0]
            self.principals[key] = Principal(f"person:{person}", frozenset({role}), organisation)
        return self.cookies[key]

    def principal(self, role, organisation=HUB, *, name=""):
        self.cookie(role, organisation, name=name)
        return self.principals[(role, organisation, name)]

    def ask(self, method, path, cookie, **sent):
        return self.hub.client.request(method, path, headers={"cookie": cookie, **sent.pop("headers", {})}, **sent)


@pytest.fixture
def people(home, clock):
    """People of a hub on SQLite."""
    hub = MadeUpHub(home, address_of(home), clock)
    yield People(hub)
    hub.close()


@pytest.fixture
def people_on_both(home, database_url, clock):
    """The same on SQLite and on PostgreSQL, for what a database could do otherwise."""
    hub = MadeUpHub(home, database_url, clock)
    yield People(hub)
    hub.close()


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, home_template):
    """One hub for all the cells of a module, on SQLite."""
    folder = tmp_path_factory.mktemp("crowd") / "hub"
    copy_home(home_template, folder)
    hub = MadeUpHub(folder, address_of(folder), StandingClock())
    yield People(hub)
    hub.close()


ROLES = {
    "steward": (Role.STEWARD, NOVATO),
    "analyst": (Role.PARTNER, "canal-alliance"),
    "compliance": (Role.COMPLIANCE, HUB),
    "administrator": (Role.ADMINISTRATOR, HUB),
    "signatory": (Role.SIGNATORY, NOVATO),
}
