"""Makes a home: one set of keys a role, the database at its newest revision, and hub.json for the edges."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append, open_log
from hub.db import Clock, Database
from hub.errors import Conflict, Unavailable
from hub.files import sync_folder, write_file
from hub.identity.service import load_organisations
from hub.identity.tables import Account
from hub.operations.grants import set_grants
from hub.settings import KEY_BYTES, MIGRATION, Home, Settings, write_key
from policies.translog.note import Verifier
from policies.yaml_text import read_yaml

if TYPE_CHECKING:
    from alembic.config import Config

ORIGIN = "promise-hub/log"
FIRST_EPOCH = 1
PSEUDONYM_KEYS = ("pepper.key", "salts.key")


def make_home(folder: Path, *, clock: Clock, synthetic: bool = False) -> Home:
    """A new hub in a folder; raises Conflict where one stands already."""
    from linkage.schema import current_schema
    from linkage.sealing import generate_recipient_key

    home = Home(folder)
    if home.public.exists():
        raise Conflict("A hub stands in this folder already.", code="home-exists", next_step="Name another folder.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for place in (home.inbox, home.handover, home.linkage, home.analysis, home.salts, home.signer):
        place.mkdir(exist_ok=True, mode=0o700)
    matcher, resolver, log_key = generate_recipient_key(), generate_recipient_key(), Ed25519PrivateKey.generate()
    keys = {
        ("matcher", "sealing.key"): matcher.private(),
        ("matcher", "rows.key"): secrets.token_bytes(KEY_BYTES),
        ("resolver", "sealing.key"): resolver.private(),
        ("resolver", "spans.key"): secrets.token_bytes(KEY_BYTES),
        ("resolver", "analysis.key"): secrets.token_bytes(KEY_BYTES),
        **{("resolver", name): secrets.token_bytes(KEY_BYTES) for name in PSEUDONYM_KEYS},
        ("api", "accounts.key"): secrets.token_bytes(KEY_BYTES),
        ("backup", "backup.key"): secrets.token_bytes(KEY_BYTES),
        ("signer", "log.key"): log_key.private_bytes_raw(),
    }
    for (role, name), key in keys.items():
        write_key(home.key_file(role, name), key)
    facts = {
        "matcher_public_key": matcher.public(),
        "resolver_public_key": resolver.public(),
        "schema_hash": current_schema().hash,
        "epoch": FIRST_EPOCH,
        "log_verifier": Verifier(ORIGIN, log_key.public_key()).vkey(),
    }
    migrate(Settings(home=folder).resolved_database_url(MIGRATION), clock=clock, first=True)
    write_file(home.public, json.dumps(facts, indent=1).encode() + b"\n")
    if synthetic:
        home.synthetic_mark.touch()
    sync_folder(folder)
    return home


def add_missing_keys(home: Home, database: Database) -> None:
    """Give a home that was made by an earlier program the keys that came later; that of accounts only where nobody has
    an account yet, for what rests under a lost one would be lost unsaid."""
    wanted = [("resolver", name) for name in PSEUDONYM_KEYS]
    with database.reading() as session:
        if session.scalar(select(Account.person).limit(1)) is None:
            wanted.append(("api", "accounts.key"))
    for role, name in wanted:
        if not home.key_file(role, name).exists():
            write_key(home.key_file(role, name), secrets.token_bytes(KEY_BYTES))


def migrate(url: str, *, clock: Clock, first: bool = False) -> None:
    """Bring a database to the newest revision and make the organisations known."""
    upgrade(url)
    database = Database(url)
    trail = AuditTrail("operator", None, "command", "promise-hub init" if first else "promise-hub migrate", clock)
    try:
        with database.transaction() as session:
            set_grants(session.connection())
            open_log(session)
            load_organisations(session, organisations())
            event = EventType.HUB_INITIALISED if first else EventType.DATABASE_MIGRATED
            append(session, trail, event, resource="database", versions={"revision": present_revision(session)})
    finally:
        database.close()


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations up to a revision, all or none; raises Unavailable where somebody holds a table."""
    from alembic import command

    with _blocked_as_unavailable():
        command.upgrade(alembic_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Run the migrations back to a revision."""
    from alembic import command

    with _blocked_as_unavailable():
        command.downgrade(alembic_config(url), revision)


@contextmanager
def _blocked_as_unavailable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Unavailable(
            "The migration could not take a table or reach the database; nothing was changed.",
            code="migration-blocked", next_step="Stop the hub and whoever reads its tables, then run it again.",
        ) from error  # fmt: skip


def alembic_config(url: str = "") -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("migrations")))
    config.attributes["url"] = url
    return config


def newest_revision() -> str:
    """The revision of this program's newest migration."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(alembic_config()).get_current_head() or ""


def present_revision(session: Session) -> str:
    """The revision that a database is at; `none` where it is empty."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(session.connection()).get_current_revision() or "none"


def organisations() -> list[tuple[str, str]]:
    """Every organisation of the partnership's list: id and kind."""
    text = resources.files("policies").joinpath("organisations/marin.yaml").read_text("utf-8")
    return [(entry["id"], entry["kind"]) for entry in read_yaml(text)["organisations"]]
