"""What a parent may ask: who got anything that was made with this child's record (34 CFR 99.32; Ed. Code 49064).

The office gives the record reference that its edge tool made from a local number; the hub answers with that office's
own submissions, the releases that were counted with the record, and who received them, under which agreement and for
which purpose. Nothing of another provider is told, and no fact: those lie with the office. Rate-limited and logged.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict, dataclass

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.audit.tables import Detail
from hub.db import everything_shown
from hub.errors import Fault, Invalid, TooMany
from hub.http import Body, declare, principal_of, trail_of, transaction_of
from hub.linking.tables import Link
from hub.outcomes.tables import SnapshotRow
from hub.release.tables import ReleaseRow
from hub.submissions.opt_outs import opt_outs_of
from hub.submissions.tables import ACCEPTED, REPLACED, Submission
from policies.principal import Principal

router = APIRouter(prefix="/v1/records", tags=["records"])
A_DAY = 50
"""How many children an office may ask about in 24 hours: parents' requests are few."""
_REFERENCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Recipient:
    """Who received results of a release, under what, how often, and when last; the public is a recipient too."""

    organisation: str
    agreement: str
    purpose: str
    release: str
    times: int
    last: str


@dataclass(frozen=True)
class ChildRecord:
    """The record of disclosures of one child, as its office may have it."""

    submissions: tuple[dict[str, str], ...]
    releases: tuple[dict[str, str], ...]
    recipients: tuple[Recipient, ...]
    opt_outs: tuple[dict[str, str], ...] = ()


@router.post("")
@declare("record.read", "record")
def read_record(request: Request, body: Body) -> Response:
    """The disclosures made with one record of the caller's own organisation; the reference stands in the body."""
    with transaction_of(request) as session:
        found = disclosures_of(session, _reference(body), principal=principal_of(request), audit=trail_of(request))
    return JSONResponse(asdict(found))


def disclosures_of(session: Session, reference: str, *, principal: Principal, audit: AuditTrail) -> ChildRecord:
    """What was made with this record, and who got it; a record that was never linked has been in no release.

    Raises TooMany when the office has asked about too many children.
    """
    _check_rate(session, principal, now=audit.clock())
    with everything_shown(session):
        own = (Link.provider == principal.organisation, Link.reference == reference)
        first = session.scalar(select(func.min(Link.run)).where(*own))
    releases = [] if first is None else _releases(session, first)
    found = ChildRecord(
        submissions=_submissions(session, principal) if first is not None else (),
        releases=tuple({"release": one.id, "published": told_time(one.published_at)} for one in releases),
        recipients=recipients_of(session, [one.id for one in releases]),
        opt_outs=tuple(
            {"scope": one.scope, "since": told_time(one.recorded_at), "withdrawn": told_time(one.withdrawn_at)}
            for one in opt_outs_of(session, reference, principal=principal)
        ),
    )
    append(
        session, audit, EventType.RECORD_READ, resource="record", decision="permitted", rule="R-00",
        counts={"releases": len(found.releases), "recipients": len(found.recipients)},
    )  # fmt: skip
    return found


def _check_rate(session: Session, principal: Principal, *, now: dt.datetime) -> None:
    asked = session.scalar(
        select(func.count()).where(
            Detail.event == EventType.RECORD_READ.value,
            Detail.organisation == principal.organisation,
            Detail.time > now - dt.timedelta(days=1),
        )
    )
    if (asked or 0) >= A_DAY:
        raise TooMany(
            f"An office asks about at most {A_DAY} children a day.", code="records-many",
            next_step="Ask again tomorrow, or ask the compliance officer.",
        )  # fmt: skip


def _releases(session: Session, first: int) -> list[ReleaseRow]:
    """The published releases counted from a run that knew the record."""
    snapshots = select(SnapshotRow.id).where(SnapshotRow.linkage_version >= first)
    query = select(ReleaseRow).where(ReleaseRow.snapshot.in_(snapshots), ReleaseRow.published_at.is_not(None))
    return list(session.scalars(query.order_by(ReleaseRow.published_at, ReleaseRow.id)))


def _submissions(session: Session, principal: Principal) -> tuple[dict[str, str], ...]:
    query = select(Submission).where(
        Submission.provider == principal.organisation, Submission.state.in_((ACCEPTED, REPLACED))
    )
    return tuple(
        {
            "submission": one.id, "kind": one.kind, "school_year": str(one.school_year), "state": one.state,
            "agreement": f"{one.agreement} version {one.agreement_version}",
        }
        for one in session.scalars(query.order_by(Submission.school_year, Submission.kind, Submission.opened_at))
    )  # fmt: skip


def recipients_of(session: Session, releases: list[str]) -> tuple[Recipient, ...]:
    """Who asked for a release, from the log: one line for each organisation, agreement, purpose and release."""
    wanted = set(releases)
    public = [Recipient("public", "", "", name, 1, "") for name in releases]
    found: dict[tuple[str, str, str, str], list[dt.datetime]] = {}
    columns = select(Detail.organisation, Detail.agreement, Detail.purpose, Detail.versions, Detail.time)
    answered = columns.where(Detail.event == EventType.QUERY_ANSWERED.value, Detail.agreement.is_not(None))
    for organisation, agreement, purpose, versions, time in session.execute(answered.order_by(Detail.sequence)):
        release = str(versions.get("release", ""))
        if release in wanted:
            found.setdefault((organisation or "", agreement or "", purpose or "", release), []).append(time)
    named = [Recipient(*key, len(times), told_time(times[-1])) for key, times in sorted(found.items())]
    return (*public, *named)


def told_time(time: dt.datetime | None) -> str:
    """A time as it is told, in UTC; "" for none."""
    return "" if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _reference(body: bytes) -> str:
    try:
        reference = json.loads(body)["reference"]
    except (ValueError, RecursionError, KeyError, TypeError):
        reference = None
    if not isinstance(reference, str) or _REFERENCE.fullmatch(reference) is None:
        raise Invalid(
            "A record is named by its reference.", code="record-reference",
            next_step="Ask with promise-edge record, which makes the reference from a local number.",
            faults=[Fault("reference", "record-reference")],
        )  # fmt: skip
    return reference
