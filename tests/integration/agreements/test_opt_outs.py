"""A family objects: recorded by reference alone, honoured from the next cohort on, taken back, listed without whose."""

import json

import pytest

from hub.audit.tables import Detail
from hub.files import analysis_store
from hub.linking.service import accept_run, request_run
from hub.outcomes.service import blocks, take_snapshot
from hub.release.publishing import prepare_from_facts
from hub.release.service import publish, release_file
from policies.catalogue_files import catalogue
from policies.disclosure.types import TableDeclaration
from policies.principal import Role
from tests.integration.hub.conftest import made_up_hub, sqlite_hub  # noqa: F401 (fixtures)

pytestmark = pytest.mark.access
READING = "third-grade-reading"
TABLES = {READING: (TableDeclaration(name="total", dimensions=(), priority=1),)}
CHILD = 3


def tell(edge, number, *, scope="all", word="record"):
    body = {"reference": edge.reference(number).hex(), "scope": scope, "word": word}
    return edge.ask("POST", "/v1/opt-outs", json.dumps(body).encode())


def scores(edge, people):
    """Third graders, of whom every second one met the standard."""
    level = {0: "4", 1: "2"}
    return [
        {
            "t": "assessment", "r": edge.reference(number).hex(), "subject": "ELA", "grade_assessed": "03",
            "achievement_level": level[number % 2], "valid": "Y",
        }
        for number in people
    ]  # fmt: skip


class County:
    """A hub and one district whose third graders are released year by year; child 3 is tested every year."""

    def __init__(self, hub):
        self.hub, self.edge = hub, hub.enrol("novato")

    def send(self, year, people):
        self.edge.deliver(people, year=year, facts=scores(self.edge, people))
        with self.hub.database.transaction() as session:
            version = request_run(session, audit=self.hub.trail)
        self.hub.work()
        with self.hub.database.transaction() as session:
            accept_run(session, version, audit=self.hub.trail)
        self.hub.clock.advance(minutes=1)

    def counts(self, **told):
        store = analysis_store(self.hub.home)
        snapshot = take_snapshot(self.hub.database, analysis=store, audit=self.hub.trail)
        self.hub.clock.advance(minutes=1)
        found = blocks(self.hub.database, snapshot, analysis=store, tables=TABLES, audit=self.hub.trail, **told)
        return snapshot, {one.cohort_year: sum(cell.tally.n for cell in one.cells) for one in found}

    def release(self):
        """Publish what is not final; the whole county's persons by cohort year."""
        store = analysis_store(self.hub.home)
        found = prepare_from_facts(self.hub.database, analysis=store, catalogue=catalogue(), audit=self.hub.trail)
        with self.hub.database.transaction() as session:
            publish(session, found.id, audit=self.hub.trail)
        self.hub.clock.advance(days=1)
        with self.hub.database.reading() as session:
            told = json.loads(release_file(session, found.id))
        return {
            block["cohort_year"]: (cell["known"], cell["k"])
            for block in told["blocks"]
            for cell in block["cells"]
            if block["indicator"] == READING and set(cell["levels"].values()) <= {"Total"}
        }


@pytest.fixture
def county(sqlite_hub):  # noqa: F811
    return County(sqlite_hub)


def events(hub, kind):
    with hub.database.reading() as session:
        found = session.query(Detail).filter(Detail.event == kind).order_by(Detail.sequence).all()
        session.expunge_all()
        return found


def test_a_child_counts_before_the_objection_and_no_more_in_the_next_cohort_and_again_after_it_is_taken_back(county):
    county.send(2024, range(40))
    first = county.release()
    assert first == {2024: (40, 20)}

    assert tell(county.edge, CHILD).status_code == 200
    county.send(2025, range(CHILD, 43))
    second = county.release()
    assert second == {2024: (40, 20), 2025: (39, 20)}

    assert tell(county.edge, CHILD, word="withdraw").status_code == 200
    county.send(2026, range(CHILD, 43))
    third = county.release()
    assert third == {2024: (40, 20), 2025: (39, 20), 2026: (40, 20)}


