"""The record of disclosures (34 CFR 99.32; Cal. Ed. Code 49064): by office and by agreement, who got what, what for.

Only protected aggregates leave the hub. A line is one recipient of one release that was counted with records of one
office, with the agreement under which they were given and the one under which they were received.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.outcomes.tables import SnapshotRow
from hub.release.records import Recipient, recipients_of, told_time
from hub.release.tables import ReleaseRow
from hub.submissions.tables import Submission
from policies.principal import Principal
from policies.roles import Extent, extent_of


@dataclass(frozen=True)
class Disclosure:
    """One recipient of one release that was counted with records of one office."""

    office: str
    given_under: str
    school_years: str
    release: str
    published: str
    recipient: str
    received_under: str
    purpose: str
    times: int
    last: str


def disclosure_record(
    session: Session, *, office: str, agreement: str, principal: Principal, audit: AuditTrail
) -> Sequence[Disclosure]:
    """The lines that the caller may read, newest release first; a steward's are those of her own office.

    Args:
        office, agreement: narrow the record; "" for all. An agreement is one given or received under.
    """
    if Extent.ALL not in extent_of("disclosure.read", principal.roles).values():
        office = principal.organisation or ""
    found = [
        line
        for line in _lines(session)
        if office in ("", line.office) and (not agreement or agreement in (line.given_under, line.received_under))
    ]
    append(session, audit, EventType.DISCLOSURES_READ, resource="disclosures", counts={"lines": len(found)})
    return found


def as_csv(lines: Sequence[Disclosure]) -> str:
    """The record as CSV, one line a disclosure."""
    out = io.StringIO()
    written = csv.DictWriter(out, [one.name for one in fields(Disclosure)], lineterminator="\r\n")
    written.writeheader()
    written.writerows(asdict(line) for line in lines)
    return out.getvalue()


def _lines(session: Session) -> Iterator[Disclosure]:
    query = select(ReleaseRow).where(ReleaseRow.published_at.is_not(None))
    releases = session.scalars(query.order_by(ReleaseRow.published_at.desc(), ReleaseRow.id.desc())).all()
    received: dict[str, list[Recipient]] = {}
    for one in recipients_of(session, [release.id for release in releases]):
        received.setdefault(one.release, []).append(one)
    for release in releases:
        for (office, under), years in sorted(_given(session, release.snapshot).items()):
            for one in received.get(release.id, ()):
                yield Disclosure(
                    office, under, " ".join(map(str, sorted(years))), release.id, told_time(release.published_at),
                    one.organisation, one.agreement, one.purpose, one.times, one.last,
                )  # fmt: skip


def _given(session: Session, snapshot: str) -> dict[tuple[str, str], set[int]]:
    """By office and agreement the school years of the submissions that a snapshot was made of."""
    row = session.get(SnapshotRow, snapshot)
    names = [] if row is None else row.manifest["submissions"]
    found: dict[tuple[str, str], set[int]] = {}
    for one in session.scalars(select(Submission).where(Submission.id.in_(names))):
        found.setdefault((one.provider, one.agreement), set()).add(one.school_year)
    return found
