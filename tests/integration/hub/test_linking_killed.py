"""A linkage run killed at any point leaves the former run current, and is finished by whoever works next."""

import os
import random
import signal
import time

import pytest

from hub.jobs import LEASE_SECONDS
from hub.linking import service


@pytest.fixture
def waiting(made_up_hub):
    """A hub whose first run holds, and whose second is requested over one more roster."""
    novato, reed = made_up_hub.enrol("novato"), made_up_hub.enrol("reed")
    novato.deliver(range(60))
    reed.deliver(range(30, 80), year=2025)
    first = requested(made_up_hub)
    made_up_hub.work()
    with made_up_hub.database.transaction() as session:
        service.accept_run(session, first, audit=made_up_hub.trail)
    made_up_hub.enrol("ross").deliver(range(40, 90), year=2024)
    return made_up_hub


def requested(hub):
    with hub.database.transaction() as session:
        return service.request_run(session, audit=hub.trail)


def work_and_be_killed(hub, *, after_seconds):
    """The roles' work in a process of its own, killed after a while; whether it was done before."""
    hub.database.close()
    child = os.fork()
    if child == 0:
        try:
            hub.work()
        finally:
            os._exit(0)
    time.sleep(after_seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def links_of(hub):
    with hub.database.reading() as session:
        return service.current_links(session)


def kill_at(hub, points, *, within_seconds, seed):
    """One run a point: killed somewhere, found as it was, then finished and accepted."""
    rng = random.Random(seed)
    persons = set()
    for _ in range(points):
        before, version = links_of(hub), requested(hub)

        work_and_be_killed(hub, after_seconds=rng.uniform(0, within_seconds))

        assert links_of(hub) == before
        hub.clock.advance(seconds=LEASE_SECONDS + 1)
        hub.work()
        with hub.database.transaction() as session:
            service.accept_run(session, version, audit=hub.trail)
        after = links_of(hub)
        persons.add(tuple(zip(after.provider, after.reference, after.person, strict=True)))
    assert [len(one) for one in persons] == [160]
    assert list(hub.home.handover.iterdir()) == []


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_run_that_is_killed_leaves_the_former_run_current(waiting):
    kill_at(waiting, 3, within_seconds=0.3, seed=1)


@pytest.mark.faults
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_run_killed_at_a_hundred_points_leaves_the_former_run_current_each_time(waiting):
    kill_at(waiting, 100, within_seconds=0.6, seed=2)
