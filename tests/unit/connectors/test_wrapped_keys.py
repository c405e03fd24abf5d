"""A wrapped keystore: of no use without its passphrase, and never half wrapped."""

from __future__ import annotations

import base64
import json
import pickle

import pytest
from typer.testing import CliRunner

from connectors import passphrase
from connectors.cli import app
from connectors.errors import WorkspaceError
from connectors.keystore import AGENT_FILE, Keystore
from connectors.passphrase import PASSPHRASE_FILE, WRAPPING_FILE, WrappingKey
from connectors.workspace import make_workspace

WORDS = b"seven made-up words here"


@pytest.fixture
def store(tmp_path):
    made = Keystore(tmp_path / "keys")
    made.make()
    return made


@pytest.fixture
def given(tmp_path, monkeypatch):
    """The passphrase as a service is given it."""
    path = tmp_path / "credential"
    path.write_bytes(WORDS + b"\n")
    monkeypatch.setenv(PASSPHRASE_FILE, str(path))
    return path


def refused(code):
    return pytest.raises(WorkspaceError, match=code)


def test_wrapped_keys_are_the_same_keys_and_no_file_holds_one(store, given):
    before = [store.agent().content, store.reference().content, store.sealing().private()]

    store.wrap(WORDS)

    assert [store.agent().content, store.reference().content, store.sealing().private()] == before
    kept = [base64.b64decode(path.read_bytes()) for path in store.folder.glob("*.key")]
    assert len(kept) == 3
    assert not any(key in content for key in before for content in kept)
    assert {path.stat().st_mode & 0o777 for path in store.folder.glob("*.key")} == {0o600}


def test_keys_that_come_later_are_wrapped_too(store, given):
    store.wrap(WORDS)

    share, secret = store.share(3).content, b"s" * 32
    store.keep_secret(3, secret)
    store.begin(3)

    assert store.share(3).content == share
    assert store.secret().content == secret
    assert not store.has_secret_of(3)
    assert secret not in base64.b64decode((store.folder / "linkage.secret").read_bytes())


def test_another_passphrase_opens_nothing(store, given):
    store.wrap(WORDS)
    given.write_bytes(b"seven other words here")

    with refused("KEY-009"):
        store.agent()


def test_a_file_under_another_name_or_altered_does_not_open(store, given):
    store.wrap(WORDS)
    agent, reference = (store.folder / name for name in (AGENT_FILE, "reference.key"))
    content = agent.read_bytes()
    reference.write_bytes(content)
    with refused("KEY-009"):
        store.reference()
    for place in range(0, 60, 7):
        bytes_of = bytearray(base64.b64decode(content))
        bytes_of[place] ^= 1
        agent.write_bytes(base64.b64encode(bytes(bytes_of)))
        with refused("KEY-009"):
            store.agent()


def test_a_wrapping_that_was_cut_off_is_finished_when_a_key_is_used(store, given):
    before = store.agent().content
    open_file = (store.folder / AGENT_FILE).read_bytes()
    store.wrap(WORDS)
    wrapped = (store.folder / AGENT_FILE).read_bytes()
    (store.folder / AGENT_FILE).write_bytes(open_file)
    (store.folder / f"{AGENT_FILE}.wrapped").write_bytes(wrapped)
    (store.folder / f"{AGENT_FILE}.wrapped").chmod(0o600)

    assert store.agent().content == before
    assert (store.folder / AGENT_FILE).read_bytes() == wrapped


def test_keys_are_wrapped_once_and_under_words_of_some_length(store, given):
    with refused("KEY-006"):
        store.wrap(b"too short")
    store.wrap(WORDS)
    with refused("KEY-005"):
        store.wrap(WORDS)


@pytest.mark.parametrize(
    "told", ["", "{}", '{"salt": "?", "memory_kib": 8, "passes": 1, "lanes": 1}',
             '{"salt": "AAAAAAAAAAAAAAAAAAAAAA==", "memory_kib": 999999999, "passes": 1, "lanes": 1}']
)  # fmt: skip
def test_a_description_that_does_not_serve_is_refused(store, given, told):
    (store.folder / WRAPPING_FILE).write_text(told)

    with refused("KEY-003"):
        store.agent()


def test_nobody_to_ask_is_told(store, given, monkeypatch, tmp_path):
    store.wrap(WORDS)
    monkeypatch.setenv(PASSPHRASE_FILE, str(tmp_path / "missing"))
    with refused("KEY-007"):
        store.agent()
    monkeypatch.delenv(PASSPHRASE_FILE)
    with refused("KEY-007"):
        store.agent()


def test_the_wrapping_key_is_never_shown_nor_pickled():
    key = WrappingKey.fresh(WORDS)

    assert repr(key) == "WrappingKey(hidden)"
    assert json.loads(key.described())["kdf"] == "argon2id"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_the_command_wraps_and_says_what_a_lost_passphrase_means(tmp_path, given):
    make_workspace(tmp_path / "edge", organisation="novato", hub="http://localhost")

    done = CliRunner().invoke(app, ["keys", "wrap", str(tmp_path / "edge")])

    assert (done.exit_code, "lost passphrase" in done.output) == (0, True)
    assert WORDS.decode() not in done.output
    assert passphrase.new_passphrase() == WORDS
    shown = CliRunner().invoke(app, ["keys", "show", str(tmp_path / "edge")])
    assert json.loads(shown.output)["organisation"] == "novato"


def test_a_roster_is_made_and_signed_by_commands(tmp_path):
    entries = []
    for name in ("novato", "reed", "marin-coe"):
        make_workspace(tmp_path / name, organisation=name, hub="http://localhost")
        entries.append(str(tmp_path / f"{name}.json"))
        run("keys", "show", tmp_path / name, "--out", entries[-1])
    roster = tmp_path / "roster.json"

    run("keys", "roster", roster, *entries, "--epoch", "1", "--custodian", "reed", "--custodian", "marin-coe")
    for name in ("novato", "reed"):
        told = run("keys", "signatory", tmp_path / f"{name}.signatory", "--organisation", name)
        assert set(json.loads(told.splitlines()[0])) == {name}
        shown = run("keys", "sign", roster, "--organisation", name, "--key", tmp_path / f"{name}.signatory")

    assert "2 signatures" in shown
    assert set(json.loads(roster.read_text())["signatures"]) == {"novato", "reed"}
    again = CliRunner().invoke(app, ["keys", "new", str(tmp_path / "reed.signatory")])
    assert again.exception.code == "KEY-004"


def run(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output
