"""A submission file of the encoder page goes the same road as what `prepare` made."""

import json
from base64 import b64encode

import pytest
from typer.testing import CliRunner

from connectors.cli import app
from connectors.errors import WorkspaceError
from connectors.page_file import take_page_file
from connectors.submitting import unsent
from connectors.workspace import make_workspace
from policies.submission import read_manifest, sign_manifest, submission_id
from tests.property.hub.test_every_byte_counts import manifest as made_manifest

pytestmark = pytest.mark.doors


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "edge", organisation="novato", hub="http://127.0.0.1:9")


def file_of(workspace, folder, **changed):
    told, content = made_manifest()
    manifest = read_manifest({**told.model_dump(mode="json"), "agent_key": workspace.key_id})
    envelope = {
        "manifest": manifest.model_dump(mode="json"),
        "signature": sign_manifest(manifest, workspace.keys.agent().signer()),
        "chunks": {manifest.chunks[0].sha256: b64encode(content).decode()},
        "commit": True,
        **changed,
    }
    path = folder / "k12-2026.submission.json"
    path.write_text(json.dumps(envelope), "utf-8")
    return path, submission_id(manifest), content


def test_a_file_of_the_page_waits_in_the_outbox_like_any_other_and_again_is_the_same(workspace, tmp_path):
    path, name, content = file_of(workspace, tmp_path)

    folders = [take_page_file(workspace, path), take_page_file(workspace, path)]
    told = CliRunner().invoke(app, ["push", str(workspace.folder), "--dry-run", "--file", str(path)])

    assert folders == unsent(workspace) * 2
    assert [path.name for path in unsent(workspace)] == [name]
    assert [one.read_bytes() for one in (folders[0] / "chunks").iterdir()] == [content]
    assert (told.exit_code, f"would send {name[:12]}" in told.output) == (0, True)


@pytest.mark.parametrize(
    "changed", [{"signature": "AAAA"}, {"chunks": {}}, {"chunks": None}, {"manifest": {}}, {"manifest": None}]
)
def test_another_file_and_one_of_other_keys_are_refused_and_nothing_is_laid_out(workspace, tmp_path, changed):
    path, _, _ = file_of(workspace, tmp_path, **changed)

    with pytest.raises(WorkspaceError, match="EDGE-048"):
        take_page_file(workspace, path)

    assert unsent(workspace) == []
