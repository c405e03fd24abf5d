"""Lays a submission file of the encoder page into the outbox, so that `promise-edge push` sends it as its own.

For an office whose list is too long for a browser to send, or whose person at the hub's page is away. The file was
made with this workspace's keys; nothing of it is opened or signed anew.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

from connectors.errors import WorkspaceError
from connectors.prepare import lay_out
from connectors.workspace import Workspace
from policies.submission import Manifest, SubmissionError, check_chunk, check_signature, read_manifest


def take_page_file(workspace: Workspace, path: Path) -> Path:
    """The folder in the outbox; raises WorkspaceError EDGE-048 for another file or one of another workspace's keys."""
    try:
        told = json.loads(path.read_bytes())
        manifest, signature = read_manifest(told["manifest"]), str(told["signature"])
        check_signature(manifest, signature, workspace.keys.agent().signer().public_key())
        contents = _contents(manifest, told["chunks"])
    except (OSError, ValueError, LookupError, TypeError, SubmissionError, RecursionError):
        raise WorkspaceError(
            "EDGE-048",
            "This is no submission file of the encoder page under the keys of this workspace.",
            "Give the file that the page saved, and the workspace from which its key file was made.",
        ) from None
    return lay_out(workspace.outbox, manifest, contents, signature=signature)


def _contents(manifest: Manifest, carried: dict[str, str]) -> list[bytes]:
    contents = [b64decode(carried[chunk.sha256], validate=True) for chunk in manifest.chunks]
    for chunk, content in zip(manifest.chunks, contents, strict=True):
        check_chunk(chunk, content)
    return contents
