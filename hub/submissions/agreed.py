"""Which accepted submissions may be used today: the one decision, asked before linking and before counting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import everything_shown
from hub.identity.tables import Organisation
from hub.submissions.service import AcceptedSubmission, accepted
from hub.submissions.tables import ACCEPTED, REPLACED, WITHDRAWN, Submission
from policies.agreements import Agreement, in_force
from policies.decision import Decision, decide_use


@dataclass(frozen=True)
class SatOut:
    """An accepted submission, and the decision on its use."""

    submission: AcceptedSubmission
    decision: Decision


def agreed(session: Session, *, day: dt.date) -> Sequence[AcceptedSubmission]:
    """What stands accepted and may be used on the day, in a fixed order: the input of linkage and of snapshots."""
    return _sorted_out(session, day)[0]


def permits(session: Session, *, day: dt.date) -> Mapping[str, str]:
    """The versions of the agreements by which what is used on the day is permitted: for the event that uses it."""
    found: dict[str, str] = {}
    for one in _told(session, day):
        if one.decision.permitted:
            found |= one.decision.versions
    return found


def grades_in_force(
    session: Session, submissions: Sequence[AcceptedSubmission], *, day: dt.date
) -> Mapping[str, frozenset[str]]:
    """By submission the only grades that its agreement in force means; one whose agreement means all is not named."""
    meant = {one.id: one.populations for one in in_force(known_agreements(session), day)}
    named = ((one.submission, meant.get(one.agreement)) for one in submissions)
    return {name: frozenset(found.grades) for name, found in named if found is not None and found.grades}


def note_unused(session: Session, *, audit: AuditTrail) -> int:
    """Leave one event for each accepted submission that no agreement in force lets be used; how many."""
    unused = _sorted_out(session, audit.clock().date())[1]
    for one in unused:
        append(
            session,
            audit.under(agreement=one.submission.agreement, purpose=None),
            EventType.SUBMISSION_NOT_USED,
            resource=f"submission:{one.submission.submission}",
            decision="refused",
            rule=one.decision.rule,
            outcome="refused",
            versions=one.decision.versions,
        )
    return len(unused)


def idle_agreements(session: Session) -> frozenset[str]:
    """Data-sharing agreements under which nothing was ever accepted: they give nothing, and limit no question."""
    states = (ACCEPTED, REPLACED, WITHDRAWN)
    with everything_shown(session):
        given = set(session.scalars(select(Submission.agreement).where(Submission.state.in_(states)).distinct()))
    return frozenset(one.id for one in known_agreements(session) if one.tier == "DSA") - given


def _sorted_out(session: Session, day: dt.date) -> tuple[list[AcceptedSubmission], list[SatOut]]:
    told = _told(session, day)
    return [one.submission for one in told if one.decision.permitted], [
        one for one in told if not one.decision.permitted
    ]


def _told(session: Session, day: dt.date) -> list[SatOut]:
    """Every accepted submission with the decision on its use."""
    standing, known = accepted(session), known_agreements(session)
    kinds = dict(session.execute(select(Organisation.id, Organisation.kind)).all())
    used = [SatOut(one, _decision(one, (), known, day)) for one in standing]
    linked = {kinds.get(one.submission.provider, "") for one in used if one.decision.permitted}
    linked &= _LINKABLE
    return [SatOut(one, _decision(one, linked, known, day)) for one in standing]


_LINKABLE = frozenset({"county", "elementary", "unified", "high", "preschool", "college", "partner"})
"""Kinds of organisation whose records have rows; a state's aggregates join nothing."""


def _decision(
    one: AcceptedSubmission, kinds: Sequence[str] | set[str], known: Sequence[Agreement], day: dt.date
) -> Decision:
    return decide_use(
        provider=one.provider,
        agreement=one.agreement,
        school_year=one.school_year,
        kinds=kinds,
        agreements=known,
        day=day,
    )
