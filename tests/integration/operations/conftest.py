"""Tests of operations start from the hubs of the hub's own tests, and from a database in which nothing was made."""

import pytest

from tests.databases import KINDS, drop_database, make_database, on_server
from tests.integration.hub.conftest import made_up_hub, sqlite_hub

__all__ = ["made_up_hub", "sqlite_hub"]


@pytest.fixture(params=KINDS)
def empty_url(request, tmp_path):
    """The address of a database in which nothing was ever made."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    server = request.getfixturevalue("postgresql")
    name = make_database(server, "template0")
    yield on_server(server, name)
    drop_database(server, name)
