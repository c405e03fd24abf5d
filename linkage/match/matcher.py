"""The matcher: at the hub, holds view rows and compares them; it never sees a name, a key or who a row is of.

rows of a view -> groups of equal rows -> candidate pairs inside a token, across providers -> patterns
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError
from linkage.match.grouping import RosterRows, RowGroups, group_rows
from linkage.match.pairs import ViewPairs
from linkage.match.patterns import PATTERNS, kept_patterns
from linkage.rows import (
    FLAG_GIVEN_ABSENT,
    FLAG_SURNAME_ABSENT,
    KNOWN_FLAGS,
    KNOWN_VARIANTS,
    Rows,
)
from linkage.schema import LinkageSchema

__all__ = ["RosterRows", "check_rows", "compare_view"]

_PAIRS_AT_ONCE = 4_000_000
_FEW_PAIRS_A_ROW = 4
_PREPARE_AGAIN = "prepare the submission again with an unchanged release of this program"


def check_rows(rows: Rows, *, schema: LinkageSchema, view: str) -> None:
    """Raises LinkageError `wrong_view`, `bad_flags`, `bad_variant`, `bad_weight`, `bad_spare` or `row_repeated`."""
    place = f"view {view}"
    absent_given = (rows["flags"] & FLAG_GIVEN_ABSENT) != 0
    absent_surname = (rows["flags"] & FLAG_SURNAME_ABSENT) != 0
    checks = (
        ("wrong_view", rows["view"] != schema.view(view).number),
        ("bad_flags", (rows["flags"] & ~np.uint16(KNOWN_FLAGS)) != 0),
        ("bad_variant", (rows["variant"] & ~np.uint8(KNOWN_VARIANTS)) != 0),
        ("bad_weight", _weights(rows["given"]) != np.where(absent_given, 0, schema.filter_weight)),
        ("bad_weight", _weights(rows["surname"]) != np.where(absent_surname, 0, schema.filter_weight)),
        ("bad_spare", rows["spare"] != 0),
    )
    for code, wrong in checks:
        if wrong.any():
            raise LinkageError(code, f"{place}, row {int(np.argmax(wrong))}", next_step=_PREPARE_AGAIN)
    if len(np.unique(rows["sealed_id"])) < len(rows):
        raise LinkageError("row_repeated", place, next_step=_PREPARE_AGAIN)


def compare_view(rosters: Sequence[RosterRows], *, schema: LinkageSchema, view: str) -> ViewPairs:
    """Groups and pairs of one view over all rosters; the same whatever the order of rosters and rows."""
    schema.view(view)
    groups = group_rows(rosters)
    ordered = _ordered_by_token(groups)
    compared = _compared(groups, ordered=ordered, cuts=schema.similarity_cuts)
    return ViewPairs(
        view=view,
        groups=len(groups.rows),
        usual_rarity=_usual_rarity(ordered),
        member_group=groups.member_group,
        member_submission=groups.member_submission,
        member_sealed_id=groups.member_sealed_id,
        left=ordered.order[compared.sides[:, 0]],
        right=ordered.order[compared.sides[:, 1]],
        pattern=compared.pattern,
        rarity=_rarity(ordered)[compared.sides[:, 0]],
        dropped=compared.dropped,
        same_provider=compared.same_provider,
    )


@dataclass(frozen=True)
class _Compared:
    """Places in token order of both sides of every kept pair, their patterns, and counts of what was not kept."""

    sides: NDArray[np.int64]
    pattern: NDArray[np.int32]
    dropped: NDArray[np.int64]
    same_provider: NDArray[np.int64]


class _TokenOrder:
    """Groups sorted by token, providers together inside a token; `ends` is where a row's token block ends."""

    def __init__(self, tokens: NDArray[np.uint64]) -> None:
        index_bits = np.uint64(max(1, len(tokens).bit_length()))
        index_mask = (np.uint64(1) << index_bits) - np.uint64(1)
        keys = np.sort((tokens[:, 0] & ~index_mask) | np.arange(len(tokens), dtype=np.uint64))
        prefixes = keys >> index_bits
        self.order = (keys & index_mask).astype(np.int64)
        self.starts = np.searchsorted(prefixes, prefixes, side="left")
        self.ends = np.searchsorted(prefixes, prefixes, side="right").astype(np.int64)


