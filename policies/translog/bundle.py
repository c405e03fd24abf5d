"""An exported log as a file that anybody verifies without the hub, and a choice of its events with their proofs.

A bundle is JSON Lines, each line canonical (RFC 8785): a head, the entries in order, after each entry the checkpoints
that end with it, and an end. Every line is bound to those before it, so that one changed byte is found where it is.
What the log's own key could sign anew is found by the witnesses' keys, or by a checkpoint that was kept elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from policies.submission import canonical_json
from policies.translog.checkpoint import CheckpointBody, body_of
from policies.translog.entries import DETAIL_FIELDS, ENTRY_FORMAT, detail_hash, entry_text
from policies.translog.errors import EntryError, TranslogError
from policies.translog.merkle import EMPTY_ROOT, frontier_root, leaf_hash, push, verify_inclusion
from policies.translog.note import Note, Verifier, read_note, signed_by
from policies.translog.policy import NONE, Policy, check_cosigned
from policies.translog.proof import read_hashes
from policies.translog.strict_base64 import encoded

BUNDLE_FORMAT = "promise-audit-bundle/2"
SELECTION_FORMAT = "promise-audit-selection/1"
_ENTRY_KEYS = {"sequence", "entry", "leaf", "salt", "detail"}


@dataclass(frozen=True)
class Verdict:
    """What a check found. `whole` is False with the first bad entry, None when it cannot tell."""

    whole: bool | None
    events: int
    checkpoints: int
    first_bad: int | None
    reason: str


@dataclass(frozen=True)
class Trust:
    """What a bundle is held against: the log's key and former keys, who must have cosigned, notes kept elsewhere."""

    log: Verifier
    former: tuple[Verifier, ...] = ()
    policy: Policy | None = None
    notes: tuple[Note, ...] = ()


class BadBundleError(TranslogError):
    """The first bad entry of a bundle and what is wrong with it."""

    code = "BUNDLE-001"

    def __init__(self, entry: int, reason: str) -> None:
        super().__init__(reason)
        self.entry = entry
        self.reason = reason


@dataclass(frozen=True)
class Reading:
    """How far a bundle was read: entries, right edge of the tree, what is signed and cosigned, the chain of lines."""

    size: int = 0
    frontier: tuple[bytes, ...] = ()
    signed: int = 0
    witnessed: int = 0
    checkpoints: int = 0
    chain: bytes = b""
    ended: bool = False
    elsewhere: Mapping[int, CheckpointBody] = field(default_factory=dict)


def head_line(origin: str) -> bytes:
    """The first line of a bundle."""
    return _line({"format": BUNDLE_FORMAT, "origin": origin})


def entry_line(sequence: int, *, entry: bytes, leaf: bytes, salt: bytes, detail: Mapping[str, Any]) -> bytes:
    """One event with what shows that its detail belongs to it."""
    value = {"sequence": sequence, "entry": entry.decode(), "leaf": leaf.hex(), "salt": salt.hex(), "detail": detail}
    return _line(value)


def checkpoint_line(note: Note) -> bytes:
    """A checkpoint with its signatures; it stands behind the last entry it covers."""
    written = note.written()
    return _line({"checkpoint": written, "sha256": sha256(written.encode()).hexdigest()})


def end_line(entries: int, chain: bytes) -> bytes:
    """The last line: how many entries, and the chain over every line before."""
    return _line({"entries": entries, "chain": chain.hex()})


def chained(chain: bytes, line: bytes) -> bytes:
    """The chain over the lines so far and this one."""
    return sha256(chain + line).digest()


def begun(first: bytes, trust: Trust) -> Reading:
    """The reading after the head; raises BadBundleError."""
    if first != head_line(trust.log.name):
        raise BadBundleError(0, "the head is not that of a bundle of this log")
    elsewhere: dict[int, CheckpointBody] = {}
    for note in trust.notes:
        body = _opened(note, trust)
        if body is None or elsewhere.setdefault(body.size, body) != body:
            raise BadBundleError(0, "a checkpoint from elsewhere is not one of this log's history")
    return Reading(chain=chained(b"", first), elsewhere=elsewhere)


