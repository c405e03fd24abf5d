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
from linkage.match.grouping import RosterRows, group_rows, order_of, row_words
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
    ordered = TokenOrder(token_words(groups.every)[groups.first])
    kept = patterns_to_keep(len(groups.first), pairs=ordered.pairs)
    compared = compared_pairs(
        groups.every,
        groups.provider[groups.member_group],
        ordered=ordered,
        cuts=schema.similarity_cuts,
        kept=kept,
        at=groups.first,
    )
    return ViewPairs(
        view=view,
        groups=len(groups.first),
        usual_rarity=usual_rarity(ordered.sizes),
        member_group=groups.member_group,
        member_submission=groups.member_submission,
        member_sealed_id=groups.member_sealed_id,
        left=ordered.order[compared.sides[:, 0]],
        right=ordered.order[compared.sides[:, 1]],
        pattern=compared.pattern,
        rarity=rarity_of(ordered.sizes)[compared.sides[:, 0]],
        dropped=compared.dropped,
        same_provider=compared.same_provider,
    )


@dataclass(frozen=True)
class Compared:
    """Places in token order of both sides of every kept pair, their patterns, and counts of what was not kept."""

    sides: NDArray[np.int64]
    pattern: NDArray[np.int32]
    dropped: NDArray[np.int64]
    same_provider: NDArray[np.int64]


class TokenOrder:
    """Groups sorted by token, in the order given inside a token; `ends` is where a row's token block ends."""

    def __init__(self, tokens: NDArray[np.uint64]) -> None:
        from linkage.match.row_kernel import block_ends

        self.order = order_of(np.ascontiguousarray(tokens[:, 0]))
        self.starts, self.ends = np.empty(len(tokens), dtype=np.int64), np.empty(len(tokens), dtype=np.int64)
        block_ends(tokens[self.order, 0], self.starts, self.ends)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many groups share the token of each, in token order."""
        sizes: NDArray[np.int64] = self.ends - self.starts
        return sizes

    @property
    def pairs(self) -> int:
        """How many pairs share a token."""
        return int((self.ends - np.arange(len(self.ends)) - 1).sum())


def token_words(rows: Rows) -> NDArray[np.uint64]:
    """(n, 2) words of the tokens of rows."""
    return np.ascontiguousarray(rows["token"]).view("<u8").reshape(-1, 2)


def compared_pairs(
    rows: Rows,
    provider: NDArray[np.int32],
    *,
    ordered: TokenOrder,
    cuts: tuple[int, ...],
    kept: NDArray[np.bool_],
    at: NDArray[np.int64] | None = None,
) -> Compared:
    """Every pair inside a token: which are kept, with what pattern, and counts of the rest.

    Args:
        provider: of every row.
        at: where among the rows those of `ordered` stand; by default all, in their order.
    """
    from linkage.match.kernel import compare_rows

    words, order = row_words(rows), ordered.order if at is None else at[ordered.order]
    dropped, same_provider = np.zeros(PATTERNS, dtype=np.int64), np.zeros(PATTERNS, dtype=np.int64)
    levels = np.array(cuts, dtype=np.int64)
    found: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []
    for first, last, capacity in _chunks(ordered):
        pairs = np.empty((capacity, 2), dtype=np.int64)
        patterns = np.empty(capacity, dtype=np.int32)
        count = compare_rows(
            first,
            last,
            order,
            ordered.ends,
            words,
            provider,
            levels,
            kept,
            dropped,
            same_provider,
            pairs,
            patterns,
        )
        found.append((pairs[:count].copy(), patterns[:count].copy()))
    return Compared(
        sides=np.concatenate([pairs for pairs, _ in found] or [np.empty((0, 2), dtype=np.int64)]),
        pattern=np.concatenate([patterns for _, patterns in found] or [np.empty(0, dtype=np.int32)]),
        dropped=dropped,
        same_provider=same_provider,
    )


def patterns_to_keep(rows: int, *, pairs: int) -> NDArray[np.bool_]:
    """Where a view has few pairs all are kept, since among few records weaker evidence can make a link."""
    return np.ones(PATTERNS, dtype=np.bool_) if pairs <= _FEW_PAIRS_A_ROW * rows else kept_patterns()


def _chunks(ordered: TokenOrder) -> list[tuple[int, int, int]]:
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


def rarity_of(sizes: NDArray[np.int64], *, groups: int | None = None) -> NDArray[np.uint8]:
    """Twice the binary logarithm of how rare the view value of each group is, by how many groups share it.

    `groups` counts all groups of the view where `sizes` are of some of them.
    """
    share = sizes / max(1, len(sizes) if groups is None else groups)
    return np.round(-2 * np.log2(np.maximum(share, 2.0**-120))).astype(np.uint8)


def usual_rarity(sizes: NDArray[np.int64]) -> float:
    """The binary logarithm of the chance that two groups share a value, turned positive."""
    return rarity_of_sharing(int(sizes.sum()), groups=len(sizes))


def rarity_of_sharing(shared: int, *, groups: int) -> float:
    """`usual_rarity` from the sum of the block sizes of all groups."""
    return -math.log2(float(shared) / groups**2) if groups else 0.0


def _weights(filters: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bitwise_count(filters).sum(axis=1, dtype=np.int64)
    return counts
