"""The form in which records cross the wall: manifest, chunks and their checks, the same at the edge and at the hub.

A submission is a signed manifest over content-addressed chunks. Its identifier is the SHA-256 of the canonical
manifest (RFC 8785 for the values used here: strings, integers, booleans, arrays, objects).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from policies.dictionary import dictionary
from policies.refusal import StatementRefused
from policies.translog.strict_base64 import decoded

FORMAT = "promise-submission/1"
CHUNK_BYTES_MAX = 8 * 1024 * 1024
FACTS_BYTES_MAX = 256 * 1024 * 1024  # unpacked, a chunk: a bomb is refused long before memory ends
FACT_LINE_BYTES_MAX = 4096
CHUNKS_MAX = 4096
_SIGNED = b"promise-submission/1\n"
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Slug = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
Count = Annotated[int, Field(ge=0, le=10_000_000)]


class SubmissionError(StatementRefused):
    """A manifest, signature or chunk that is refused: stable code, place, next step; never a value."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class AgreementVersion(_Strict):
    """The agreement a submission is made under."""

    id: Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,40}$")]
    version: Annotated[int, Field(ge=1, le=10_000)]


class Chunk(_Strict):
    """One content-addressed piece: SHA-256 and size of the bytes as sent, and what they hold."""

    sha256: Digest
    size: Annotated[int, Field(ge=1, le=CHUNK_BYTES_MAX)]
    holds: Literal["rows", "spans", "facts"]
    view: Annotated[str, Field(pattern="^[a-z0-9_]{0,20}$")]
    count: Count

    @model_validator(mode="after")
    def _names_a_view_only_for_rows(self) -> Chunk:
        if (self.holds == "rows") != bool(self.view):
            raise ValueError("rows chunks name their view, others none")
        return self


class ViewProfile(_Strict):
    """What the edge tells of one view: how many distinct values, and how many records share the commonest."""

    values: Count
    largest: Count


class Manifest(_Strict):
    """What a submission says of itself; signed by the agent's key."""

    format: Literal["promise-submission/1"]
    provider: Slug
    kind: Literal["k12", "preschool", "college", "clearinghouse", "programme", "employment"]
    school_year: Annotated[int, Field(ge=1990, le=2100)]
    epoch: Annotated[int, Field(ge=1, le=10_000)]
    schema_hash: Digest
    agreement: AgreementVersion
    created_at: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    records: Count
    padded: bool
    submission_key: Annotated[str, Field(pattern="^[A-Za-z0-9+/]*={0,2}$", max_length=4096)]
    chunks: Annotated[list[Chunk], Field(max_length=CHUNKS_MAX)]
    profile: dict[str, ViewProfile]
    facts: dict[str, Count]
    findings: dict[Annotated[str, Field(pattern="^[A-Z]{2,8}-[0-9]{3}$")], Count]
    agent_key: Annotated[str, Field(pattern="^[A-Za-z0-9:._-]{1,80}$")]

    @model_validator(mode="after")
    def _holds_together(self) -> Manifest:
        tables = dictionary().tables
        if any(name not in tables or self.kind not in tables[name].kinds for name in self.facts):
            raise ValueError("facts name tables that this kind carries")
        if len({chunk.sha256 for chunk in self.chunks}) != len(self.chunks):
            raise ValueError("no chunk stands twice")
        sealed = any(chunk.holds != "facts" for chunk in self.chunks)
        if sealed != bool(self.submission_key):
            raise ValueError("a submission key goes with rows and spans, and only with them")
        return self


def canonical_json(value: Any) -> bytes:
    """RFC 8785 for JSON without floats: keys sorted, no white space, UTF-8."""
    return _CANONICAL.encode(value).encode("utf-8")


def manifest_bytes(manifest: Manifest) -> bytes:
    """The canonical bytes that are hashed and signed."""
    return canonical_json(manifest.model_dump(mode="json"))


def submission_id(manifest: Manifest) -> str:
    """SHA-256 of the canonical manifest, 64 hex digits."""
    return hashlib.sha256(manifest_bytes(manifest)).hexdigest()


