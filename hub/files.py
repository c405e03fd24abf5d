"""Encrypted files of the hub, addressed by their content, under every folder that keeps bytes.

Where they lie is a place: a folder of this machine, or a bucket (`hub.buckets`); what lies there is the same bytes.

A file's name is HMAC-SHA-256 of its content under a name key, so equal content is stored once and a name
tells nothing to who lacks the key. Content is AES-256-GCM with the name as associated data (NIST SP 800-38D),
so a file put under another name does not open. Both keys come from the role's key by HKDF-SHA-256 (RFC 5869).
Order of a write in a folder: temporary file, fsync, rename, fsync of the folder; what no row names is swept.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.engine_choice import EMBEDDED_ENGINE, EngineChoice
from hub.errors import StoreError
from hub.settings import Home

NONCE_BYTES, TAG_BYTES = 12, 16
NAME_LENGTH = 64


class Place(Protocol):
    """Where a store keeps its files. A write is whole or nothing; nothing here knows keys or content."""

    @property
    def label(self) -> str:
        """What the place is called in a finding; no address."""

    def touch(self, name: str, size: int) -> bool:
        """Whether a whole file of this size is there; if so it is as good as new, so that no sweep takes it."""

    def write(self, name: str, content: bytes) -> None: ...

    def settle(self) -> None:
        """Make what was written survive a power cut."""

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""

    def has(self, name: str) -> bool: ...

    def names(self) -> Sequence[str]: ...

    def delete(self, name: str) -> None:
        """Again is nothing."""

    def unnamed(self, named: Collection[str], *, before: datetime) -> Sequence[str]:
        """What is there, whole or broken off, that nobody names and nobody wrote or put since a moment."""

    def sweep(self, name: str, *, before: datetime) -> None:
        """Delete a file unless it was put since."""


class Folder:
    """A place that is a folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def label(self) -> str:
        return self.path.name

    def touch(self, name: str, size: int) -> bool:
        path = self.path / name
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return path.stat().st_size == size

    def write(self, name: str, content: bytes) -> None:
        write_file(self.path / name, content)

    def settle(self) -> None:
        sync_folder(self.path)

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def names(self) -> Sequence[str]:
        return sorted(path.name for path in self.path.glob("*") if not path.name.startswith("."))

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def unnamed(self, named: Collection[str], *, before: datetime) -> Sequence[str]:
        return [path.name for path in unnamed_files(self.path, named, before=before)]

    def sweep(self, name: str, *, before: datetime) -> None:
        sweep_file(self.path / name, before=before)


class FileStore:
    """One store of one role: a place (a path means a folder) and a key. Equal content put twice is one file."""

    def __init__(self, place: Place | Path, key: bytes) -> None:
        self.place: Place = Folder(place) if isinstance(place, Path) else place
        self._name_key = _derive(key, "promise-files/1 name")
        self._cipher = AESGCM(_derive(key, "promise-files/1 content"))

    def __repr__(self) -> str:
        return f"FileStore({self.place.label!r}, key hidden)"

    def put(self, content: bytes) -> str:
        """Store content; its name comes back once it is safe."""
        return self.put_all([content])[0]

    def put_all(self, contents: Iterable[bytes]) -> Sequence[str]:
        """Store several at once: each is safe when this returns, in a folder with one fsync of it."""
        names: list[str] = []
        grew = False
        for content in contents:
            name = self.name_of(content)
            names.append(name)
            if not self.place.touch(name, NONCE_BYTES + len(content) + TAG_BYTES):
                nonce = secrets.token_bytes(NONCE_BYTES)
                self.place.write(name, nonce + self._cipher.encrypt(nonce, content, name.encode()))
                grew = True
        if grew:
            self.place.settle()
        return names

    def get(self, name: str) -> bytes:
        """The content under a name; raises StoreError when it is missing or was changed."""
        try:
            stored = self.place.read(_checked(name))
        except FileNotFoundError as error:
            raise StoreError("A stored file is missing.", code="file-missing") from error
        try:
            return self._cipher.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreError("A stored file does not open under its name and key.", code="file-changed") from error

    def names(self) -> Sequence[str]:
        """Every file of the store, in order."""
        return self.place.names()

    def has(self, name: str) -> bool:
        return self.place.has(_checked(name))

    def delete(self, name: str) -> None:
        """Remove a file; removing it again is nothing."""
        self.place.delete(_checked(name))

    def name_of(self, content: bytes) -> str:
        """The name that content has in this store."""
        return hmac.new(self._name_key, content, sha256).hexdigest()


class AnalysisStore(FileStore):
    """The store of facts and snapshots, with what makes the pseudonyms of persons in it: the pepper, and a store of
    its own for the salts of agreements, so that a salt can be destroyed while its facts are still there; and the
    engine that joins and counts what lies in it."""

    def __init__(
        self,
        place: Place | Path,
        key: bytes,
        *,
        pepper: bytes,
        salts: FileStore,
        engine: EngineChoice = EMBEDDED_ENGINE,
    ) -> None:
        super().__init__(place, key)
        self.pepper, self.salts, self.engine = pepper, salts, engine


def analysis_store(
    home: Home, *, engine: EngineChoice = EMBEDDED_ENGINE, place: Place | Path | None = None
) -> AnalysisStore:
    """The analysis store under the resolver's keys: one for its files, one for salts, and the pepper."""
    salts = FileStore(home.salts, home.key("resolver", "salts.key"))
    key, pepper = home.key("resolver", "analysis.key"), home.key("resolver", "pepper.key")
    return AnalysisStore(place or home.analysis, key, pepper=pepper, salts=salts, engine=engine)


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


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checked(name: str) -> str:
    """A name of this form; raises StoreError for any other, so that no name leads out of the place."""
    if len(name) != NAME_LENGTH or not name.isalnum():
        raise StoreError("A file name is not one of this store.", code="file-name-wrong")
    return name


def _derive(key: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode()).derive(key)
