"""Linkage runs: records of one child in two providers become one person, in immutable runs behind a pointer."""

import csv

import pytest
from sqlalchemy import select

from hub.audit.events import EventType
from hub.errors import Conflict, Invalid, NotFound, Unavailable
from hub.linking import service
from hub.linking.evaluation import evaluate_links, read_truth
from hub.linking.tables import Link, LinkageRun
from hub.linking.waiting import wait_for


@pytest.fixture
def two_districts(made_up_hub):
    """Novato has children 0 to 59, Reed had 30 to 79 the year before: thirty moved."""
    novato, reed = made_up_hub.enrol("novato"), made_up_hub.enrol("reed")
    novato.deliver(range(60))
    reed.deliver(range(30, 80), year=2025)
    return made_up_hub, novato, reed


def run(hub, *, accept=True):
    with hub.database.transaction() as session:
        version = service.request_run(session, audit=hub.trail)
    hub.work()
    if accept:
        with hub.database.transaction() as session:
            service.accept_run(session, version, audit=hub.trail)
    return version


def links_of(hub):
    with hub.database.reading() as session:
        found = service.current_links(session)
    return dict(zip(zip(found.provider, found.reference, strict=True), found.person, strict=True))


def truth_file(path, *edges_and_numbers):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["provider", "record_reference", "person", "custom"])
        for edge, numbers in edges_and_numbers:
            writer.writerows([edge.organisation, edge.reference(at).hex(), f"p{at}", "made-up"] for at in numbers)
    return path


def test_the_same_children_of_two_districts_become_one_person_each(two_districts, tmp_path):
    hub, novato, reed = two_districts

    run(hub)
    truth = truth_file(tmp_path / "truth.csv", (novato, range(60)), (reed, range(30, 80)))
    with hub.database.transaction() as session:
        measured = evaluate_links(session, read_truth(truth), audit=hub.trail)

    assert hub.events()[-1] == "linkage.evaluated"
    assert (measured["records"], measured["true_pairs"]) == (110, 30)
    assert measured["precision"] >= 0.9
    assert measured["recall"] >= 0.8


def test_a_run_leaves_its_events_and_no_pairs_behind(two_districts):
    hub, *_ = two_districts
    before = len(hub.events())

    run(hub)

    assert hub.events()[before:] == [
        "linkage.requested", "linkage.compared", "linkage.resolved", "linkage.accepted",
    ]  # fmt: skip
    assert list(hub.home.handover.iterdir()) == []


def test_a_second_run_keeps_the_persons_of_the_first(two_districts):
    hub, *_ = two_districts
    run(hub)
    first = links_of(hub)

    run(hub)

    assert links_of(hub) == first


def test_a_run_is_immutable_and_revert_lets_the_one_before_hold_again(two_districts):
    hub, novato, _ = two_districts
    first = run(hub)
    before = links_of(hub)
    novato.deliver(range(80), year=2025)
    second = run(hub)

    with hub.database.transaction() as session:
        held = service.revert_run(session, audit=hub.trail)

    assert (held, links_of(hub)) == (first, before)
    with hub.database.reading() as session:
        assert session.scalars(select(Link.run).distinct().order_by(Link.run)).all() == [first, second]


def test_reverting_the_first_run_leaves_none_and_then_nothing_can_be_reverted(two_districts):
    hub, *_ = two_districts
    run(hub)

    with hub.database.transaction() as session:
        assert service.revert_run(session, audit=hub.trail) is None

    with pytest.raises(Conflict), hub.database.transaction() as session:
        service.revert_run(session, audit=hub.trail)
    with pytest.raises(Conflict), hub.database.reading() as session:
        service.current_links(session)


def test_a_run_that_rests_on_another_than_the_one_that_holds_is_not_accepted(two_districts):
    hub, *_ = two_districts
    older = run(hub, accept=False)
    run(hub)

    with pytest.raises(Conflict) as refused, hub.database.transaction() as session:
        service.accept_run(session, older, audit=hub.trail)

    assert refused.value.code == "run-outdated"


