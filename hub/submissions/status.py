"""What a provider is told of a submission: its state, the next step and whose it is, the findings, the receipt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.service import prove
from hub.errors import Fault
from hub.submissions.tables import (
    ACCEPTED,
    CHECKING,
    HELD,
    RECEIVING,
    REFUSED,
    REPLACED,
    WITHDRAWN,
    Statement,
    Submission,
)
from policies.holds import HOLDS
from policies.translog.receipt import Receipt

NEXT_STEPS: Mapping[str, str] = {
    RECEIVING: "send the missing chunks, then commit",
    CHECKING: "wait: the hub is checking what was sent",
    ACCEPTED: "nothing to do; keep the receipt",
    HELD: "look at the reason and approve or discard it",
    REFUSED: "mend what is named and send it again; nothing was stored",
    WITHDRAWN: "nothing to do; it is no longer used",
    REPLACED: "nothing to do; a newer submission stands in its place",
}

OWNERS: Mapping[str, str] = {
    RECEIVING: "provider",
    CHECKING: "hub",
    ACCEPTED: "nobody",
    HELD: "provider",
    REFUSED: "provider",
    WITHDRAWN: "nobody",
    REPLACED: "nobody",
}


@dataclass(frozen=True)
class Status:
    """What a provider is told of its own submission."""

    submission: str
    provider: str
    kind: str
    school_year: int
    state: str
    next_step: str
    owner: str
    findings: tuple[Fault, ...]
    rejected: dict[str, int]
    receipt: Receipt | None
    changes: Mapping[str, Any] | None = None
    """Of a held one: what it changes against the one that it would replace, in counts."""
    certified_by: int = 0
    withdrawal_asked_by: int = 0
    """Persons of the provider's office who said so; two are needed (hub.submissions.statements)."""


def status_of(session: Session, submission: Submission, *, with_receipt: bool = True) -> Status:
    receipt, state = None, submission.state
    if with_receipt and state == ACCEPTED and submission.settled_sequence is not None:
        receipt = prove(session, submission.settled_sequence)
        # Accepted is told together with its proof: until the log's next checkpoint is signed, it is still checking.
        state = ACCEPTED if receipt is not None else CHECKING
    acts = session.scalars(select(Statement.act).where(Statement.submission == submission.id)).all()
    return Status(
        submission=submission.id,
        provider=submission.provider,
        kind=submission.kind,
        school_year=submission.school_year,
        state=state,
        next_step=_next_step(submission, state),
        owner=OWNERS[state],
        findings=_findings(submission),
        rejected=dict(json.loads(submission.manifest)["findings"]),
        receipt=receipt,
        changes=submission.changes if state == HELD else None,
        certified_by=acts.count("certify"),
        withdrawal_asked_by=acts.count("withdraw"),
    )


def _next_step(submission: Submission, state: str) -> str:
    if submission.refusal is not None:
        return str(submission.refusal["next_step"])
    if state == HELD and submission.holds:
        return HOLDS[submission.holds[0]]
    return NEXT_STEPS[state]


def _findings(submission: Submission) -> tuple[Fault, ...]:
    if submission.refusal is not None:
        return (Fault(submission.refusal["place"], submission.refusal["code"]),)
    return tuple(Fault("submission", code, HOLDS[code]) for code in submission.holds)
