"""OpenID Connect towards one identity provider: where to send somebody, and what the answer shows.

Authorization code with PKCE (S256), state and nonce; the protocol's pieces are Authlib's, the HTTP client is given.
Everything that an answer can be wrong in raises `AnswerRefused` with its own rule, which goes to the log alone: whoever
is refused learns nothing of it (OpenID Connect Core 1.0, section 3.1.3.7; RFC 9207; RFC 9700).
"""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from hub.db import Clock
from hub.errors import Unavailable
from hub.identity.providers import Provider, SecondFactor, check_address

SIGNED_BY = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Only signatures that the provider's public key checks; never `none`, never a shared secret."""
LEEWAY_SECONDS = 120
METADATA_FOR, KEYS_FOR, KEYS_AGAIN_AFTER = timedelta(hours=24), timedelta(hours=1), timedelta(seconds=30)
"""A key that the provider took back serves an hour at most; an unknown one is looked up twice a minute at most."""
ANSWER_BYTES_MAX, ANSWER_SECONDS = 1 << 20, 10


class AnswerRefused(Exception):  # noqa: N818 (it says what happened, as the errors of the hub do)
    """The provider's answer lets nobody in; `rule` says why, for the log."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, repr=False)
class Visit:
    """What one visit to a provider is bound by, all made of one secret that only the person's browser keeps."""

    secret: str

    @property
    def state(self) -> str:
        return self._made("state")

    @property
    def nonce(self) -> str:
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        return self._made("verifier")

    def _made(self, what: str) -> str:
        return urlsafe_b64encode(sha256(f"{what}:{self.secret}".encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Shown:
    """Who a provider says came: issuer and subject; when a second factor was shown, where the provider tells it."""

    issuer: str
    subject: str = field(repr=False)
    proved_at: datetime | None


@dataclass
class Connection:
    """One provider with what it published, kept for a while; safe for threads."""

    provider: Provider
    http: httpx.Client
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _metadata: tuple[datetime, dict[str, Any]] | None = field(default=None, repr=False)
    _keys: tuple[datetime, dict[str, Any]] | None = field(default=None, repr=False)

    def address(self, visit: Visit, *, back: str, again: bool = False) -> str:
        """Where to send the browser; `again` wants the person to sign in anew, with a second factor."""
        asked: dict[str, Any] = {
            "scope": "openid",
            "state": visit.state,
            "nonce": visit.nonce,
            "code_challenge": create_s256_code_challenge(visit.verifier),
            "code_challenge_method": "S256",
        }
        factor = self.provider.second_factor
        if isinstance(factor, SecondFactor) and factor.claim == "acr":
            asked["acr_values"] = " ".join(factor.values)
        if isinstance(factor, SecondFactor) and factor.claim == "acrs":
            asked["claims"] = json.dumps({"id_token": {"acrs": {"essential": True, "value": factor.values[0]}}})
        if again:
            asked |= {"max_age": "0", "prompt": "login"}
        endpoint = self.metadata()["authorization_endpoint"]
        return str(prepare_grant_uri(endpoint, self.provider.client_id, "code", redirect_uri=back, **asked))

    def shown(self, answer: Mapping[str, str], visit: Visit, *, back: str, since: datetime | None = None) -> Shown:
        """Who came back. With `since` the second factor must have been shown after it.

        Raises AnswerRefused, or Unavailable where the provider does not answer.
        """
        named = answer.get("iss")
        promised = self.metadata().get("authorization_response_iss_parameter_supported") is True
        if (named is None and promised) or named not in (None, self.provider.issuer):
            raise AnswerRefused("OIDC-002")
        if "code" not in answer or "error" in answer:
            raise AnswerRefused("OIDC-003")
        claims = self._claims(self._redeem(answer["code"], visit, back=back), visit, fresh=since is not None)
        subject = claims.get(self.provider.subject_claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise AnswerRefused("OIDC-006")
        proved = self._proved(claims)
        if since is not None and (proved is None or proved < since - timedelta(seconds=LEEWAY_SECONDS)):
            raise AnswerRefused("OIDC-008")
        return Shown(self.provider.issuer, subject, proved)

    def way_out(self, *, back: str) -> str | None:
        """Where to sign out at the provider too, if it says where."""
        endpoint = self.metadata().get("end_session_endpoint")
        if endpoint is None:
            return None
        query = {"client_id": self.provider.client_id, "post_logout_redirect_uri": back}
        return str(httpx.URL(endpoint).copy_merge_params(query))

    def metadata(self) -> dict[str, Any]:
        """What the provider says of itself; its issuer and every address are checked."""
        with self._lock:
            held = self._metadata
        if held is not None and self.clock() - held[0] < METADATA_FOR:
            return held[1]
        told = self._get(get_well_known_url(self.provider.issuer, external=True))
        try:
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                check_address(str(told.get(name, "")))
            if "end_session_endpoint" in told:
                check_address(str(told["end_session_endpoint"]))
        except ValueError:
            raise _unavailable() from None
        if told.get("issuer") != self.provider.issuer:
            raise _unavailable()
        with self._lock:
            self._metadata = (self.clock(), told)
        return told

    def _redeem(self, code: str, visit: Visit, *, back: str) -> dict[str, Any]:
        body = prepare_token_request("authorization_code", code=code, redirect_uri=back, code_verifier=visit.verifier)
        method, address = self.provider.client_authentication, self.metadata()["token_endpoint"]
        client = ClientAuth(self.provider.client_id, self.provider.client_secret(), method)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        address, headers, body = client.prepare("POST", address, headers, body)
        status, told = self._ask("POST", address, content=body, headers=headers)
        if status >= 500:
            raise _unavailable()
        if status != 200 or not isinstance(told.get("id_token"), str):
            raise AnswerRefused("OIDC-004")
        return told

    def _claims(self, tokens: dict[str, Any], visit: Visit, *, fresh: bool) -> CodeIDToken:
        try:
            token = self._checked(tokens["id_token"])
        except (JoseError, ValueError):
            raise AnswerRefused("OIDC-005") from None
        params = {"nonce": visit.nonce, "client_id": self.provider.client_id, "max_age": fresh}
        if "access_token" in tokens:
            params["access_token"] = tokens["access_token"]
        wanted: dict[str, Any] = {
            "iss": {"essential": True, "value": self.provider.issuer},
            "aud": {"essential": True, "value": self.provider.client_id},
        }
        claims = CodeIDToken(token.claims, token.header, wanted, params)
        try:
            claims.validate(now=int(self.clock().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError):
            raise AnswerRefused("OIDC-006") from None
        return claims

    def _checked(self, token: str) -> jwt.Token:
        """The token under a key of the provider; keys are fetched anew, once, for a signature that none made."""
        registry = JWSRegistry(algorithms=list(SIGNED_BY), strict_check_header=False)
        try:
            return jwt.decode(token, KeySet.import_key_set(self._key_set()), registry=registry)  # type: ignore[arg-type]
        except JoseError:
            return jwt.decode(token, KeySet.import_key_set(self._key_set(anew=True)), registry=registry)  # type: ignore[arg-type]

    def _key_set(self, *, anew: bool = False) -> dict[str, Any]:
        with self._lock:
            held = self._keys
        if held is not None and self.clock() - held[0] < (KEYS_AGAIN_AFTER if anew else KEYS_FOR):
            return held[1]
        found = self._get(self.metadata()["jwks_uri"])
        with self._lock:
            self._keys = (self.clock(), found)
        return found

    def _proved(self, claims: Mapping[str, Any]) -> datetime | None:
        """When the second factor was shown, where the provider tells; raises AnswerRefused where it had to be."""
        factor = self.provider.second_factor
        if not isinstance(factor, SecondFactor):
            return None
        told = claims.get(factor.claim)
        if not any(value in factor.values for value in (told if isinstance(told, list) else [told])):
            raise AnswerRefused("OIDC-007")
        at = claims.get("auth_time")
        return min(datetime.fromtimestamp(at, UTC), self.clock()) if isinstance(at, int) else None

    def _get(self, address: str) -> dict[str, Any]:
        status, told = self._ask("GET", address)
        if status != 200:
            raise _unavailable()
        return told

    def _ask(self, method: str, address: str, **how: Any) -> tuple[int, dict[str, Any]]:
        try:
            answer = self.http.request(method, address, timeout=ANSWER_SECONDS, follow_redirects=False, **how)
            told = answer.json() if len(answer.content) <= ANSWER_BYTES_MAX else None
        except (httpx.HTTPError, ValueError):
            raise _unavailable() from None
        if not isinstance(told, dict):
            raise _unavailable()
        return answer.status_code, told


def _unavailable() -> Unavailable:
    return Unavailable(
        "The identity provider does not answer as it should.",
        code="provider-unavailable",
        next_step="Try again in a minute, or sign in another way.",
    )
