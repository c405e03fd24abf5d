"""When a submission is held for a person to look at, instead of being accepted by itself. Used at intake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from policies.rules.rulebook import rejects_row

GONE_SHARE_MAX = 0.10
"""Above this share of last time's students gone a submission is held: the practice stewards know (Clever holds a
sync that deletes over 10 % of a type; its help pages on paused syncs)."""

REJECTED_SHARE_MAX = 0.10
"""Above this share of rejected rows a submission is held: our own choice, beside the edge's whole-file limit."""

RECEIVED_WITHIN = timedelta(days=7)
"""A submission that is not whole after this time is given up, so that no half of one lies about: our own choice; a push
takes minutes, and a week leaves room for a holiday."""

STUDENTS_GONE = "HOLD-001"
ROWS_REJECTED = "HOLD-002"
GONE_UNSEEN = "HOLD-003"

HOLDS: Mapping[str, str] = {
    STUDENTS_GONE: "over a tenth of last time's students are missing: approve it, or send the whole roster again",
    ROWS_REJECTED: "over a tenth of the rows were rejected: mend the causes in the findings and send it again",
    GONE_UNSEEN: "it changed, and the last one told nothing of anybody, so that missing students cannot be told from"
    " padding: compare it with your own count and approve it; to be held no more, send a fact of each student",
}
"""Every code of a hold with its next step."""


def gone_share(previous: frozenset[bytes], present: frozenset[bytes]) -> float:
    """The part of last time's record references that is missing now; 0 when there was no last time."""
    return len(previous - present) / len(previous) if previous else 0.0


def compared(references: frozenset[bytes], told: frozenset[bytes], *, padded: bool, least: int) -> frozenset[bytes]:
    """The record references by which a submission is compared: of a padded one those of whom something is told, since
    made-up people have no facts; all, where nobody is told of, and where there are more than padding leads up to.

    Args:
        least: up to how many records a roster is padded.
    """
    return told if padded and told and len(references) <= least else references | told


def hides_students(previous: frozenset[bytes], *, padded: bool, told: bool, least: int) -> bool:
    """Whether last time's references hold made-up people, so that nobody at the hub knows who of the missing is one."""
    return padded and not told and len(previous) <= least


def counted_changes(
    previous: frozenset[bytes],
    present: frozenset[bytes],
    *,
    rows_before: Mapping[str, int],
    rows_now: Mapping[str, int],
) -> dict[str, Any]:
    """What a submission changes against the one that it would replace, in counts: an office's own, for itself alone."""
    tables = sorted({*rows_before, *rows_now})
    return {
        "students": [len(previous), len(present)],
        "gone": len(previous - present),
        "new": len(present - previous),
        "rows": {table: [rows_before.get(table, 0), rows_now.get(table, 0)] for table in tables},
    }


def rejected_share(findings: Mapping[str, int], *, rows: int) -> float:
    """The part of rows that the edge rejected; `rows` are those that came through."""
    rejected = sum(count for code, count in findings.items() if rejects_row(code))
    return rejected / (rejected + rows) if rejected else 0.0


def hold_reasons(*, gone: float, rejected: float, unseen: bool = False) -> tuple[str, ...]:
    """The codes for which a submission is held; empty when it may be accepted.

    Args:
        unseen: whether made-up people may be among those who are gone.
    """
    missing = GONE_UNSEEN if unseen else STUDENTS_GONE
    reasons = ((missing, gone > GONE_SHARE_MAX), (ROWS_REJECTED, rejected > REJECTED_SHARE_MAX))
    return tuple(code for code, holds in reasons if holds)
