"""The roster of an epoch, and what is said in the ceremony that gives providers, and never the hub, its linkage secret.

Two or more custodians each draw a share, tell its commitment, and, when all commitments stand, seal the share to every
member of the roster. The roster is signed by signatories of the partnership: an agent seals to nobody whom they did not
name, so that an operator who adds a member of his own learns nothing. Both sides of the wall read and check these
statements; only the edge draws, seals, opens and combines (`connectors.ceremony`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from policies.refusal import StatementRefused
from policies.submission import Digest, Slug, canonical_json
from policies.translog.strict_base64 import decoded

SHARE_BYTES = 32
CUSTODIANS_MIN = 2
SIGNATORIES_MIN = 2
"""A roster needs the signatures of two persons of two organisations, as every dangerous act of the partnership does."""
ROSTER: Final = "promise-roster/1"
COMMITMENT: Final = "promise-commitment/1"
ENVELOPE: Final = "promise-envelope/1"
ACCEPTANCE: Final = "promise-acceptance/1"
_SHARE, _SECRET = "promise-share/1", "promise-linkage-secret/1"

Base64Text = Annotated[str, Field(pattern="^[A-Za-z0-9+/]{4,8000}={0,2}$")]
KeyId = Annotated[str, Field(pattern="^[A-Za-z0-9:._-]{1,80}$")]
Instant = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
EpochNumber = Annotated[int, Field(ge=1, le=10_000)]


class EpochError(StatementRefused):
    """A statement of the ceremony that does not hold: stable code, the field at fault, what to do next; no key."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Member(_Strict):
    """A provider's agent: the key that signs for it and the key that shares are sealed to, both public, base64."""

    organisation: Slug
    key_id: KeyId
    public_key: Base64Text
    sealing_key: Base64Text


class Roster(_Strict):
    """Who takes part in an epoch, who draws the shares, and until when to accept."""

    format: Literal["promise-roster/1"]
    epoch: EpochNumber
    members: Annotated[tuple[Member, ...], Field(min_length=2, max_length=2000)]
    custodians: Annotated[tuple[Slug, ...], Field(min_length=CUSTODIANS_MIN, max_length=20)]
    accept_by: Instant

    @model_validator(mode="after")
    def _names_everybody_once(self) -> Roster:
        organisations = [member.organisation for member in self.members]
        if len(set(organisations)) != len(organisations):
            raise ValueError("an organisation stands once on the roster")
        if len({member.key_id for member in self.members}) != len(organisations):
            raise ValueError("a key stands once on the roster")
        if len(set(self.custodians)) != len(self.custodians) or not set(self.custodians) <= set(organisations):
            raise ValueError("custodians are members, each once")
        return self

    def member(self, organisation: str) -> Member:
        """The member of this organisation; raises EpochError EPO-003 when it is none."""
        for member in self.members:
            if member.organisation == organisation:
                return member
        raise EpochError("EPO-003", "organisation", "ask for a roster that names this organisation")


class SignedRoster(_Strict):
    """A roster with its signatures, by the organisation of the signatory."""

    roster: Roster
    signatures: dict[Slug, Base64Text]


class Commitment(_Strict):
    """A custodian's word on the share it has drawn, before it has seen anybody else's."""

    format: Literal["promise-commitment/1"]
    epoch: EpochNumber
    roster: Digest
    custodian: Slug
    commitment: Digest


class Envelope(_Strict):
    """A custodian's share, sealed to one member."""

    format: Literal["promise-envelope/1"]
    epoch: EpochNumber
    roster: Digest
    custodian: Slug
    recipient: Slug
    suite: Annotated[str, Field(pattern="^[A-Z0-9_.]{1,80}$")]
    sealed: Base64Text


class Acceptance(_Strict):
    """A member's word that it opened every share of these commitments."""

    format: Literal["promise-acceptance/1"]
    epoch: EpochNumber
    roster: Digest
    organisation: Slug
    commitments: Digest


_Model = TypeVar("_Model", bound=BaseModel)
Statement = Roster | Commitment | Envelope | Acceptance


class Signed(_Strict):
    """A statement as it travels: its parts, and the base64 Ed25519 signature over its canonical form."""

    statement: dict[str, Any]
    signature: Base64Text


def statement_bytes(statement: Statement) -> bytes:
    """What is hashed and signed: the format's own prefix, then the canonical JSON."""
    return f"{statement.format}\n".encode() + canonical_json(statement.model_dump(mode="json"))


def digest(statement: Statement) -> str:
    """SHA-256 of a statement, 64 hex digits; that of a roster names it everywhere."""
    return hashlib.sha256(statement_bytes(statement)).hexdigest()


