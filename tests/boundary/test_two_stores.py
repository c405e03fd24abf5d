"""Encodings lie in one store and facts in another: no role has the keys of both, and neither lies in the database."""

import ast
import shutil
from pathlib import Path

import numpy as np
import pytest

from hub.app import hub_parts
from hub.audit.signer import signer_of
from hub.errors import SettingError, StoreError
from hub.files import FileStore, analysis_store
from hub.log import Log
from hub.operations import roles
from linkage.rows import VIEW_ROW
from linkage.sealing import SealingError, read_recipient_key
from policies.submission import context
from tests.databases import address_of, content_of, copy_home
from tests.integration.hub.conftest import MadeUpHub

ROOT = Path(__file__).parents[2]
ROLES = ("matcher", "resolver", "signer")
START = {
    "matcher": lambda settings: roles.matcher(settings, log=Log()).close(),
    "resolver": lambda settings: roles.resolver(settings, log=Log()).close(),
    "signer": lambda settings: signer_of(settings).database.close(),
    "api": lambda settings: hub_parts(settings).database.close(),
}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory, home_template):
    """A hub that has taken a submission whole, under a folder that nobody else reads."""
    from tests.conftest import StandingClock

    folder = tmp_path_factory.mktemp("stores") / "hub"
    copy_home(home_template, folder)
    hub = MadeUpHub(folder, address_of(folder), StandingClock())
    edge = hub.enrol("novato")
    made = edge.prepare(range(30))
    edge.send(made)
    hub.work()
    yield hub
    hub.close()


def stores(home):
    """Every store of a home by role, as whoever has all keys may open it."""
    analysis = analysis_store(home)
    return {
        ("matcher", "rows.key"): FileStore(home.linkage / "rows", home.key("matcher", "rows.key")),
        ("resolver", "spans.key"): FileStore(home.linkage / "spans", home.key("resolver", "spans.key")),
        ("resolver", "analysis.key"): analysis,
        ("resolver", "salts.key"): analysis.salts,
    }


def keys_of(home, role):
    return {path.name: path.read_bytes() for path in sorted(home.key_file(role, "x").parent.iterdir())}


@pytest.mark.parametrize("role", START)
def test_a_role_starts_with_its_own_keys_alone(delivered, tmp_path, role):
    hub = delivered
    folder = tmp_path / "home"
    shutil.copytree(hub.settings.home, folder)
    for other in set(ROLES) - {role}:
        shutil.rmtree(folder / "keys" / other)

    START[role](hub.settings.model_copy(update={"home": folder, "database_url": ""}))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_starts_without_its_own_keys(delivered, tmp_path, role):
    hub = delivered
    folder = tmp_path / "home"
    shutil.copytree(hub.settings.home, folder)
    shutil.rmtree(folder / "keys" / role)

    with pytest.raises(SettingError):
        START[role](hub.settings.model_copy(update={"home": folder, "database_url": ""}))


def test_every_key_opens_its_own_store_and_no_other(delivered):
    home = delivered.home
    keys = {(role, name): key for role in ROLES for name, key in keys_of(home, role).items()}

    opens = set()
    for owner, store in stores(home).items():
        for holder, key in keys.items():
            tried = FileStore(store.place, key)
            try:
                opens |= {(holder, owner) for name in store.names() if tried.get(name)}
            except StoreError:
                continue

    assert opens == {(owner, owner) for owner, store in stores(home).items() if store.names()}
    assert {name for (_, name), store in stores(home).items() if store.names()} == {
        "rows.key", "spans.key", "analysis.key",
    }  # fmt: skip
    assert len(set(keys.values())) == len(keys)


def test_the_matcher_opens_nothing_that_was_sealed_to_the_resolver_and_the_other_way(delivered):
    hub = delivered
    own = {role: read_recipient_key(hub.home.key(role, "sealing.key")) for role in ("matcher", "resolver")}
    made = hub.enrol("reed").prepare(range(30))
    bound = {name: made.manifest[name] for name in ("provider", "kind", "school_year", "epoch")}
    opened = set()
    for entry in made.manifest["chunks"]:
        for role, key in own.items():
            try:
                key.open(made.chunks[entry["sha256"]], context(entry["holds"], **bound))
            except SealingError:
                continue
            opened.add((role, entry["holds"]))

    assert opened == {("matcher", "rows"), ("resolver", "spans")}


def test_encodings_lie_in_the_linkage_store_alone_and_facts_in_the_analysis_store_alone(delivered):
    hub = delivered
    opened = {
        name: b"".join(store.get(file) for file in store.names()) for (_, name), store in stores(hub.home).items()
    }
    database = content_of(hub.database)
    rows = np.frombuffer(
        opened["rows.key"][: len(opened["rows.key"]) // VIEW_ROW.itemsize * VIEW_ROW.itemsize], VIEW_ROW
    )
    tokens = {row["token"].tobytes() for row in rows} | {row["given"].tobytes() for row in rows}
    tokens = {token for token in tokens if len(set(token)) > 4}

    assert len(tokens) > 30
    elsewhere = database + opened["spans.key"] + opened["analysis.key"]
    assert [token for token in tokens if token in elsewhere or token.hex().encode() in elsewhere] == []


def test_every_file_of_a_store_is_encrypted_at_rest(delivered):
    home = delivered.home

    for store in stores(home).values():
        for name in store.names():
            content, stored = store.get(name), store.place.read(name)
            assert len(stored) == len(content) + 12 + 16
            assert not content or content[:64] not in stored


MAY_READ = {
    "hub.audit.signer": {("signer", "log.key")},
    "hub.files": {("resolver", "salts.key"), ("resolver", "analysis.key"), ("resolver", "pepper.key")},
    "hub.operations.backup": {("backup", "backup.key")},
    "hub.operations.opening": {("matcher", "rows.key"), ("resolver", "spans.key")},
    "hub.operations.roles": {
        ("matcher", "sealing.key"), ("matcher", "rows.key"), ("resolver", "sealing.key"), ("resolver", "spans.key"),
    },
    "hub.submissions.messages": {("messenger", "webhook.key")},
}  # fmt: skip
"""Which module reads which key; `opening` works in homes of made-up people alone."""


def key_reads(tree):
    """The (role, name) of every call of `.key(...)` in a module, or a function."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "key":
            values = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if len(values) == 2:
                found.add(tuple(values))
    return found


def test_the_modules_that_read_keys_are_known_and_read_these_alone():
    found = {}
    for path in sorted((ROOT / "hub").rglob("*.py")):
        reads = key_reads(ast.parse(path.read_text("utf-8")))
        if reads:
            found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = reads

    assert found == MAY_READ


def test_no_function_that_serves_a_role_reads_a_key_of_another():
    tree = ast.parse((ROOT / "hub" / "operations" / "roles.py").read_text("utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    assert {role for role, _ in key_reads(functions["matcher"])} == {"matcher"}
    assert {role for role, _ in key_reads(functions["resolver"])} == {"resolver"}
    assert "analysis_store" not in ast.unparse(functions["matcher"])
