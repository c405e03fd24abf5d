"""What one entry of the audit log is: five lines of text, under which the detail lies as a salted hash.

The detail can be erased after its retention without harm to the tree; who holds detail and salt can show that the
entry stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Any

from policies.submission import canonical_json

ENTRY_FORMAT = "promise-audit/1"
DETAIL_FIELDS = (
    "event", "actor", "organisation", "request_id", "method", "agreement", "purpose", "resource", "decision",
    "rule", "outcome", "counts", "versions",
)  # fmt: skip
SALT_BYTES = 16


def detail_json(detail: Mapping[str, Any]) -> bytes:
    """The canonical JSON of a detail (RFC 8785): the bytes that are hashed."""
    return canonical_detail(**{name: detail[name] for name in DETAIL_FIELDS})


def canonical_detail(
    *,
    actor: str,
    agreement: str | None,
    counts: Any,
    decision: str | None,
    event: str,
    method: str,
    organisation: str | None,
    outcome: str,
    purpose: str | None,
    request_id: str,
    resource: str,
    rule: str | None,
    versions: Any,
) -> bytes:
    """The same of the values themselves: written out, since the whole log goes through here when it is verified.

    Raises TypeError where a text is none.
    """
    return (
        f'{{"actor":{_quoted(actor)},"agreement":{_text(agreement)},"counts":{_object(counts)},'
        f'"decision":{_text(decision)},"event":{_quoted(event)},"method":{_quoted(method)},'
        f'"organisation":{_text(organisation)},"outcome":{_quoted(outcome)},"purpose":{_text(purpose)},'
        f'"request_id":{_quoted(request_id)},"resource":{_quoted(resource)},"rule":{_text(rule)},'
        f'"versions":{_object(versions)}}}'
    ).encode()


def detail_hash(detail: Mapping[str, Any], salt: bytes) -> str:
    """SHA-256 over salt and canonical detail, 64 hex digits."""
    return sha256(salt + detail_json(detail)).hexdigest()


def entry_bytes(sequence: int, *, time: datetime, event: str, detail_hash: str) -> bytes:
    """The bytes of a leaf: format, sequence, time in UTC, event, hash of the detail."""
    return entry_text(sequence, time.isoformat(timespec="microseconds"), event, detail_hash)


def entry_text(sequence: int, time: str, event: str, detail_hash: str) -> bytes:
    """The same with the time as it is written."""
    return f"{ENTRY_FORMAT}\n{sequence}\n{time}\n{event}\n{detail_hash}\n".encode()


def _text(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _object(value: Any) -> str:
    return "{}" if value == {} else canonical_json(value).decode()
