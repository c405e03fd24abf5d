"""Where the hubs of the tests keep their tables.

`PROMISE_HUB_TEST_DATABASE` chooses: left out, both kinds for what depends on the database and SQLite for the rest;
`sqlite` or `postgresql`, every hub of every test on that kind; `logins`, on PostgreSQL as in earnest, each role under
its own login and the tables owned by the login of migrations. PostgreSQL is the packaged server, or an installed one by
its address (`tests/postgresql_server.py`).
"""

import hashlib
import os
import shutil
import sqlite3
import uuid
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from hub.operations.grants import PREFIX, ROLES, login_statements
from hub.settings import MIGRATION
from tests.postgresql_server import password_clause

SWITCH = "PROMISE_HUB_TEST_DATABASE"
SETTING = "PROMISE_HUB_DATABASE_URL"
CHOSEN = os.environ.get(SWITCH, "")
KINDS = {
    "": ("sqlite", "postgresql"), "sqlite": ("sqlite",), "postgresql": ("postgresql",), "logins": ("postgresql",),
}[CHOSEN]  # fmt: skip
"""The kinds on which a test runs that asks for each."""
ALL_ON_POSTGRESQL = KINDS == ("postgresql",)
ABOUT_THE_FILE = pytest.mark.skipif(ALL_ON_POSTGRESQL, reason="about the file of SQLite")
EACH_ITS_LOGIN = CHOSEN == "logins"
SUPERUSER = "postgres"
OWNER = f"{PREFIX}{MIGRATION}" if EACH_ITS_LOGIN else SUPERUSER
"""The login under which the tests themselves come to a database."""
TEMPLATE = f"template_hub_{os.getpid()}"
SERVERS = []
"""The one server, once a test asked for it."""
MADE = {}
"""Name of each database of a folder: the folder."""


def on_server(server, name, login=OWNER):
    """The address of a database of a server, as the hub's settings have it."""
    address = server.get_uri(database=name).replace("postgresql://", "postgresql+psycopg://", 1)
    return address.replace(f"//{SUPERUSER}:", f"//{login}:", 1)


def settings_address(address):
    """What the settings of a hub say for the address of its database: where that is asked, a login for each role."""
    return address.replace(f"//{OWNER}:", f"//{PREFIX}{{role}}:", 1) if EACH_ITS_LOGIN else address


def make_logins(server):
    """The logins as the printed statements make them, on this server; without their limits, which are for one hub."""
    for statement in login_statements():
        if not statement.startswith("\\password"):
            server.psql(f"DO $$ BEGIN {statement} EXCEPTION WHEN duplicate_object THEN NULL; END $$;")
    for role in (*ROLES, MIGRATION):
        server.psql(f"ALTER ROLE {PREFIX}{role} CONNECTION LIMIT -1 {password_clause(server)};")


def make_database(server, template=None, name=None):
    """A new database, like its template; its name."""
    name = name or f"hub_{uuid.uuid4().hex[:12]}"
    _statement(server, f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template or TEMPLATE}")
    return name


def drop_database(server, name):
    _statement(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def address_of(folder):
    """The address of the database of a hub in this folder; on PostgreSQL it is made, and migrated, when first asked."""
    return _address_of(folder, TEMPLATE, f"sqlite:///{folder / 'hub.db'}")


def empty_address(folder):
    """The address of a database without tables, named by a folder that need not be there."""
    return _address_of(folder, "template0", f"sqlite:///{folder}.db")


def copy_home(template, folder):
    """A copy of a home and of its database, which nobody may have open."""
    shutil.copytree(template, folder)
    if ALL_ON_POSTGRESQL:
        _address_of(folder, _name(template), "")
    return folder


def keep_database(folder, backup):
    """Lay a copy of the database of the hub in a folder aside; nobody may have it open."""
    if ALL_ON_POSTGRESQL:
        _address_of(backup, _name(folder), "")
    else:
        shutil.copy(folder / "hub.db", backup)


def put_back(folder, backup):
    """Let the copy that was laid aside be the hub's database again."""
    take_away(folder)
    if ALL_ON_POSTGRESQL:
        _address_of(folder, _name(backup), "")
    else:
        shutil.copy(backup, folder / "hub.db")


def take_away(folder):
    """Remove the database of the hub in a folder."""
    if ALL_ON_POSTGRESQL:
        drop_database(SERVERS[0], _name(folder))
        MADE.pop(_name(folder), None)
    for file in folder.glob("hub.db*"):
        file.unlink()


def copy_of(database, folder):
    """The address of a copy of a database, made for this folder."""
    database.close()
    if ALL_ON_POSTGRESQL:
        return _address_of(folder, database.engine.url.database, "")
    folder.mkdir()
    with closing(sqlite3.connect(database.engine.url.database, isolation_level=None)) as connection:
        connection.execute(f"VACUUM INTO '{folder / 'hub.db'}'")
    return address_of(folder)


def content_of(database):
    """Every byte that a database holds: the file of SQLite with its journal, each table of PostgreSQL."""
    if database.is_sqlite:
        file = Path(database.engine.url.database)
        return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    held = []
    with psycopg.connect(database.url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        for (table,) in tables:
            for form in ("TEXT", "BINARY"):
                with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT {form})") as copy:
                    held += [bytes(part) for part in copy]
    return b"".join(held)


@contextmanager
def settings_of(address):
    """While it lasts, hubs whose settings name no database have it here, also in other processes; on PostgreSQL."""
    if not ALL_ON_POSTGRESQL:
        yield
        return
    before = os.environ.get(SETTING)
    os.environ[SETTING] = settings_address(address)
    yield
    os.environ.pop(SETTING)
    if before is not None:
        os.environ[SETTING] = before


def drop_below(folder):
    """Remove the databases of every hub that lies in or below a folder."""
    for name in [name for name, where in MADE.items() if where.is_relative_to(folder)]:
        drop_database(SERVERS[0], name)
        del MADE[name]


def _address_of(folder, template, file):
    if not ALL_ON_POSTGRESQL:
        return file
    name = _name(folder)
    if name not in MADE:
        MADE[name] = folder.absolute()
        make_database(SERVERS[0], template, name)
    return on_server(SERVERS[0], name)


def _name(folder):
    return f"hub_{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]}"


def _statement(server, statement):
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(statement)
