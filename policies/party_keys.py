"""A party's public key and the proof that whoever gives it holds the secret half: Ed25519 over the key itself.

Without the proof somebody could register another's public key as an own one; the organisation is bound, so that the
proof serves for it alone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from policies.agreements import AgreementError
from policies.submission import canonical_json
from policies.translog.strict_base64 import decoded

FORMAT = "promise-party-key/1"


def party_key(organisation: str, key: Ed25519PrivateKey) -> dict[str, str]:
    """The public half with its proof: {key, proof}, both base64."""
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return {"key": public, "proof": base64.b64encode(key.sign(_bytes(organisation, public))).decode()}


def read_party_key(value: Any) -> Mapping[str, str]:
    """The {key, proof} of foreign JSON; raises AgreementError AGR-015 for any other form."""
    if not isinstance(value, dict) or set(value) != {"key", "proof"}:
        raise _wrong("form")
    if not all(isinstance(one, str) for one in value.values()):
        raise _wrong("form")
    return {name: str(one) for name, one in value.items()}


def check_party_key(organisation: str, public: str, proof: str) -> None:
    """Raises AgreementError AGR-015 unless the holder of this very key gave it for this organisation."""
    try:
        key = Ed25519PublicKey.from_public_bytes(decoded(public) or b"")
        key.verify(decoded(proof) or b"", _bytes(organisation, public))
    except (InvalidSignature, ValueError):
        raise _wrong("proof") from None


def _wrong(place: str) -> AgreementError:
    return AgreementError("AGR-015", place, "give {organisation: {key, proof}} as promise-edge keys prove prints it")


def _bytes(organisation: str, public: str) -> bytes:
    return f"{FORMAT}\n".encode() + canonical_json({"organisation": organisation, "key": public})
