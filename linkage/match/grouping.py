"""Rows of one provider that are equal but for their sealed id, seen as one: at the hub, in the matcher.

A child of ten school years is then compared once, and a new year of the same roster adds next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.rows import VIEW_ROW, Rows

_SEALED_ID_BYTES = 16
_CONTENT_WORDS = (VIEW_ROW.itemsize - _SEALED_ID_BYTES) // 8
_MULTIPLIERS = np.random.Generator(np.random.Philox(0)).integers(
    1, 2**63, size=_CONTENT_WORDS, dtype=np.uint64
) | np.uint64(1)


@dataclass(frozen=True)
class RosterRows:
    """The rows of one view of one submission; numbers are the caller's.

    Rows are compared across providers. `owners` stands for the provider row by row where records inside one roster
    may be one person: the number of each row's record (`resolver.resolve_with_duplicates`).
    """

    submission: int
    provider: int
    rows: Rows
    owners: NDArray[np.int32] | None = None


@dataclass(frozen=True)
class RowGroups:
    """Distinct rows over all rosters, those of one provider together, and the members of each."""

    rows: Rows
    provider: NDArray[np.int32]
    member_group: NDArray[np.int64]
    member_submission: NDArray[np.int64]
    member_sealed_id: NDArray[np.void]


def group_rows(rosters: Sequence[RosterRows]) -> RowGroups:
    """Groups in order of provider; a group's members stand in the order of the rosters, sorted by submission."""
    ordered = sorted(rosters, key=lambda roster: (roster.provider, roster.submission))
    rows = np.concatenate([roster.rows for roster in ordered]) if ordered else np.empty(0, dtype=VIEW_ROW)
    lengths = [len(roster.rows) for roster in ordered]
    provider = np.concatenate([_owners(roster) for roster in ordered] or [np.empty(0, dtype=np.int32)])
    submission = np.repeat(np.array([roster.submission for roster in ordered], dtype=np.int64), lengths)
    group, first = _groups(rows, provider=provider)
    return RowGroups(
        rows=rows[first],
        provider=provider[first],
        member_group=group,
        member_submission=submission,
        member_sealed_id=np.ascontiguousarray(rows["sealed_id"]),
    )


def _owners(roster: RosterRows) -> NDArray[np.int32]:
    return np.full(len(roster.rows), roster.provider, dtype=np.int32) if roster.owners is None else roster.owners


def content_hashes(rows: Rows) -> NDArray[np.uint64]:
    """A hash of every row without its sealed id; equal rows have equal hashes, and unequal ones nearly never."""
    hashed: NDArray[np.uint64] = (row_content(rows) * _MULTIPLIERS).sum(axis=1, dtype=np.uint64)
    return hashed


def provider_hashes(hashed: NDArray[np.uint64], *, provider: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Hashes of rows told apart by provider."""
    told_apart: NDArray[np.uint64] = hashed + provider.astype(np.uint64) * _MULTIPLIERS[0]
    return told_apart


def row_content(rows: Rows) -> NDArray[np.uint64]:
    """(n, 13) words: all of each row but its sealed id."""
    words = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), VIEW_ROW.itemsize)[:, _SEALED_ID_BYTES:]
    return np.ascontiguousarray(words).view("<u8").reshape(len(rows), _CONTENT_WORDS)


def _groups(rows: Rows, *, provider: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The group of every row and the first row of every group, groups in order of their first row."""
    if not len(rows):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    content = row_content(rows)
    hashed = provider_hashes(content_hashes(rows), provider=provider)
    order = np.argsort(hashed, kind="stable")
    near = content[order]
    differs = (near[1:] != near[:-1]).any(axis=1) | (provider[order][1:] != provider[order][:-1])
    starts = np.concatenate([[True], differs])
    group_sorted = np.cumsum(starts) - 1
    first_of_group = order[starts]
    rank = np.empty(len(first_of_group), dtype=np.int64)
    rank[np.argsort(first_of_group, kind="stable")] = np.arange(len(first_of_group))
    group = np.empty(len(rows), dtype=np.int64)
    group[order] = rank[group_sorted]
    return group, np.sort(first_of_group)
