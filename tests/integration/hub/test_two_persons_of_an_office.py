"""Accepted is not certified: two persons of the provider's office certify or withdraw; nobody is both."""

import pytest

from hub.submissions.service import accepted
from policies.principal import Role


def ask(hub, cookie, path, **headers):
    return hub.client.post(path, headers={"cookie": cookie, **headers})


def accepted_ids(hub):
    with hub.database.reading() as session:
        return [found.submission for found in accepted(session)]


@pytest.fixture
def office(sqlite_hub):
    """A hub, an accepted submission of Novato's edge, and two stewards of its office."""
    edge = sqlite_hub.enrol("novato")
    prepared = edge.deliver(range(30))
    people = [sqlite_hub.sign_in("novato", Role.STEWARD) for _ in range(2)]
    return sqlite_hub, edge, prepared, people


def test_two_persons_certify_and_each_word_is_in_the_log_and_no_one_says_it_twice(office):
    hub, edge, prepared, (first, second) = office
    path = f"/v1/submissions/{prepared.id}/certify"

    answers = [ask(hub, person, path) for person in (first, first, second)]

    assert [answer.status_code for answer in answers] == [200, 409, 200]
    assert answers[0].json() == {"certified_by": 1, "withdrawal_asked_by": 0, "persons_needed": 2}
    assert answers[1].json()["code"] == "second-person"
    assert answers[2].json() == {"certified_by": 2, "withdrawal_asked_by": 0, "persons_needed": 2}
    assert edge.state(prepared)["certified_by"] == 2
    assert hub.events().count("submission.certified") == 2


def test_a_withdrawal_by_two_persons_takes_the_submission_out_of_use_and_drops_its_files(office):
    hub, edge, prepared, (first, second) = office
    path = f"/v1/submissions/{prepared.id}/withdraw"

    one = ask(hub, first, path)
    stands = accepted_ids(hub)
    two = ask(hub, second, path)
    hub.work()
    three = ask(hub, first, path.replace("withdraw", "certify"))

    assert (one.status_code, two.status_code, three.status_code) == (200, 200, 409)
    assert three.json()["code"] == "submission-not-to-certify"
    assert stands == [prepared.id]
    assert accepted_ids(hub) == []
    assert edge.state(prepared)["state"] == "withdrawn"
    kept = [path for folder in (hub.home.linkage, hub.home.analysis) for path in folder.rglob("*") if path.is_file()]
    assert kept == []
    assert hub.events().count("submission.withdrawal_asked") == 2
    assert hub.events().count("submission.withdrawn") == 1


def test_another_office_an_agent_another_role_and_another_site_may_not(office):
    hub, edge, prepared, (own, _) = office
    paths = [f"/v1/submissions/{prepared.id}/{act}" for act in ("certify", "withdraw", "approve", "discard")]
    stranger, partner = hub.sign_in("reed", Role.STEWARD), hub.sign_in("novato", Role.PARTNER)

    answers = [
        (
            ask(hub, stranger, path).status_code,
            ask(hub, partner, path).status_code,
            edge.ask("POST", path, b"").status_code,
            ask(hub, own, path, origin="https://elsewhere.test").status_code,
        )
        for path in paths
    ]

    assert answers == [(404, 403, 403, 403)] * 4
    assert accepted_ids(hub) == [prepared.id]


@pytest.mark.parametrize(("act", "stands"), [("approve", "second"), ("discard", "first")])
def test_a_steward_decides_about_a_held_submission_of_her_office(office, act, stands):
    hub, edge, first, (person, _) = office
    hub.clock.advance(days=1)
    person = hub.sign_in("novato", Role.STEWARD)
    second = edge.deliver(range(20))
    assert edge.state(second)["state"] == "held"

    answer = ask(hub, person, f"/v1/submissions/{second.id}/{act}")

    assert answer.status_code == 204
    assert accepted_ids(hub) == [{"first": first, "second": second}[stands].id]


def test_the_page_has_the_buttons_and_comes_back_to_itself(office):
    hub, _, prepared, (person, _) = office
    page = f"/submissions/{prepared.id}"

    before = hub.client.get(page, headers={"cookie": person}).text
    done = ask(hub, person, f"{page}/certify")
    after = hub.client.get(page, headers={"cookie": person}).text

    assert "Certify it: two persons of your office say that it is right." in before
    assert f'action="{page}/certify"' in before
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert "Certify it: a second person of your office says that it is right." in after
    for act in ("withdraw", "approve", "discard"):
        assert ask(hub, person, f"{page}/{act}").status_code in (303, 409)


@pytest.mark.access
@pytest.mark.parametrize("path", ["/v1/submissions/{}/", "/submissions/{}/"])
@pytest.mark.parametrize("act", ["certify", "withdraw"])
def test_certifying_and_withdrawing_want_a_second_factor_of_the_last_ten_minutes(office, path, act):
    hub, edge, prepared, (first, _) = office
    hub.clock.advance(minutes=11)

    late = ask(hub, first, path.format(prepared.id) + act)

    state = edge.state(prepared)
    assert (late.status_code, late.json()["code"]) == (403, "step-up")
    assert (state["certified_by"], state["withdrawal_asked_by"]) == (0, 0)
    assert hub.events().count("submission.certified") + hub.events().count("submission.withdrawal_asked") == 0
