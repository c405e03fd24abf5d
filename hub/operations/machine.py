"""What a hub stands on, for the page of administration: its stores by size, its versions, its newest backup.

Sizes are told in bands (`policies.size_bands`): in bytes they would count children.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

import hub
from hub.audit.events import EventType
from hub.audit.service import newest_time
from hub.operations.doctor import is_low
from hub.operations.installation import newest_revision, present_revision
from hub.settings import Home, Settings
from hub.stores import FOLDERS, IN_BUCKET
from linkage.schema import current_schema
from policies.catalogue_files import catalogue
from policies.size_bands import size_band

PROGRAM = "promise-hub"
LOCK = Path(hub.__file__).parents[1] / "requirements.lock"
"""Where the lock file lies beside the program; an installed wheel has none."""
UNSEEN = "not to be seen from this process"


@dataclass(frozen=True)
class Store:
    """One place where the hub keeps something, and the band of its size."""

    name: str
    holds: str
    size: str


@dataclass(frozen=True)
class Storage:
    """Every store, whether the disk has room, and the day of the newest backup, None where there is none."""

    stores: tuple[Store, ...]
    disk_low: bool
    backed_up: date | None


@dataclass(frozen=True)
class Version:
    """One thing that has a version; `differs` where it is not what the program expects."""

    name: str
    version: str
    differs: str = ""


def read_storage(session: Session, settings: Settings) -> Storage:
    """The stores of the home and the database, in bands; what lies in a bucket is seen there alone."""
    home = Home(settings.home)
    usage = shutil.disk_usage(home.path)
    last = newest_time(session, EventType.BACKUP_BEGUN)
    away = {FOLDERS[store].partition("/")[0] for store in IN_BUCKET} if settings.files_url else set()
    stores = tuple(
        Store(name, holds, "in the bucket" if name in away else _size_of(folder))
        for name, (holds, folder) in _places(home).items()
    )
    database = Store("database", "people, agreements, links, releases and the log", size_band(_database_size(session)))
    return Storage((*stores, database), is_low(usage.free, usage.total), last.date() if last else None)


def read_versions(session: Session, facts: Mapping[str, str]) -> Sequence[Version]:
    """Program, libraries, database, linkage schema and catalogue."""
    schema = current_schema().hash
    told = facts.get("schema_hash", schema)
    return (
        Version("program", metadata.version(PROGRAM)),
        _libraries(),
        _revision(session),
        Version("linkage schema", schema[:16], "" if told == schema else "hub.json tells edges of another one"),
        Version("catalogue", str(catalogue().version)),
    )


def _places(home: Home) -> Mapping[str, tuple[str, Path]]:
    return {
        "inbox": ("chunks that are being received", home.inbox),
        "handover": ("pairs on their way from matcher to resolver", home.handover),
        "linkage": ("encoded rows and spans", home.linkage),
        "analysis": ("facts and snapshots", home.analysis),
    }


def _size_of(folder: Path) -> str:
    """The band of a folder's files together; a folder of another system user is not seen, as it should be."""
    try:
        return size_band(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
    except PermissionError:
        return UNSEEN


def _database_size(session: Session) -> int:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return int(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    page = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    return int(session.execute(text(page)).scalar_one())


def _libraries() -> Version:
    """How many libraries are installed, and which of them the lock file tells otherwise."""
    installed = _installed()
    if not LOCK.is_file():
        lines = "\n".join(f"{name}=={version}" for name, version in sorted(installed.items()))
        return Version("libraries", f"{len(installed)} installed, {_mark(lines.encode())}; no lock file lies beside")
    locked = _locked(LOCK)
    other = sorted(name for name, version in installed.items() if name in locked and locked[name] != version)
    missing = sorted(locked.keys() - installed.keys())
    told = f"{len(locked)} locked, {_mark(LOCK.read_bytes())}"
    return Version("libraries", told, ", ".join([*other, *missing]))


def _mark(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]


@cache
def _installed() -> Mapping[str, str]:
    return {_plain(one.name): one.version for one in metadata.distributions() if one.name}


@cache
def _locked(lock: Path) -> Mapping[str, str]:
    lines = [line for line in lock.read_text("utf-8").splitlines() if "==" in line and line[:1].isalnum()]
    # A line with a marker may be meant for another system.
    pinned = (line.split()[0].partition("==") for line in lines if ";" not in line)
    return {_plain(name.partition("[")[0]): version for name, _, version in pinned}


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _revision(session: Session) -> Version:
    """The database's revision beside the program's; a login that may not read it is told by doctor."""
    newest = newest_revision()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        may = "SELECT has_table_privilege(current_user, 'alembic_version', 'SELECT')"
        if not session.execute(text(may)).scalar():
            return Version("database revision", f"the program’s is {newest}; promise-hub doctor compares")
    here = present_revision(session)
    return Version("database revision", here, "" if here == newest else f"the program’s is {newest}")
