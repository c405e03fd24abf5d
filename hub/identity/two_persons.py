"""The queue of dangerous acts: asked by one person, approved by others, done once, within 72 hours.

Whoever does a dangerous act calls `take_act` in the act's own transaction: it raises unless exactly this was asked and
approved, and uses the approval up. What stands in the tables is held against the audit log, so that a row that was
altered or put there by hand approves nothing. The law is in `policies.two_persons`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.audit.tables import Detail
from hub.errors import Conflict, Fault, Invalid, NotFound, Refused, as_sentence
from hub.identity.tables import ActApproval, ActRow
from policies.principal import Principal, Role
from policies.two_persons import (
    ACTS,
    APPROVED_WITHIN,
    ActRefused,
    Asked,
    act_digest,
    check_approval,
    check_ask,
    check_perform,
    may_see,
)

WAITING, DONE, DECLINED = "waiting", "done", "declined"
WHY_MAX = 400
LISTED_MAX = 200


@dataclass(frozen=True)
class Waiting:
    """An act as its readers see it: what is asked, by whom, who approved, who is missing, and until when it holds."""

    id: int
    kind: str
    words: str
    payload: Mapping[str, Any]
    organisations: tuple[str, ...]
    digest: str
    why: str
    asked_by: str
    asked_at: datetime
    holds_until: datetime
    state: str
    approved: tuple[tuple[Role, str], ...]
    missing: tuple[Role, ...]
    may_approve: bool


def ask_act(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    organisations: frozenset[str] = frozenset(),
    why: str,
    principal: Principal,
    audit: AuditTrail,
) -> int:
    """Ask for a dangerous act; its number comes back. The same waiting already is a Conflict.

    Args:
        payload: what will be done, of JSON values without floats; every approver sees it and is bound to its hash.
        organisations: the providers whose data it touches; a signatory of one of them approves.
    """
    _held_to_law(lambda: check_ask(kind, principal, organisations=organisations))
    reason = " ".join(why.split())
    if not 3 <= len(reason) <= WHY_MAX:
        raise Invalid(f"Say why in 3 to {WHY_MAX} characters.", code="ACT-009", faults=[Fault("why", "ACT-009")])
    digest = act_digest(kind, payload, organisations=organisations)
    if any(not _asked(session, row).is_stale(audit.clock()) for row in _waiting(session, digest)):
        raise Conflict("The same act waits already.", code="ACT-010", next_step="Let it be approved.")
    row = ActRow(
        kind=kind, payload=dict(payload), organisations=sorted(organisations), digest=digest, why=reason,
        asked_by=principal.actor, asked_at=audit.clock(), state=WAITING,
    )  # fmt: skip
    session.add(row)
    session.flush()
    trail = _of(audit, principal)
    row.asked_sequence = append(session, trail, EventType.ACT_ASKED, resource=_name(row), versions=_bound(row))
    return row.id


def approve_act(session: Session, number: int, *, digest: str, principal: Principal, audit: AuditTrail) -> Waiting:
    """Approve what was shown under this hash; raises Refused for one's own, a stale or an altered act."""
    row = _open_row(session, number, principal)
    asked = _asked(session, row)
    role = _held_to_law(lambda: check_approval(asked, principal, digest=digest, now=audit.clock()))
    approval = ActApproval(
        act=row.id, role=role.value, person=principal.actor, digest=digest, approved_at=audit.clock()
    )
    session.add(approval)
    session.flush()
    bound = {**_bound(row), "role": role.value}
    approval.sequence = append(
        session, _of(audit, principal), EventType.ACT_APPROVED, resource=_name(row), decision="permitted",
        versions=bound,
    )  # fmt: skip
    return _seen(session, row, principal, now=audit.clock())


def decline_act(session: Session, number: int, *, principal: Principal, audit: AuditTrail) -> str:
    """Turn an act down, or take one's own back; its kind comes back."""
    row = _open_row(session, number, principal)
    declines = principal.actor == row.asked_by or principal.roles & set(ACTS[row.kind].approvers)
    if not declines:
        raise Refused(rule="R-01")
    row.state, row.settled_by, row.settled_at = DECLINED, principal.actor, audit.clock()
    append(session, audit, EventType.ACT_DECLINED, resource=_name(row), decision="refused", versions=_bound(row))
    return row.kind


def drop_acts_of(session: Session, actor: str, *, audit: AuditTrail) -> None:
    """Turn down what somebody asked for who has left: nobody is there any more who asks for it."""
    asked = select(ActRow).where(ActRow.asked_by == actor, ActRow.state == WAITING).order_by(ActRow.id)
    for row in session.scalars(asked).all():
        row.state, row.settled_by, row.settled_at = DECLINED, audit.actor, audit.clock()
        append(session, audit, EventType.ACT_DECLINED, resource=_name(row), decision="refused", versions=_bound(row))


def take_act(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    organisations: frozenset[str] = frozenset(),
    audit: AuditTrail,
) -> int:
    """Use up the approval of exactly this act, in the transaction that does it; the act's number comes back.

    Raises Refused (ACT-004 to ACT-008) when nobody asked for it, it was altered, is stale, or lacks an approval.
    """
    digest = act_digest(kind, payload, organisations=organisations)
    rows = _waiting(session, digest)
    if not rows:
        raise _refused(ActRefused("ACT-008", "approved", "ask for it and let it be approved"))
    row = rows[0]
    asked = _asked(session, row)
    _held_to_law(lambda: check_perform(asked, digest=digest, now=audit.clock()))
    row.state, row.settled_by, row.settled_at = DONE, audit.actor, audit.clock()
    append(session, audit, EventType.ACT_DONE, resource=_name(row), decision="permitted", versions=_bound(row))
    return row.id


