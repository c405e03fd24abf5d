"""Encrypted files: addressed by content, opened only by their key and under their name."""

import pytest

from hub.errors import SettingError, StoreError
from hub.files import FileStore
from hub.settings import Home, read_key, write_key

KEY, OTHER = bytes(range(32)), bytes(32)
CONTENT = b"Qorvax was here"


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "store", KEY)


def files(tmp_path):
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_was_put_can_be_read(store):
    assert store.get(store.put(CONTENT)) == CONTENT


def test_equal_content_is_one_file(store, tmp_path):
    first, second = store.put_all([CONTENT, CONTENT])

    assert (first == second, store.names(), len(files(tmp_path))) == (True, [first], 1)


def test_neither_content_nor_its_plain_hash_is_on_the_disk(store, tmp_path):
    from hashlib import sha256

    name = store.put(CONTENT)

    (path,) = files(tmp_path)
    assert CONTENT not in path.read_bytes()
    assert name != sha256(CONTENT).hexdigest()
    assert path.stat().st_mode & 0o077 == 0


def test_another_key_gives_another_name_and_opens_nothing(store, tmp_path):
    name = store.put(CONTENT)
    other = FileStore(tmp_path / "store", OTHER)

    assert other.name_of(CONTENT) != name
    with pytest.raises(StoreError) as refused:
        other.get(name)
    assert refused.value.code == "file-changed"


@pytest.mark.parametrize("at", [0, 11, 12, 30, -1])
def test_a_changed_byte_is_refused(store, tmp_path, at):
    name = store.put(CONTENT)
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)

    with pytest.raises(StoreError):
        store.get(name)


def test_a_file_put_under_another_name_does_not_open(store, tmp_path):
    first, second = store.put_all([CONTENT, b"another"])
    paths = {path.name: path for path in files(tmp_path)}
    paths[second].write_bytes(paths[first].read_bytes())

    with pytest.raises(StoreError):
        store.get(second)


def test_a_missing_file_and_a_wrong_name_are_refused(store):
    with pytest.raises(StoreError) as missing:
        store.get("0" * 64)
    with pytest.raises(StoreError) as wrong:
        store.get("../../etc/passwd")

    assert (missing.value.code, wrong.value.code) == ("file-missing", "file-name-wrong")


def test_a_deleted_file_is_gone_and_deleting_again_is_nothing(store):
    name = store.put(CONTENT)

    store.delete(name)
    store.delete(name)

    assert (store.has(name), store.names()) == (False, [])


def test_a_store_does_not_show_its_key(store):
    assert KEY.hex() not in repr(store)
    assert "hidden" in repr(store)


def test_a_key_is_written_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "role" / "a.key"
    write_key(path, KEY)

    assert (read_key(path), path.stat().st_mode & 0o777) == (KEY, 0o600)
    with pytest.raises(FileExistsError):
        write_key(path, OTHER)


def test_a_key_that_is_missing_open_or_short_stops_the_start(tmp_path):
    write_key(tmp_path / "short.key", b"x")
    write_key(tmp_path / "open.key", KEY)
    (tmp_path / "open.key").chmod(0o644)
    codes = []
    for name in ("none.key", "short.key", "open.key"):
        with pytest.raises(SettingError) as refused:
            read_key(tmp_path / name)
        codes.append(refused.value.code)

    assert codes == ["key-missing", "key-short", "key-open"]


def test_a_folder_that_is_no_home_is_told(tmp_path):
    with pytest.raises(SettingError) as refused:
        Home(tmp_path).public_facts()

    assert refused.value.code == "home-missing"


def test_truth_is_compared_in_a_home_of_made_up_people_alone(tmp_path):
    with pytest.raises(SettingError) as refused:
        Home(tmp_path).check_synthetic()

    assert refused.value.code == "home-not-synthetic"
