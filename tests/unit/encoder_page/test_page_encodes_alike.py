"""The page encodes bit for bit as the program does, and is what its sources build. Its script runs in node here."""

import datetime as dt
import json
import shutil
import stat
import unicodedata
from base64 import b64encode
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.cli import app
from connectors.encoder_page import build, letters
from connectors.encoder_page.key_file import page_keys
from connectors.errors import WorkspaceError
from connectors.workspace import make_workspace
from linkage.encode.normalise import name_parts
from linkage.encode.tables import name_tables
from linkage.schema import current_schema
from tests.unit.encoder_page.page_runner import needs_node, run_page

pytestmark = pytest.mark.doors
VECTORS = Path(__file__).parents[2] / "vectors" / "encoding.json"


def test_the_page_that_is_kept_is_what_its_sources_build():
    content = build.PAGE.read_bytes()

    assert content.decode("ascii") == build.page()
    assert build.DIGEST.read_text("ascii") == build.digest_line(content)
    assert build.digest_line(content) in build.MANUAL.read_text("utf-8")


def test_the_page_is_short_enough_to_be_read_by_a_district():
    lines = build.PAGE.read_text("ascii").count("\n")
    apart = sum((build.FOLDER / "src" / name).read_text("ascii").count("\n") for name in ("aes.js", "sheets.js"))

    assert lines - apart < 1500


def test_the_policy_of_the_page_lets_nothing_out():
    (policy,) = [line for line in build.PAGE.read_text("ascii").splitlines() if "Content-Security-Policy" in line]

    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.skipif(unicodedata.unidata_version != letters.VERSION, reason="another version of Unicode")
def test_the_letters_of_the_page_are_those_of_python():
    assert json.loads(letters.FILE.read_text("ascii")) == letters.letters()


@needs_node
def test_every_vector_of_the_encoder_comes_out_the_same():
    vectors = json.loads(VECTORS.read_text("utf-8"))

    made = run_page("parity.js", "madeFromVectors", vectors, [])

    of_both = set(made) & set(vectors)
    assert len(of_both) == 18
    assert {name: made[name] for name in of_both} == {name: vectors[name] for name in of_both}


def differing(signs):
    """The signs that the page and the program normalise in different ways."""
    vectors = json.loads(VECTORS.read_text("utf-8"))
    tables = name_tables(current_schema())
    names = [f"q{sign}z" for sign in signs]
    made = run_page("parity.js", "madeFromVectors", vectors, names)["letters"]
    return [hex(ord(name[1])) for name, of in zip(names, made, strict=True) if of != [*name_parts(name, tables=tables)]]


@needs_node
@pytest.mark.skipif(unicodedata.unidata_version != letters.VERSION, reason="another version of Unicode")
def test_names_are_normalised_alike_whatever_script_they_are_in():
    assert differing([chr(code) for code in range(0x3000)]) == []


@needs_node
@pytest.mark.slow
@pytest.mark.skipif(unicodedata.unidata_version != letters.VERSION, reason="another version of Unicode")
def test_no_sign_of_unicode_at_all_is_normalised_differently():
    assert differing([chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]) == []


def test_the_command_writes_a_key_file_under_its_own_passphrase_and_says_what_to_do_with_it(tmp_path):
    workspace = make_workspace(tmp_path / "edge", organisation="community-action-marin", hub="http://127.0.0.1:9")
    keys = {"matcher_public_key": "m", "resolver_public_key": "r", "schema_hash": current_schema().hash, "epoch": 1}
    (workspace.folder / "hub.json").write_text(json.dumps(keys), "utf-8")
    shutil.copytree(
        build.FOLDER.parents[1] / "policies" / "agreements", workspace.folder / "agreements", dirs_exist_ok=True
    )
    workspace.keys.keep_secret(1, bytes(range(32)))
    workspace.keys.begin(1)
    (tmp_path / "passphrase").write_text("four words of a made-up song")
    out = tmp_path / "office.keys.json"

    done = CliRunner().invoke(
        app,
        ["keys", "page", str(workspace.folder), str(out)],
        env={"PROMISE_EDGE_PASSPHRASE_FILE": str(tmp_path / "passphrase")},
    )

    written = json.loads(out.read_text("utf-8"))
    assert (done.exit_code, written["organisation"]) == (0, "community-action-marin")
    assert "next: give the file to the office, and the passphrase by another way" in done.output
    assert written.keys() == {"format", "organisation", "iterations", "salt", "sealed"}
    assert b64encode(bytes(range(32))).decode() not in out.read_text("utf-8")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_short_passphrase_makes_no_key_file(tmp_path):
    workspace = make_workspace(tmp_path, organisation="community-action-marin", hub="http://127.0.0.1:9")

    with pytest.raises(WorkspaceError) as refusal:
        page_keys(workspace, passphrase=b"fifteen letters", now=dt.datetime(2026, 11, 22, tzinfo=dt.UTC))

    assert refusal.value.code == "KEY-006"
