"""A passkey in software for tests: makes credentials and answers challenges as WebAuthn level 3 says, by ES256."""

import base64
import hashlib
import json
import secrets

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Authenticator:
    """One passkey of one person."""

    def __init__(self, origin, host, *, verifies=True):
        self.origin, self.host = origin, host
        self.key, self.name, self.count = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16), 0
        self.flags = USER_PRESENT | (USER_VERIFIED if verifies else 0)

    def make(self, options):
        """The answer to a challenge to make a passkey."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        held = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + cbor2.dumps(cose)
        data = self._data(self.flags | HAS_KEY) + held
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": text(self._client("webauthn.create", options)),
            "attestationObject": text(attested),
        }
        return {"id": text(self.name), "rawId": text(self.name), "type": "public-key", "response": response}

    def answer(self, options):
        """The answer to a challenge to sign in."""
        self.count += 1
        client, data = self._client("webauthn.get", options), self._data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature),
        }  # fmt: skip
        return {"id": text(self.name), "rawId": text(self.name), "type": "public-key", "response": response}

    def _data(self, flags):
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind, options):
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()