def read_line(reading: Reading, line: bytes, trust: Trust) -> Reading:
    """The reading after one more line; raises BadBundleError naming the first bad entry."""
    value = _parsed(line, reading.size)
    if reading.ended:
        raise BadBundleError(reading.size, "something stands behind the end")
    if "checkpoint" in value:
        after = _after_checkpoint(reading, value, trust)
    elif "chain" in value:
        if line != end_line(reading.size, reading.chain):
            raise BadBundleError(
                reading.size, "the end does not match the lines before it: some are missing or changed"
            )
        after = replace(reading, ended=True)
    else:
        after = _after_entry(reading, value)
    return replace(after, chain=chained(reading.chain, line))


def ended(reading: Reading, trust: Trust) -> Verdict:
    """The verdict once all lines are read; raises BadBundleError where the bundle was cut short."""
    if not reading.ended:
        raise BadBundleError(reading.size, "the bundle was cut short")
    if any(size > reading.size for size in reading.elsewhere):
        raise BadBundleError(reading.size, "a checkpoint kept elsewhere signs more entries: the log was cut short")

    def told(whole: bool | None, reason: str) -> Verdict:
        return Verdict(whole, reading.size, reading.checkpoints, None, reason)

    if reading.signed < reading.size or not reading.checkpoints:
        return told(None, f"nothing vouches for the entries from {reading.signed} on")
    if trust.policy is None or trust.policy.quorum == NONE:
        return told(True, "every entry and checkpoint matches; no witness was asked for")
    if not reading.witnessed:
        return told(None, "no checkpoint in it has the quorum of witnesses: the log's key alone vouches for it")
    alone = reading.size - reading.witnessed
    return told(True, f"every entry and checkpoint matches; the last {alone} entries are not cosigned yet")


def verify_bundle(lines: Iterable[bytes], trust: Trust) -> Verdict:
    """Read a whole bundle, line by line with their newlines."""
    reading = Reading()
    try:
        source = iter(lines)
        reading = begun(next(source, b""), trust)
        for line in source:
            reading = read_line(reading, line, trust)
        return ended(reading, trust)
    except BadBundleError as bad:
        return Verdict(False, reading.size, reading.checkpoints, bad.entry, bad.reason)


def selected_event(sequence: int, *, entry: bytes, salt: bytes, detail: Mapping[str, Any], path: list[bytes]) -> Any:
    """One event of a selection, as JSON has it."""
    hashes = [encoded(value) for value in path]
    return {"sequence": sequence, "entry": entry.decode(), "salt": salt.hex(), "detail": detail, "path": hashes}


def selection(checkpoint: Note, events: list[Any]) -> bytes:
    """A choice of events, each with the proof that it stands under the checkpoint."""
    return _line({"format": SELECTION_FORMAT, "checkpoint": checkpoint.written(), "events": events})


def verify_selection(content: bytes, trust: Trust) -> Verdict:
    """Check every event of a selection by its own proof; what was left out of it cannot be told."""
    try:
        value = _parsed(content, 0)
        if value.get("format") != SELECTION_FORMAT or value.keys() != {"format", "checkpoint", "events"}:
            raise BadBundleError(0, "this is no selection of a log")
        note = _note(value["checkpoint"], 0)
        body = _opened(note, trust)
        if body is None:
            raise BadBundleError(0, "the checkpoint is not signed by the log's key")
        for event in value["events"]:
            _check_selected(event, body)
    except BadBundleError as bad:
        return Verdict(False, 0, 0, bad.entry, bad.reason)
    except (TypeError, AttributeError):
        return Verdict(False, 0, 0, 0, "this is no selection of a log")
    count = len(value["events"])
    if trust.policy is not None and not _witnessed(note, trust.policy):
        return Verdict(None, count, 1, None, "the checkpoint has not the quorum of witnesses")
    return Verdict(True, count, 1, None, "every event stands under the checkpoint")


def _check_selected(event: Any, body: CheckpointBody) -> None:
    number = event["sequence"] if isinstance(event, Mapping) and type(event.get("sequence")) is int else 0
    try:
        if event.keys() != (_ENTRY_KEYS - {"leaf"}) | {"path"}:
            raise EntryError("the event has other fields")
        leaf = leaf_hash(_checked_entry(event, number))
        verify_inclusion(leaf, number, size=body.size, root=body.root, proof=read_hashes(event["path"]))
    except (TranslogError, TypeError, AttributeError, KeyError) as error:
        raise BadBundleError(number, f"the event or its proof does not hold: {error}") from None