def sign(statement: Statement, key: Ed25519PrivateKey) -> str:
    """Base64 Ed25519 signature."""
    return base64.b64encode(key.sign(statement_bytes(statement))).decode()


def signed(statement: Statement, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The statement as it travels, in JSON types."""
    return {"statement": statement.model_dump(mode="json"), "signature": sign(statement, key)}


def check_signed(statement: Statement, signature: str, public_key: str) -> None:
    """Raises EpochError EPO-002 when the signature is not of this key over this statement."""
    try:
        key = Ed25519PublicKey.from_public_bytes(decoded(public_key) or b"")
        key.verify(decoded(signature) or b"", statement_bytes(statement))
    except (InvalidSignature, ValueError):
        raise EpochError("EPO-002", "signature", "fetch it again; it is not signed by the key on the roster") from None


def read_roster(value: Any) -> SignedRoster:
    """A signed roster of parsed JSON; raises EpochError EPO-001 naming the field, never its value."""
    return _read(SignedRoster, _tuples(value))


def read_signed(value: Any) -> Signed:
    """A signed statement of parsed JSON; raises EpochError EPO-001."""
    return _read(Signed, value)


def read_commitment(value: Any) -> Commitment:
    """Raises EpochError EPO-001."""
    return _read(Commitment, value)


def read_envelope(value: Any) -> Envelope:
    """Raises EpochError EPO-001."""
    return _read(Envelope, value)


def read_acceptance(value: Any) -> Acceptance:
    """Raises EpochError EPO-001."""
    return _read(Acceptance, value)


def check_roster(whole: SignedRoster, *, signatories: Mapping[str, str], never: frozenset[str] = frozenset()) -> Roster:
    """The roster when SIGNATORIES_MIN of the known signatories signed it; raises EpochError.

    Args:
        signatories: base64 Ed25519 public key by organisation, as this party learnt them by another way than the hub.
        never: organisations that may not be members, the hub's operator first of all.
    """
    roster = whole.roster
    if never & {member.organisation for member in roster.members}:
        raise EpochError("EPO-004", "members", "make a roster without the hub's operator: it may not hold the secret")
    known = [name for name in whole.signatures if name in signatories]
    for name in known:
        check_signed(roster, whole.signatures[name], signatories[name])
    if len(known) < SIGNATORIES_MIN:
        raise EpochError("EPO-005", "signatures", f"let {SIGNATORIES_MIN} signatories of the partnership sign it")
    return roster


def commitment_of(share: bytes, *, roster: str, custodian: str) -> str:
    """The commitment to a share, 64 hex digits; bound to its roster and custodian. The share is random: it hides."""
    label = canonical_json([_SHARE, roster, custodian])
    return hashlib.sha256(label + b"\n" + share).hexdigest()


def envelope_context(envelope: Envelope) -> bytes:
    """What an envelope is bound to, as HPKE info: moved to another place it does not open."""
    return canonical_json(
        [ENVELOPE, envelope.epoch, envelope.roster, envelope.custodian, envelope.recipient, envelope.suite]
    )


def commitments_digest(commitments: Mapping[str, str]) -> str:
    """One digest of all commitments, by custodian."""
    return hashlib.sha256(canonical_json(dict(commitments))).hexdigest()


def combine(shares: Mapping[str, bytes], *, roster: Roster) -> bytes:
    """The linkage secret, 32 bytes: HKDF-SHA-256 of all shares in the roster's order of custodians."""
    if set(shares) != set(roster.custodians):
        raise EpochError("EPO-006", "shares", "wait until every custodian has given its share")
    material = b"".join(shares[custodian] for custodian in roster.custodians)
    info = canonical_json([_SECRET, roster.epoch])
    return HKDF(SHA256(), SHARE_BYTES, bytes.fromhex(digest(roster)), info).derive(material)


def _read(model: type[_Model], value: Any) -> _Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"] if str(part) in _FIELDS or isinstance(part, int))
        raise EpochError("EPO-001", place or "statement", "make it again with a current edge tool") from None


_FIELDS = frozenset(
    field
    for model in (Member, Roster, SignedRoster, Commitment, Envelope, Acceptance, Signed)
    for field in model.model_fields
)


def _tuples(value: Any) -> Any:
    """JSON knows lists alone; a strict tuple wants tuples."""
    if not isinstance(value, dict) or not isinstance(value.get("roster"), dict):
        return value
    roster = {name: tuple(part) if isinstance(part, list) else part for name, part in value["roster"].items()}
    return {**value, "roster": roster}
