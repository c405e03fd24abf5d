"""Every published case that this program can be held to: log formats, sealing, signed requests; for `audit vectors`.

RFC 6962, C2SP     as transparency-dev/merkle and the specifications write them (policies.translog.vectors)
RFC 9180, HPKE-PQ  a list of {mode, kem_id, kdf_id, aead_id, info, skRm, enc, encryptions, ...}
RFC 9421           {"requests": [{method, url, headers, public_key, wantErr, and to sign it anew: private_key,
                   key_id, label, created, covered}]}, keys as base64 of 32 bytes
"""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.algorithms import ED25519

from hub.operations.hpke_vectors import hpke_cases
from policies.signing import Message
from policies.translog.vectors import Outcome, run_vectors

Check = Callable[[], bool]


def run_every_vector(files: Iterable[tuple[str, bytes]]) -> Outcome:
    """Run the cases of all known forms."""
    return run_vectors(files, also=_further)


def _further(content: bytes) -> Mapping[str, Check]:
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    if isinstance(value, dict) and "requests" in value:
        return {f"request {at}": _request_check(case) for at, case in enumerate(value["requests"])}
    return hpke_cases(value)


def _request_check(case: Mapping[str, Any]) -> Check:
    """The published signature holds, or does not; and who has the private key signs to the same bytes."""

    def check() -> bool:
        try:
            holds = _holds(case) and ("private_key" not in case or _signed_alike(case))
        except (HTTPMessageSignaturesException, InvalidSignature):
            holds = False
        return holds is not bool(case["wantErr"])

    return check


def _holds(case: Mapping[str, Any]) -> bool:
    key = Ed25519PublicKey.from_public_bytes(b64decode(case["public_key"]))
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=_OneKey(public=key))
    return bool(verifier.verify(Message(case["method"], case["url"], dict(case["headers"])), max_age=None))


def _signed_alike(case: Mapping[str, Any]) -> bool:
    key = Ed25519PrivateKey.from_private_bytes(b64decode(case["private_key"]))
    headers = {name: value for name, value in case["headers"].items() if not name.lower().startswith("signature")}
    signed = Message(case["method"], case["url"], headers)
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OneKey(private=key))
    created = dt.datetime.fromtimestamp(case["created"], tz=dt.UTC)
    signer.sign(
        signed,
        key_id=case["key_id"],
        created=created,
        label=case["label"],
        covered_component_ids=case["covered"],
        include_alg=False,
        use_existing_digest=True,
    )
    told = {name.lower(): value for name, value in case["headers"].items()}
    return all(signed.headers[name] == told[name.lower()] for name in ("Signature-Input", "Signature"))


class _OneKey(HTTPSignatureKeyResolver):
    """The case's own key, by whatever name it goes."""

    def __init__(self, *, private: Ed25519PrivateKey | None = None, public: Ed25519PublicKey | None = None) -> None:
        self._private, self._public = private, public

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey | None:
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        return self._public
