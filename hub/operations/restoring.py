"""Restores a backup into an empty database and a home that has its keys, and holds it against what was signed.

Nothing is written before the backup has been read whole: rows against their digests, files against theirs, the log
against its checkpoints. A backup that is older than a signed or cosigned checkpoint is refused, for the events after it
would be lost; whoever has no newer one says so (`behind`), and the recovery of the operations page follows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.audit.tables import Checkpoint
from hub.audit.verify import Trusted, verify_log
from hub.db import Database
from hub.errors import Conflict, SettingError, StoreError
from hub.files import Place, sync_folder, write_file
from hub.identity.witnesses import every_witness
from hub.operations.backup import Backup, file_digest, key_marks
from hub.operations.grants import set_grants
from hub.operations.installation import upgrade
from hub.operations.table_copy import insert_lines, restart_numbering, sum_of, tables_of, unpacked
from hub.settings import Home
from hub.stores import FOLDERS, places_in
from policies.translog.checkpoint import open_checkpoint
from policies.translog.errors import TranslogError
from policies.translog.note import Verifier, read_vkey

LAST = "last-checkpoint"


@dataclass(frozen=True)
class Restored:
    """What a restore, or the trial of one, found."""

    tables: int
    rows: int
    files: int
    events: int
    checkpoints: int
    lost: int


def try_backup(home: Home, backup: Backup, *, notes: Sequence[str]) -> Restored:
    """Restore into a temporary database beside nothing, verify all of it, and leave the hub as it is."""
    check_files(backup)
    lost = events_lost(home, backup, notes=notes)
    with tempfile.TemporaryDirectory(prefix="promise-restore-") as folder:
        database = Database(f"sqlite:///{folder}/restored.db")
        try:
            return _filled(home, backup, database, notes=notes, lost=lost)
        finally:
            database.close()


def restore(
    home: Home,
    backup: Backup,
    database: Database,
    *,
    notes: Sequence[str],
    behind: bool,
    audit: AuditTrail,
    places: Mapping[str, Place] | None = None,
) -> Restored:
    """Fill the empty database and the home; raises Conflict where events that were signed would be lost unsaid."""
    check_keys(home, backup)
    check_empty(database)
    check_files(backup)
    lost = events_lost(home, backup, notes=notes)
    if lost and not behind:
        raise Conflict(
            f"The backup is {lost} events behind a checkpoint that was signed.", code="backup-behind",
            next_step="Restore a newer backup. Only if there is none: restore with --behind, then follow "
            "section 8 of the operations page.",
        )  # fmt: skip
    found = _filled(home, backup, database, notes=notes, lost=lost)
    _put_files(home, backup, places or places_in(home))
    _remember_signed(home, database, notes=notes)
    upgrade(database.url)
    with database.transaction() as session:
        set_grants(session.connection())
        append(
            session, audit, EventType.BACKUP_RESTORED, resource=f"backup:{backup.folder.name}"[:200],
            counts={"tables": found.tables, "rows": found.rows, "files": found.files, "lost": lost},
        )  # fmt: skip
    return found


def _put_files(home: Home, backup: Backup, places: Mapping[str, Place]) -> None:
    """Stored files go where the stores lie now, whether folders or a bucket; everything else into the home."""
    by_folder = {folder: places[store] for store, folder in FOLDERS.items()}
    for path in backup.files:
        content = (backup.folder / "files" / path).read_bytes()
        folder, _, name = path.rpartition("/")
        if folder in by_folder:
            by_folder[folder].write(name, content)
        else:
            write_file(home.path / path, content)
    for folder in sorted({path.rpartition("/")[0] for path in backup.files}):
        if folder in by_folder:
            by_folder[folder].settle()
        else:
            sync_folder(home.path / folder)


def check_keys(home: Home, backup: Backup) -> None:
    """Raises SettingError naming the first key of the backup that the home lacks, or has another of."""
    here = key_marks(home)
    for name, mark in backup.inventory["keys"].items():
        if here.get(name) != mark:
            reason = "is missing" if name not in here else "is another one than at the time of the backup"
            raise SettingError(
                f"The key {name} {reason}.", code="backup-key",
                next_step="Put the keys of this hub into HOME/keys from where they are kept, mode 0600, and try again.",
            )  # fmt: skip


def check_empty(database: Database) -> None:
    """Raises Conflict unless the database holds no row of ours."""
    with database.snapshot() as connection:
        filled = [table.name for table in tables_of(connection) if sum_of(connection, table).rows]
    if filled:
        raise Conflict(
            "The database is not empty.", code="database-not-empty",
            next_step="Stop the hub and move its database away (keep it: it may show what is missing), then restore.",
        )  # fmt: skip


def check_files(backup: Backup) -> None:
    """Raises StoreError when a file of the backup is missing or was changed."""
    for path, digest in backup.files.items():
        copy = backup.folder / "files" / path
        if not copy.is_file() or file_digest(copy) != digest:
            raise StoreError(
                "A file of the backup is missing or was changed.", code="backup-damaged",
                next_step="Restore another backup, and look at the disk that holds this one.",
            )  # fmt: skip


def events_lost(home: Home, backup: Backup, *, notes: Sequence[str]) -> int:
    """How many signed events the backup lacks, by the signer's own memory and by notes that districts kept.

    Raises SettingError where neither is there: then nothing could tell that the backup is old.
    """
    known = [*_own_note(home), *notes]
    if not known:
        raise SettingError(
            "Nothing tells what was signed last.", code="checkpoint-missing",
            next_step="Put signer/last-checkpoint back into the home, or name a district's checkpoint by --checkpoint.",
        )  # fmt: skip
    verifiers = _verifiers(home, backup)
    sizes = [_size(note, verifiers) for note in known]
    return max(0, *(size - int(backup.inventory["log"]["size"]) for size in sizes))


def _filled(home: Home, backup: Backup, database: Database, *, notes: Sequence[str], lost: int) -> Restored:
    upgrade(database.url, str(backup.inventory["revision"]))
    with database.transaction() as session:
        connection = session.connection()
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in tables_of(connection):
            for part in backup.tables[table.name]["parts"]:
                insert_lines(connection, table, unpacked(backup.store.get(part)))
            restart_numbering(connection, table)
        rows = _check_rows(connection, backup)
        verified = _verified(home, backup, session, notes=[] if lost else [*_own_note(home), *notes])
    return Restored(len(backup.tables), rows, len(backup.files), verified[0], verified[1], lost)


def _check_rows(connection: Connection, backup: Backup) -> int:
    total = 0
    for table in tables_of(connection):
        found, told = sum_of(connection, table), backup.tables[table.name]
        if (found.rows, f"{found.digest:064x}") != (told["rows"], told["digest"]):
            raise StoreError(
                f"The rows of {table.name} are not those of the backup.", code="backup-rows",
                next_step="Restore another backup, and tell the maintainers which revision this one has.",
            )  # fmt: skip
        total += found.rows
    return total


def _verified(home: Home, backup: Backup, session: Session, *, notes: Sequence[str]) -> tuple[int, int]:
    log, *former = _verifiers(home, backup)
    witnesses = tuple(one for key in (log, *former) for one in every_witness(session, key).values())
    verdict = verify_log(session, Trusted(log, tuple(former), witnesses, tuple(notes)))
    if verdict.whole is False:
        raise StoreError(f"The log of the backup is not whole: {verdict.reason}.", code="log-changed")
    return verdict.events, verdict.checkpoints


def _remember_signed(home: Home, database: Database, *, notes: Sequence[str]) -> None:
    """A home that lost the signer's memory takes the newest signed size that is known, so that it never signs less."""
    if _own_note(home):
        return
    with database.reading() as session:
        stored = [row.note for row in session.query(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)]
    verifier = read_vkey(home.public_facts()["log_verifier"])
    newest = max([*stored, *notes], key=lambda note: _size(note, [verifier]))
    write_file(home.signer / LAST, newest.encode())
    sync_folder(home.signer)


def _own_note(home: Home) -> list[str]:
    path = home.signer / LAST
    return [path.read_text("utf-8")] if path.is_file() else []


def _verifiers(home: Home, backup: Backup) -> list[Verifier]:
    """The log's key first, then those before a recovery; of the home, or of the backup where the home lost hub.json."""
    place = home if home.public.is_file() else Home(backup.folder / "files")
    facts = place.public_facts()
    former = facts.get("log_verifiers_before", "").split()
    return [read_vkey(one) for one in (facts["log_verifier"], *former)]


def _size(note: str, verifiers: Sequence[Verifier]) -> int:
    for verifier in verifiers:
        try:
            return open_checkpoint(note, verifier).size
        except TranslogError:
            continue
    raise SettingError(
        "A checkpoint that was given is not signed by this hub's log.", code="checkpoint-wrong",
        next_step="Name a file that a district's agent keeps of this hub.",
    )  # fmt: skip
