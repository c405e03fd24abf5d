"""The page of the linkage: who may ask that a run hold or that the one before hold again, and what holds the asker."""

import re

import pytest

from hub.linking.service import accept_run, current_version, request_run
from policies.principal import Role
from tests.integration.access.conftest import NOVATO, REED
from tests.integration.access.test_two_person_queue import approved, asked

pytestmark = pytest.mark.access


@pytest.fixture(scope="module")
def linked(crowd):
    """A hub with a run that holds and one that was resolved after it."""
    hub = crowd.hub
    for organisation in (NOVATO, REED):
        hub.enrol(organisation).deliver(range(30))
    hub.work()
    for version in (1, 2):
        with hub.database.transaction() as session:
            request_run(session, audit=hub.trail)
        hub.work()
        if version == 1:
            with hub.database.transaction() as session:
                accept_run(session, version, audit=hub.trail)
    return crowd


def page_of(people, role, organisation="promise-partnership"):
    cookie = people.cookie(role, organisation)
    return people.ask("GET", "/linkage", cookie, headers={"accept": "text/html"}).text


def holds(people):
    with people.hub.database.reading() as session:
        return current_version(session)


def test_an_administrator_may_ask_and_an_officer_and_a_signatory_see_the_runs_without_buttons(linked):
    asks, reads = page_of(linked, Role.ADMINISTRATOR), page_of(linked, Role.COMPLIANCE)
    signs, sends = page_of(linked, Role.SIGNATORY, NOVATO), page_of(linked, Role.STEWARD, NOVATO)

    assert "Ask that run 2 hold" in asks
    assert "Go back to no links at all" in asks
    assert all("Which run holds?" in one and 'action="/acts"' not in one for one in (reads, signs))
    assert "Which run holds?" not in sends


def test_runs_are_told_without_a_count_of_links_or_persons(linked):
    answer = linked.ask("GET", "/v1/linkage/runs", linked.cookie(Role.COMPLIANCE))

    assert [(one["version"], one["state"], one["holds"], one["waits"]) for one in answer.json()["rows"]] == [
        (2, "resolved", False, True), (1, "accepted", True, False),
    ]  # fmt: skip
    assert not re.search("links|persons|matches|possible|records", answer.text)


def test_two_persons_let_a_run_hold_and_a_revert_that_was_asked_before_takes_it_not_back(linked):
    administrator, officer = linked.cookie(Role.ADMINISTRATOR), linked.cookie(Role.COMPLIANCE)
    revert = asked(linked, "linkage.revert", {}, administrator).json()["act"]
    accept = asked(linked, "linkage.accept", {"version": "2"}, administrator).json()["act"]

    accepted = approved(linked, accept, officer)
    late = approved(linked, revert, officer)

    assert (accepted.status_code, holds(linked)) == (200, 2)
    assert (late.status_code, late.json()["code"]) == (409, "ACT-004")
    again = asked(linked, "linkage.revert", {}, administrator).json()["act"]
    shown = linked.ask("GET", f"/v1/acts/{again}", officer).json()["payload"]
    assert shown == {"holds": "2", "before": "1"}
    assert (approved(linked, again, officer).status_code, holds(linked)) == (200, 1)


def test_before_the_first_run_the_page_says_so_and_nothing_can_be_taken_back(people):
    refused = asked(people, "linkage.revert", {}, people.cookie(Role.ADMINISTRATOR))

    assert "No run holds yet" in page_of(people, Role.ADMINISTRATOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing-to-revert")
