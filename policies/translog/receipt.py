"""A receipt: what shows a provider without the hub that an event about its submission stands in the log."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.translog.entries import DETAIL_FIELDS, ENTRY_FORMAT, SALT_BYTES, detail_hash, entry_text
from policies.translog.errors import EntryError
from policies.translog.merkle import leaf_hash
from policies.translog.note import Note, Verifier
from policies.translog.proof import check_proof, read_proof


@dataclass(frozen=True)
class Receipt:
    """The parts as the hub sends them: entry, detail, salt in hex, and the proof as text."""

    sequence: int
    entry: str
    detail: str
    salt: str
    proof: str


@dataclass(frozen=True)
class Shown:
    """What a receipt shows: the event, when, where in the log, and under which checkpoint."""

    sequence: int
    time: str
    event: str
    resource: str
    size: int
    checkpoint: Note


def read_receipt(value: Any) -> Receipt:
    """The receipt of parsed JSON; raises EntryError ENTRY-001."""
    fields = ("entry", "detail", "salt", "proof")
    if not isinstance(value, Mapping) or not all(isinstance(value.get(name), str) for name in fields):
        raise EntryError("this is no receipt")
    if type(value.get("sequence")) is not int or value.keys() != {"sequence", *fields}:
        raise EntryError("this is no receipt")
    return Receipt(**value)


def check_receipt(receipt: Receipt, log: Verifier) -> Shown:
    """What the receipt shows, once every part of it holds under the log's key; raises TranslogError."""
    detail, salt = _detail(receipt.detail), _salt(receipt.salt)
    lines = receipt.entry.split("\n")
    if len(lines) != 6 or lines[0] != ENTRY_FORMAT:
        raise EntryError("the entry is not five lines of its format")
    expected = entry_text(receipt.sequence, lines[2], str(detail["event"]), detail_hash(detail, salt))
    if expected != receipt.entry.encode():
        raise EntryError("the detail is not that of the entry", "ENTRY-002")
    proof = read_proof(receipt.proof)
    if proof.index != receipt.sequence:
        raise EntryError("the proof is that of another entry", "ENTRY-002")
    if proof.written() != receipt.proof:
        raise EntryError("the proof is not written as the format says", "PROOF-002")
    body = check_proof(proof, leaf_hash(expected), log)
    return Shown(receipt.sequence, lines[2], lines[3], str(detail["resource"]), body.size, proof.checkpoint)


def _detail(text: str) -> Mapping[str, Any]:
    try:
        detail = json.loads(text)
    except (ValueError, RecursionError):
        raise EntryError("the detail cannot be read") from None
    if not isinstance(detail, dict) or detail.keys() != set(DETAIL_FIELDS):
        raise EntryError("the detail has not the fields of an event")
    if json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False) != text:
        raise EntryError("the detail is not written canonically")
    return detail


def _salt(text: str) -> bytes:
    try:
        salt = binascii.unhexlify(text.encode("ascii"))
    except ValueError:
        salt = b""
    if len(salt) != SALT_BYTES or salt.hex() != text:
        raise EntryError("the salt is not 16 bytes in hex")
    return salt
