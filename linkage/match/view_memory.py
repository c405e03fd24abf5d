"""What the matcher remembers of one view, so that a later run compares only what is new: at the hub.

The memory holds every distinct row once and every kept pair. Rosters that come and rosters that go change it; rows
that stayed are never compared with each other again. A run from nothing is the change from an empty memory, and
any way to the same rosters gives the same pairs and counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.grouping import (
    RosterRows,
    RowGroups,
    content_hashes,
    group_rows,
    provider_hashes,
    row_content,
)
from linkage.match.matcher import (
    Compared,
    TokenOrder,
    compared_pairs,
    patterns_to_keep,
    rarity_of,
    token_words,
    usual_rarity,
)
from linkage.match.pairs import ViewChange, ViewPairs
from linkage.match.patterns import PATTERNS
from linkage.rows import VIEW_ROW, Rows
from linkage.schema import LinkageSchema

_SIEVE_BITS = 20
_SIEVE_MASK = np.uint64((1 << _SIEVE_BITS) - 1)


@dataclass(frozen=True)
class ViewMemory:
    """Distinct rows of one view with provider, hash and size of their token's block; their members; the kept pairs.

    `keeps_all`: whether every compared pair was kept, as in a view of few pairs. Nothing is remembered of the
    resolver's side: sealed ids go to it once.
    """

    view: str
    rows: Rows
    provider: NDArray[np.int32]
    hashed: NDArray[np.uint64]
    size: NDArray[np.int64]
    member_group: NDArray[np.int64]
    member_submission: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    pattern: NDArray[np.int32]
    dropped: NDArray[np.int64]
    same_provider: NDArray[np.int64]
    keeps_all: bool


def empty_memory(view: str) -> ViewMemory:
    """What is remembered before the first run."""
    none, counts = np.empty(0, dtype=np.int64), np.zeros(PATTERNS, dtype=np.int64)
    return ViewMemory(
        view=view,
        rows=np.empty(0, dtype=VIEW_ROW),
        provider=np.empty(0, dtype=np.int32),
        hashed=np.empty(0, dtype=np.uint64),
        size=none,
        member_group=none,
        member_submission=none,
        left=none,
        right=none,
        pattern=np.empty(0, dtype=np.int32),
        dropped=counts,
        same_provider=counts,
        keeps_all=True,
    )


def renumbered(memory: ViewMemory, *, providers: NDArray[np.int32], submissions: NDArray[np.int64]) -> ViewMemory:
    """The same memory under other numbers: `providers[old]` and `submissions[old]` are the new ones."""
    return replace(
        memory,
        provider=providers[memory.provider],
        member_submission=submissions[memory.member_submission],
    )


def compare_change(
    memory: ViewMemory, *, added: Sequence[RosterRows], gone: Collection[int], schema: LinkageSchema
) -> tuple[ViewMemory, ViewChange]:
    """The memory after rosters came and submissions went, and what the resolver is told of it."""
    came = group_rows(added)
    change = _changed_groups(memory, came, gone=gone)
    new_rows = came.rows[change.is_new]
    new_rows["sealed_id"] = np.void(bytes(16))
    rows = np.concatenate([_chosen(memory.rows, change.stays), new_rows])
    provider = np.concatenate([_chosen(memory.provider, change.stays), came.provider[change.is_new]])
    size = _sizes(memory, came, change)
    pairs = int((size.sum() - len(size)) // 2)
    kept = patterns_to_keep(len(size), pairs=pairs)
    keeps_all = bool(kept.all())
    again = keeps_all != memory.keeps_all
    fresh = np.arange(len(rows)) >= (0 if again else int(change.stays.sum()))
    found = _compared_with(rows, provider, fresh=fresh, kept=kept, schema=schema)
    left_over = _left_over(memory, change, kept=kept, schema=schema, again=again)
    number, pair_stays = change.number, left_over.pair_stays
    renewed = ViewMemory(
        view=memory.view,
        rows=rows,
        provider=provider,
        hashed=np.concatenate([_chosen(memory.hashed, change.stays), content_hashes(new_rows)]),
        size=size,
        member_group=np.concatenate([number[memory.member_group[change.member_stays]], change.came_as]),
        member_submission=np.concatenate([memory.member_submission[change.member_stays], came.member_submission]),
        left=np.concatenate([number[memory.left[pair_stays]], found.sides[:, 0]]),
        right=np.concatenate([number[memory.right[pair_stays]], found.sides[:, 1]]),
        pattern=np.concatenate([memory.pattern[pair_stays], found.pattern]),
        dropped=left_over.dropped + found.dropped,
        same_provider=left_over.same_provider + found.same_provider,
        keeps_all=keeps_all,
    )
    return renewed, _told(renewed, came, change, found=found, pair_stays=pair_stays)


@dataclass(frozen=True)
class _ChangedGroups:
    """Which remembered groups and members stay, under which number; which of the groups that came are new."""

    member_stays: NDArray[np.bool_]
    stays: NDArray[np.bool_]
    number: NDArray[np.int64]
    is_new: NDArray[np.bool_]
    came_as: NDArray[np.int64]


@dataclass(frozen=True)
class _LeftOver:
    """What stays of the remembered pairs and counts."""

    pair_stays: NDArray[np.bool_]
    dropped: NDArray[np.int64]
    same_provider: NDArray[np.int64]


def _changed_groups(memory: ViewMemory, came: RowGroups, *, gone: Collection[int]) -> _ChangedGroups:
    member_stays = ~np.isin(memory.member_submission, np.fromiter(gone, dtype=np.int64, count=len(gone)))
    stays = np.zeros(len(memory.rows), dtype=np.bool_)
    stays[memory.member_group[member_stays]] = True
    known = _known_groups(memory, came)
    stays[known[known >= 0]] = True
    number = np.where(stays, np.cumsum(stays) - 1, -1)
    is_new = known < 0
    numbered = np.where(is_new, int(stays.sum()) + np.cumsum(is_new) - 1, number[known] if len(number) else -1)
    return _ChangedGroups(member_stays, stays, number, is_new, numbered[came.member_group])


def _known_groups(memory: ViewMemory, came: RowGroups) -> NDArray[np.int64]:
    """For every group that came the remembered group of equal content and provider, or -1."""
    known = np.full(len(came.rows), -1, dtype=np.int64)
    arrived = provider_hashes(content_hashes(came.rows), provider=came.provider)
    remembered = provider_hashes(memory.hashed, provider=memory.provider)
    order = np.argsort(arrived, kind="stable")
    found = _places_among(remembered, arrived[order])
    group, place = found.at, order[found.place]
    same = (row_content(memory.rows[group]) == row_content(came.rows[place])).all(axis=1)
    same &= memory.provider[group] == came.provider[place]
    known[place[same]] = group[same]
    return known


def _sizes(memory: ViewMemory, came: RowGroups, change: _ChangedGroups) -> NDArray[np.int64]:
    """By group after the change: how many groups share its token."""
    old, new = token_words(memory.rows)[:, 0], token_words(came.rows[change.is_new])[:, 0]
    touched, of_new = np.unique(np.concatenate([new, old[~change.stays]]), return_inverse=True)
    if not len(touched):
        return _chosen(memory.size, change.stays)
    hit = _places_among(old, touched)
    stays = change.stays[hit.at]
    at, place = hit.at[stays], hit.place[stays]
    count = np.bincount(place, minlength=len(touched)) + np.bincount(of_new[: len(new)], minlength=len(touched))
    size = memory.size.copy()
    size[at] = count[place]
    return np.concatenate([_chosen(size, change.stays), count[of_new[: len(new)]]])


def _left_over(
    memory: ViewMemory, change: _ChangedGroups, *, kept: NDArray[np.bool_], schema: LinkageSchema, again: bool
) -> _LeftOver:
    if again:
        nothing = np.zeros(PATTERNS, dtype=np.int64)
        return _LeftOver(np.zeros(len(memory.left), dtype=np.bool_), nothing, nothing)
    lost = _compared_with(memory.rows, memory.provider, fresh=~change.stays, kept=kept, schema=schema)
    return _LeftOver(
        change.stays[memory.left] & change.stays[memory.right],
        memory.dropped - lost.dropped,
        memory.same_provider - lost.same_provider,
    )


def _compared_with(
    rows: Rows, provider: NDArray[np.int32], *, fresh: NDArray[np.bool_], kept: NDArray[np.bool_], schema: LinkageSchema
) -> Compared:
    """The pairs of which at least one side is fresh; sides are numbers of rows, not places."""
    words = token_words(rows)[:, 0]
    touched = np.unique(words[fresh])
    if not len(touched):
        nothing = np.zeros(PATTERNS, dtype=np.int64)
        return Compared(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int32), nothing, nothing)
    beside = _places_among(words, touched).at
    chosen = np.concatenate([np.flatnonzero(fresh), beside[~fresh[beside]]])
    ordered = TokenOrder(token_words(rows[chosen]))
    # Fresh rows come first inside a token, and the others are compared with nobody after them.
    ordered.ends = np.where(fresh[chosen][ordered.order], ordered.ends, np.arange(1, len(chosen) + 1))
    compared = compared_pairs(rows[chosen], provider[chosen], ordered=ordered, cuts=schema.similarity_cuts, kept=kept)
    return replace(compared, sides=chosen[ordered.order[compared.sides]])


def _chosen(values: Rows, stays: NDArray[np.bool_]) -> Rows:
    """The values that stay; not copied where all do."""
    return values if stays.all() else values[stays]


def _told(
    memory: ViewMemory, came: RowGroups, change: _ChangedGroups, *, found: Compared, pair_stays: NDArray[np.bool_]
) -> ViewChange:
    return ViewChange(
        group_stays=change.stays,
        pair_stays=pair_stays,
        pairs=ViewPairs(
            view=memory.view,
            groups=len(memory.rows),
            usual_rarity=usual_rarity(memory.size),
            member_group=change.came_as,
            member_submission=came.member_submission,
            member_sealed_id=came.member_sealed_id,
            left=found.sides[:, 0],
            right=found.sides[:, 1],
            pattern=found.pattern,
            rarity=rarity_of(memory.size)[memory.left],
            dropped=memory.dropped,
            same_provider=memory.same_provider,
        ),
    )


@dataclass(frozen=True)
class _Places:
    """Where values stand in a list: `at` among the values, `place` in the list."""

    at: NDArray[np.int64]
    place: NDArray[np.int64]


def _places_among(values: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> _Places:
    """The values that a short sorted list holds; both are of random bits, so that a table of some bits sifts first."""
    sieve = np.zeros(1 << _SIEVE_BITS, dtype=np.bool_)
    sieve[(wanted & _SIEVE_MASK).astype(np.int64)] = True
    at = np.flatnonzero(sieve[(values & _SIEVE_MASK).astype(np.int64)])
    place = np.minimum(np.searchsorted(wanted, values[at]), max(0, len(wanted) - 1))
    held = wanted[place] == values[at] if len(wanted) else np.zeros(0, dtype=np.bool_)
    return _Places(at[held], place[held])
