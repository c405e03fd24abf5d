"""Seals bytes to one role so that nobody else can open them: on both sides of the wall.

HPKE (RFC 9180) with the hybrid post-quantum KEM MLKEM768-X25519, HKDF-SHA-256 and ChaCha20-Poly1305.
The context (what is sealed, by whom, for which year and epoch) is bound as HPKE `info`, so that an
envelope moved to another place does not open. Keys are serialised by their two parts, since the
library offers no form of its own for the pair.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

SUITE_ID = "MLKEM768_X25519.HKDF_SHA256.CHACHA20_POLY1305"
OVERHEAD_BYTES = KEM.MLKEM768_X25519.enc_length() + 16
_MLKEM_PUBLIC_BYTES = 1184
_MLKEM_SEED_BYTES = 64
_X25519_BYTES = 32
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealingError(Exception):
    """A key or an envelope that does not serve; `code` is stable, `next_step` says what to do."""

    def __init__(self, code: str, next_step: str) -> None:
        super().__init__(f"{code}: {next_step}")
        self.code = code
        self.next_step = next_step


@dataclass(frozen=True, repr=False)
class RecipientKey:
    """A private key that opens what was sealed to its public half. Masked; cannot be pickled."""

    mlkem_seed: bytes
    x25519: bytes

    def __repr__(self) -> str:
        return "RecipientKey(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is never pickled")

    def public(self) -> str:
        """Base64 of the ML-KEM-768 public key (1,184 bytes) followed by the X25519 public key (32 bytes)."""
        mlkem, x25519 = self._keys()
        joined = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        return base64.b64encode(joined).decode()

    def private(self) -> bytes:
        """The 96 bytes to keep in a key file: ML-KEM seed, then X25519 private key."""
        return self.mlkem_seed + self.x25519

    def open(self, envelope: bytes, info: bytes) -> bytes:
        """The plaintext; raises SealingError SEAL-002 when it was altered, moved or meant for another."""
        try:
            return _SUITE.decrypt(envelope, MLKEM768X25519PrivateKey(*self._keys()), info=info)
        except (InvalidTag, ValueError) as error:
            raise SealingError(
                "SEAL-002", "send it again as it was made: it was altered or sealed for another"
            ) from error

    def _keys(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        return MLKEM768PrivateKey.from_seed_bytes(self.mlkem_seed), X25519PrivateKey.from_private_bytes(self.x25519)


def generate_recipient_key() -> RecipientKey:
    """A new key pair from the operating system's randomness."""
    return RecipientKey(
        MLKEM768PrivateKey.generate().private_bytes_raw(), X25519PrivateKey.generate().private_bytes_raw()
    )


def read_recipient_key(private: bytes) -> RecipientKey:
    """The key of a key file; raises SealingError SEAL-001 when its length is wrong."""
    if len(private) != _MLKEM_SEED_BYTES + _X25519_BYTES:
        raise SealingError("SEAL-001", "restore the key file: it has not the length of a key")
    return RecipientKey(private[:_MLKEM_SEED_BYTES], private[_MLKEM_SEED_BYTES:])


def seal(public_key: str, plaintext: bytes, info: bytes) -> bytes:
    """An envelope, OVERHEAD_BYTES longer than the plaintext; public_key as `RecipientKey.public` writes it."""
    return _SUITE.encrypt(plaintext, _read_public(public_key), info=info)


def _read_public(public_key: str) -> MLKEM768X25519PublicKey:
    try:
        joined = base64.b64decode(public_key, validate=True)
        mlkem = MLKEM768PublicKey.from_public_bytes(joined[:_MLKEM_PUBLIC_BYTES])
        return MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(joined[_MLKEM_PUBLIC_BYTES:]))
    except ValueError as error:
        raise SealingError("SEAL-003", "fetch the hub's public keys again: this one is not whole") from error
