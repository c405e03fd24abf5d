"""A new submission reaches a provisional release by itself, within a day, and becomes final only by the operator."""

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from hub.audit.tables import Detail
from hub.db import Database
from hub.files import analysis_store
from hub.jobs import WAITING, Job, Ticket, enqueue_when_quiet
from hub.linking.tables import ACCEPTED as RUN_ACCEPTED
from hub.linking.tables import FAILED, RESOLVED, CurrentRun, Link, LinkageRun
from hub.release.publishing import prepare_from_facts, publish_prepared
from hub.release.refresh import RefreshDesk, refresh_job
from hub.release.service import current_release, is_provisional_release, ledger
from hub.release.slices import Slice, read_slice
from hub.settings import Home, Settings
from hub.submissions.checks import REFRESH, REFRESH_STEP
from policies.catalogue_files import catalogue
from tests.integration.outcomes.conftest import Filled, score

START = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
KINDS = (REFRESH, REFRESH_STEP)
PEOPLE = 60
HOUR = dt.timedelta(hours=1)


class Road:
    """A hub with one submission of made-up children, a clock to move, and the refresh's steps done by hand."""

    def __init__(self, database, home):
        self.now = START
        self.home = home.path
        self.database = database
        self.filled = Filled(database, analysis_store(home))
        self.desk = RefreshDesk(database, lambda: self.now, self.filled.analysis)
        self.trail = SimpleNamespace()

    def accept(self, provider, year, people=PEOPLE):
        rows = [score(f"{number:032x}", "3" if number % 3 else "1") for number in range(people)]
        return self.filled.accept(provider, "k12", year, rows)

    def resolve(self, version, state=RESOLVED, precision=1.0):
        """What the matcher and the resolver do with a run."""
        with self.database.transaction() as session:
            run = session.get_one(LinkageRun, version)
            run.state, run.quality = state, {"expected_precision": precision}
            names = [f"{number:032x}" for number in range(PEOPLE)]
            session.add_all([Link(run=version, provider="novato", reference=one, person=one) for one in names])

    def ask(self):
        with self.database.transaction() as session:
            enqueue_when_quiet(session, REFRESH, quiet=2 * HOUR, within=12 * HOUR, now=self.now)

    def step(self):
        """Do the oldest step that is due; its name, or None."""
        with self.database.transaction() as session:
            job = session.scalars(
                select(Job)
                .where(Job.kind.in_(KINDS), Job.state == WAITING, Job.available_at <= self.now)
                .order_by(Job.id)
            ).first()
            if job is None:
                return None
            ticket = Ticket(job.id, job.kind, job.key, job.payload, 1)
            job.state = "done"
        outcome = refresh_job(self.desk)(ticket)
        with self.database.transaction() as session:
            outcome.write(session)
        return ticket.payload.get("step", "link")

    def events(self):
        with self.database.reading() as session:
            return [row.event for row in session.scalars(select(Detail).order_by(Detail.sequence))]

    def totals(self):
        with self.database.reading() as session:
            release = current_release(session)
            return read_slice(session, release.id, wanted=Slice("third-grade-reading", "total")).cells


@pytest.fixture
def road(home):
    database = Database(Settings(home=home).resolved_database_url())
    yield Road(database, Home(home))
    database.close()


def run_to_release(road):
    road.ask()
    road.now += 2 * HOUR
    done = [road.step()]
    road.resolve(1)
    road.now += HOUR
    while (step := road.step()) is not None:
        done.append(step)
    return done


def test_a_submission_is_linked_counted_protected_and_published_provisionally_by_itself(road) -> None:
    road.accept("novato", 2023)

    done = run_to_release(road)

    assert done == ["link", "await", "release"]
    assert road.now - START < dt.timedelta(days=1)
    (cell,) = road.totals()
    assert (cell.vintage, cell.known, cell.k, cell.rate) == ("provisional-1", 60, None, None)
    assert (cell.rate_low, cell.rate_high) == (60, 80)
    assert cell.status_reason == "provisional: count rounded to ten, rate given as a range"
    assert road.events()[-7:] == [
        "linkage.requested", "linkage.accepted", "salt.made",
        "snapshot.taken", "outcomes.counted", "release.prepared", "release.published",
    ]  # fmt: skip


