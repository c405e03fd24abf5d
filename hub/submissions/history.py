"""What a steward compares a submission with: last year's, those before it, and how often a cause came back.

From manifests alone, so from counts that the provider's own edge told; no row and no value is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.submissions.status import status_of
from hub.submissions.tables import ACCEPTED, HELD, REFUSED, Submission

CHANGE_MAX = 0.10
"""A change above this share is marked, as the hold of students who are gone is (policies.holds)."""

STEPS = ("received", "checked", "accepted", "certified")


@dataclass(frozen=True)
class Compared:
    """One count of a submission beside last year's; `marked` when it changed by more than a tenth."""

    name: str
    now: int
    before: int | None

    @property
    def marked(self) -> bool:
        return self.before is not None and abs(self.now - self.before) > CHANGE_MAX * max(self.before, 1)


@dataclass(frozen=True)
class Earlier:
    """One submission of the same kind and school year."""

    submission: str
    opened_at: datetime
    state: str
    records: int
    findings: int


@dataclass(frozen=True)
class History:
    """A submission beside others; `times` counts, by cause, the submissions in a row that had it, this one included."""

    records: int
    padded: bool
    compared: tuple[Compared, ...]
    same: tuple[Earlier, ...]
    times: Mapping[str, int]
    steps: tuple[tuple[str, bool], ...]


def history_of(session: Session, name: str) -> History:
    """What stands beside a submission that its reader was shown already."""
    row = session.get_one(Submission, name)
    same_kind = session.scalars(
        select(Submission)
        .where(Submission.provider == row.provider, Submission.kind == row.kind, Submission.committed_at.is_not(None))
        .order_by(Submission.opened_at.desc(), Submission.id)
    ).all()
    manifest = _manifest(row)
    last_year = next(
        (_manifest(one) for one in same_kind if (one.school_year, one.state) == (row.school_year - 1, ACCEPTED)), None
    )
    status = status_of(session, row, with_receipt=False)
    settled = row.state not in ("receiving", "checking")
    reached = (True, settled, settled and row.state not in (HELD, REFUSED), status.certified_by >= 2)
    return History(
        records=int(manifest["records"]),
        padded=bool(manifest["padded"]),
        compared=_compared(manifest, last_year),
        same=tuple(_earlier(session, one) for one in same_kind if one.school_year == row.school_year),
        times=_times(row, same_kind, manifest["findings"]),
        steps=tuple(zip(STEPS, reached, strict=True)),
    )


def _compared(manifest: Mapping[str, Any], before: Mapping[str, Any] | None) -> tuple[Compared, ...]:
    then = {} if before is None else {"records": before["records"], **before["facts"]}
    now = {"records": manifest["records"], **manifest["facts"]}
    return tuple(
        Compared(name, int(now.get(name, 0)), None if before is None else int(then.get(name, 0)))
        for name in dict.fromkeys([*now, *then])
    )


def _times(row: Submission, same_kind: Sequence[Submission], findings: Mapping[str, int]) -> dict[str, int]:
    """By code, how many submissions in a row, back from this one, had it."""
    older = [one for one in same_kind if one.opened_at <= row.opened_at and one.id != row.id]
    counted = dict.fromkeys(findings, 1)
    still = set(findings)
    for one in older:
        still &= set(_manifest(one)["findings"])
        for code in still:
            counted[code] += 1
    return counted


def _earlier(session: Session, one: Submission) -> Earlier:
    manifest = _manifest(one)
    state = status_of(session, one, with_receipt=False).state
    return Earlier(one.id, one.opened_at, state, int(manifest["records"]), sum(manifest["findings"].values()))


def _manifest(row: Submission) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.manifest)
    return found