def read_manifest(value: Any) -> Manifest:
    """The manifest of parsed JSON; raises SubmissionError SUB-001 naming the field, never its value."""
    try:
        return Manifest.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(_known(part) for part in first["loc"]) or "manifest"
        raise SubmissionError("SUB-001", place, "make the submission again with a current edge tool") from None


def sign_manifest(manifest: Manifest, key: Ed25519PrivateKey) -> str:
    """Base64 Ed25519 signature over the canonical manifest under this format's own prefix."""
    return base64.b64encode(key.sign(_SIGNED + manifest_bytes(manifest))).decode()


def check_signature(manifest: Manifest, signature: str, key: Ed25519PublicKey) -> None:
    """Raises SubmissionError SUB-002 when the signature is not the agent's over this manifest."""
    try:
        key.verify(decoded(signature) or b"", _SIGNED + manifest_bytes(manifest))
    except InvalidSignature:
        raise SubmissionError("SUB-002", "signature", "sign the manifest with the key on the roster") from None


def check_chunk(chunk: Chunk, content: bytes) -> None:
    """Raises SubmissionError SUB-003 when the bytes are not the ones the manifest names."""
    if len(content) != chunk.size or hashlib.sha256(content).hexdigest() != chunk.sha256:
        raise SubmissionError("SUB-003", "chunk", "send the chunk again: it arrived cut short or altered")


def context(holds: str, *, provider: str, kind: str, school_year: int, epoch: int) -> bytes:
    """What a sealed piece is bound to, as HPKE info; `holds` is rows, spans or key."""
    return canonical_json([FORMAT, holds, provider, kind, school_year, epoch])


def pack_facts(rows: Iterable[Mapping[str, Any]], *, size_max: int = CHUNK_BYTES_MAX) -> Iterator[tuple[bytes, int]]:
    """Facts chunks (gzip of JSON Lines, no time stamp) with their row counts; none is over size_max bytes."""
    yield from pack_lines([canonical_json(row) for row in rows], size_max=size_max)


def pack_lines(lines: Sequence[bytes], *, size_max: int = CHUNK_BYTES_MAX) -> Iterator[tuple[bytes, int]]:
    """The same of rows that are canonical JSON already."""
    if not lines:
        return
    packed = gzip.compress(b"\n".join(lines) + b"\n", compresslevel=6, mtime=0)
    if len(packed) <= size_max or len(lines) == 1:
        yield packed, len(lines)
        return
    middle = len(lines) // 2
    yield from pack_lines(lines[:middle], size_max=size_max)
    yield from pack_lines(lines[middle:], size_max=size_max)


def read_facts(packed: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a facts chunk; raises SubmissionError SUB-004 with the line's number when one cannot be read."""
    return (read_fact(line, number=number) for number, line in enumerate(fact_lines(packed), start=1))


def fact_lines(packed: bytes) -> list[bytes]:
    """The lines of a facts chunk as they came, not read; raises SubmissionError SUB-004, or SUB-005 when too long."""
    return _unpack(packed).splitlines()


def read_fact(line: bytes, *, number: int) -> dict[str, Any]:
    """The row of one line; raises SubmissionError SUB-004 naming the line's number."""
    try:
        row = json.loads(line) if len(line) <= FACT_LINE_BYTES_MAX else None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise SubmissionError("SUB-004", f"line {number}", "make the submission again: a fact is not one JSON object")
    return row


def _unpack(packed: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            unpacked = stream.read(FACTS_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error):
        raise SubmissionError("SUB-004", "chunk", "make the submission again: the facts are not whole") from None
    if len(unpacked) > FACTS_BYTES_MAX:
        raise SubmissionError("SUB-005", "chunk", "split the facts: one chunk unpacks to more than the limit")
    return unpacked


def _known(part: int | str) -> str:
    """A place in a manifest as text; a name that is not of the format may be somebody's and is not repeated."""
    return part if part in _FIELDS else "item"


_FIELDS = frozenset(name for model in (Manifest, AgreementVersion, Chunk, ViewProfile) for name in model.model_fields)
