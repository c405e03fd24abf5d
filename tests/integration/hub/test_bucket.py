"""A hub whose files lie in a bucket: the whole road, backup, destruction and the doctor, and what goes wrong."""

import datetime as dt
import json
import socket
import threading

import pytest
from sqlalchemy import select

from hub.agreements.activation import register_keys, withdraw
from hub.buckets import Credentials, open_bucket, read_address
from hub.db import Database
from hub.errors import SettingError, StoreError, Unavailable
from hub.files import FileStore
from hub.jobs import Job
from hub.linking import service
from hub.operations.backup import make_backup, open_backup
from hub.operations.destruction import begin_destruction, complete_destruction
from hub.operations.doctor import Patient, examine
from hub.operations.restoring import restore, try_backup
from hub.operations.sweeping import NAMED, SWEPT_AFTER
from hub.outcomes.service import open_snapshot, take_snapshot
from hub.stores import FOLDERS, facts_store, places_in, places_of
from policies.party_keys import party_key
from tests.bucket_server import ACCESS, BucketServer, free_port
from tests.databases import address_of, empty_address
from tests.integration.agreements.test_activation import key_of, leaving
from tests.integration.hub.conftest import MadeUpHub

pytestmark = [pytest.mark.slow, pytest.mark.faults]
BUCKET = "county"
CONTENT = b"Qorvax was here"


@pytest.fixture(scope="module")
def server():
    with BucketServer() as started:
        yield started


@pytest.fixture
def bucket(server, request):
    name = f"county-{abs(hash(request.node.name)) % 10**9}"
    server.make_bucket(name)
    return name


@pytest.fixture
def keys(tmp_path):
    for role in ("matcher", "resolver", "operator"):
        path = tmp_path / f"{role}.json"
        path.write_text(json.dumps(ACCESS))
        path.chmod(0o600)
    return str(tmp_path / "{role}.json")


@pytest.fixture
def hub(server, bucket, keys, home, clock):
    made = MadeUpHub(home, address_of(home), clock, files_url=server.address(bucket), files_keys=keys)
    yield made
    made.close()


def store_at(url, **how):
    return FileStore(open_bucket(read_address(url), Credentials(**ACCESS), "rows"), bytes(32), **how)


def live(hub):
    """Two offices send, their records are linked, and a snapshot is taken; the snapshot."""
    for name, people, year in (("novato", range(40), 2026), ("reed", range(20, 50), 2025)):
        hub.enrol(name).deliver(people, year=year)
    with hub.database.transaction() as session:
        run = service.request_run(session, audit=hub.trail)
    hub.work()
    with hub.database.transaction() as session:
        service.accept_run(session, run, audit=hub.trail)
    return take_snapshot(hub.database, analysis=facts_store(hub.settings), audit=hub.trail)


def named(database):
    with database.reading() as session:
        return {
            f"hub/{FOLDERS[store]}/{name}" for store in FOLDERS if store != "salts" for name in NAMED[store](session)
        }


def in_home(hub):
    folders = [hub.home.path / FOLDERS[store] for store in ("rows", "spans", "analysis")]
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_the_whole_road_leaves_every_file_in_the_bucket_sealed_and_none_in_the_home(hub, server, bucket):
    snapshot = live(hub)

    demographics = open_snapshot(snapshot, analysis=facts_store(hub.settings))["demographics"]
    assert demographics.num_rows == 70
    assert set(server.objects(bucket)) == named(hub.database)
    assert in_home(hub) == []
    told = b"".join(server.objects(bucket).values())
    assert (b"demographics" in told, b"PAR1" in told) == (False, False)
    assert hub.events().count("linkage.accepted") == 1


def test_what_nobody_names_is_swept_from_the_bucket_after_a_day_and_nothing_else(hub, server, bucket):
    live(hub)
    before = set(server.objects(bucket))
    FileStore(places_of(hub.settings)["rows"], bytes(32)).put(b"rows that nobody names")

    hub.clock.now = dt.datetime.now(dt.UTC)
    sweep(hub, days=0)
    young = set(server.objects(bucket))
    sweep(hub, days=2)

    assert (len(young - before), set(server.objects(bucket))) == (1, before)


def sweep(hub, *, days):
    """Sweep as on a later day."""
    places = places_of(hub.settings)
    before = hub.clock.now + dt.timedelta(days=days) - SWEPT_AFTER
    with hub.database.reading() as session:
        kept = {store: NAMED[store](session) for store in ("rows", "spans", "analysis")}
    for store, names in kept.items():
        for name in places[store].unnamed(names, before=before):
            places[store].sweep(name, before=before)


def test_a_backup_of_the_bucket_is_tried_and_brings_the_hub_back_in_folders_or_in_another_bucket(
    hub, server, bucket, keys, tmp_path
):
    snapshot = live(hub)
    made = make_backup(hub.home, hub.database, tmp_path / "backups", audit=hub.trail, places=places_of(hub.settings))
    hub.work()

    tried = try_backup(hub.home, open_backup(hub.home, made.folder), notes=[])
    other = f"{bucket}-b"
    server.make_bucket(other)
    settings = hub.settings.model_copy(update={"files_url": server.address(other)})
    targets = {"folders": places_in(hub.home), "bucket": places_of(settings)}
    for name, places in targets.items():
        database = Database(empty_address(tmp_path / name))
        restore(
            hub.home,
            open_backup(hub.home, made.folder),
            database,
            notes=[],
            behind=True,
            audit=hub.trail,
            places=places,
        )
        database.close()

    assert tried.files == len(made.files)
    assert server.objects(other) == server.objects(bucket)
    assert {path.name for path in in_home(hub)} == {key.rsplit("/", 1)[-1] for key in server.objects(bucket)}
    in_folders = settings.model_copy(update={"files_url": ""})
    for one in (settings, in_folders):
        assert open_snapshot(snapshot, analysis=facts_store(one))["demographics"].num_rows == 70


