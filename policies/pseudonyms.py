"""Pseudonyms of persons under the agreements that their records came by: what a snapshot says in place of person ids.

A pseudonym is HMAC-SHA-256 of the person id under a key that HKDF-SHA-256 (RFC 5869) makes of the hub's pepper and of
each agreement's name, version and salt. Under other agreements, or another version, the same person has another
pseudonym; once one of the salts is destroyed, nobody can make the key again, the operator included.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from policies.submission import canonical_json

SALT_BYTES = 32
_LABEL = "promise-pseudonyms/1"
_BLOCK_BYTES = 64
_HEX_DIGITS = 32


@dataclass(frozen=True, order=True)
class AgreementSalt:
    """The salt of one version of one agreement; masked."""

    agreement: str
    version: int
    salt: bytes = field(repr=False)


@dataclass(frozen=True, repr=False)
class Pseudonyms:
    """The key of one set of agreements; masked."""

    key: bytes

    def __repr__(self) -> str:
        return "Pseudonyms(hidden)"

    def of(self, person: str) -> str:
        """The pseudonym of a person id: 32 hex digits, as long as the id."""
        return hmac.digest(self.key, person.encode(), "sha256").hex()[:_HEX_DIGITS]

    def pads(self) -> tuple[bytes, bytes]:
        """The inner and outer padded key (RFC 2104), for an engine that has SHA-256 and lacks HMAC."""
        padded = self.key.ljust(_BLOCK_BYTES, b"\0")
        return bytes(one ^ 0x36 for one in padded), bytes(one ^ 0x5C for one in padded)


def pseudonyms(pepper: bytes, agreements: Sequence[AgreementSalt]) -> Pseudonyms:
    """The pseudonyms under these agreements together, in whatever order they are named."""
    named = [[one.agreement, one.version, one.salt.hex()] for one in sorted(agreements)]
    derivation = HKDF(algorithm=SHA256(), length=sha256().digest_size, salt=None, info=canonical_json([_LABEL, named]))
    return Pseudonyms(derivation.derive(pepper))
