"""The record of disclosures by office and by agreement: as page, CSV and JSON, each office its own."""

import csv
import io

import pytest

from hub.audit.tables import Detail
from policies.principal import Role
from tests.integration.agreements.test_child_records import RELEASE, told  # noqa: F401 (a fixture)
from tests.integration.hub.conftest import sqlite_hub  # noqa: F401 (a fixture)

pytestmark = pytest.mark.access


@pytest.fixture
def officer(told):  # noqa: F811
    return told[0].sign_in("promise-partnership", Role.COMPLIANCE)


def rows(hub, cookie, query=""):
    return hub.client.get(f"/v1/disclosures{query}", headers={"cookie": cookie}).json()["rows"]


def test_the_officer_reads_who_received_what_was_counted_with_each_office_s_records(told, officer):  # noqa: F811
    found = rows(told[0], officer)

    names = ("office", "given_under", "recipient", "received_under", "times")
    assert [tuple(one[name] for name in names) for one in found] == [
        ("novato", "DSA-K12", "public", "", 1),
        ("novato", "DSA-K12", "", "DUL-7", 2),
        ("reed", "DSA-K12", "public", "", 1),
        ("reed", "DSA-K12", "", "DUL-7", 2),
    ]
    assert {(one["office"], one["school_years"]) for one in found} == {("novato", "2026"), ("reed", "2025")}
    assert {one["release"] for one in found} == {RELEASE}
    with told[0].database.reading() as session:
        event = session.query(Detail).filter(Detail.event == "disclosures.read").one()
        assert event.counts == {"lines": len(found)}


def test_the_record_is_narrowed_by_office_and_by_agreement_given_or_received_under(told, officer):  # noqa: F811
    hub = told[0]

    assert {one["office"] for one in rows(hub, officer, "?office=reed")} == {"reed"}
    assert {one["received_under"] for one in rows(hub, officer, "?agreement=DUL-7")} == {"DUL-7"}
    assert len(rows(hub, officer, "?agreement=DSA-K12")) == len(rows(hub, officer))
    assert rows(hub, officer, "?agreement=DSA-PRE") == []


def test_a_steward_reads_that_of_her_own_office_whatever_she_asks(told):  # noqa: F811
    hub = told[0]
    steward = hub.sign_in("reed", Role.STEWARD)

    assert {one["office"] for one in rows(hub, steward, "?office=novato")} == {"reed"}


def test_csv_and_page_say_the_same_and_a_partner_reads_neither(told, officer):  # noqa: F811
    hub, _, _ = told
    found = rows(hub, officer)

    table = hub.client.get("/v1/disclosures.csv", headers={"cookie": officer})
    shown = hub.client.get("/disclosures?office=reed", headers={"cookie": officer})

    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [{**one, "times": int(one["times"])} for one in read] == found
    assert (shown.status_code, shown.text.count('<th scope="row">reed</th>')) == (200, 2)
    partner = hub.sign_in("canal-alliance", Role.PARTNER)
    assert hub.client.get("/v1/disclosures.csv", headers={"cookie": partner}).status_code == 403
