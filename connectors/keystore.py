"""The edge's keys, in files that only their owner may read; used while records are made and sent.

Key types mask themselves in repr and cannot be pickled. The linkage secret is known to providers, never to the hub.
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

KEY_BYTES = 32
_OWNER_ONLY = 0o600
_FOLDER_OWNER_ONLY = 0o700
AGENT_FILE, REFERENCE_FILE, SECRET_FILE = "agent.key", "reference.key", "linkage.secret"


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


@dataclass(frozen=True)
class Keystore:
    """One folder of key files."""

    folder: Path

    def make(self) -> None:
        """New agent and reference keys where there are none; keys that exist are never replaced."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_OWNER_ONLY)
        for name in (AGENT_FILE, REFERENCE_FILE):
            if not (self.folder / name).exists():
                write_key(self.folder / name, os.urandom(KEY_BYTES))

    def agent(self) -> AgentKey:
        return AgentKey(read_key(self.folder / AGENT_FILE))

    def reference(self) -> ReferenceKey:
        return ReferenceKey(read_key(self.folder / REFERENCE_FILE))

    def secret(self) -> LinkageSecret:
        return LinkageSecret(read_key(self.folder / SECRET_FILE))

    def has_secret(self) -> bool:
        return (self.folder / SECRET_FILE).exists()

    def install_secret(self, source: Path) -> None:
        """Takes the linkage secret of a file over; the one that was here before is replaced with the new epoch's."""
        content = read_key(source)
        (self.folder / SECRET_FILE).unlink(missing_ok=True)
        write_key(self.folder / SECRET_FILE, content)


def write_key(path: Path, content: bytes) -> None:
    """A new key file of mode 0600; never over an existing one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(base64.b64encode(content) + b"\n")


def check_owner_only(path: Path) -> None:
    """Raises WorkspaceError KEY-002 where others may read the file; OSError where there is none."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise WorkspaceError("KEY-002", f"Others may read {path.name}.", f"Set its mode to 600: chmod 600 {path.name}")


def read_key(path: Path) -> bytes:
    """The 32 bytes of a key file; raises WorkspaceError KEY-001 missing, KEY-002 open to others, KEY-003 unfit."""
    try:
        content = path.read_bytes()
        check_owner_only(path)
    except OSError:
        raise WorkspaceError("KEY-001", f"The key file {path.name} is missing.", "Run setup, or restore it.") from None
    try:
        key = base64.b64decode(content.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise WorkspaceError("KEY-003", f"The key file {path.name} is not whole.", "Restore it from its backup.")
    return key
