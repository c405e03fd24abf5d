"""Published HPKE cases (RFC 9180 appendix A; HPKE-PQ) against the library that seals here, for `audit vectors`.

The library gives neither associated data nor a second message, and the published cases have both. So a case is opened
by the text of the RFC first (sections 4 and 5.1, base mode), and then the library must open what that text seals under
the same key: both are held to what was published. Other suites and modes than ours are not looked at.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from linkage.sealing import RecipientKey, SealingError, read_recipient_key

Check = Callable[[], bool]

BASE, X25519, MLKEM768_X25519, HKDF_SHA256, CHACHA20_POLY1305 = 0, 0x0020, 0x647A, 0x0001, 0x0003
MLKEM_CIPHERTEXT_BYTES, MLKEM_SEED_BYTES, X25519_BYTES = 1088, 64, 32
COMBINER_LABEL = b"\\.//^\\"
ACCUMULATED = 1_000
SAID = b"What the text of the RFC seals, the library opens."


@dataclass(frozen=True, repr=False)
class Context:
    """A receiver's key schedule."""

    key: bytes
    nonce: bytes

    def seal(self, number: int, plaintext: bytes, aad: bytes) -> bytes:
        return ChaCha20Poly1305(self.key).encrypt(self.nonce_of(number), plaintext, aad)

    def nonce_of(self, number: int) -> bytes:
        return bytes(one ^ two for one, two in zip(self.nonce, number.to_bytes(12, "big"), strict=True))


def hpke_cases(value: Any) -> Mapping[str, Check]:
    """The cases of a list that are of a suite of ours, by place and suite."""
    if not isinstance(value, list):
        return {}
    return {
        f"{at} kem {case['kem_id']:04x}": _check_of(case)
        for at, case in enumerate(value)
        if isinstance(case, dict) and _suite(case) in _OURS
    }


def _suite(case: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(case.get(name) for name in ("mode", "kem_id", "kdf_id", "aead_id"))


def _check_of(case: Mapping[str, Any]) -> Check:
    return lambda: all(_agreements(case))


def _agreements(case: Mapping[str, Any]) -> Iterator[bool]:
    """Each thing that the case says, beside what is worked out here."""
    kem, enc, info = case["kem_id"], bytes.fromhex(case["enc"]), bytes.fromhex(case["info"])
    private = bytes.fromhex(case["skRm"])
    shared, public = _OURS[BASE, kem, HKDF_SHA256, CHACHA20_POLY1305](private, enc)
    context = _schedule(kem, shared, info)
    worked_out = {
        "pkRm": public, "shared_secret": shared, "key": context.key, "base_nonce": context.nonce,
    }  # fmt: skip
    yield from (value == bytes.fromhex(case[name]) for name, value in worked_out.items() if name in case)
    yield _encryptions_agree(case["encryptions"], context)
    yield _library_opens(kem, private, enc + context.seal(0, SAID, b""), info)


def _encryptions_agree(told: str | Sequence[Mapping[str, str]], context: Context) -> bool:
    """Every encryption is opened and sealed alike; a string is the digest of a thousand (SHAKE128), as Go keeps it."""
    if isinstance(told, str):
        return _accumulated(context) == bytes.fromhex(told)
    try:
        return all(_encryption_agrees(number, one, context) for number, one in enumerate(told)) and bool(told)
    except InvalidTag:
        return False


def _encryption_agrees(number: int, told: Mapping[str, str], context: Context) -> bool:
    sealed, aad = bytes.fromhex(told["ct"]), bytes.fromhex(told["aad"])
    nonce = bytes.fromhex(told["nonce"]) if "nonce" in told else context.nonce_of(number)
    opened = ChaCha20Poly1305(context.key).decrypt(nonce, sealed, aad)
    return opened == bytes.fromhex(told["pt"])


def _accumulated(context: Context) -> bytes:
    drawn = hashlib.shake_128(b"").digest(ACCUMULATED * 2 * 256)
    place, sink = 0, hashlib.shake_128()
    for number in range(ACCUMULATED):
        pair = []
        for _ in range(2):
            length = drawn[place]
            pair.append(drawn[place + 1 : place + 1 + length])
            place += 1 + length
        sink.update(context.seal(number, pair[1], pair[0]))
    return sink.digest(16)


def _library_opens(kem: int, private: bytes, envelope: bytes, info: bytes) -> bool:
    try:
        if kem == MLKEM768_X25519:
            return _expanded(private).open(envelope, info) == SAID
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
        return suite.decrypt(envelope, X25519PrivateKey.from_private_bytes(private), info=info) == SAID
    except (InvalidTag, SealingError):
        return False


def _dhkem(private: bytes, enc: bytes) -> tuple[bytes, bytes]:
    """Shared secret and public key of DHKEM(X25519, HKDF-SHA256), RFC 9180 section 4.1."""
    key = X25519PrivateKey.from_private_bytes(private)
    public, suite = key.public_key().public_bytes_raw(), b"KEM" + X25519.to_bytes(2, "big")
    exchanged = key.exchange(X25519PublicKey.from_public_bytes(enc))
    extracted = _extract(b"", "eae_prk", exchanged, suite)
    return _expand(extracted, "shared_secret", enc + public, 32, suite), public


def _hybrid(private: bytes, enc: bytes) -> tuple[bytes, bytes]:
    """The same of MLKEM768-X25519 (draft-ietf-hpke-pq; the combiner of X-Wing): a seed of 32 bytes."""
    key = _expanded(private)
    mlkem, x25519 = MLKEM768PrivateKey.from_seed_bytes(key.mlkem_seed), X25519PrivateKey.from_private_bytes(key.x25519)
    first, second = enc[:MLKEM_CIPHERTEXT_BYTES], enc[MLKEM_CIPHERTEXT_BYTES:]
    public = x25519.public_key().public_bytes_raw()
    exchanged = x25519.exchange(X25519PublicKey.from_public_bytes(second))
    shared = hashlib.sha3_256(mlkem.decapsulate(first) + exchanged + second + public + COMBINER_LABEL).digest()
    return shared, mlkem.public_key().public_bytes_raw() + public


def _expanded(seed: bytes) -> RecipientKey:
    return read_recipient_key(hashlib.shake_256(seed).digest(MLKEM_SEED_BYTES + X25519_BYTES))


_OURS: Mapping[tuple[Any, ...], Callable[[bytes, bytes], tuple[bytes, bytes]]] = {
    (BASE, X25519, HKDF_SHA256, CHACHA20_POLY1305): _dhkem,
    (BASE, MLKEM768_X25519, HKDF_SHA256, CHACHA20_POLY1305): _hybrid,
}


def _schedule(kem: int, shared: bytes, info: bytes) -> Context:
    """RFC 9180 section 5.1, base mode."""
    suite = b"HPKE" + b"".join(one.to_bytes(2, "big") for one in (kem, HKDF_SHA256, CHACHA20_POLY1305))
    hashes = _extract(b"", "psk_id_hash", b"", suite), _extract(b"", "info_hash", info, suite)
    context = bytes([BASE]) + b"".join(hashes)
    secret = _extract(shared, "secret", b"", suite)
    return Context(_expand(secret, "key", context, 32, suite), _expand(secret, "base_nonce", context, 12, suite))


def _extract(salt: bytes, label: str, material: bytes, suite: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label.encode() + material, "sha256")


def _expand(secret: bytes, label: str, info: bytes, length: int, suite: bytes) -> bytes:
    """One block of HKDF is enough for all lengths here."""
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label.encode() + info
    return hmac.digest(secret, labeled + b"\x01", "sha256")[:length]
