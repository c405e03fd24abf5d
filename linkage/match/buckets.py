"""One view compared bucket by bucket, on as many machines as there are: at the hub, the matcher's work on Spark.

Rows are dealt into buckets by the beginning of their token, so that every pair falls into one bucket. What comes out
of all buckets together is, array for array, what `matcher.compare_view` gives over the whole view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.match.grouping import RosterRows, group_rows
from linkage.match.matcher import TokenOrder, compared_pairs, rarity_of, rarity_of_sharing, token_words
from linkage.match.pairs import ViewPairs
from linkage.match.patterns import PATTERNS
from linkage.rows import Rows

BUCKET_BITS_MAX = 16


@dataclass(frozen=True)
class BucketPairs:
    """What one bucket gives. Rows are known by their numbers over the whole view, a group by its first row.

    `repeat`, `repeated`: rows that are equal to an earlier one, and that one; `left`, `right`, `pattern`, `size`: kept
    pairs in order, and how many groups share their token; `dropped`, `same_provider`: counts by pattern number;
    `groups`, `pairs`, `shared`: groups, pairs inside tokens, and the sum of the block sizes of all groups.
    """

    repeat: NDArray[np.int64]
    repeated: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    pattern: NDArray[np.int32]
    size: NDArray[np.int64]
    dropped: NDArray[np.int64]
    same_provider: NDArray[np.int64]
    groups: int
    pairs: int
    shared: int


def bucket_numbers(rows: Rows, *, bits: int) -> NDArray[np.int32]:
    """The bucket of every row among 2 ** bits, in the order of tokens."""
    numbers: NDArray[np.int32] = (token_words(rows)[:, 0] >> np.uint64(64 - bits)).astype(np.int32)
    return numbers


def compare_bucket(
    numbers: NDArray[np.int64],
    provider: NDArray[np.int32],
    *,
    rows: Rows,
    cuts: tuple[int, ...],
    kept: NDArray[np.bool_],
) -> BucketPairs:
    """The rows of one bucket compared; they may come in any order."""
    order = np.argsort(numbers)
    of_view = numbers[order]
    groups = group_rows([RosterRows(0, 0, rows[order], provider[order])])
    _, first = np.unique(groups.member_group, return_index=True)
    head = of_view[first]
    is_repeat = np.ones(len(of_view), dtype=np.bool_)
    is_repeat[first] = False
    ordered = TokenOrder(token_words(groups.rows))
    compared = compared_pairs(groups.rows, groups.provider, ordered=ordered, cuts=cuts, kept=kept)
    return BucketPairs(
        repeat=of_view[is_repeat],
        repeated=head[groups.member_group[is_repeat]],
        left=head[ordered.order[compared.sides[:, 0]]],
        right=head[ordered.order[compared.sides[:, 1]]],
        pattern=compared.pattern,
        size=ordered.sizes[compared.sides[:, 0]],
        dropped=compared.dropped,
        same_provider=compared.same_provider,
        groups=len(head),
        pairs=ordered.pairs,
        shared=int(ordered.sizes.sum()),
    )


def pairs_of_buckets(
    buckets: Sequence[BucketPairs], *, view: str, submission: NDArray[np.int64], sealed_id: NDArray[np.void]
) -> ViewPairs:
    """The pairs of the whole view from its buckets in their order; submission and sealed id of every row by number."""
    head = np.arange(len(submission))
    for bucket in buckets:
        head[bucket.repeat] = bucket.repeated
    heads, group = np.unique(head, return_inverse=True)
    total = sum(bucket.groups for bucket in buckets)
    return ViewPairs(
        view=view,
        groups=total,
        usual_rarity=rarity_of_sharing(sum(bucket.shared for bucket in buckets), groups=total),
        member_group=group.astype(np.int64),
        member_submission=submission,
        member_sealed_id=sealed_id,
        left=np.searchsorted(heads, _all([bucket.left for bucket in buckets])).astype(np.int64),
        right=np.searchsorted(heads, _all([bucket.right for bucket in buckets])).astype(np.int64),
        pattern=_all([bucket.pattern for bucket in buckets]).astype(np.int32),
        rarity=rarity_of(_all([bucket.size for bucket in buckets]), groups=total),
        dropped=sum((bucket.dropped for bucket in buckets), start=np.zeros(PATTERNS, dtype=np.int64)),
        same_provider=sum((bucket.same_provider for bucket in buckets), start=np.zeros(PATTERNS, dtype=np.int64)),
    )


def _all(parts: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    joined: NDArray[np.int64] = np.concatenate([np.empty(0, dtype=np.int64), *parts])
    return joined
