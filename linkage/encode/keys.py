"""Subkeys of the linkage secret: at the edge only. The hub never holds any of them.

HKDF-SHA-256 (RFC 5869) with one label for each view, field and purpose, so that no two uses share a key.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from linkage.errors import LinkageError
from linkage.schema import LinkageSchema

KEY_BYTES = 32


def check_secret(secret: bytes, *, name: str) -> None:
    """Raises LinkageError `wrong_key_length` unless the key has 32 bytes."""
    if len(secret) != KEY_BYTES:
        raise LinkageError("wrong_key_length", name, next_step="use the 32-byte key that `promise-edge keys` made")


def subkey(secret: bytes, *, schema: LinkageSchema, purpose: str) -> bytes:
    """The 32-byte key for one purpose: `view/NAME/token`, `view/NAME/filter` or `field/NAME/tag`."""
    label = f"{schema.label}/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label).derive(secret)
