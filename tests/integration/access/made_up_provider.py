"""An identity provider in this process: it answers as OpenID Connect says, or wrongly in one point, as it is told.

Held to the real one by `test_openid_provider.py`, which walks the same way with the certified oidc-provider.
"""

import hmac
import json
from functools import cache
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.integration.access.authenticator import text

ISSUER = "https://login.example/tenant/v2.0"
CLIENT, SECRET = "promise-hub", "made-up client secret"
SUBJECT = "subject-of-qorvax"


class MadeUpProvider:
    """What it will say next stands in `claims`, `header` and `metadata`; `key` signs, `published` is told."""

    def __init__(self, clock):
        self.clock, self.key, self.kid = clock, first_key(), "first"
        self.published = self.key
        self.visits, self.claims, self.header = {}, {}, {}
        self.metadata, self.status, self.asked = {}, 200, []
        self.http = httpx.Client(transport=httpx.MockTransport(self.serve))

    def rotate(self):
        self.key, self.kid = new_key(), f"{self.kid}-next"
        self.published = self.key

    def serve(self, request):
        self.asked.append(request.url.path)
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx.Response(self.status, json=self.described())
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": [{**self.published.as_dict(private=False), "kid": self.kid}]})
        return self.token(parse_qs(request.content.decode()), request)

    def described(self):
        base = "https://login.example"
        return {
            "issuer": ISSUER, "authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys", "end_session_endpoint": f"{base}/out",
            "authorization_response_iss_parameter_supported": True, **self.metadata,
        }  # fmt: skip

    def visit(self, address):
        """What a browser brings back from the address it was sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.visits["a code"] = asked
        return {"code": "a code", "state": asked["state"], "iss": ISSUER}

    def token(self, sent, request):
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        asked = self.visits.pop(sent["code"][0], None)
        if asked is None or create_s256_code_challenge(sent["code_verifier"][0]) != asked["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        now = int(self.clock().timestamp())
        claims = {
            "iss": ISSUER, "aud": CLIENT, "sub": SUBJECT, "exp": now + 300, "iat": now, "nonce": asked["nonce"],
            "acr": "mfa", "auth_time": now, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return httpx.Response(200, json={"id_token": self.signed(claims), "access_token": "x", "token_type": "Bearer"})

    def signed(self, claims):
        header = {"alg": "RS256", "kid": self.kid, **self.header}
        if header["alg"] == "RS256":
            return jwt.encode(header, claims, self.key)
        parts = ".".join(text(json.dumps(part).encode()) for part in (header, claims))
        shared = self.published.as_pem(private=False)
        made = b"" if header["alg"] == "none" else hmac.digest(shared, parts.encode(), "sha256")
        return f"{parts}.{text(made)}"


@cache
def first_key():
    return new_key()


def new_key():
    return RSAKey.generate_key(2048, auto_kid=False)
