"""A workspace of a made-up district whose hub's private keys the tests hold."""

import os

from connectors.keystore import write_key
from connectors.workspace import make_workspace, write_json
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key

MATCHER, RESOLVER = generate_recipient_key(), generate_recipient_key()


def make_edge(folder):
    """The workspace with a linkage secret, ready to prepare."""
    edge = make_workspace(folder, organisation="novato", hub="http://hub.test")
    keys = {"matcher_public_key": MATCHER.public(), "resolver_public_key": RESOLVER.public()}
    write_json(edge.folder / "hub.json", keys | {"schema_hash": current_schema().hash, "epoch": 1})
    write_key(edge.keys.folder / "linkage.secret", os.urandom(32))
    return edge
