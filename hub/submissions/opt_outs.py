"""Objections of families: recorded by an office for one of its own records, taken back, listed without identity.

The office's edge tool makes the record reference from the local number; the number never comes here. An objection is
never deleted while it may count: which held at a moment must be known as long as a release of that moment stands.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, TooMany
from hub.submissions.tables import OptOut
from policies.opt_outs import OptOutScope
from policies.principal import Principal
from policies.roles import Extent, extent_of

LISTED_MAX = 1000
HELD_MAX = 20_000
"""How many objections an office may have standing: more is no list of families but a fault of a program."""


@dataclass(frozen=True)
class Objection:
    """One objection as it counts: whose record, and against what."""

    provider: str
    reference: str = field(repr=False)
    scope: OptOutScope


@dataclass(frozen=True)
class Listed:
    """One objection as an officer reads it: no reference, so nobody's."""

    provider: str
    scope: OptOutScope
    recorded_at: datetime
    withdrawn_at: datetime | None


def record_opt_out(
    session: Session, reference: str, scope: OptOutScope, *, principal: Principal, audit: AuditTrail
) -> datetime:
    """Let an objection hold for a record of the caller's own organisation; since when. The same again is nothing.

    Whether the hub has such a record makes no difference, so the answer does not tell.
    """
    standing = session.scalars(_standing(principal)).all()
    found = [row for row in standing if (row.reference, row.scope) == (reference, scope.value)]
    if found:
        return found[0].recorded_at
    if len(standing) >= HELD_MAX:
        raise TooMany(
            "The office has too many objections standing.", code="opt-outs-many",
            next_step="Ask the compliance officer.",
        )  # fmt: skip
    session.add(
        OptOut(
            id=secrets.token_hex(16), provider=principal.organisation, reference=reference, scope=scope.value,
            recorded_at=audit.clock(),
        )
    )  # fmt: skip
    append(session, audit, EventType.OPT_OUT_RECORDED, resource="opt-out", versions={"scope": scope.value})
    return audit.clock()


def withdraw_opt_out(
    session: Session, reference: str, scope: OptOutScope, *, principal: Principal, audit: AuditTrail
) -> datetime:
    """Take an objection back; from which moment. Raises Conflict where none of this scope stands for the record."""
    query = _standing(principal).where(OptOut.reference == reference, OptOut.scope == scope.value)
    found = session.scalars(query.with_for_update()).all()
    if not found:
        raise Conflict(
            "No such objection stands.", code="opt-out-absent",
            next_step="Ask with promise-edge record which objections stand for this record.",
        )  # fmt: skip
    for row in found:
        row.withdrawn_at = audit.clock()
    append(session, audit, EventType.OPT_OUT_WITHDRAWN, resource="opt-out", versions={"scope": scope.value})
    return audit.clock()


def opt_outs_of(session: Session, reference: str, *, principal: Principal) -> Sequence[OptOut]:
    """All objections ever recorded for one record of the caller's own organisation, oldest first."""
    query = select(OptOut).where(OptOut.provider == principal.organisation, OptOut.reference == reference)
    return session.scalars(query.order_by(OptOut.recorded_at, OptOut.scope)).all()


def list_opt_outs(session: Session, *, principal: Principal, audit: AuditTrail) -> Sequence[Listed]:
    """The objections that the caller may read of, newest first: office, scope and days, never whose."""
    query = select(OptOut).order_by(OptOut.recorded_at.desc(), OptOut.id)
    if Extent.ALL not in extent_of("opt_out.read", principal.roles).values():
        query = query.where(OptOut.provider == principal.organisation)
    rows = session.scalars(query.limit(LISTED_MAX)).all()
    append(session, audit, EventType.OPT_OUTS_READ, resource="opt-outs", counts={"opt_outs": len(rows)})
    return [Listed(row.provider, OptOutScope(row.scope), row.recorded_at, row.withdrawn_at) for row in rows]


def objections_at(session: Session, moment: datetime) -> frozenset[Objection]:
    """The objections that held at a moment."""
    rows = session.scalars(select(OptOut).where(OptOut.recorded_at <= moment))
    held = (row for row in rows if row.withdrawn_at is None or row.withdrawn_at > moment)
    return frozenset(Objection(row.provider, row.reference, OptOutScope(row.scope)) for row in held)


def standing_ids(session: Session) -> Sequence[str]:
    """The numbers, made at random, of the objections that hold now, in order."""
    return session.scalars(select(OptOut.id).where(OptOut.withdrawn_at.is_(None)).order_by(OptOut.id)).all()


def _standing(principal: Principal) -> Select[OptOut]:
    return select(OptOut).where(OptOut.provider == principal.organisation, OptOut.withdrawn_at.is_(None))