def _ordered_by_token(groups: RowGroups) -> _TokenOrder:
    return _TokenOrder(_tokens(groups.rows))


def _tokens(rows: Rows) -> NDArray[np.uint64]:
    return np.ascontiguousarray(rows["token"]).view("<u8").reshape(-1, 2)


def _compared(groups: RowGroups, *, ordered: _TokenOrder, cuts: tuple[int, ...]) -> _Compared:
    from linkage.match.kernel import compare_rows

    rows = groups.rows[ordered.order]
    tokens = _tokens(rows)
    names = np.concatenate([rows["given"], rows["surname"]], axis=1)
    tags = np.ascontiguousarray(rows["tags"])
    flags, variant = rows["flags"].astype(np.uint8), np.ascontiguousarray(rows["variant"])
    provider = groups.provider[ordered.order]
    dropped, same_provider = np.zeros(PATTERNS, dtype=np.int64), np.zeros(PATTERNS, dtype=np.int64)
    kept, levels = _kept(ordered), np.array(cuts, dtype=np.int64)
    found: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []
    for first, last, capacity in _chunks(ordered):
        pairs = np.empty((capacity, 2), dtype=np.int64)
        patterns = np.empty(capacity, dtype=np.int32)
        count = compare_rows(
            first,
            last,
            ordered.ends,
            tokens,
            provider,
            names,
            tags,
            flags,
            variant,
            levels,
            kept,
            dropped,
            same_provider,
            pairs,
            patterns,
        )
        found.append((pairs[:count].copy(), patterns[:count].copy()))
    return _Compared(
        sides=np.concatenate([pairs for pairs, _ in found] or [np.empty((0, 2), dtype=np.int64)]),
        pattern=np.concatenate([patterns for _, patterns in found] or [np.empty(0, dtype=np.int32)]),
        dropped=dropped,
        same_provider=same_provider,
    )


def _kept(ordered: _TokenOrder) -> NDArray[np.bool_]:
    """Where a view has few pairs all are kept, since among few records weaker evidence can make a link."""
    pairs = (ordered.ends - np.arange(len(ordered.ends)) - 1).sum()
    few = bool(pairs <= _FEW_PAIRS_A_ROW * len(ordered.ends))
    return np.ones(PATTERNS, dtype=np.bool_) if few else kept_patterns()


def _chunks(ordered: _TokenOrder) -> list[tuple[int, int, int]]:
    """(first row, last row, most pairs they can give): few enough pairs at once for a bounded memory."""
    following = ordered.ends - np.arange(len(ordered.ends)) - 1
    total = np.cumsum(following)
    chunks: list[tuple[int, int, int]] = []
    first, before = 0, 0
    while first < len(total):
        last = max(first + 1, int(np.searchsorted(total, before + _PAIRS_AT_ONCE, side="right")))
        chunks.append((first, last, int(total[last - 1]) - before))
        first, before = last, int(total[last - 1])
    return chunks


def _rarity(ordered: _TokenOrder) -> NDArray[np.uint8]:
    """Twice the binary logarithm of how rare the view value of each group is."""
    share = (ordered.ends - ordered.starts) / max(1, len(ordered.ends))
    return np.round(-2 * np.log2(np.maximum(share, 2.0**-120))).astype(np.uint8)


def _usual_rarity(ordered: _TokenOrder) -> float:
    sizes = ordered.ends - ordered.starts
    return -math.log2(float(sizes.sum()) / len(sizes) ** 2) if len(sizes) else 0.0


def _weights(filters: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bitwise_count(filters).sum(axis=1, dtype=np.int64)
    return counts
