"""The edge's keys, in files that only their owner may read; used while records are made and sent.

Key types mask themselves in repr and cannot be pickled. The linkage secret is known to providers, never to the hub.
A keystore may be wrapped: its files are then encrypted under a key that Argon2id makes of a passphrase, which a person
types or a service is given (`connectors.passphrase`).
"""

from __future__ import annotations

import base64
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.errors import WorkspaceError
from connectors.passphrase import WRAPPING_FILE, WrappingKey, wrapping_key
from linkage.sealing import RecipientKey, generate_recipient_key, read_recipient_key

KEY_BYTES = 32
SEALING_KEY_BYTES = 96
EPOCH_FILE = "epoch"
_OWNER_ONLY = 0o600
_FOLDER_OWNER_ONLY = 0o700
AGENT_FILE, REFERENCE_FILE, SECRET_FILE, SEALING_FILE = "agent.key", "reference.key", "linkage.secret", "sealing.key"


@dataclass(frozen=True, repr=False)
class KeyMaterial:
    """32 bytes that nobody else may see."""

    content: bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class ReferenceKey(KeyMaterial):
    """The provider-local key of record references."""


class LinkageSecret(KeyMaterial):
    """The epoch's linkage secret, shared by providers."""


class AgentKey(KeyMaterial):
    """The Ed25519 key that signs this agent's manifests and requests."""

    def signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.content)

    def public(self) -> str:
        """Base64 of the 32 bytes that stand on the partnership's roster."""
        return base64.b64encode(self.signer().public_key().public_bytes_raw()).decode()


class Share(KeyMaterial):
    """A custodian's part of an epoch's linkage secret."""


@dataclass(frozen=True)
class Keystore:
    """One folder of key files."""

    folder: Path

    def make(self) -> None:
        """New agent, sealing and reference keys where there are none; keys that exist are never replaced."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_OWNER_ONLY)
        for name in (AGENT_FILE, REFERENCE_FILE):
            if not (self.folder / name).exists():
                self._write(name, os.urandom(KEY_BYTES))
        if not (self.folder / SEALING_FILE).exists():
            self._write(SEALING_FILE, generate_recipient_key().private())

    def agent(self) -> AgentKey:
        return AgentKey(self._read(AGENT_FILE))

    def reference(self) -> ReferenceKey:
        return ReferenceKey(self._read(REFERENCE_FILE))

    def sealing(self) -> RecipientKey:
        """The key that opens the shares which custodians sealed to this agent."""
        return read_recipient_key(self._read(SEALING_FILE, length=SEALING_KEY_BYTES))

    def secret(self) -> LinkageSecret:
        return LinkageSecret(self._read(SECRET_FILE))

    def has_secret(self) -> bool:
        return (self.folder / SECRET_FILE).exists()

    def install_secret(self, source: Path) -> None:
        """Takes the linkage secret of a file over; the one that was here before is replaced with the new epoch's."""
        self._write(SECRET_FILE, read_key(source), replace=True)

    def share(self, epoch: int) -> Share:
        """This custodian's share of an epoch: drawn once, the same whenever it is asked for."""
        name = f"share-{epoch}.key"
        if not (self.folder / name).exists():
            self._write(name, os.urandom(KEY_BYTES))
        return Share(self._read(name))

    def keep_secret(self, epoch: int, secret: bytes) -> None:
        """Keeps the secret of an epoch that has not begun."""
        self._write(_secret_file(epoch), secret, replace=True)

    def has_secret_of(self, epoch: int) -> bool:
        return (self.folder / _secret_file(epoch)).exists()

    def begin(self, epoch: int) -> None:
        """From now on the secret of this epoch is the one that encodes; the one before it is forgotten."""
        self._write(SECRET_FILE, self._read(_secret_file(epoch)), replace=True)
        (self.folder / EPOCH_FILE).write_text(f"{epoch}\n", "ascii")
        for path in self.folder.glob("epoch-*.secret"):
            number = path.stem.removeprefix("epoch-")
            if number.isdecimal() and int(number) <= epoch:
                path.unlink()

    def epoch(self) -> int | None:
        """The epoch of the secret that encodes now; None where it was given by hand."""
        try:
            return int((self.folder / EPOCH_FILE).read_text("ascii"))
        except (OSError, ValueError):
            return None

    def wrap(self, passphrase: bytes) -> None:
        """Encrypts every key file under the passphrase; raises WorkspaceError KEY-005 when they are wrapped already."""
        if (self.folder / WRAPPING_FILE).exists():
            raise WorkspaceError("KEY-005", "The keystore is wrapped already.", "Nothing is to be done.")
        wrapping = WrappingKey.fresh(passphrase)
        files = sorted(path for path in self.folder.iterdir() if path.suffix in {".key", ".secret"})
        contents = [_decoded(path, wrapping=None) for path in files]
        for path, content in zip(files, contents, strict=True):
            write_key(_wrapped_beside(path), wrapping.wrap(content, name=path.name), replace=True)
        (self.folder / WRAPPING_FILE).write_bytes(wrapping.described())
        for path in files:
            _wrapped_beside(path).replace(path)

    def _read(self, name: str, *, length: int = KEY_BYTES) -> bytes:
        path = self.folder / name
        _finish_wrapping(path)
        return read_key(path, length=length, wrapping=wrapping_key(self.folder))

    def _write(self, name: str, content: bytes, *, replace: bool = False) -> None:
        wrapping = wrapping_key(self.folder)
        kept = content if wrapping is None else wrapping.wrap(content, name=name)
        write_key(self.folder / name, kept, replace=replace)


def _secret_file(epoch: int) -> str:
    return f"epoch-{epoch}.secret"


def _wrapped_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.wrapped")


def _finish_wrapping(path: Path) -> None:
    """Ends a wrapping that was cut off after its description was written: the wrapped file takes its place."""
    if (path.parent / WRAPPING_FILE).exists() and _wrapped_beside(path).exists():
        _wrapped_beside(path).replace(path)


def write_key(path: Path, content: bytes, *, replace: bool = False) -> None:
    """A key file of mode 0600, whole or not at all; never over an existing one unless `replace`."""
    place = path.with_name(f".{path.name}.part") if replace else path
    if replace:
        place.unlink(missing_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(base64.b64encode(content) + b"\n")
    if replace:
        place.replace(path)


def check_owner_only(path: Path) -> None:
    """Raises WorkspaceError KEY-002 where others may read the file; OSError where there is none."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise WorkspaceError("KEY-002", f"Others may read {path.name}.", f"Set its mode to 600: chmod 600 {path.name}")


def read_key(path: Path, *, length: int = KEY_BYTES, wrapping: WrappingKey | None = None) -> bytes:
    """The bytes of a key file; raises WorkspaceError KEY-001 missing, KEY-002 open to others, KEY-003 unfit."""
    key = _decoded(path, wrapping=wrapping)
    if len(key) != length:
        raise WorkspaceError("KEY-003", f"The key file {path.name} is not whole.", "Restore it from its backup.")
    return key


def _decoded(path: Path, *, wrapping: WrappingKey | None) -> bytes:
    try:
        content = path.read_bytes()
        check_owner_only(path)
    except OSError:
        raise WorkspaceError("KEY-001", f"The key file {path.name} is missing.", "Run setup, or restore it.") from None
    try:
        kept = base64.b64decode(content.strip(), validate=True)
    except ValueError:
        return b""
    return kept if wrapping is None else wrapping.unwrap(kept, name=path.name)
