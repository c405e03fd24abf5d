"""Spans of records, and which histories cannot be one child's: at the hub, in the resolver.

The resolver alone reads spans; it never sees a token, a filter or a tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError
from linkage.rows import KNOWN_SPAN_FLAGS, SPAN_FULL_TIME, Rows

MONTHS_TOGETHER = 4
"""Full-time in two places for more than four months of one school year is not one child (a mover overlaps by weeks)."""
GRADES_AHEAD = 2
GRADES_BEHIND = 3
"""A child skips at most two grades and repeats at most three; a larger jump is another child."""
_PREPARE_AGAIN = "correct the roster at the source and prepare the submission again"


@dataclass(frozen=True)
class RosterSpans:
    """The spans of one submission and the key that opens its row ids; numbers are the caller's."""

    submission: int
    provider: int
    submission_key: bytes
    spans: Rows

    def __repr__(self) -> str:
        return f"RosterSpans(submission={self.submission}, provider={self.provider}, masked)"


@dataclass(frozen=True)
class Records:
    """Every (provider, reference) once, sorted; spans of each in `span_starts[i]:span_starts[i + 1]` of `spans`.

    `numbers`: by submission its record numbers in order, and the record each stands for; `span_submission`: the
    submission that each span came with.
    """

    provider: NDArray[np.int32]
    reference: NDArray[np.void]
    spans: NDArray[np.int64]
    span_starts: NDArray[np.int64]
    numbers: dict[int, tuple[NDArray[np.uint64], NDArray[np.int64]]]
    span_submission: NDArray[np.int64]

    def keys(self) -> list[tuple[int, bytes]]:
        """(provider, reference) of every record, in order."""
        return self.keys_of(np.arange(len(self.provider)))

    def keys_of(self, places: NDArray[np.int64]) -> list[tuple[int, bytes]]:
        """(provider, reference) of some records."""
        references = self.reference[places].tobytes()
        return [(p, references[16 * i : 16 * i + 16]) for i, p in enumerate(self.provider[places].tolist())]


def one_roster_each(records: Records) -> bool:
    """Whether every provider sent one roster, so that two of its records are two children."""
    owner = np.repeat(records.provider, np.diff(records.span_starts)).astype(np.int64)
    _, submission = np.unique(records.span_submission, return_inverse=True)
    rosters = np.bincount(owner * (int(submission.max(initial=0)) + 1) + submission) > 0
    return int(np.count_nonzero(rosters)) == len(np.unique(records.provider))


def check_spans(spans: Rows) -> None:
    """Raises LinkageError `bad_span_flags`, `bad_span_months`, `reference_repeated` or `record_repeated`."""
    if ((spans["flags"] & ~np.uint8(KNOWN_SPAN_FLAGS)) != 0).any():
        raise LinkageError("bad_span_flags", "spans", next_step="prepare the submission again")
    if (spans["end"] < spans["start"]).any():
        raise LinkageError("bad_span_months", "spans", next_step=_PREPARE_AGAIN)
    pairs = np.unique(_record_and_reference(spans), axis=0)
    if len(np.unique(pairs[:, 1:], axis=0)) < len(pairs):
        raise LinkageError("reference_repeated", "spans", next_step=_PREPARE_AGAIN)
    if len(np.unique(pairs[:, 0])) < len(pairs):
        raise LinkageError("record_repeated", "spans", next_step=_PREPARE_AGAIN)


def _record_and_reference(spans: Rows) -> NDArray[np.uint64]:
    columns = np.empty((len(spans), 3), dtype=np.uint64)
    columns[:, 0] = spans["record"]
    columns[:, 1:] = _reference_words(spans["reference"])
    return columns


def _reference_words(references: NDArray[np.void]) -> NDArray[np.uint64]:
    """(n, 2) big-endian words, so that order by words is order by bytes."""
    return np.ascontiguousarray(references).view(">u8").reshape(-1, 2).astype(np.uint64)


def all_records(rosters: Sequence[RosterSpans]) -> Records:
    """The records of all rosters; one reference of one provider is one record whatever the school year."""
    ordered = sorted(rosters, key=lambda roster: roster.submission)
    lengths = [len(roster.spans) for roster in ordered]
    keys = np.empty((sum(lengths), 3), dtype=np.uint64)
    keys[:, 0] = np.repeat(np.array([roster.provider for roster in ordered], dtype=np.uint64), lengths)
    keys[:, 1:] = np.concatenate(
        [_reference_words(r.spans["reference"]) for r in ordered] or [np.empty((0, 2), np.uint64)]
    )
    order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0]))
    sorted_keys = keys[order]
    differs = sorted_keys[1:] != sorted_keys[:-1]
    new = np.concatenate([[True], differs[:, 0] | differs[:, 1] | differs[:, 2]])[: len(order)]
    record_of_span = np.empty(len(order), dtype=np.int64)
    record_of_span[order] = np.cumsum(new) - 1
    distinct = sorted_keys[new]
    return Records(
        provider=distinct[:, 0].astype(np.int32),
        reference=np.ascontiguousarray(distinct[:, 1:].astype(">u8")).view("V16").reshape(-1),
        spans=_histories(ordered)[order],
        span_starts=np.append(np.flatnonzero(new), len(order)),
        numbers=_numbers(ordered, record_of_span=record_of_span, lengths=lengths),
        span_submission=np.repeat(np.array([r.submission for r in ordered], dtype=np.int64), lengths)[order],
    )


def _histories(rosters: Sequence[RosterSpans]) -> NDArray[np.int64]:
    """(n, 5): school year, grade, start, end, full time."""
    parts = [
        np.stack(
            [
                roster.spans["school_year"].astype(np.int64),
                roster.spans["grade"].astype(np.int64),
                roster.spans["start"].astype(np.int64),
                roster.spans["end"].astype(np.int64),
                ((roster.spans["flags"] & SPAN_FULL_TIME) != 0).astype(np.int64),
            ],
            axis=1,
        )
        for roster in rosters
    ]
    return np.concatenate(parts or [np.empty((0, 5), dtype=np.int64)])


def _numbers(
    rosters: Sequence[RosterSpans], *, record_of_span: NDArray[np.int64], lengths: Sequence[int]
) -> dict[int, tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """By submission: its record numbers in order, and the record each stands for."""
    numbers = {}
    ends = np.cumsum(lengths)
    for roster, end in zip(rosters, ends, strict=True):
        unique, first = np.unique(roster.spans["record"], return_index=True)
        numbers[roster.submission] = (unique.astype(np.uint64), record_of_span[end - len(roster.spans) : end][first])
    return numbers
