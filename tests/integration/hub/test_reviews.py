"""Review without names: offices verify lists of their own records, two persons answer, later runs know it."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.linking import reviews, service
from hub.linking.tables import ReviewItem
from policies.principal import Role


@pytest.fixture
def linked(sqlite_hub):
    """Two districts that share thirty children, linked once."""
    novato, reed = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    novato.deliver(range(60))
    reed.deliver(range(30, 80), year=2025)
    run(sqlite_hub)
    return sqlite_hub, novato, reed


def run(hub):
    with hub.database.transaction() as session:
        version = service.request_run(session, audit=hub.trail)
    hub.work()
    with hub.database.transaction() as session:
        service.accept_run(session, version, audit=hub.trail)
    return version


def lines_of(edge):
    answer = edge.ask("GET", "/v1/linkage/reviews")
    assert answer.status_code == 200
    return answer.json()["lines"]


def send(edge, answers):
    return edge.ask("POST", "/v1/linkage/reviews/answers", json.dumps({"answers": answers}).encode())


def right(lines):
    return [{"item": line["item"], "answers": dict.fromkeys(line["fields"], "right")} for line in lines]


def approve(hub, organisation="novato"):
    cookie = hub.sign_in(organisation, Role.STEWARD)
    return hub.client.post("/reviews/approve", headers={"cookie": cookie}, follow_redirects=False)


def test_every_office_gets_a_list_of_its_own_records_whose_length_tells_only_the_size_of_its_roster(linked):
    _, novato, reed = linked

    lists = {edge.organisation: lines_of(edge) for edge in (novato, reed)}

    assert {name: len(lines) for name, lines in lists.items()} == {"novato": 10, "reed": 10}
    assert {line["reference"] for line in lists["novato"]} <= {novato.reference(n).hex() for n in range(60)}
    assert {line["reference"] for line in lists["reed"]} <= {reed.reference(n).hex() for n in range(30, 80)}
    assert all(set(line) == {"item", "reference", "fields", "state"} for line in lists["novato"])


def test_all_lists_are_made_at_one_moment(linked):
    hub, *_ = linked

    with hub.database.reading() as session:
        moments = set(session.scalars(select(ReviewItem.listed_at)))

    assert len(moments) == 1


def test_an_office_whose_records_match_nobody_gets_as_long_a_list(sqlite_hub):
    sqlite_hub.enrol("novato").deliver(range(60))
    alone = sqlite_hub.enrol("ross")
    alone.deliver(range(500, 560))

    run(sqlite_hub)

    assert len(lines_of(alone)) == 10


def test_answers_count_once_a_second_person_approved_them_and_leave_their_events(linked):
    hub, novato, _ = linked
    lines = lines_of(novato)
    before = len(hub.events())

    taken = send(novato, right(lines))
    waiting = lines_of(novato)
    approved = approve(hub)

    assert (taken.status_code, taken.json()["taken"]) == (200, 10)
    assert {line["state"] for line in waiting} == {"answered"}
    assert approved.status_code == 303
    assert lines_of(novato) == []
    wanted = ["review.answered", "review.read", "review.approved", "review.read"]
    assert [event for event in hub.events()[before:] if event.startswith("review.")] == wanted


def test_who_answered_may_not_approve(linked):
    hub, novato, _ = linked
    send(novato, right(lines_of(novato)))
    agent = replace(hub.trail, actor=f"agent:{novato.key_id}", organisation="novato")
    from policies.principal import Principal

    with pytest.raises(reviews.Conflict) as refused, hub.database.transaction() as session:
        reviews.approve_reviews(session, principal=Principal(agent.actor, frozenset(), "novato"), audit=agent)

    assert refused.value.code == "review-own"


def test_nothing_waits_for_approval_is_said(linked):
    hub, *_ = linked

    assert approve(hub).status_code == 409


def test_an_office_answers_only_lines_of_its_own_and_only_in_the_form(linked):
    _, novato, reed = linked
    line = lines_of(novato)[0]
    foreign = lines_of(reed)[0]
    ask = {"item": line["item"], "answers": dict.fromkeys(line["fields"], "right")}

    codes = {
        "another's": send(novato, right([foreign])).json()["code"],
        "unknown field": send(novato, [{**ask, "answers": {"weight": "right"}}]).json()["code"],
        "unknown answer": send(novato, [{**ask, "answers": dict.fromkeys(line["fields"], "maybe")}]).json()["code"],
        "nothing": send(novato, []).json()["code"],
        "twice": send(novato, [ask, ask]).json()["code"],
        "no list": novato.ask("POST", "/v1/linkage/reviews/answers", b"[]").json()["code"],
    }

    assert codes == {
        "another's": "not-found", "unknown field": "review-fields", "unknown answer": "review-form",
        "nothing": "review-form", "twice": "review-form", "no list": "review-form",
    }  # fmt: skip
    assert {one["state"] for one in lines_of(novato)} == {"open"}


def test_answered_lines_are_never_asked_again_and_the_list_is_filled_up(linked):
    hub, novato, _ = linked
    first = lines_of(novato)
    send(novato, right(first))
    approve(hub)

    run(hub)

    second = lines_of(novato)
    assert len(second) == 10
    assert not {line["reference"] for line in first} & {line["reference"] for line in second}


def test_unanswered_lines_stay_as_they_are_in_the_next_run(linked):
    hub, novato, _ = linked
    first = lines_of(novato)

    run(hub)

    assert lines_of(novato) == first


def test_what_was_found_right_is_known_to_the_next_run(linked):
    from linkage.match.memory_files import Numbering

    hub, novato, _ = linked
    lines = lines_of(novato)
    first, *others = lines
    answers = [*right(others), {"item": first["item"], "answers": dict.fromkeys(first["fields"], "corrected")}]
    send(novato, answers)
    approve(hub)

    asked = reviews.read_asked(hub.database, Numbering((), ("novato", "reed")))

    assert asked.right == {(0, bytes.fromhex(line["reference"])): frozenset(line["fields"]) for line in others}
    assert len(asked.records) == 20
    assert asked.waiting == {1: 10}


def test_the_page_counts_lines_and_shows_no_record(linked):
    hub, novato, _ = linked
    send(novato, right(lines_of(novato)[:3]))
    cookie = hub.sign_in("novato", Role.STEWARD)

    shown = hub.client.get("/reviews", headers={"cookie": cookie}).text

    assert "Approve 3 answered lines" in shown
    assert not any(novato.reference(number).hex() in shown for number in range(60))
