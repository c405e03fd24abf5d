"""Signs the log's checkpoints: it alone holds the log key, and keeps its own last checkpoint outside the database.

It signs only what grows out of what it signed before. A database that is behind (an old backup, a rewritten log)
is refused, and nothing is accepted or released until it is explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.service import consistency, head
from hub.audit.tables import Checkpoint
from hub.db import Clock, Database, open_database, utc_now
from hub.errors import StoreError
from hub.files import sync_folder, write_file
from hub.settings import Home, Settings
from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody, open_checkpoint, sign_checkpoint
from policies.translog.errors import ProofError, TranslogError
from policies.translog.note import Verifier, read_vkey


@dataclass(frozen=True, repr=False)
class Signer:
    """Signs for one log (its origin) under one key."""

    database: Database
    key: Ed25519PrivateKey
    origin: str
    last_file: Path
    clock: Clock

    def __repr__(self) -> str:
        return f"Signer({self.origin!r}, key hidden)"

    def sign(self) -> int | None:
        """Sign the head if it grew; the size signed comes back, None when there was nothing new."""
        with self.database.reading() as session:
            size, root = head(session)
            last = self._last(session)
            if size == 0 or session.get(Checkpoint, size) is not None:
                _check_unmoved(last, size, root)
                return None
            check_grew(session, last, size, root)
        note = sign_checkpoint(CheckpointBody(self.origin, size, root), key=self.key)
        # First the file, then the database: a crash between the two leaves the signer at most ahead, never behind.
        write_file(self.last_file, note.encode())
        sync_folder(self.last_file.parent)
        with self.database.transaction() as session:
            if session.get(Checkpoint, size) is None:
                session.add(Checkpoint(size=size, note=note))
        return size

    def _last(self, session: Session) -> CheckpointBody:
        """What was signed last, by the signer's own file; raises StoreError where the file is gone or was changed."""
        if not self.last_file.is_file():
            if session.execute(select(Checkpoint.size).limit(1)).first() is not None:
                raise _forgotten()
            return CheckpointBody(self.origin, 0, merkle.EMPTY_ROOT)
        try:
            note = self.last_file.read_text("utf-8")
            return open_checkpoint(note, Verifier(self.origin, self.key.public_key()))
        except (TranslogError, UnicodeDecodeError) as error:
            raise _forgotten() from error


def _check_unmoved(last: CheckpointBody, size: int, root: bytes) -> None:
    if size < last.size or (size == last.size and root != last.root):
        raise _rewritten()


def check_grew(session: Session, last: CheckpointBody, size: int, root: bytes) -> None:
    """Raises StoreError unless the log of this size and root grows out of what was signed last."""
    if last.size == 0:
        return
    if size < last.size:
        raise _rewritten()
    try:
        proof = consistency(session, old=last.size, new=size)
        merkle.verify_consistency(last.size, size, old_root=last.root, new_root=root, proof=proof)
    except ProofError as error:
        raise _rewritten() from error


def signer_of(settings: Settings, *, clock: Clock = utc_now) -> Signer:
    """The signer of a home; it reads the log key."""
    home = Home(settings.home)
    return Signer(
        database=open_database(settings, "signer"),
        key=Ed25519PrivateKey.from_private_bytes(home.key("signer", "log.key")),
        origin=read_vkey(home.public_facts()["log_verifier"]).name,
        last_file=home.signer / "last-checkpoint",
        clock=clock,
    )


def _rewritten() -> StoreError:
    return StoreError(
        "The log does not grow out of the last signed checkpoint.",
        code="log-rewritten",
        next_step="Stop the hub. Restore a database that holds the last checkpoint, or follow the recovery in the "
        "operations manual.",
    )


def _forgotten() -> StoreError:
    return StoreError(
        "The signer's own last checkpoint is missing or was changed.",
        code="signer-forgot",
        next_step="Restore signer/last-checkpoint from its backup, or follow the recovery in the operations manual.",
    )