def test_a_run_is_accepted_once_and_only_when_it_is_resolved(two_districts):
    hub, *_ = two_districts
    with hub.database.transaction() as session:
        version = service.request_run(session, audit=hub.trail)

    with pytest.raises(Conflict), hub.database.transaction() as session:
        service.accept_run(session, version, audit=hub.trail)
    with pytest.raises(NotFound), hub.database.transaction() as session:
        service.accept_run(session, 99, audit=hub.trail)


def test_nothing_accepted_is_nothing_to_link(sqlite_hub):
    with pytest.raises(Conflict) as refused, sqlite_hub.database.transaction() as session:
        service.request_run(session, audit=sqlite_hub.trail)

    assert refused.value.code == "nothing-to-link"


def test_a_held_submission_is_never_linked(sqlite_hub):
    novato, reed = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    novato.deliver(range(30))
    reed.deliver(range(12), findings={"ROW-001": 5})

    run(sqlite_hub)

    assert {provider for provider, _ in links_of(sqlite_hub)} == {"novato"}


def test_waiting_for_a_run_that_nobody_works_on_says_what_to_start(sqlite_hub):
    sqlite_hub.enrol("novato").deliver(range(12))
    with sqlite_hub.database.transaction() as session:
        version = service.request_run(session, audit=sqlite_hub.trail)

    with pytest.raises(Unavailable) as refused:
        wait_for(sqlite_hub.database, version, timeout_seconds=0.2, sleep=lambda seconds: None)

    assert "promise-hub serve" in refused.value.next_step


def test_waiting_for_a_failed_run_ends(sqlite_hub):
    sqlite_hub.enrol("novato").deliver(range(12))
    with sqlite_hub.database.transaction() as session:
        version = service.request_run(session, audit=sqlite_hub.trail)
        service.fail_run(session, version)

    with pytest.raises(Conflict) as refused:
        wait_for(sqlite_hub.database, version, timeout_seconds=1)

    assert refused.value.code == "run-failed"


def test_a_run_whose_pairs_are_gone_fails_and_is_told(sqlite_hub):
    from hub.log import Log
    from hub.operations import roles

    sqlite_hub.enrol("novato").deliver(range(12))
    with sqlite_hub.database.transaction() as session:
        version = service.request_run(session, audit=sqlite_hub.trail)
    matcher = roles.matcher(sqlite_hub.settings, log=Log(), clock=sqlite_hub.clock)
    matcher.run_until_idle()
    matcher.close()
    for file in sqlite_hub.home.handover.iterdir():
        file.unlink()

    for _ in range(5):
        sqlite_hub.clock.advance(minutes=10)
        sqlite_hub.work()

    with sqlite_hub.database.reading() as session:
        assert session.get_one(LinkageRun, version).state == "failed"
    assert sqlite_hub.events()[-1] == EventType.JOB_FAILED.value


def test_a_truth_without_its_columns_is_refused(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("provider,person\n")

    with pytest.raises(Invalid) as refused:
        read_truth(path)

    assert refused.value.code == "truth-columns"


def test_quality_tells_each_pair_of_providers_and_a_steward_only_her_own(sqlite_hub):
    from policies.principal import Role

    for year, organisation in enumerate(("novato", "reed", "ross"), start=2024):
        sqlite_hub.enrol(organisation).deliver(range(60), year=year)
    run(sqlite_hub)
    told = {}
    for organisation, role in (("ross", Role.STEWARD), ("promise-partnership", Role.COMPLIANCE)):
        cookie = sqlite_hub.sign_in(organisation, role)
        quality = sqlite_hub.client.get("/v1/linkage/quality", headers={"cookie": cookie}).json()["quality"]
        told[role] = {(pair["left"], pair["right"]) for pair in quality["by_providers"]}

    assert told[Role.COMPLIANCE] == {("novato", "reed"), ("novato", "ross"), ("reed", "ross")}
    assert told[Role.STEWARD] == {("novato", "ross"), ("reed", "ross")}
