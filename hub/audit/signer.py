"""Signs the log's checkpoints: it alone holds the log key, and keeps its own last checkpoint outside the database.

It signs only what grows out of what it signed before. A database that is behind (an old backup, a rewritten log)
is refused, and nothing is accepted or released until it is explained.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from hub.audit import merkle
from hub.audit.note import CheckpointBody, read_vkey, sign_checkpoint
from hub.audit.service import consistency, head
from hub.audit.tables import Checkpoint
from hub.db import Clock, Database, utc_now
from hub.errors import StoreError
from hub.files import sync_folder, write_file
from hub.settings import Home, Settings


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
            if size == 0 or session.get(Checkpoint, size) is not None:
                self._check_unmoved(size, root)
                return None
            self._check_grew(session, size, root)
        write_file(self.last_file, json.dumps({"size": size, "root": root.hex()}).encode())
        sync_folder(self.last_file.parent)
        note = sign_checkpoint(CheckpointBody(self.origin, size, root), key=self.key)
        with self.database.transaction() as session:
            if session.get(Checkpoint, size) is None:
                session.add(Checkpoint(size=size, note=note, signed_at=self.clock()))
        return size

    def _check_unmoved(self, size: int, root: bytes) -> None:
        last_size, last_root = self._last()
        if size < last_size or (size == last_size and root != last_root):
            raise _rewritten()

    def _check_grew(self, session: Session, size: int, root: bytes) -> None:
        last_size, last_root = self._last()
        if last_size == 0:
            return
        if size < last_size:
            raise _rewritten()
        try:
            proof = consistency(session, old=last_size, new=size)
            merkle.verify_consistency(last_size, size, old_root=last_root, new_root=root, proof=proof)
        except merkle.ProofError as error:
            raise _rewritten() from error

    def _last(self) -> tuple[int, bytes]:
        if not self.last_file.is_file():
            return 0, merkle.EMPTY_ROOT
        last = json.loads(self.last_file.read_bytes())
        return int(last["size"]), bytes.fromhex(last["root"])


def signer_of(settings: Settings, *, clock: Clock = utc_now) -> Signer:
    """The signer of a home; it reads the log key."""
    home = Home(settings.home)
    return Signer(
        database=Database(settings.resolved_database_url()),
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
