"""What a steward compares a submission with: last year's counts, earlier files, and causes that come back."""

from hub.submissions.history import history_of
from policies.principal import Role


def found(hub, name):
    with hub.database.reading() as session:
        return history_of(session, name)


def test_a_cause_says_how_often_it_came_back_and_a_large_change_is_marked(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(40), year=2025)
    sqlite_hub.clock.advance(minutes=1)
    edge.deliver(range(30), year=2026, findings={"DEM-003": 2})
    sqlite_hub.clock.advance(minutes=1)
    last = edge.deliver(range(30), year=2026, findings={"DEM-003": 1, "ENR-014": 1})

    history = found(sqlite_hub, last.id)

    assert history.times == {"DEM-003": 2, "ENR-014": 1}
    assert [(one.name, one.before, one.now, one.marked) for one in history.compared] == [
        ("records", 40, 30, True),
        ("demographics", 40, 30, True),
    ]
    assert [(one.records, one.findings) for one in history.same] == [(30, 2), (30, 2)]


def test_the_first_submission_is_compared_with_nothing_and_says_how_far_it_came(sqlite_hub):
    sent = sqlite_hub.enrol("novato").deliver(range(12), year=2026)

    history = found(sqlite_hub, sent.id)

    assert [(one.before, one.marked) for one in history.compared] == [(None, False), (None, False)]
    assert history.steps == (("received", True), ("checked", True), ("accepted", True), ("certified", False))


def test_the_page_shows_next_step_causes_history_and_no_other_office_sees_it(sqlite_hub):
    sent = sqlite_hub.enrol("novato").deliver(range(12), year=2026, findings={"DEM-003": 2})
    own, other = (sqlite_hub.sign_in(name, Role.STEWARD) for name in ("novato", "reed"))

    page = sqlite_hub.client.get(f"/submissions/{sent.id}", headers={"cookie": own})
    hidden = sqlite_hub.client.get(f"/submissions/{sent.id}", headers={"cookie": other})

    assert "1 cause explains 2 findings" in page.text
    assert "Certify it: two persons of your office say that it is right." in page.text
    assert "(this one)" in page.text
    assert hidden.status_code == 404