def read_act(session: Session, number: int, *, principal: Principal, audit: AuditTrail) -> Waiting:
    """One act; one that is not the caller's to read is answered like one that there is not."""
    row = _row(session, number, principal)
    append(session, audit, EventType.ACTS_READ, resource=_name(row))
    return _seen(session, row, principal, now=audit.clock())


def list_acts(session: Session, *, principal: Principal, audit: AuditTrail) -> Sequence[Waiting]:
    """The acts that the caller may read, newest first."""
    rows = session.scalars(select(ActRow).order_by(ActRow.id.desc()).limit(LISTED_MAX)).all()
    found = [row for row in rows if may_see(_asked(session, row), principal)]
    append(session, audit, EventType.ACTS_READ, resource="acts", counts={"acts": len(found)})
    return [_seen(session, row, principal, now=audit.clock()) for row in found]


def waiting_acts(session: Session, *, now: datetime) -> int:
    """How many acts may still be approved, whoever asked for them; none of them is told."""
    waits = select(func.count()).select_from(ActRow).where(ActRow.state == WAITING)
    return session.scalar(waits.where(ActRow.asked_at > now - APPROVED_WITHIN)) or 0


def _open_row(session: Session, number: int, principal: Principal) -> ActRow:
    row = _row(session, number, principal)
    if row.state != WAITING:
        raise Conflict("The act is settled already.", code="ACT-011")
    return row


def _row(session: Session, number: int, principal: Principal) -> ActRow:
    row = session.get(ActRow, number)
    if row is None or not may_see(_asked(session, row), principal):
        raise NotFound()
    return row


def _waiting(session: Session, digest: str) -> Sequence[ActRow]:
    query = select(ActRow).where(ActRow.digest == digest, ActRow.state == WAITING)
    return session.scalars(query.order_by(ActRow.id.desc()).with_for_update()).all()


def _asked(session: Session, row: ActRow) -> Asked:
    """The act as the audit log bears it out: of a row that differs from its event the hash is empty, and an approval
    without its event is none."""
    told = act_digest(row.kind, row.payload, organisations=frozenset(row.organisations))
    event = _event(session, row.asked_sequence, row, person=row.asked_by)
    approvals = session.scalars(select(ActApproval).where(ActApproval.act == row.id).order_by(ActApproval.role)).all()
    return Asked(
        kind=row.kind,
        digest=row.digest if event is not None and told == row.digest else "",
        asked_by=row.asked_by,
        asked_at=row.asked_at if event is None else event.time,
        organisations=frozenset(row.organisations),
        approved=tuple(
            (Role(one.role), one.person)
            for one in approvals
            if one.digest == row.digest and _event(session, one.sequence, row, person=one.person, role=one.role)
        ),
    )


def _event(session: Session, sequence: int | None, row: ActRow, *, person: str, role: str = "") -> Detail | None:
    """The event of the log that says what a row says; None where the log does not bear it out."""
    detail = None if sequence is None else session.get(Detail, sequence)
    if detail is None or (detail.resource, detail.actor) != (_name(row), person):
        return None
    kind = EventType.ACT_APPROVED if role else EventType.ACT_ASKED
    bound = {**_bound(row), "role": role} if role else _bound(row)
    return detail if detail.event == kind.value and dict(detail.versions) == bound else None


def _of(audit: AuditTrail, principal: Principal) -> AuditTrail:
    return replace(audit, actor=principal.actor, organisation=principal.organisation)


def _seen(session: Session, row: ActRow, principal: Principal, *, now: datetime) -> Waiting:
    asked = _asked(session, row)
    return Waiting(
        id=row.id,
        kind=row.kind,
        words=ACTS[row.kind].words,
        payload=row.payload,
        organisations=tuple(row.organisations),
        digest=row.digest,
        why=row.why,
        asked_by=row.asked_by,
        asked_at=asked.asked_at,
        holds_until=asked.asked_at + APPROVED_WITHIN,
        state="stale" if row.state == WAITING and asked.is_stale(now) else row.state,
        approved=asked.approved,
        missing=asked.missing(),
        may_approve=row.state == WAITING and _approves(asked, principal, now=now),
    )


def _approves(asked: Asked, principal: Principal, *, now: datetime) -> bool:
    try:
        check_approval(asked, principal, digest=asked.digest, now=now)
    except ActRefused:
        return False
    return bool(asked.digest)


def _held_to_law(check: Any) -> Any:
    try:
        return check()
    except ActRefused as error:
        raise _refused(error) from error


def _refused(error: ActRefused) -> Refused:
    return Refused(
        "Two persons are needed, and this is not as the law asks.", code=error.code, rule=error.code,
        next_step=as_sentence(error.next_step), faults=[Fault(error.place, error.code)],
    )  # fmt: skip


def _bound(row: ActRow) -> dict[str, str]:
    return {"kind": row.kind, "payload": row.digest}


def _name(row: ActRow) -> str:
    return f"act:{row.id}"
