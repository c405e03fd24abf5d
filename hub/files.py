"""Encrypted files of the hub, addressed by their content, under every folder that keeps bytes.

A file's name is HMAC-SHA-256 of its content under a name key, so equal content is stored once and a name
tells nothing to who lacks the key. Content is AES-256-GCM with the name as associated data (NIST SP 800-38D),
so a file put under another name does not open. Both keys come from the role's key by HKDF-SHA-256 (RFC 5869).
Order of a write: temporary file, fsync, rename, fsync of the folder; what no row names is swept.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.engine_choice import EMBEDDED_ENGINE, EngineChoice
from hub.errors import StoreError
from hub.settings import Home

NONCE_BYTES = 12
NAME_LENGTH = 64


class FileStore:
    """One store of one role: a folder and a key. Equal content put twice is one file."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._name_key = _derive(key, "promise-files/1 name")
        self._cipher = AESGCM(_derive(key, "promise-files/1 content"))

    def __repr__(self) -> str:
        return f"FileStore({self._folder.name!r}, key hidden)"

    def put(self, content: bytes) -> str:
        """Store content; its name comes back once it is safe on disk."""
        return self.put_all([content])[0]

    def put_all(self, contents: Iterable[bytes]) -> Sequence[str]:
        """Store several at once: each is on disk when this returns, with one fsync of the folder."""
        names: list[str] = []
        grew = False
        for content in contents:
            name = self.name_of(content)
            names.append(name)
            path = self._path(name)
            if not _is_still_there(path):
                nonce = secrets.token_bytes(NONCE_BYTES)
                write_file(path, nonce + self._cipher.encrypt(nonce, content, name.encode()))
                grew = True
        if grew:
            sync_folder(self._folder)
        return names

    def get(self, name: str) -> bytes:
        """The content under a name; raises StoreError when it is missing or was changed."""
        path = self._path(name)
        if not path.is_file():
            raise StoreError("A stored file is missing.", code="file-missing")
        stored = path.read_bytes()
        try:
            return self._cipher.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreError("A stored file does not open under its name and key.", code="file-changed") from error

    def names(self) -> Sequence[str]:
        """Every file of the store, in order."""
        return sorted(path.name for path in self._folder.glob("*") if not path.name.startswith("."))

    def has(self, name: str) -> bool:
        return self._path(name).is_file()

    def delete(self, name: str) -> None:
        """Remove a file; removing it again is nothing."""
        self._path(name).unlink(missing_ok=True)

    def unnamed(self, named: Collection[str], *, before: datetime) -> Sequence[Path]:
        """Files, whole or broken off, that nobody names and nobody wrote or put since a moment."""
        return unnamed_files(self._folder, named, before=before)

    def name_of(self, content: bytes) -> str:
        """The name that content has in this store."""
        return hmac.new(self._name_key, content, sha256).hexdigest()

    def _path(self, name: str) -> Path:
        if len(name) != NAME_LENGTH or not name.isalnum():
            raise StoreError("A file name is not one of this store.", code="file-name-wrong")
        return self._folder / name


class AnalysisStore(FileStore):
    """The store of facts and snapshots, with what makes the pseudonyms of persons in it: the pepper, and a store of
    its own for the salts of agreements, so that a salt can be destroyed while its facts are still there; and the
    engine that joins and counts what lies in it."""

    def __init__(
        self, folder: Path, key: bytes, *, pepper: bytes, salts: FileStore, engine: EngineChoice = EMBEDDED_ENGINE
    ) -> None:
        super().__init__(folder, key)
        self.pepper, self.salts, self.engine = pepper, salts, engine


def analysis_store(home: Home, *, engine: EngineChoice = EMBEDDED_ENGINE) -> AnalysisStore:
    """The analysis store under the resolver's keys: one for its files, one for salts, and the pepper."""
    salts = FileStore(home.salts, home.key("resolver", "salts.key"))
    key, pepper = home.key("resolver", "analysis.key"), home.key("resolver", "pepper.key")
    return AnalysisStore(home.analysis, key, pepper=pepper, salts=salts, engine=engine)


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: temporary file, fsync, rename. The folder is not yet synced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def unnamed_files(folder: Path, named: Collection[str], *, before: datetime) -> Sequence[Path]:
    """The files of a folder that nobody names and nobody wrote or put since a moment."""
    return sorted(
        path
        for path in folder.glob("*")
        if path.is_file() and path.name not in named and path.stat().st_mtime < before.timestamp()
    )


def sweep_file(path: Path, *, before: datetime) -> None:
    """Delete a file unless it was put since; it is taken aside first, so that whoever puts it now stores it anew."""
    aside = path.with_name(f".{path.name.lstrip('.')[:NAME_LENGTH]}.{secrets.token_hex(4)}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    if aside.stat().st_mtime < before.timestamp():
        aside.unlink()
    else:
        aside.rename(path)


def _is_still_there(path: Path) -> bool:
    """Whether the content is stored; a file that is put again is as good as new, so that no sweep takes it."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _derive(key: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode()).derive(key)
