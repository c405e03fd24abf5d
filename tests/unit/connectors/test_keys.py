"""The edge's keys: readable by their owner alone, masked everywhere, and what they give."""

import base64
import hashlib
import hmac
import os
import pickle
import stat

import pytest

from connectors.errors import WorkspaceError
from connectors.keystore import AGENT_FILE, AgentKey, Keystore, LinkageSecret, ReferenceKey, read_key, write_key
from connectors.references import record_reference

KEY = bytes(range(32))


def test_keys_are_made_once_with_mode_600(tmp_path):
    store = Keystore(tmp_path / "keys")
    store.make()
    first = store.agent().content

    store.make()

    assert store.agent().content == first
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_a_key_file_is_never_written_over(tmp_path):
    write_key(tmp_path / AGENT_FILE, KEY)

    with pytest.raises(FileExistsError):
        write_key(tmp_path / AGENT_FILE, KEY)


def test_a_missing_key_is_told_with_a_next_step(tmp_path):
    with pytest.raises(WorkspaceError, match="KEY-001"):
        read_key(tmp_path / "agent.key")


def test_a_key_that_others_may_read_is_refused(tmp_path):
    write_key(tmp_path / "agent.key", KEY)
    (tmp_path / "agent.key").chmod(0o640)

    with pytest.raises(WorkspaceError, match="KEY-002"):
        read_key(tmp_path / "agent.key")


@pytest.mark.parametrize("content", [b"", b"not base64 !", base64.b64encode(b"short")])
def test_a_key_that_is_not_whole_is_refused(content, tmp_path):
    path = tmp_path / "agent.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(WorkspaceError, match="KEY-003"):
        read_key(path)


def test_a_new_secret_takes_the_place_of_the_old_epochs(tmp_path):
    store = Keystore(tmp_path / "keys")
    store.make()
    for number, content in enumerate((KEY, os.urandom(32))):
        write_key(tmp_path / f"{number}.secret", content)
        store.install_secret(tmp_path / f"{number}.secret")

    assert store.secret().content == content
    assert store.has_secret()


@pytest.mark.parametrize("key", [AgentKey(KEY), ReferenceKey(KEY), LinkageSecret(KEY)])
def test_keys_mask_themselves_and_are_not_pickled(key):
    assert repr(key) == f"{type(key).__name__}(hidden)"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_reference_is_the_first_half_of_an_hmac():
    made = record_reference(ReferenceKey(KEY), "L1")

    assert made == hmac.new(KEY, b"L1", hashlib.sha256).digest()[:16]
    assert record_reference(ReferenceKey(b"x" * 32), "L1") != made
