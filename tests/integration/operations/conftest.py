"""Tests of operations start from the hubs of the hub's own tests, and from a database in which nothing was made."""

import uuid

import pytest

from tests.conftest import _address
from tests.integration.hub.conftest import made_up_hub, sqlite_hub

__all__ = ["made_up_hub", "sqlite_hub"]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The address of a database in which nothing was ever made."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    server, name = request.getfixturevalue("postgresql"), f"restored_{uuid.uuid4().hex[:12]}"
    server.psql(f"CREATE DATABASE {name};")
    yield _address(server, name)
    server.psql(f"DROP DATABASE {name} WITH (FORCE);")
