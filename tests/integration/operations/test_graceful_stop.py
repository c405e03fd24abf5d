"""A worker that is told to stop in the midst of a job gives it back, and nothing is done twice."""

import io
import json
import threading

from hub.jobs import Outcome, Worker, enqueue, state_of
from hub.log import Log


def worker_of(database, clock, handle, *, name, stream=None):
    return Worker(
        database, {"copy": handle}, name, clock, Log(stream or io.StringIO()),
        lambda session, ticket, code: None, patience_seconds=0.1,
    )  # fmt: skip


def test_a_job_in_work_is_handed_back_and_taken_by_the_next_worker_at_once(database, clock):
    begun, go_on, stop, written, stream = threading.Event(), threading.Event(), threading.Event(), [], io.StringIO()

    def slow(_ticket):
        begun.set()
        go_on.wait(20)
        return Outcome(lambda session: written.append("slow"))

    with database.transaction() as session:
        enqueue(session, "copy", key="copy:1", payload={}, now=clock())
    stopped = worker_of(database, clock, slow, name="worker-1", stream=stream)
    running = threading.Thread(target=stopped.run, args=(stop,), kwargs={"poll_seconds": 0.01})
    running.start()
    begun.wait(20)
    stop.set()
    while "job.handed_back" not in stream.getvalue():
        go_on.wait(0.02)

    next_one = worker_of(
        database, clock, lambda ticket: Outcome(lambda session: written.append(ticket.attempt)), name="worker-2"
    )
    worked = next_one.step()
    go_on.set()
    running.join(20)

    assert (worked, written) == (True, [2])
    with database.reading() as session:
        assert state_of(session, "copy:1") == ("done", None)
    told = json.loads(stream.getvalue().splitlines()[0])
    assert (told["event"], told["kind"], told["key"]) == ("job.handed_back", "copy", "copy:1")


def test_a_job_that_ends_in_time_is_not_handed_back(database, clock):
    stop, written, stream = threading.Event(), [], io.StringIO()

    def quick(_ticket):
        stop.set()
        return Outcome(lambda session: written.append("quick"))

    with database.transaction() as session:
        enqueue(session, "copy", key="copy:1", payload={}, now=clock())
    worker_of(database, clock, quick, name="worker-1", stream=stream).run(stop, poll_seconds=0.01)

    assert (written, stream.getvalue()) == (["quick"], "")
