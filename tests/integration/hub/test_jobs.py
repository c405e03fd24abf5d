"""Jobs: enqueued once, done by one worker, put back when a worker fails or dies."""

import io
import json
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from hub.jobs import ATTEMPTS_MAX, Job, Outcome, Worker, claim, enqueue, finish, state_of
from hub.log import Log


@dataclass
class Bench:
    """A worker with one kind of job and what it did."""

    worker: Worker
    done: list = field(default_factory=list)
    given_up: list = field(default_factory=list)


@pytest.fixture
def bench(database, clock):
    found = Bench(None)

    def handle(ticket):
        if ticket.payload.get("breaks"):
            raise ValueError("Qorvax")
        return Outcome(lambda session: found.done.append(ticket.key))

    found.worker = Worker(
        database, {"copy": handle}, "worker-1", clock, Log(io.StringIO()),
        lambda session, ticket, code: found.given_up.append((ticket.key, code)),
    )  # fmt: skip
    return found


def put(database, clock, key="copy:1", **payload):
    with database.transaction() as session:
        enqueue(session, "copy", key=key, payload=payload, now=clock())


def states(database):
    with database.reading() as session:
        return {job.key: job.state for job in session.scalars(select(Job))}


def test_a_job_is_done_once(database, clock, bench):
    put(database, clock)
    put(database, clock)

    assert (bench.worker.step(), bench.worker.step()) == (True, False)
    assert (bench.done, states(database)) == (["copy:1"], {"copy:1": "done"})


def test_a_job_that_was_not_committed_does_not_exist(database, clock, bench):
    with pytest.raises(RuntimeError), database.transaction() as session:
        enqueue(session, "copy", key="copy:1", payload={}, now=clock())
        raise RuntimeError("the business failed")

    assert bench.worker.step() is False


def test_jobs_of_other_kinds_are_left_alone(database, clock, bench):
    with database.transaction() as session:
        enqueue(session, "paste", key="paste:1", payload={}, now=clock())

    assert bench.worker.step() is False


def test_a_failing_job_waits_longer_each_time_and_is_given_up(database, clock, bench):
    put(database, clock, breaks=True)

    tries = 0
    while states(database)["copy:1"] != "failed":
        if not bench.worker.step():
            clock.advance(seconds=1)
        else:
            tries += 1

    assert (tries, bench.given_up) == (ATTEMPTS_MAX, [("copy:1", "ValueError")])
    with database.reading() as session:
        assert state_of(session, "copy:1") == ("failed", "ValueError")
        assert state_of(session, "copy:2") is None


def test_the_log_of_a_failure_does_not_hold_its_text(database, clock, bench):
    put(database, clock, breaks=True)

    bench.worker.step()

    line = bench.worker.log._stream.getvalue()
    assert json.loads(line)["code"] == "ValueError"
    assert "Qorvax" not in line


def test_the_job_of_a_dead_worker_is_taken_by_another_after_its_lease(database, clock, bench):
    put(database, clock)
    with database.transaction() as session:
        lost = claim(session, ["copy"], worker="worker-0", now=clock())

    assert bench.worker.step() is False
    clock.advance(minutes=6)
    assert bench.worker.step() is True
    with database.transaction() as session:
        assert finish(session, lost, worker="worker-0", now=clock()) is False
    assert bench.done == ["copy:1"]


def test_a_worker_that_lost_its_lease_writes_nothing(database, clock):
    written = []

    def slow(ticket):
        clock.advance(minutes=6)
        with database.transaction() as session:
            claim(session, ["copy"], worker="worker-2", now=clock())
        return Outcome(lambda session: written.append(ticket.key))

    put(database, clock)
    Worker(database, {"copy": slow}, "worker-1", clock, Log(io.StringIO()), lambda *_: None).step()

    assert (written, states(database)) == ([], {"copy:1": "running"})


def test_two_workers_never_lease_one_job(database, clock):
    for number in range(4):
        put(database, clock, key=f"copy:{number}")

    with database.transaction() as session:
        first = claim(session, ["copy"], worker="a", now=clock())
    with database.transaction() as session:
        second = claim(session, ["copy"], worker="b", now=clock())

    assert (first.key, second.key) == ("copy:0", "copy:1")
