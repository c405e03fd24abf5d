"""A held submission before the person who decides, and one that never became whole."""

import pytest

from hub.errors import Conflict, NotFound
from hub.jobs import Job
from hub.log import Log
from hub.operations import roles
from hub.operations.sweeping import ask_for_sweep
from hub.submissions.decisions import approve, discard
from hub.submissions.messages import SEND, add_address
from hub.submissions.stale import give_up_stale
from policies.principal import Role
from tests.integration.hub.conftest import accepted_ids, stored_files


def test_over_a_tenth_of_the_students_gone_holds_a_submission_until_it_is_approved(made_up_hub):
    edge = made_up_hub.enrol("novato")
    first = edge.deliver(range(30))
    made_up_hub.clock.advance(days=1)

    second = edge.deliver(range(20))
    told, stands = edge.state(second), accepted_ids(made_up_hub)
    with made_up_hub.database.transaction() as session:
        approve(session, second.id, audit=made_up_hub.trail)

    assert (told["state"], told["owner"]) == ("held", "provider")
    assert [fault["code"] for fault in told["findings"]] == ["HOLD-001"]
    assert stands == [first.id]
    assert accepted_ids(made_up_hub) == [second.id]


def test_a_discarded_submission_leaves_no_file(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(30))
    sqlite_hub.clock.advance(days=1)
    sqlite_hub.work()  # the linkage that the first submission set going keeps files of its own
    before = stored_files(sqlite_hub)
    held = edge.deliver(range(20))

    with sqlite_hub.database.transaction() as session:
        discard(session, held.id, audit=sqlite_hub.trail)
    sqlite_hub.work()

    left = set(stored_files(sqlite_hub)) - set(before)
    assert edge.state(held)["state"] == "withdrawn"
    assert left == set()


def test_too_many_rejected_rows_hold_a_submission(sqlite_hub):
    edge = sqlite_hub.enrol("novato")

    prepared = edge.deliver(range(12), findings={"ROW-001": 5})

    assert edge.state(prepared)["findings"][0]["code"] == "HOLD-002"


def test_a_held_submission_is_approved_once(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    prepared = edge.deliver(range(12))

    with pytest.raises(Conflict), sqlite_hub.database.transaction() as session:
        approve(session, prepared.id, audit=sqlite_hub.trail)
    with pytest.raises(NotFound), sqlite_hub.database.transaction() as session:
        approve(session, "0" * 64, audit=sqlite_hub.trail)


def test_a_hold_shows_its_office_what_it_changes_in_counts_and_nobody_else(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(30))
    sqlite_hub.clock.advance(days=1)
    steward = sqlite_hub.sign_in("novato", Role.STEWARD)
    held = edge.deliver(range(10, 36), facts=edge.facts_of(range(10, 36)))

    told = edge.state(held)
    page = sqlite_hub.client.get(f"/submissions/{held.id}", headers={"cookie": steward}).text
    other = sqlite_hub.sign_in("community-action-marin", Role.STEWARD)
    hidden = sqlite_hub.client.get(f"/submissions/{held.id}", headers={"cookie": other})

    assert told["changes"] == {"students": [30, 26], "gone": 10, "new": 6, "rows": {"demographics": [30, 26]}}
    assert "10 of last time\u2019s children are missing and 6 are new" in page
    assert hidden.status_code == 404
    assert edge.state(edge.deliver(range(3), year=2025))["changes"] is None


def test_a_padded_roster_is_compared_without_its_made_up_people(sqlite_hub):
    """A preschool of forty is padded to two hundred; those of last time are gone, and none of them is a child."""
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(60), facts=edge.facts_of(range(12)), padded=True)
    sqlite_hub.clock.advance(days=1)

    again = edge.deliver([*range(12), *range(100, 148)], facts=edge.facts_of(range(12)), padded=True)

    assert edge.state(again)["state"] == "accepted"