def test_destruction_empties_the_bucket_and_certifies_nothing_while_it_does_not_answer(hub, server, bucket):
    live(hub)
    with hub.database.transaction() as session:
        register_keys(session, {"reed": party_key("reed", key_of("reed"))}, audit=hub.trail)
        withdraw(session, leaving("DSA-K12", "reed", now=hub.clock()), audit=hub.trail)
    before = set(server.objects(bucket))
    with hub.database.transaction() as session:
        doomed = begin_destruction(session, "DSA-K12", frozenset({"reed"}), audit=hub.trail)
    how = {"audit": hub.trail}
    away = hub.settings.model_copy(update={"files_url": f"s3://{bucket}/hub?endpoint=http://127.0.0.1:{free_port()}"})

    with pytest.raises(StoreError) as refused:
        complete_destruction(hub.database, hub.home, doomed, places=places_of(away), **how)
    certificate = complete_destruction(hub.database, hub.home, doomed, places=places_of(hub.settings), **how)

    after = set(server.objects(bucket))
    assert refused.value.code == "file-kept"
    assert certificate["counts"]["files"] == len(before - after) > 0
    assert after == named(hub.database)


def test_the_doctor_finds_a_bucket_that_is_missing_refused_or_away_and_files_that_were_left(hub, server, bucket):
    live(hub)
    (hub.home.path / FOLDERS["rows"]).mkdir(parents=True, exist_ok=True)
    sound = codes(hub)
    missing = codes(hub, files_url=server.address("no-such-bucket"))
    away = codes(hub, files_url=f"s3://{bucket}/hub?endpoint=http://127.0.0.1:{free_port()}")
    wrong = codes(hub, files_url="https://somewhere")
    no_keys = codes(hub, files_keys=str(hub.home.path / "none"))
    (hub.home.path / FOLDERS["rows"] / "left").write_bytes(b"sealed")
    left = codes(hub)

    assert (sound, missing, away) == (set(), {"bucket-missing"}, {"bucket-unreachable"})
    assert (wrong, no_keys, left) == ({"bucket-address"}, {"bucket-keys"}, {"files-left"})


def codes(hub, **changes):
    patient = Patient(hub.settings.model_copy(update=changes), hub.home, hub.database, hub.clock)
    return {one.code for one in examine(patient) if one.code.startswith(("bucket", "files"))}


def test_keys_that_the_bucket_does_not_know_are_refused_with_a_code():
    with BucketServer(closed=True) as closed, pytest.raises(SettingError) as refused:
        store_at(closed.address(BUCKET)).put(CONTENT)

    assert refused.value.code == "bucket-refused"


def test_a_large_file_goes_in_parts_and_comes_back_whole(server, bucket):
    store = store_at(server.address(bucket))
    content = bytes(range(256)) * (25 << 12)

    assert store.get(store.put(content)) == content


def test_an_object_that_was_cut_short_does_not_open_and_is_written_anew(server, bucket):
    store = store_at(server.address(bucket))
    name = store.put(CONTENT)
    ((key, content),) = server.objects(bucket).items()
    server.overwrite(bucket, key, content[:-1])

    with pytest.raises(StoreError) as changed:
        store.get(name)
    store.put(CONTENT)

    assert (changed.value.code, store.get(name)) == ("file-changed", CONTENT)


def test_a_server_that_goes_away_in_the_midst_of_a_write_is_told_and_nothing_is_named():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        threading.Thread(target=hang_up, args=(listening,), daemon=True).start()
        url = f"s3://{BUCKET}/hub?endpoint=http://127.0.0.1:{listening.getsockname()[1]}"

        with pytest.raises(Unavailable) as refused:
            store_at(url).place.write("a" * 64, CONTENT * 1000)

    assert refused.value.code == "bucket-unreachable"


def hang_up(listening):
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        connection.recv(1024)
        connection.close()


def test_a_submission_waits_while_the_bucket_is_away_and_is_accepted_when_it_is_back(home, clock, keys):
    port = free_port()
    url = f"s3://{BUCKET}/hub?endpoint=http://127.0.0.1:{port}"
    hub = MadeUpHub(home, address_of(home), clock, files_url=url, files_keys=keys)
    edge = hub.enrol("novato")
    prepared = edge.deliver(range(20))

    state = edge.state(prepared)["state"]
    with hub.database.reading() as session:
        waiting = set(session.scalars(select(Job.error_code).where(Job.kind.in_(("rows.check", "spans.check")))))
    with BucketServer(port=port) as server:
        server.make_bucket(BUCKET)
        clock.advance(minutes=5)
        hub.work()
        after, objects = edge.state(prepared)["state"], server.objects(BUCKET)
    hub.close()

    assert (state, waiting, after) == ("checking", {"bucket-unreachable"}, "accepted")
    assert len(objects) > 0