def _after_entry(reading: Reading, value: Mapping[str, Any]) -> Reading:
    number = reading.size
    if value.keys() != _ENTRY_KEYS:
        raise BadBundleError(number, "a line is no entry, checkpoint or end")
    if value["sequence"] != number or type(value["sequence"]) is not int:
        raise BadBundleError(number, "an entry is missing, doubled or out of its order")
    try:
        leaf = leaf_hash(_checked_entry(value, number))
    except (EntryError, TypeError, AttributeError, KeyError) as error:
        raise BadBundleError(number, f"the entry does not hold: {error}") from None
    if value["leaf"] != leaf.hex():
        raise BadBundleError(number, "the entry does not match its leaf hash")
    frontier = list(reading.frontier)
    push(frontier, number, leaf)
    after = replace(reading, size=number + 1, frontier=tuple(frontier))
    return _held_against_elsewhere(after)


def _checked_entry(value: Mapping[str, Any], number: int) -> bytes:
    """The bytes of the entry, once its detail belongs to it."""
    detail, salt = value["detail"], value["salt"]
    if not isinstance(detail, Mapping) or detail.keys() != set(DETAIL_FIELDS):
        raise EntryError("the detail has not the fields of an event")
    lines = str(value["entry"]).split("\n")
    if len(lines) != 6 or lines[0] != ENTRY_FORMAT:
        raise EntryError("it is not five lines of its format")
    try:
        hashed = detail_hash(detail, bytes.fromhex(salt))
    except ValueError:
        raise EntryError("the salt is not hex") from None
    expected = entry_text(number, lines[2], str(detail["event"]), hashed)
    if expected.decode() != value["entry"]:
        raise EntryError("the detail is not that of the entry", "ENTRY-002")
    return expected


def _after_checkpoint(reading: Reading, value: Mapping[str, Any], trust: Trust) -> Reading:
    note = _note(value["checkpoint"], reading.signed)
    if value != {"checkpoint": note.written(), "sha256": sha256(note.written().encode()).hexdigest()}:
        raise BadBundleError(reading.signed, f"the checkpoint behind entry {reading.size - 1} was changed")
    body = _opened(note, trust)
    if body is None:
        raise BadBundleError(reading.signed, f"the checkpoint behind entry {reading.size - 1} is not signed by the log")
    if body.size != reading.size or body.root != _root(reading):
        raise BadBundleError(
            reading.signed,
            f"the checkpoint of size {body.size} signs another log: an entry from {reading.signed} on was changed",
        )
    witnessed = trust.policy is not None and _witnessed(note, trust.policy)
    return replace(
        reading,
        signed=reading.size,
        witnessed=reading.size if witnessed else reading.witnessed,
        checkpoints=reading.checkpoints + 1,
    )


def _held_against_elsewhere(reading: Reading) -> Reading:
    body = reading.elsewhere.get(reading.size)
    if body is not None and body.root != _root(reading):
        raise BadBundleError(
            reading.signed, f"a checkpoint kept elsewhere, of size {body.size}, signs another log: it was rewritten"
        )
    return reading


def _root(reading: Reading) -> bytes:
    return frontier_root(reading.frontier) if reading.frontier else EMPTY_ROOT


def _witnessed(note: Note, policy: Policy) -> bool:
    try:
        check_cosigned(note, policy)
    except TranslogError:
        return False
    return True


def _opened(note: Note, trust: Trust) -> CheckpointBody | None:
    witnesses = () if trust.policy is None else tuple(trust.policy.witnesses.values())
    for log in (trust.log, *trust.former):
        try:
            signed_by(note, [log, *witnesses])
            return body_of(note, log)
        except TranslogError:
            continue
    return None


def _note(written: Any, entry: int) -> Note:
    try:
        note = read_note(written) if isinstance(written, str) else None
    except TranslogError:
        note = None
    if note is None or note.written() != written:
        raise BadBundleError(entry, "a checkpoint cannot be read")
    return note


def _parsed(line: bytes, entry: int) -> dict[str, Any]:
    """The object of a line, which must be written canonically: no byte of it may be otherwise."""
    try:
        value = json.loads(line)
        if isinstance(value, dict) and _line(value) == line:
            return value
    except (ValueError, RecursionError, TypeError):
        pass
    raise BadBundleError(entry, "a line cannot be read, or is not written canonically")


def _line(value: Any) -> bytes:
    return canonical_json(value) + b"\n"
