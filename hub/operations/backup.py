"""Backups of a hub: every row of the database as of one moment, and every stored file, in a folder of its own.

Rows rest encrypted under `keys/backup/backup.key`; stored files are encrypted by their roles already. Keys are never
in a backup: it names those that must be kept elsewhere. The event is written before the copy is made, so that the log
of a backup is as long as what is signed, and the last backup of a stopped hub loses nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append, head
from hub.db import Database
from hub.errors import Conflict, StoreError, Unavailable
from hub.files import FileStore, Folder, Place, sync_folder, write_file
from hub.operations.installation import newest_revision, present_revision
from hub.operations.sweeping import NAMED
from hub.operations.table_copy import TableSum, packed, parts_of, tables_of
from hub.settings import Home
from hub.stores import FOLDERS, places_in
from policies.agreement_dates import BACKUP_DAYS

FORMAT = "promise-backup/1"
OUTER = "backup.json"
OTHER_FOLDERS = ("inbox", "handover", "answers")
"""What is copied beside the stores, as it lies; all but `answers` (routes and statuses) is encrypted or sealed."""
BESIDE = ("hub.json", "synthetic")
TRIES = 3


@dataclass(frozen=True)
class Backup:
    """A backup that is open: its folder and what its sealed inventory says."""

    folder: Path
    inventory: Mapping[str, Any]
    store: FileStore

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        tables: Mapping[str, Mapping[str, Any]] = self.inventory["tables"]
        return tables

    @property
    def files(self) -> Mapping[str, str]:
        files: Mapping[str, str] = self.inventory["files"]
        return files


def make_backup(
    home: Home, database: Database, folder: Path, *, audit: AuditTrail, places: Mapping[str, Place] | None = None
) -> Backup:
    """A new backup inside the folder, of stores in the home's folders or where `places` says.

    Raises Unavailable where the hub's files moved too fast to be copied, Conflict where the database is not this
    program's.
    """
    now = audit.clock()
    target = folder / f"promise-hub-{now:%Y-%m-%dT%H%M%SZ}"
    if target.exists():
        raise Conflict("A backup of this second is there already.", code="backup-exists")
    with database.transaction() as session:
        _check_revision(session)
        append(session, audit, EventType.BACKUP_BEGUN, resource=f"backup:{target.name}"[:200])
    for tried in range(TRIES):
        try:
            return _copied(home, database, target, now=now, places=places or places_in(home))
        except Unavailable:
            shutil.rmtree(target)
            if tried == TRIES - 1:
                raise
    raise StoreError()


def open_backup(home: Home, folder: Path) -> Backup:
    """Read what a backup holds; raises StoreError where it is none, or was changed, or is under another key."""
    try:
        outer = json.loads((folder / OUTER).read_text("utf-8"))
        if outer["format"] != FORMAT:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "This folder is no backup that can be read.", code="backup-unreadable",
            next_step="Name one folder promise-hub-..., not the folder that holds all backups.",
        ) from error  # fmt: skip
    store = FileStore(folder / "tables", home.key("backup", "backup.key"))
    return Backup(folder, json.loads(store.get(str(outer["inventory"]))), store)


def expired_backups(folder: Path, *, today: dt.date, keep_days: int = BACKUP_DAYS) -> Sequence[Path]:
    """The backups that destruction certificates promise to be gone by today."""
    last = today - dt.timedelta(keep_days)
    return [path for path in sorted(folder.glob("promise-hub-*")) if _made_on(path) <= last]


def remove_backups(paths: Sequence[Path]) -> None:
    """Delete backups; one that is cut off is deleted by the next call."""
    for path in paths:
        shutil.rmtree(path)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def key_marks(home: Home) -> dict[str, str]:
    """By `role/name` of each key a short mark by which the right one is known again; it tells nothing of the key."""
    paths = sorted((home.path / "keys").glob("*/*"))
    marks = {f"{path.parent.name}/{path.name}": sha256(b"promise-key-mark/1\n" + path.read_bytes()) for path in paths}
    return {name: mark.hexdigest()[:16] for name, mark in marks.items()}


def _made_on(path: Path) -> dt.date:
    try:
        outer = json.loads((path / OUTER).read_text("utf-8"))
        return dt.datetime.fromisoformat(outer["made_at"]).date()
    except (OSError, ValueError, KeyError):
        # One that was broken off has no date inside: its folder's own time tells.
        return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()


def _check_revision(session: Session) -> None:
    if present_revision(session) != newest_revision():
        raise Conflict(
            "The database is not at this program's revision.", code="revision-behind",
            next_step="Back up with the program that the hub ran with; then install this one, run promise-hub migrate.",
        )  # fmt: skip


def _copied(home: Home, database: Database, target: Path, *, now: dt.datetime, places: Mapping[str, Place]) -> Backup:
    target.mkdir(parents=True, mode=0o700)
    store = FileStore(target / "tables", home.backup_key())
    with database.snapshot() as connection:
        session = Session(connection)
        revision = MigrationContext.configure(connection).get_current_revision()
        size, root = head(session)
        named = {folder: NAMED[store](session) for store, folder in FOLDERS.items()}
        tables = {table.name: _copy_table(store, parts_of(connection, table)) for table in tables_of(connection)}
    copied = {path: _copy_file(place, target / "files" / path) for path, place in _stored(home, places)}
    files = {path: digest for path, digest in copied.items() if digest is not None}
    missing = [name for folder, names in named.items() for name in names if f"{folder}/{name}" not in files]
    if missing:
        raise Unavailable(
            f"{len(missing)} stored files went away while they were copied.", code="backup-moved",
            next_step="Make the backup again; if it fails always, run promise-hub doctor.",
        )  # fmt: skip
    keys = key_marks(home)
    inventory = {
        "revision": revision, "log": {"size": size, "root": root.hex()}, "tables": tables, "files": files,
        "keys": keys,
    }  # fmt: skip
    name = store.put(json.dumps(inventory, sort_keys=True).encode())
    outer = {"format": FORMAT, "made_at": now.isoformat(), "inventory": name, "keys": sorted(keys)}
    write_file(target / OUTER, json.dumps(outer, indent=1).encode() + b"\n")
    sync_folder(target)
    return Backup(target, inventory, store)


def _copy_table(store: FileStore, parts: Iterator[Sequence[bytes]]) -> dict[str, Any]:
    found, names = TableSum(), []
    for lines in parts:
        found = found.plus(lines)
        names.append(store.put(packed(lines)))
    return {**found.as_json(), "parts": names}


def _stored(home: Home, places: Mapping[str, Place]) -> Iterator[tuple[str, Place]]:
    """Every file to be copied: its place in a home, and where it lies now. Temporary ones begin with a dot."""
    for name in BESIDE:
        if (home.path / name).is_file():
            yield name, Folder(home.path)
    for folder in OTHER_FOLDERS:
        for path in sorted((home.path / folder).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(home.path).as_posix(), Folder(path.parent)
    for store, folder in FOLDERS.items():
        for name in places[store].names():
            yield f"{folder}/{name}", places[store]


def _copy_file(place: Place, target: Path) -> str | None:
    """Copy one file and flush it; its digest, or None where it is gone by now."""
    try:
        content = place.read(target.name)
    except FileNotFoundError:
        return None
    write_file(target, content)
    return sha256(content).hexdigest()