@pytest.mark.parametrize(
    ("first_is_padded", "people", "code"),
    [
        (True, [*range(12), *range(100, 148)], "HOLD-003"),  # who of the 48 was made up, nobody at the hub can know
        (False, [*range(12), *range(100, 148)], "HOLD-001"),  # all of them were students
        (True, range(60), ""),  # the same roster has the same made-up people
    ],
)
def test_a_padded_roster_of_rows_alone_is_held_unless_it_is_the_same(sqlite_hub, first_is_padded, people, code):
    """Padding may add to whom a submission names, and never stands for whom it no longer names."""
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(60), facts=[], padded=first_is_padded)
    sqlite_hub.clock.advance(days=1)

    again = edge.state(edge.deliver(people, facts=[], padded=True))

    assert [fault["code"] for fault in again["findings"]] == [code] * bool(code)
    assert again["state"] == ("held" if code else "accepted")
    assert again["changes"] is None or not code.endswith("3")


def test_a_roster_too_large_to_be_padded_is_compared_whole_whatever_it_claims(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(230), facts=[], padded=True)
    sqlite_hub.clock.advance(days=1)

    again = edge.state(edge.deliver(range(30, 231), facts=[], padded=True))

    assert [fault["code"] for fault in again["findings"]] == ["HOLD-001"]
    assert again["changes"]["gone"] == 30


def test_an_office_is_told_that_a_held_submission_was_discarded(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    with sqlite_hub.database.transaction() as session:
        add_address(session, "novato", "email", "office@novato.invalid", audit=sqlite_hub.trail)
    held = edge.deliver(range(12), findings={"ROW-001": 5})

    with sqlite_hub.database.transaction() as session:
        discard(session, held.id, audit=sqlite_hub.trail)

    with sqlite_hub.database.reading() as session:
        told = [job.payload["state"] for job in session.query(Job).filter(Job.kind == SEND).order_by(Job.id)]
    assert told == ["held", "withdrawn"]
    assert sqlite_hub.events().count("submission.discarded") == 1


def test_a_submission_that_never_becomes_whole_is_given_up_after_a_week(made_up_hub):
    edge = made_up_hub.enrol("novato")
    with made_up_hub.database.transaction() as session:
        add_address(session, "novato", "email", "office@novato.invalid", audit=made_up_hub.trail)
    half, whole = edge.prepare(range(20)), edge.deliver(range(20), year=2025)
    edge.open(half)
    name = half.manifest["chunks"][0]["sha256"]
    edge.ask("PUT", f"/v1/submissions/{half.id}/chunks/{name}", half.chunks[name])
    states = []

    for days in (6, 2):
        made_up_hub.clock.advance(days=days)
        with made_up_hub.database.transaction() as session:
            give_up_stale(session, made_up_hub.trail)
        states.append(edge.state(half)["state"])
    made_up_hub.work()
    told = edge.state(half)

    assert states == ["receiving", "refused"]
    assert told["findings"][0]["code"] == "submission-stale"
    assert told["next_step"] == "Prepare it again and push it: it was not whole after 7 days."
    assert edge.state(whole)["state"] == "accepted"
    assert not (made_up_hub.home.inbox / half.id).exists()
    assert made_up_hub.events().count("submission.refused") == 1
    with made_up_hub.database.reading() as session:
        sent = [job.payload["state"] for job in session.query(Job).filter(Job.kind == SEND)]
    assert "refused" in sent
    assert edge.ask("PUT", f"/v1/submissions/{half.id}/chunks/{name}", half.chunks[name]).status_code == 409


def test_the_resolver_looks_for_such_once_a_day(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    half = edge.prepare(range(20))
    edge.open(half)
    sqlite_hub.clock.advance(days=8)
    worker = roles.resolver(sqlite_hub.settings, log=Log(clock=sqlite_hub.clock), clock=sqlite_hub.clock)

    with sqlite_hub.database.transaction() as session:
        ask_for_sweep(session, worker.broom, due=sqlite_hub.clock())
    worker.run_until_idle()
    worker.database.close()

    assert edge.state(half)["state"] == "refused"
