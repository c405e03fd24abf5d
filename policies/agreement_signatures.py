"""What a party says of an agreement under its key: that it signs a version, or that it withdraws from the agreement.

Ed25519 over the statement's format and its canonical JSON (RFC 8785), as rosters are signed. The hash binds every word
of the version; the hub and anybody else can check a signature with the party's public key alone.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policies.agreements import Agreement, AgreementError
from policies.submission import Digest, Slug, canonical_json

Base64Text = Annotated[str, Field(pattern="^[A-Za-z0-9+/]{4,200}={0,2}$")]
Instant = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
AgreementId = Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Signing(_Strict):
    """A party signs one version, every word of it."""

    format: Literal["promise-agreement-signature/1"]
    agreement: AgreementId
    version: Annotated[int, Field(ge=1, le=10_000)]
    text_hash: Digest
    organisation: Slug
    said_at: Instant


class Withdrawing(_Strict):
    """A party withdraws from an agreement, from all its versions: what it gave is used no longer and is destroyed."""

    format: Literal["promise-agreement-withdrawal/1"]
    agreement: AgreementId
    organisation: Slug
    said_at: Instant


Said = Signing | Withdrawing


class SignedWord(_Strict):
    """A party's word with its signature, as it travels."""

    said: Annotated[Said, Field(discriminator="format")]
    signature: Base64Text


def signing(agreement: Agreement, organisation: str, *, now: dt.datetime) -> Signing:
    """The word by which an organisation signs this version; raises AgreementError AGR-010 for one that is no party."""
    if organisation not in {party.organisation for party in agreement.parties}:
        raise AgreementError("AGR-010", "organisation", "sign for an organisation that is a party")
    return Signing(
        format="promise-agreement-signature/1",
        agreement=agreement.id,
        version=agreement.version,
        text_hash=agreement.text_hash(),
        organisation=organisation,
        said_at=_instant(now),
    )


def withdrawing(agreement: str, organisation: str, *, now: dt.datetime) -> Withdrawing:
    """The word by which an organisation withdraws."""
    return Withdrawing(
        format="promise-agreement-withdrawal/1", agreement=agreement, organisation=organisation, said_at=_instant(now)
    )


def sign_word(said: Said, key: Ed25519PrivateKey) -> SignedWord:
    """The word under the key of the party."""
    return SignedWord(said=said, signature=base64.b64encode(key.sign(_bytes(said))).decode())


def read_word(value: Any) -> SignedWord:
    """A signed word from JSON values; raises AgreementError AGR-011 naming the field at fault, never the value."""
    try:
        return SignedWord.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[0]["loc"]
        place = ".".join(str(part) for part in found if part in _FIELDS)
        raise AgreementError("AGR-011", place or "word", "sign again with promise-edge agreements sign") from None


def check_word(word: SignedWord, public_key: str) -> None:
    """Raises AgreementError AGR-012 unless the word was signed by the holder of this key, base64."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(word.signature, validate=True), _bytes(word.said))
    except (InvalidSignature, ValueError):
        raise AgreementError("AGR-012", "signature", "sign with the key that is registered for the party") from None


_FIELDS = frozenset(field for model in (Signing, Withdrawing, SignedWord) for field in model.model_fields)


def _bytes(said: Said) -> bytes:
    return f"{said.format}\n".encode() + canonical_json(said.model_dump(mode="json"))


def _instant(now: dt.datetime) -> str:
    return now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
