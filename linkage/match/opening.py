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
    links = np.unique(np.stack([pairs.member_group, member_record], axis=1), axis=0)
    starts = np.searchsorted(links[:, 0], np.arange(pairs.groups + 1))
    sizes = np.diff(starts)
    left_size, right_size = sizes[pairs.left], sizes[pairs.right]
    source = np.repeat(np.arange(len(pairs.left)), left_size * right_size)
    place = np.arange(len(source)) - np.repeat(
        np.cumsum(left_size * right_size) - left_size * right_size, left_size * right_size
    )
    one = links[starts[pairs.left[source]] + place // right_size[source], 1]
    other = links[starts[pairs.right[source]] + place % right_size[source], 1]
    return RecordPairs(
        view=pairs.view,
        left=np.minimum(one, other),
        right=np.maximum(one, other),
        pattern=pairs.pattern[source],
        rarity=pairs.rarity[source],
        dropped=pairs.dropped,
        same_provider=pairs.same_provider,
        rows_a_record=max(1.0, len(links) / max(1, len(np.unique(links[:, 1])))),
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
        place = np.minimum(np.searchsorted(numbers, found), max(0, len(numbers) - 1))
        if not len(numbers) or (numbers[place] != found).any():
            raise LinkageError(
                "row_without_span",
                f"submission {submission}",
                next_step="prepare the submission again: its rows and spans do not belong together",
            )
        opened[members] = record[place]
    return opened
