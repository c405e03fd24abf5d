"""Every question of a partner names agreement and purpose: wrong, expired and absent ones are refused and logged."""

import datetime as dt

import pytest

from hub.audit.tables import Detail
from hub.identity.service import add_person, make_token
from policies.principal import Role
from tests.integration.hub.conftest import sqlite_hub  # noqa: F401 (a fixture)

pytestmark = pytest.mark.access
PARTNER_TABLE = "/v1/observations?indicator=third-grade-reading&by=preschool"
RIGHT = "&agreement=DUL-7&purpose=close-equity-gap-2028"
EXPIRED = dt.datetime(2039, 7, 1, tzinfo=dt.UTC)


@pytest.fixture
def partner(sqlite_hub):  # noqa: F811
    hub = sqlite_hub
    cookie = hub.sign_in("canal-alliance", Role.PARTNER)
    return hub, {"cookie": cookie}


def refusals(hub):
    with hub.database.reading() as session:
        rows = session.query(Detail).filter(Detail.event == "request.refused").order_by(Detail.sequence)
        return [(row.rule, row.decision) for row in rows]


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("&purpose=close-equity-gap-2028&agreement=DUL-99", "R-10"),
        ("&purpose=close-equity-gap-2028&agreement=DSA-K12", "R-10"),
        ("&agreement=DUL-7", "R-11"),
        ("&agreement=DUL-7&purpose=curiosity", "R-11"),
    ],
)
def test_a_wrong_or_absent_agreement_or_purpose_is_refused_and_logged(partner, asked, rule):
    hub, headers = partner

    answer = hub.client.get(PARTNER_TABLE + asked, headers=headers)

    assert (answer.status_code, answer.json().get("rule")) == (403, rule)
    assert refusals(hub) == [(rule, "refused")]


def test_an_expired_agreement_is_refused_and_logged(sqlite_hub):  # noqa: F811
    hub = sqlite_hub
    hub.clock.now = EXPIRED
    cookie = hub.sign_in("canal-alliance", Role.PARTNER)

    answer = hub.client.get(PARTNER_TABLE + RIGHT, headers={"cookie": cookie})

    assert (answer.status_code, answer.json().get("rule")) == (403, "R-10")
    assert refusals(hub) == [("R-10", "refused")]


def test_what_is_hidden_and_what_is_absent_are_refused_byte_for_byte_alike(partner):
    hub, headers = partner

    hidden, absent = (
        hub.client.get(f"{PARTNER_TABLE}&purpose=close-equity-gap-2028&agreement={name}", headers=headers)
        for name in ("DSA-K12", "DUL-99")
    )

    assert hidden.content == absent.content


def test_a_token_asks_under_its_own_agreement_alone(sqlite_hub):  # noqa: F811
    hub = sqlite_hub
    with hub.database.transaction() as session:
        person = add_person(session, organisation="canal-alliance", roles=frozenset({Role.PARTNER}), audit=hub.trail)
        secret = make_token(session, person, agreement="DUL-7", audit=hub.trail)

    answer = hub.client.get(
        f"{PARTNER_TABLE}&purpose=close-equity-gap-2028&agreement=MOU-1", headers={"authorization": f"Bearer {secret}"}
    )

    assert (answer.status_code, answer.json().get("rule")) == (403, "R-03")
    assert refusals(hub) == [("R-03", "refused")]
