"""A store keeps the same promises wherever its files lie: in a folder, or in a place that cannot be touched."""

import datetime as dt
import json

import pytest

from hub.buckets import Bucket, read_address, read_credentials
from hub.errors import SettingError, StoreError
from hub.files import FileStore, Folder
from hub.settings import Settings
from hub.stores import FOLDERS, IN_BUCKET, place_of

KEY = bytes(range(32))
CONTENT = b"Qorvax was here"
DAY = dt.timedelta(days=1)


def bucket_in(folder, **how):
    """The code of a bucket over files of this machine; what is true of a real server stands in test_bucket.py."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

    (folder / "rows").mkdir(parents=True)
    files = SubTreeFileSystem(str(folder), LocalFileSystem())
    return Bucket(ArrowFSWrapper(files, skip_instance_cache=True), "rows", **how)


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    return Folder(tmp_path / "rows") if request.param == "folder" else bucket_in(tmp_path)


def now():
    return dt.datetime.now(dt.UTC)


def test_what_was_put_can_be_read_is_stored_once_and_is_gone_when_deleted(place):
    store = FileStore(place, KEY)

    first, second = store.put_all([CONTENT, CONTENT])

    assert (first == second, store.get(first), store.names(), store.has(first)) == (True, CONTENT, [first], True)
    store.delete(first)
    store.delete(first)
    assert (store.has(first), store.names()) == (False, [])
    with pytest.raises(StoreError) as missing:
        store.get(first)
    assert missing.value.code == "file-missing"


def test_a_file_that_was_cut_short_does_not_open_and_is_written_anew_when_put_again(place, tmp_path):
    store = FileStore(place, KEY)
    name = store.put(CONTENT)
    path = tmp_path / "rows" / name
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(StoreError) as changed:
        store.get(name)
    store.put(CONTENT)

    assert (changed.value.code, store.get(name)) == ("file-changed", CONTENT)


def test_the_sweep_takes_what_is_old_and_nobody_names_and_spares_what_was_put_since(place):
    store = FileStore(place, KEY)
    named, unnamed = store.put_all([CONTENT, b"rows that nobody names"])

    young = place.unnamed({named}, before=now() - DAY)
    old = place.unnamed({named}, before=now() + DAY)
    place.sweep(unnamed, before=now() - DAY)
    spared = store.has(unnamed)
    place.sweep(unnamed, before=now() + DAY)
    place.sweep(unnamed, before=now() + DAY)

    assert (young, old, spared, store.names()) == ([], [unnamed], True, [named])


def test_what_cannot_be_touched_is_written_again_when_it_is_put_again_after_half_a_day(tmp_path):
    shift = {"by": dt.timedelta()}
    place = bucket_in(tmp_path, clock=lambda: now() + shift["by"])
    store = FileStore(place, KEY)
    path = tmp_path / "rows" / store.put(CONTENT)
    first = path.read_bytes()

    store.put(CONTENT)
    same = path.read_bytes()
    shift["by"] = DAY / 2
    store.put(CONTENT)

    assert (same == first, path.read_bytes() == first, store.get(path.name)) == (True, False, CONTENT)


def test_a_name_that_leads_out_of_the_place_is_refused(place):
    store = FileStore(place, KEY)

    for act in (store.get, store.has, store.delete):
        with pytest.raises(StoreError) as refused:
            act("../../etc/passwd")
        assert refused.value.code == "file-name-wrong"


def test_an_empty_bucket_has_no_names(tmp_path):
    place = bucket_in(tmp_path)
    (tmp_path / "rows").rmdir()

    assert (place.names(), place.unnamed(set(), before=now()), place.has("a")) == ([], [], False)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://bucket/hub", "bucket-address"),
        ("s3:///hub", "bucket-address"),
        ("s3://access:secret@bucket/hub", "bucket-address"),
        ("s3://bucket/hub?access_key=made-up", "bucket-address"),
        ("s3://bucket/hub?endpoint=http://store.example:9000", "bucket-plain"),
        ("s3://bucket/hub?endpoint=store.example", "bucket-plain"),
    ],
)
def test_an_address_that_is_wrong_in_clear_or_holds_keys_is_refused(url, code):
    with pytest.raises(SettingError) as refused:
        read_address(url)

    assert (refused.value.code, "made-up" in refused.value.detail) == (code, False)


def test_an_address_names_bucket_folder_endpoint_and_region():
    told = read_address("s3://county/hub/?endpoint=https://store.example:9000&region=us-west-1")

    assert (told.root, told.endpoint, told.region) == ("county/hub", "https://store.example:9000", "us-west-1")
    assert read_address("s3://county").root == "county"


def test_the_buckets_keys_come_from_a_file_for_its_owner_alone_and_do_not_show(tmp_path):
    path = tmp_path / "keys.json"
    codes = []
    for text, mode in (
        ("{}", 0o600),
        ("no json", 0o600),
        (json.dumps({"access_key": "Qorvax", "secret_key": "s"}), 0o644),
    ):
        path.write_text(text)
        path.chmod(mode)
        with pytest.raises(SettingError) as refused:
            read_credentials(path)
        codes.append(refused.value.code)
    with pytest.raises(SettingError):
        read_credentials(tmp_path / "none")
    path.chmod(0o600)

    found = read_credentials(path)

    assert codes == ["bucket-keys"] * 3
    assert (found.access_key, "Qorvax" in repr(found)) == ("Qorvax", False)


def test_salts_and_what_is_on_its_way_stay_in_the_home_whatever_the_setting(tmp_path):
    settings = Settings(home=tmp_path, files_url="s3://county/hub?endpoint=http://127.0.0.1:9")

    kinds = {store: type(place_of(settings, store)) for store in FOLDERS}

    assert kinds == {"rows": Bucket, "spans": Bucket, "analysis": Bucket, "salts": Folder}
    assert set(IN_BUCKET) == {"rows", "spans", "analysis"}
