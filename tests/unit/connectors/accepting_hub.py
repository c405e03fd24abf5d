"""A hub that stands in and takes what comes, and a workspace that may send to it."""

import base64
import json
from pathlib import Path

import httpx

from connectors.installing import Given, install
from connectors.keystore import write_key
from connectors.workspace import make_workspace
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key
from policies.submission import read_manifest, submission_id


class AcceptingHub:
    """Stands in for the hub: takes what comes and counts each submission once."""

    def __init__(self):
        self.accepted, self.silent = {}, False

    def __call__(self, request):
        if self.silent:
            raise httpx.ConnectError("nobody there")
        if request.method == "POST":
            told = json.loads(request.content)
            name = submission_id(read_manifest(told["manifest"]))
            self.accepted[name] = self.accepted.get(name, 0) + (name not in self.accepted)
            assert all(base64.b64decode(chunk) for chunk in told["chunks"].values())
            return httpx.Response(201, json={"submission": name, "state": "checking", "missing": []})
        name = request.url.path.rsplit("/", 1)[-1]
        return httpx.Response(200, json={"submission": name, "state": "accepted", "next_step": "keep the receipt"})


def workspace_in(tmp_path):
    """A workspace of a district, with keys and agreements, that could send."""
    keys = {name: generate_recipient_key().public() for name in ("matcher_public_key", "resolver_public_key")}
    (tmp_path / "hub.json").write_text(json.dumps(keys | {"schema_hash": current_schema().hash, "epoch": 1}))
    write_key(tmp_path / "linkage.secret", bytes(32))
    made_here = make_workspace(tmp_path / "edge", organisation="novato", hub="http://hub.test")
    install(made_here, Given(tmp_path / "hub.json", Path("policies/agreements"), secret=tmp_path / "linkage.secret"))
    return made_here
