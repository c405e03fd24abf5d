"""Row ids opened and pairs of rows turned into pairs of records: at the hub, in the resolver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError
from linkage.match.pairs import ViewPairs
from linkage.match.spans import Records, RosterSpans
from linkage.sealed_ids import open_records

_TABLE_FOR_EACH = 4
"""A table of places may have so many entries for each record number."""


@dataclass(frozen=True)
class RecordPairs:
    """Row pairs of one view between records, left before right; a record pair comes once for each pair of its rows."""

    view: str
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    pattern: NDArray[np.int32]
    rarity: NDArray[np.uint8]
    dropped: NDArray[np.int64]
    same_provider: NDArray[np.int64]
    rows_a_record: float
    usual_rarity: float


def record_pairs(pairs: ViewPairs, *, records: Records, rosters: Sequence[RosterSpans]) -> RecordPairs:
    """The pairs of one view between records. Raises LinkageError `row_without_span` or `unknown_submission`."""
    member_record = opened_members(pairs, records=records, rosters=rosters)
    count = max(1, len(records.provider))
    keys = np.sort(pairs.member_group * count + member_record)
    links = keys[np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]]
    record = links % count
    sizes = np.bincount(links // count, minlength=pairs.groups)
    starts = np.cumsum(sizes) - sizes
    left_size, right_size = sizes[pairs.left], sizes[pairs.right]
    source = np.repeat(np.arange(len(pairs.left)), left_size * right_size)
    place = np.arange(len(source)) - np.repeat(
        np.cumsum(left_size * right_size) - left_size * right_size, left_size * right_size
    )
    one = record[starts[pairs.left[source]] + place // right_size[source]]
    other = record[starts[pairs.right[source]] + place % right_size[source]]
    with_rows = int(np.count_nonzero(np.bincount(record, minlength=count)))
    return RecordPairs(
        view=pairs.view,
        left=np.minimum(one, other),
        right=np.maximum(one, other),
        pattern=pairs.pattern[source],
        rarity=pairs.rarity[source],
        dropped=pairs.dropped,
        same_provider=pairs.same_provider,
        rows_a_record=max(1.0, len(links) / max(1, with_rows)),
        usual_rarity=pairs.usual_rarity,
    )


def opened_members(pairs: ViewPairs, *, records: Records, rosters: Sequence[RosterSpans]) -> NDArray[np.int64]:
    """The record behind every member's sealed id. Raises LinkageError `row_without_span` or `unknown_submission`."""
    keys = {roster.submission: roster.submission_key for roster in rosters}
    opened = np.empty(len(pairs.member_submission), dtype=np.int64)
    sealed = np.ascontiguousarray(pairs.member_sealed_id).view(np.uint8).reshape(-1, 16)
    order = np.argsort(pairs.member_submission, kind="stable")
    submissions, sizes = np.unique(pairs.member_submission, return_counts=True)
    ends = np.cumsum(sizes)
    for submission, size, end in zip(submissions.tolist(), sizes, ends, strict=True):
        members = order[end - size : end]
        if submission not in keys:
            raise LinkageError(
                "unknown_submission",
                f"submission {submission}",
                next_step="resolve with the spans of every compared submission",
            )
        numbers, record = records.numbers[submission]
        found = open_records(sealed[members], key=keys[submission])
        place = _places(found, numbers=numbers)
        if not len(numbers) or (numbers[place] != found).any():
            raise LinkageError(
                "row_without_span",
                f"submission {submission}",
                next_step="prepare the submission again: its rows and spans do not belong together",
            )
        opened[members] = record[place]
    return opened


def _places(found: NDArray[np.uint64], *, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where record numbers stand among sorted ones, any place for a number that does not; dense numbers by a table."""
    highest = int(numbers[-1]) if len(numbers) else 0
    if highest > _TABLE_FOR_EACH * len(numbers):
        return np.minimum(np.searchsorted(numbers, found), max(0, len(numbers) - 1))
    table = np.zeros(highest + 1, dtype=np.int64)
    table[numbers.astype(np.int64)] = np.arange(len(numbers))
    places: NDArray[np.int64] = table[np.minimum(found, np.uint64(highest)).astype(np.int64)]
    return places