def test_submissions_that_keep_coming_are_waited_for_but_not_beyond_half_a_day(road) -> None:
    for _ in range(14):
        road.ask()
        road.now += HOUR

    with road.database.reading() as session:
        (job,) = session.scalars(select(Job)).all()
        assert (job.kind, job.available_at) == (REFRESH, START + 12 * HOUR)


def test_a_run_that_is_worked_on_is_looked_at_again_later(road) -> None:
    road.accept("novato", 2023)
    road.ask()
    road.now += 2 * HOUR
    road.step()
    road.now += dt.timedelta(minutes=1)

    assert [road.step(), road.step()] == ["await", None]
    with road.database.reading() as session:
        waiting = session.scalars(select(Job).where(Job.kind.in_(KINDS), Job.state == WAITING)).one()
        assert (waiting.kind, waiting.payload["waited"]) == (REFRESH_STEP, 1)


@pytest.mark.parametrize(("state", "precision"), [(FAILED, 1.0), (RESOLVED, 0.9)])
def test_a_run_that_failed_or_distrusts_itself_is_left_to_the_steward(road, state, precision) -> None:
    road.accept("novato", 2023)
    road.ask()
    road.now += 2 * HOUR
    road.step()
    road.resolve(1, state, precision)
    road.now += HOUR

    assert [road.step(), road.step()] == ["await", None]
    assert "release.prepared" not in road.events()


def test_a_run_that_a_steward_accepted_meanwhile_is_used(road) -> None:
    road.accept("novato", 2023)
    road.ask()
    road.now += 2 * HOUR
    road.step()
    road.resolve(1, RUN_ACCEPTED)
    with road.database.transaction() as session:
        session.merge(CurrentRun(number=1, run=1))
    road.now += HOUR

    assert [road.step(), road.step()] == ["await", "release"]


def test_nothing_is_released_twice_when_nothing_is_new_and_nothing_without_a_submission(road) -> None:
    road.ask()
    road.now += 2 * HOUR
    assert [road.step(), road.step()] == ["link", None]
    road.accept("novato", 2023)
    run_to_release(road)
    road.ask()
    road.now += 2 * HOUR

    assert [road.step(), road.step(), road.step()] == ["link", "release", None]
    assert road.events().count("release.published") == 1


def test_final_figures_replace_provisional_ones_once_and_are_then_frozen(road, trail) -> None:
    road.accept("novato", 2023)
    run_to_release(road)

    release = prepare_from_facts(
        road.database, analysis=road.filled.analysis, catalogue=catalogue(), audit=trail
    )  # fmt: skip
    road.ask()
    road.now += 2 * HOUR
    assert [road.step(), road.step()] == ["link", "release"]
    publish_prepared(road.database, release.id, audit=trail)

    (cell,) = road.totals()
    assert (cell.vintage, cell.known, cell.k) == ("final", 60, 40)
    with road.database.reading() as session:
        assert not is_provisional_release(session, release.id)
        everything = ledger(session)
        assert {one.vintage for one in everything.every_cell()} == {"final", "provisional-1"}
        assert {one.vintage for cells in everything.cells.values() for one in cells} == {"final"}


def test_a_refresh_stands_back_while_a_release_of_the_operator_waits_and_goes_on_after_it(road, trail) -> None:
    road.accept("novato", 2023)
    run_to_release(road)
    waiting = prepare_from_facts(road.database, analysis=road.filled.analysis, catalogue=catalogue(), audit=trail)
    road.ask()
    road.now += 2 * HOUR
    done = [road.step(), road.step(), road.step()]
    publish_prepared(road.database, waiting.id, audit=trail)
    road.now += HOUR

    assert (done, road.step(), road.step()) == (["link", "release", None], "release", None)
    assert road.events().count("release.published") == 2
