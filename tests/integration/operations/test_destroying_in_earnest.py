"""Destruction as in earnest: approved under the API's own login, finished by the owner, who is no superuser; and never
certified while a file stays."""

import datetime as dt

import pytest
from sqlalchemy import select, text

from hub.agreements.activation import register_keys, withdraw
from hub.errors import StoreError
from hub.http import scope_of
from hub.identity.two_persons import list_acts
from hub.linking.tables import Link
from hub.operations import acts
from hub.operations.destruction import Doomed, complete_destruction, delete_files, waiting_destructions
from hub.settings import Home
from hub.stores import places_in
from policies.party_keys import party_key
from policies.principal import Principal, Role
from tests.integration.agreements.test_activation import key_of, leaving
from tests.integration.agreements.test_destruction import ADMINISTRATOR, OFFICER, held
from tests.integration.operations.test_database_logins import logins, roled, worked  # noqa: F401 (fixtures)

pytestmark = pytest.mark.access
TOLD = {"agreement": "DSA-K12", "organisation": "reed"}
SIGNATORY = Principal("person:signatory", frozenset({Role.SIGNATORY}), "reed")


def as_api(hub, principal, act):
    """Do it in a transaction of a request of this principal: under the API's login, and with its scope."""
    with hub.parts.database.transaction(scope=scope_of(principal)) as session:
        return act(session)


def approve(hub, number, principal):
    def act(session):
        (seen,) = [one for one in list_acts(session, principal=principal, audit=hub.trail) if one.id == number]
        acts.approve(session, number, digest=seen.digest, principal=principal, audit=hub.trail)

    as_api(hub, principal, act)


def test_destruction_goes_through_under_logins_that_are_no_superusers_and_leaves_nothing(worked):  # noqa: F811
    hub = worked
    with hub.database.transaction() as session:
        rights = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert session.execute(text(rights)).scalar_one() is False
        marks = set(session.scalars(select(Link.reference).where(Link.provider == "reed")))
        register_keys(session, {"reed": party_key("reed", key_of("reed"))}, audit=hub.trail)
        withdraw(session, leaving("DSA-K12", "reed", now=hub.clock()), audit=hub.trail)
    assert len(held(marks, hub.database, hub.home)) == len(marks) == 20

    how = {"why": "They left.", "principal": ADMINISTRATOR, "audit": hub.trail}
    number = as_api(hub, ADMINISTRATOR, lambda session: acts.ask(session, "data.destroy", TOLD, **how))
    for principal in (OFFICER, SIGNATORY):
        approve(hub, number, principal)
    hub.work()
    with hub.database.reading() as session:
        (waiting,) = waiting_destructions(session)
    certificate = complete_destruction(hub.database, hub.home, waiting, audit=hub.trail)

    assert held(marks, hub.database, hub.home) == []
    assert certificate["counts"]["links"] == 20
    assert certificate["backups_gone_by"] == (hub.clock().date() + dt.timedelta(35)).isoformat()


def test_nothing_is_certified_while_a_file_cannot_be_deleted(home):
    kept = "/proc/version"  # not even root deletes it

    with pytest.raises(StoreError) as refused:
        delete_files(Home(home), Doomed((kept,), (), (), ()), places=places_in(Home(home)))

    assert (refused.value.code, "/proc" in refused.value.detail) == ("file-kept", False)
