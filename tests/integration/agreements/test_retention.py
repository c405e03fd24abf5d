"""Time and agreements: parties are told before one ends, destruction is asked for after it, until it is done."""

import datetime as dt
import json

import pytest

from hub.audit.tables import Detail
from hub.identity.two_persons import list_acts
from hub.jobs import Job
from hub.operations import acts, roles
from hub.operations.destruction import complete_destruction, waiting_destructions
from hub.operations.doctor import Patient, examine
from hub.operations.retention import to_be_destroyed
from hub.operations.sweeping import ask_for_sweep
from hub.submissions.messages import add_address, webhook_key
from policies.principal import Principal, Role
from tests.integration.hub.conftest import made_up_hub, sqlite_hub  # noqa: F401 (fixtures)
from tests.integration.hub.test_messages import OFFICE, hook, mail, send  # noqa: F401 (fixtures)

pytestmark = pytest.mark.access
PRESCHOOL, DISTRICT = "community-action-marin", "novato"
LAST_DAY = dt.datetime(2039, 6, 30, 10, tzinfo=dt.UTC)
"""The last day of every agreement of the demonstration; 90 days later its data are to be gone."""
OFFICER = Principal("person:officer", frozenset({Role.COMPLIANCE}), "promise-partnership")
SIGNATORY = Principal("person:signatory", frozenset({Role.SIGNATORY}), PRESCHOOL)


def given_to(hub):
    hub.enrol(PRESCHOOL).deliver(range(12), kind="preschool", under="DSA-PRE", year=2020)
    return hub


@pytest.fixture
def given(sqlite_hub):  # noqa: F811
    """A hub to which one preschool gave something."""
    return given_to(sqlite_hub)


@pytest.fixture
def given_on_both(made_up_hub):  # noqa: F811
    return given_to(made_up_hub)


def look(hub, *, days):
    """The resolver's daily look, so many days after the last day of the agreements."""
    hub.clock.now = LAST_DAY + dt.timedelta(days=days)
    worker = roles.resolver(hub.settings, log=hub.parts.log, clock=hub.clock)
    with hub.database.transaction() as session:
        ask_for_sweep(session, worker.broom, due=hub.clock())
    worker.run_until_idle()
    worker.close()


def warnings_of(hub, agreement):
    with hub.database.reading() as session:
        found = session.query(Detail).filter(Detail.event == "agreement.warned", Detail.agreement == agreement)
        return [(one.versions["days"], one.actor) for one in found.order_by(Detail.sequence)]


def waiting(hub, principal=OFFICER):
    with hub.database.transaction() as session:
        found = list_acts(session, principal=principal, audit=hub.trail)
    return [one for one in found if one.state == "waiting" and one.holds_until > hub.clock()]


def doctor_codes(hub):
    found = examine(Patient(hub.settings, hub.home, hub.database, hub.clock))
    return {one.code for one in found if one.code.startswith("destruction")}


def test_parties_are_warned_once_at_each_of_the_four_days(given):
    for days in (-100, -90, -89, -60, -30, -29, -7, -1, 0):
        look(given, days=days)

    assert warnings_of(given, "MOU-1") == [(days, "resolver") for days in ("90", "60", "30", "7")]


def test_a_warning_is_mailed_and_sent_to_webhooks_with_what_to_do_and_nothing_else(
    sqlite_hub,  # noqa: F811
    mail,  # noqa: F811
    hook,  # noqa: F811
):
    box, port = mail
    server, url = hook
    webhook_key(sqlite_hub.home)
    with sqlite_hub.database.transaction() as session:
        add_address(session, PRESCHOOL, "email", OFFICE, audit=sqlite_hub.trail)
        add_address(session, PRESCHOOL, "webhook", url, audit=sqlite_hub.trail)

    look(sqlite_hub, days=-7)
    send(sqlite_hub, smtp_host="127.0.0.1", smtp_port=port)

    told = {one["agreement"]: one for one in (json.loads(body) for _, body in server.kept)}
    assert told["DSA-PRE"] == {
        "provider": PRESCHOOL, "agreement": "DSA-PRE", "version": 1, "ends": "2039-06-30", "within_days": 7,
        "next_step": "Agree on a new version, or let it end: all use stops by itself, and what was given is destroyed.",
        "owner": "provider", "page": "http://hub.test/agreements",
    }  # fmt: skip
    assert "Promise Hub: agreement DSA-PRE ends within 7 days" in {message["Subject"] for _, message in box.kept}
    assert {tuple(to) for to, _ in box.kept} == {(OFFICE,)}
    assert sqlite_hub.events().count("message.sent") == len(box.kept) + len(server.kept)


def test_destruction_is_asked_for_when_an_agreement_has_ended_and_again_until_it_is_done(given_on_both):
    given = given_on_both
    look(given, days=0)
    before = waiting(given)
    look(given, days=1)
    look(given, days=2)
    first = waiting(given)
    look(given, days=5)
    again = waiting(given)

    assert before == []
    assert [(one.kind, dict(one.payload), one.asked_by) for one in first] == [
        ("data.destroy", {"agreement": "DSA-PRE", "organisation": PRESCHOOL}, "retention")
    ]
    assert first[0].why == "The agreement ended on 2039-06-30 (expired); destroy by 2039-09-28."
    assert [one.id for one in again] != [one.id for one in first]
    assert len(again) == 1
    for principal in (OFFICER, SIGNATORY):
        with given.database.transaction() as session:
            acts.approve(session, again[0].id, digest=again[0].digest, principal=principal, audit=given.trail)
    assert doctor_codes(given) == {"destruction-open"}
    given.work()
    with given.database.reading() as session:
        (begun,) = waiting_destructions(session)
    complete_destruction(given.database, given.home, begun, audit=given.trail)
    look(given, days=9)
    assert (waiting(given), doctor_codes(given)) == ([], set())


def test_several_who_gave_are_asked_for_together(given):
    given.enrol(DISTRICT).deliver(range(12), year=2025)
    given.enrol("reed").deliver(range(20, 32), year=2025)

    look(given, days=1)

    asked = {(one.payload["agreement"], one.payload["organisation"], one.organisations) for one in waiting(given)}
    assert asked == {
        ("DSA-PRE", PRESCHOOL, (PRESCHOOL,)),
        ("DSA-K12", "all", (DISTRICT, "reed")),
    }


def test_the_doctor_tells_what_is_due_and_what_is_late(given):
    given.clock.now = LAST_DAY
    on_the_last_day = doctor_codes(given)
    given.clock.now = LAST_DAY + dt.timedelta(days=90)
    within = doctor_codes(given)
    given.clock.now = LAST_DAY + dt.timedelta(days=91)

    assert (on_the_last_day, within, doctor_codes(given)) == (set(), {"destruction-due"}, {"destruction-late"})


def test_where_nothing_was_given_nothing_is_asked(sqlite_hub):  # noqa: F811
    look(sqlite_hub, days=1)

    with sqlite_hub.database.reading() as session:
        assert to_be_destroyed(session, day=sqlite_hub.clock().date()) == ()
        assert session.query(Job).filter(Job.state == "failed").count() == 0
    assert waiting(sqlite_hub) == []
