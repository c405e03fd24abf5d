"""Signs and checks the requests of an edge agent by RFC 9421 (HTTP Message Signatures): both sides of the wall.

Ed25519. Covered: method, authority, target URI and content digest; `created`, nonce, key id and tag as parameters.
No certificate authority is needed: the agent's public key stands on the partnership's roster. The window is 300 s
(TRUST.md section 2 of the design; RFC 9421 section 7.2.2 on replay); the hub keeps each nonce for twice that
time, in its database.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.algorithms import ED25519

from policies.translog.strict_base64 import decoded

TAG = "promise-edge/1"
WINDOW_SECONDS = 300
_SIGNATURES = re.compile(":([^:]*):")
COVERED = ("@method", "@authority", "@target-uri", "content-digest")


class SigningError(Exception):
    """A request whose signature does not hold: stable code and next step."""

    def __init__(self, code: str, next_step: str) -> None:
        super().__init__(f"{code}: {next_step}")
        self.code = code
        self.next_step = next_step


@dataclass
class Message:
    """One HTTP request as RFC 9421 sees it: method in capitals, absolute URL, headers."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SignedBy:
    """Whose signature held, and the nonce to remember."""

    key_id: str
    nonce: str
    created: dt.datetime


def sign_request(
    message: Message, body: bytes, *, key: Ed25519PrivateKey, key_id: str, nonce: str, now: dt.datetime
) -> dict[str, str]:
    """The headers to send with the request: Content-Digest, Signature-Input and Signature."""
    signed = Message(message.method, message.url, dict(message.headers))
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_Keys(private=key))
    signer.sign(signed, key_id=key_id, created=now, nonce=nonce, tag=TAG, covered_component_ids=COVERED[:3], body=body)
    return {name: signed.headers[name] for name in ("Content-Digest", "Signature-Input", "Signature")}


def verify_request(
    message: Message, body: bytes, *, key_of: Callable[[str], Ed25519PublicKey | None], now: dt.datetime
) -> SignedBy:
    """Who signed the request; raises SigningError SIG-001 (not signed or altered) or SIG-002 (clock).

    The nonce is the caller's to remember for WINDOW_SECONDS either side of now.
    """
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=_Keys(public=key_of))
    try:
        _check_spelling(message.headers)
        results = verifier.verify(message, max_age=None, expect_tag=TAG, require_components=COVERED, body=body)
        parameters = results[0].parameters
        signed = SignedBy(
            str(parameters["keyid"]),
            str(parameters["nonce"]),
            dt.datetime.fromtimestamp(int(parameters["created"]), tz=dt.UTC),
        )
    except (HTTPMessageSignaturesException, InvalidSignature, ValueError, KeyError, TypeError):
        raise SigningError("SIG-001", "sign the request with the key on the roster and send it unaltered") from None
    ahead = round((signed.created - now).total_seconds())
    if abs(ahead) > WINDOW_SECONDS:
        raise SigningError("SIG-002", _clock_help(ahead, now))
    return signed


def _check_spelling(headers: Mapping[str, str]) -> None:
    """One spelling only for the same signature: base64 has bits to spare at its end, which the library lets pass."""
    told = next((value for name, value in headers.items() if name.lower() == "signature"), "")
    if any(decoded(text) is None for text in _SIGNATURES.findall(told)):
        raise InvalidSignature("a signature is not spelt as base64 spells it")


def _clock_help(ahead: int, now: dt.datetime) -> str:
    """By how much the sender's clock is wrong, and which way to turn it."""
    way = "fast: set it back" if ahead > 0 else "slow: set it forward"
    return (
        f"the clock of the sending machine is {abs(ahead)} s {way} to {now:%Y-%m-%dT%H:%M:%SZ} "
        f"({WINDOW_SECONDS} s are allowed)"
    )


class _Verifier(HTTPMessageVerifier):
    """Leaves time to the caller's clock; the library would compare with the machine's."""

    max_clock_skew = dt.timedelta(days=36_500)


class _Keys(HTTPSignatureKeyResolver):
    def __init__(
        self,
        *,
        private: Ed25519PrivateKey | None = None,
        public: Callable[[str], Ed25519PublicKey | None] | None = None,
    ) -> None:
        self._private = private
        self._public = public

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey | None:
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        return self._public(key_id) if self._public is not None else None


def signed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that the check reads, from all of a request's."""
    names = {"content-digest", "signature", "signature-input"}
    return {name: value for name, value in headers.items() if name.lower() in names}
