"""Jobs: enqueued once, done by one worker, put back when a worker fails or dies."""

import io
import json
import threading
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from hub.jobs import (
    ATTEMPTS_MAX,
    LEASE_SECONDS,
    Job,
    Outcome,
    Worker,
    claim,
    enqueue,
    finish,
    hand_back,
    put_back,
    renew,
    state_of,
)
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

    clock.advance(seconds=LEASE_SECONDS)
    assert bench.worker.step() is False
    clock.advance(seconds=1)
    assert bench.worker.step() is True
    with database.transaction() as session:
        assert finish(session, lost, worker="worker-0", now=clock()) is False
    assert bench.done == ["copy:1"]


def test_a_worker_that_lost_its_lease_writes_nothing(database, clock):
    written = []

    def slow(ticket):
        clock.advance(seconds=LEASE_SECONDS + 1)
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


def lease_of(database):
    with database.reading() as session:
        return session.scalars(select(Job.lease_until)).one()


def test_a_working_worker_renews_its_lease_so_that_no_other_takes_the_job(database, clock, bench):
    """However long it takes: here ten leases."""
    begun, go_on, stop, written = threading.Event(), threading.Event(), threading.Event(), []

    def slow(ticket):
        begun.set()
        go_on.wait(20)
        return Outcome(lambda session: written.append(ticket.attempt))

    put(database, clock)
    working = Worker(
        database, {"copy": slow}, "worker-0", clock, Log(io.StringIO()), lambda *_: None, renew_seconds=0.01
    )
    running = threading.Thread(target=working.run, args=(stop,), kwargs={"poll_seconds": 0.01})
    running.start()
    begun.wait(20)
    for _ in range(10):
        clock.advance(seconds=LEASE_SECONDS)
        while lease_of(database) <= clock():
            go_on.wait(0.005)
        assert bench.worker.step() is False
    go_on.set()
    while states(database)["copy:1"] != "done":
        stop.wait(0.005)
    stop.set()
    running.join(20)

    assert (written, bench.done) == ([1], [])


@pytest.mark.parametrize("change", [renew, finish, hand_back, lambda *of, **to: put_back(*of, code="late", **to)])
def test_whoever_lost_the_lease_changes_nothing_of_the_job(database, clock, change):
    """Not even a worker of the same name: what counts is the number of the attempt."""
    put(database, clock)
    for _ in range(ATTEMPTS_MAX):
        with database.transaction() as session:
            lost = claim(session, ["copy"], worker="worker-1", now=clock())
        clock.advance(seconds=LEASE_SECONDS + 1)
    with database.transaction() as session:
        claim(session, ["copy"], worker="worker-1", now=clock())
    before = lease_of(database)

    with database.transaction() as session:
        assert change(session, lost, worker="worker-1", now=clock()) is False

    assert (states(database), lease_of(database)) == ({"copy:1": "running"}, before)


@pytest.mark.parametrize(("breaks", "told"), [(False, "job.lost"), (True, "job.failed")])
def test_a_worker_that_lost_its_lease_says_so_in_the_log_and_gives_nothing_up(database, clock, breaks, told):
    stream = io.StringIO()

    def slow(_ticket):
        for _ in range(ATTEMPTS_MAX):
            clock.advance(seconds=LEASE_SECONDS + 1)
            with database.transaction() as session:
                claim(session, ["copy"], worker="worker-2", now=clock())
        if breaks:
            raise ValueError("Qorvax")
        return Outcome(lambda _session: pytest.fail("written"))

    put(database, clock)
    Worker(database, {"copy": slow}, "worker-1", clock, Log(stream), lambda *_: pytest.fail("given up")).step()

    assert states(database) == {"copy:1": "running"}
    assert json.loads(stream.getvalue())["event"] == told
