"""Rows of one provider that are equal but for their sealed id, seen as one: at the hub, in the matcher.

A child of ten school years is then compared once, and a new year of the same roster adds next to nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.rows import VIEW_ROW, Rows

_SEALED_ID_BYTES = 16
_SEALED_ID_WORDS = _SEALED_ID_BYTES // 4
_ROW_WORDS = VIEW_ROW.itemsize // 4
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
    """Distinct rows over all rosters, those of one provider together, and the members of each.

    `every`: all rows, end to end, and `first` the place there of each group's first row.
    """

    every: Rows
    first: NDArray[np.int64]
    provider: NDArray[np.int32]
    member_group: NDArray[np.int64]
    member_submission: NDArray[np.int64]
    member_sealed_id: NDArray[np.void]

    @functools.cached_property
    def rows(self) -> Rows:
        """The first row of every group."""
        return self.every if len(self.first) == len(self.every) else _rows_of(row_words(self.every)[self.first])


def group_rows(rosters: Sequence[RosterRows]) -> RowGroups:
    """Groups in order of provider; a group's members stand in the order of the rosters, sorted by submission."""
    ordered = sorted(rosters, key=lambda roster: (roster.provider, roster.submission))
    words = np.concatenate([np.empty((0, _ROW_WORDS), dtype="<u4"), *(row_words(roster.rows) for roster in ordered)])
    lengths = [len(roster.rows) for roster in ordered]
    provider = np.concatenate([_owners(roster) for roster in ordered] or [np.empty(0, dtype=np.int32)])
    submission = np.repeat(np.array([roster.submission for roster in ordered], dtype=np.int64), lengths)
    group, first = _groups(_rows_of(words), provider=provider)
    return RowGroups(
        every=_rows_of(words),
        first=first,
        provider=provider[first],
        member_group=group,
        member_submission=submission,
        member_sealed_id=np.ascontiguousarray(words[:, :_SEALED_ID_WORDS]).view("V16").reshape(-1),
    )


def _rows_of(words: NDArray[np.uint32]) -> Rows:
    """Rows from their words; copied as words, since numpy copies structured rows field by field."""
    return words.view(VIEW_ROW).reshape(-1)


def _owners(roster: RosterRows) -> NDArray[np.int32]:
    return np.full(len(roster.rows), roster.provider, dtype=np.int32) if roster.owners is None else roster.owners


def content_hashes(rows: Rows) -> NDArray[np.uint64]:
    """A hash of every row without its sealed id; equal rows have equal hashes, and unequal ones nearly never."""
    from linkage.match.row_kernel import hash_rows

    hashed = np.empty(len(rows), dtype=np.uint64)
    hash_rows(row_words(rows), _MULTIPLIERS, hashed)
    return hashed


def provider_hashes(hashed: NDArray[np.uint64], *, provider: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Hashes of rows told apart by provider."""
    told_apart: NDArray[np.uint64] = hashed + provider.astype(np.uint64) * _MULTIPLIERS[0]
    return told_apart


def row_content(rows: Rows) -> NDArray[np.uint64]:
    """(n, 13) words: all of each row but its sealed id."""
    words = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), VIEW_ROW.itemsize)[:, _SEALED_ID_BYTES:]
    return np.ascontiguousarray(words).view("<u8").reshape(len(rows), _CONTENT_WORDS)


def row_words(rows: Rows) -> NDArray[np.uint32]:
    """(n, 30): rows as 32-bit words."""
    return np.ascontiguousarray(rows).view("<u4").reshape(len(rows), _ROW_WORDS)


def order_of(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The order that sorts the values, ties in the order given; by far the fastest where values are spread out.

    Values and places are packed into one word and sorted as numbers; where values begin alike as far as they fit, the
    nearly sorted rest is sorted in full.
    """
    bits = np.uint64(max(1, len(values).bit_length()))
    places = (np.uint64(1) << bits) - np.uint64(1)
    packed = np.sort((values & ~places) | np.arange(len(values), dtype=np.uint64))
    order = (packed & places).astype(np.int64)
    ordered = values[order]
    if (ordered[1:] < ordered[:-1]).any():
        order = order[np.argsort(ordered, kind="stable")]
    return order


def _groups(rows: Rows, *, provider: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The group of every row and the first row of every group, groups in order of their first row."""
    from linkage.match.row_kernel import first_equal_rows

    hashed = provider_hashes(content_hashes(rows), provider=provider)
    first = np.empty(len(rows), dtype=np.int64)
    first_equal_rows(row_words(rows), provider, hashed, order_of(hashed), first)
    heads = first == np.arange(len(rows))
    number = np.cumsum(heads) - 1
    return number[first], np.flatnonzero(heads)
