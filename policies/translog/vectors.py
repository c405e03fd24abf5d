"""Runs published test vectors against this program's own code, so that anybody can see that it keeps the standards.

Known forms: cases of transparency-dev/merkle (inclusion and consistency proofs), the constants of RFC 6962 with
checkpoint, cosignature and tile examples, and lists of signed notes. A file is told by its fields.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from policies.translog import merkle
from policies.translog.checkpoint import read_body
from policies.translog.errors import TranslogError
from policies.translog.note import read_note, read_vkey, signed_by
from policies.translog.strict_base64 import decoded
from policies.translog.tiles import index_path, read_index, tiles_of

Check = Callable[[], bool]
Reader = Callable[[bytes], Mapping[str, Check]]


@dataclass(frozen=True)
class Outcome:
    """How many cases pass, which fail, and how many files hold none that is known."""

    passed: int
    failed: tuple[str, ...]
    skipped: int


def run_vectors(files: Iterable[tuple[str, bytes]], *, also: Reader = lambda content: {}) -> Outcome:
    """Run every case of these files (name, content); `also` reads the cases of further forms."""
    passed, failed, skipped = 0, [], 0
    for name, content in files:
        cases = {**cases_of(content), **also(content)}
        skipped += not cases
        for case, check in cases.items():
            if _holds(check):
                passed += 1
            else:
                failed.append(f"{name} {case}".rstrip())
    return Outcome(passed, tuple(failed), skipped)


def cases_of(content: bytes) -> Mapping[str, Check]:
    """The cases of one file by their names; none where its form is not known."""
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    if {"leafIdx", "treeSize", "wantErr"} <= value.keys():
        return {"": lambda: _refuses(lambda: _inclusion(value)) == bool(value["wantErr"])}
    if {"size1", "size2", "wantErr"} <= value.keys():
        return {"": lambda: _refuses(lambda: _consistency(value)) == bool(value["wantErr"])}
    if "hashes" in value and "checkpoint_example" in value:
        return _tlog(value)
    if "notes" in value:
        return {str(at): _note_case(note) for at, note in enumerate(value["notes"])}
    return {}


def _holds(check: Check) -> bool:
    try:
        return check()
    except (TranslogError, ValueError, KeyError, TypeError):
        return False


def _refuses(check: Callable[[], None]) -> bool:
    try:
        check()
    except TranslogError:
        return True
    return False


def _inclusion(case: Mapping[str, Any]) -> None:
    merkle.verify_inclusion(
        b64decode(case["leafHash"] or ""),
        case["leafIdx"],
        size=case["treeSize"],
        root=b64decode(case["root"] or ""),
        proof=[b64decode(value) for value in case["proof"] or []],
    )


def _consistency(case: Mapping[str, Any]) -> None:
    merkle.verify_consistency(
        case["size1"],
        case["size2"],
        old_root=b64decode(case["root1"] or ""),
        new_root=b64decode(case["root2"] or ""),
        proof=[b64decode(value) for value in case["proof"] or []],
    )


def _tlog(value: Mapping[str, Any]) -> Mapping[str, Check]:
    hashes = value["hashes"]
    cases: dict[str, Check] = {
        "empty root": lambda: merkle.EMPTY_ROOT.hex() == hashes["empty_root"],
        "empty leaf": lambda: merkle.leaf_hash(b"").hex() == hashes["empty_leaf"],
        "leaf L123456": lambda: merkle.leaf_hash(b"L123456").hex() == hashes["leaf_L123456"],
        "node N123 N456": lambda: merkle.node_hash(b"N123", b"N456").hex() == hashes["node_N123_N456"],
        "hello world": lambda: merkle.leaf_hash(b"hello world") == decoded(value["record_hash_hello_world_b64"]),
        "checkpoint": lambda: read_body(value["checkpoint_example"]).text() == value["checkpoint_example"],
        "cosigned note": lambda: _cosigned_at(value["cosigned_example_note"]) == value["cosig_timestamp"],
        "tile index": lambda: (
            index_path(value["tlog_tiles_index_example"]["index"]) == value["tlog_tiles_index_example"]["path"]
        ),
        "tile count": lambda: _counts(value["tile_count_example"]["size"]) == _expected(value["tile_count_example"]),
    }
    return cases | {path: _path_case(path) for path in value["tile_paths_ok"]}


def _path_case(path: str) -> Check:
    """The paths of Go's tlog carry the tile's height in front of its level; the index is written alike."""

    def check() -> bool:
        index = path.split("/", 3)[3].partition(".p/")[0]
        return index_path(read_index(index)) == index

    return check


def _cosigned_at(written: str) -> int:
    note = read_note(written)
    return int.from_bytes(note.signatures[-1].content[:8], "big")


def _counts(size: int) -> tuple[int, ...]:
    tiles = tiles_of(size)
    full = [sum(tile.level == level and tile.width == 256 for tile in tiles) for level in (0, 1)]
    partial = [sum(tile.width for tile in tiles if tile.level == level and tile.width < 256) for level in (0, 1, 2)]
    return (*full, *partial)


def _expected(example: Mapping[str, int]) -> tuple[int, ...]:
    full = [example[f"full_level{level}"] for level in (0, 1)]
    return (*full, *(example[f"partial_level{level}_width"] for level in (0, 1, 2)))


def _note_case(case: Mapping[str, Any]) -> Check:
    def check() -> bool:
        refused = _refuses(lambda: _open_note(case))
        return refused == bool(case["wantErr"])

    return check


def _open_note(case: Mapping[str, Any]) -> None:
    signed_by(read_note(case["note"]), [read_vkey(key) for key in case["keys"]])