def test_later_figures_of_a_cohort_that_was_told_stay_as_it_was_first_told(county):
    county.send(2025, range(40))
    before, counted = county.counts()
    assert counted == {2025: 40}
    tell(county.edge, CHILD)

    after, fresh = county.counts()
    _, kept = county.counts(told={(READING, 2025): before.id})

    assert (fresh, kept) == ({2025: 39}, {2025: 40})
    tell(county.edge, CHILD, word="withdraw")
    _, again = county.counts(told={(READING, 2025): after.id})
    assert again == {2025: 39}
    assert [one.counts.get("objections") for one in events(county.hub, "outcomes.counted")] == [None, 1, 1, None]


def test_an_objection_against_studies_leaves_an_evaluation_as_it_is(county):
    county.send(2025, range(40))
    tell(county.edge, CHILD, scope="studies")
    tell(county.edge, CHILD + 1, scope="directory")

    assert county.counts()[1] == {2025: 40}


def test_an_objection_is_recorded_once_and_the_log_names_no_child(sqlite_hub):  # noqa: F811
    edge = sqlite_hub.enrol("novato")

    first, again = tell(edge, CHILD), tell(edge, CHILD)

    assert first.content == again.content
    (event,) = events(sqlite_hub, "opt_out.recorded")
    assert (event.organisation, event.resource, event.versions) == ("novato", "opt-out", {"scope": "all"})
    assert edge.reference(CHILD).hex() not in repr(vars(event))


def test_taking_back_what_does_not_stand_is_refused_alike_for_anothers_record_and_for_none(made_up_hub):  # noqa: F811
    novato, reed = made_up_hub.enrol("novato"), made_up_hub.enrol("reed")
    tell(reed, CHILD)
    body = {"scope": "all", "word": "withdraw"}

    answers = [
        novato.ask("POST", "/v1/opt-outs", json.dumps({**body, "reference": reference}).encode())
        for reference in (reed.reference(CHILD).hex(), "0" * 32)
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "opt-out-absent")] * 2
    assert answers[0].content == answers[1].content
    assert tell(reed, CHILD, word="withdraw").status_code == 200
    assert [one.resource for one in events(made_up_hub, "opt_out.withdrawn")] == ["opt-out"]


def test_what_is_no_objection_is_refused_without_repeating_it(sqlite_hub):  # noqa: F811
    edge = sqlite_hub.enrol("novato")
    right = {"reference": "0" * 32, "scope": "all", "word": "record"}

    for wrong in ({"reference": "Qorvax"}, {"scope": "Qorvax"}, {"word": "Qorvax"}, {"scope": 1}):
        answer = edge.ask("POST", "/v1/opt-outs", json.dumps({**right, **wrong}).encode())
        assert (answer.status_code, answer.json()["code"]) == (422, "opt-out-wrong")
        assert "Qorvax" not in answer.text
    assert edge.ask("POST", "/v1/opt-outs", b"[]").status_code == 422


def test_the_officer_reads_a_list_without_identity_and_a_steward_that_of_her_own_office(sqlite_hub):  # noqa: F811
    hub = sqlite_hub
    novato, reed = hub.enrol("novato"), hub.enrol("reed")
    tell(novato, CHILD)
    tell(reed, CHILD, scope="studies")
    officer, steward = hub.sign_in("promise-partnership", Role.COMPLIANCE), hub.sign_in("novato", Role.STEWARD)

    every = hub.client.get("/v1/opt-outs", headers={"cookie": officer}).json()["rows"]
    own = hub.client.get("/v1/opt-outs", headers={"cookie": steward}).json()["rows"]
    shown = hub.client.get("/opt-outs", headers={"cookie": officer}).text

    assert {(one["organisation"], one["scope"]) for one in every} == {("novato", "all"), ("reed", "studies")}
    assert [one["organisation"] for one in own] == ["novato"]
    assert novato.reference(CHILD).hex() not in json.dumps(every) + shown
    assert "studies, and results found by directory information" in shown
    assert [one.counts for one in events(hub, "opt_outs.read")] == [{"opt_outs": 2}, {"opt_outs": 1}, {"opt_outs": 2}]


def test_the_child_s_record_says_which_objections_stand_and_stood(sqlite_hub):  # noqa: F811
    edge = sqlite_hub.enrol("novato")
    tell(edge, CHILD)
    tell(edge, CHILD, word="withdraw")
    tell(edge, CHILD, scope="studies")

    told = edge.ask("POST", "/v1/records", json.dumps({"reference": edge.reference(CHILD).hex()}).encode()).json()

    found = [(one["scope"], bool(one["withdrawn"])) for one in told["opt_outs"]]
    assert found == [("all", True), ("studies", False)]
