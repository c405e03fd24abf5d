"""Wraps a keystore under a passphrase, so that a stolen disk or folder holds no key that can be used.

Argon2id (RFC 9106, its second recommended choice: 64 MiB, three passes, four lanes) makes a key of the passphrase and
of a salt that lies beside the key files; AES-256-GCM wraps each file under it, bound to the file's name. The passphrase
comes from the file that PROMISE_EDGE_PASSPHRASE_FILE names (a service's credential) or from the person at the terminal.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from connectors.errors import WorkspaceError

WRAPPING_FILE = "wrapping.json"
PASSPHRASE_FILE = "PROMISE_EDGE_PASSPHRASE_FILE"  # noqa: S105 (the name of a variable)
PASSPHRASE_LENGTH_MIN = 12
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4
_MEMORY_KIB_MAX, _PASSES_MAX, _LANES_MAX = 1024 * 1024, 20, 64
"""What a described wrapping may ask for at most: an altered description is not to exhaust this machine."""


@dataclass(frozen=True, repr=False)
class WrappingKey:
    """The key that a passphrase gave, and how; masked, never pickled."""

    content: bytes
    salt: bytes
    memory_kib: int
    passes: int
    lanes: int

    def __repr__(self) -> str:
        return "WrappingKey(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")

    @classmethod
    def of(cls, passphrase: bytes, *, salt: bytes, memory_kib: int, passes: int, lanes: int) -> WrappingKey:
        """The key that Argon2id makes."""
        maker = Argon2id(salt=salt, length=_KEY_BYTES, iterations=passes, lanes=lanes, memory_cost=memory_kib)
        return cls(maker.derive(passphrase), salt, memory_kib, passes, lanes)

    @classmethod
    def fresh(cls, passphrase: bytes) -> WrappingKey:
        """A key under a new salt; raises WorkspaceError KEY-006 for a passphrase that is too short."""
        if len(passphrase) < PASSPHRASE_LENGTH_MIN:
            raise WorkspaceError(
                "KEY-006", "The passphrase is too short.", f"Use {PASSPHRASE_LENGTH_MIN} characters or more."
            )
        salt = os.urandom(_SALT_BYTES)
        return cls.of(passphrase, salt=salt, memory_kib=_MEMORY_KIB, passes=_PASSES, lanes=_LANES)

    def described(self) -> bytes:
        """What lies beside the wrapped files: how the key is made, never the key."""
        costs = {"memory_kib": self.memory_kib, "passes": self.passes, "lanes": self.lanes}
        return (json.dumps({"kdf": "argon2id", "salt": b64encode(self.salt).decode(), **costs}) + "\n").encode()

    def wrap(self, content: bytes, *, name: str) -> bytes:
        """The content of the key file of this name, encrypted."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.content).encrypt(nonce, content, name.encode())

    def unwrap(self, wrapped: bytes, *, name: str) -> bytes:
        """The content; raises WorkspaceError KEY-009 for a wrong passphrase or an altered file."""
        try:
            return AESGCM(self.content).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            raise WorkspaceError(
                "KEY-009", f"{name} does not open: a wrong passphrase, or the file was altered.",
                "Type the passphrase again, or restore the keys from their backup.",
            ) from None  # fmt: skip


def wrapping_key(folder: Path) -> WrappingKey | None:
    """The key of a wrapped keystore, asked for once a run; None where the keys lie open."""
    try:
        described = (folder / WRAPPING_FILE).read_bytes()
    except OSError:
        return None
    return _opened(described, given_passphrase())


@lru_cache(maxsize=64)
def _opened(described: bytes, passphrase: bytes) -> WrappingKey:
    try:
        told = json.loads(described)
        salt = b64decode(told["salt"], validate=True)
        memory, passes, lanes = (int(told[name]) for name in ("memory_kib", "passes", "lanes"))
        if memory > _MEMORY_KIB_MAX or passes > _PASSES_MAX or lanes > _LANES_MAX:
            raise ValueError
        return WrappingKey.of(passphrase, salt=salt, memory_kib=memory, passes=passes, lanes=lanes)
    except (ValueError, KeyError, TypeError):
        raise WorkspaceError("KEY-003", f"{WRAPPING_FILE} is not whole.", "Restore it from its backup.") from None


def given_passphrase() -> bytes:
    """From the file that the environment names, else from the person; raises WorkspaceError KEY-007 without either."""
    named = os.environ.get(PASSPHRASE_FILE)
    if named:
        try:
            return Path(named).read_bytes().rstrip(b"\r\n")
        except OSError:
            raise WorkspaceError(
                "KEY-007", "The passphrase file cannot be read.", f"Check {PASSPHRASE_FILE}."
            ) from None
    if not sys.stdin.isatty():
        raise WorkspaceError(
            "KEY-007", "The keystore is wrapped and nobody can be asked.", f"Name a file in {PASSPHRASE_FILE}."
        )
    return _asked()


@lru_cache(maxsize=1)
def _asked() -> bytes:
    return getpass.getpass("Passphrase of the keys: ").encode()


def new_passphrase() -> bytes:
    """Typed twice, or taken from the file that the environment names; raises WorkspaceError KEY-007, KEY-008."""
    first = given_passphrase()
    if not os.environ.get(PASSPHRASE_FILE) and first != getpass.getpass("Once more: ").encode():
        raise WorkspaceError("KEY-008", "The two passphrases differ.", "Give the command again.")
    return first
