"""The days of an agreement: what comes when, who is warned how long before, and a calendar file of it (RFC 5545)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policies.agreements import Agreement

WARNING_DAYS = (90, 60, 30, 7)
"""Days before the end on which the hub warns."""
BACKUP_DAYS = 35
"""How long backups are kept, so that the day can be told by which what was destroyed is gone from the last of them."""
LINE_OCTETS = 75


@dataclass(frozen=True)
class Milestone:
    """One day of one agreement and what it brings."""

    agreement: str
    version: int
    day: dt.date
    kind: str
    words: str


def milestones(agreement: Agreement) -> tuple[Milestone, ...]:
    """The days of an agreement in order: it takes effect, is looked at again, warns, ends, and is destroyed."""
    ends, name = agreement.retention.expires, f"{agreement.id} version {agreement.version}"
    found = [(agreement.retention.effective, "effective", f"{name} takes effect")]
    if agreement.review is not None:
        found.append((agreement.review.next, "review", f"{name} is to be looked at again"))
    found += [(ends - dt.timedelta(days), "warning", f"{name} ends in {days} days") for days in WARNING_DAYS]
    found.append((ends, "last-day", f"last day of {name}: all use stops by itself after it"))
    found.append((destroyed_by(agreement), "destruction", f"data under {name} are to be destroyed by now"))
    return tuple(
        Milestone(agreement.id, agreement.version, day, kind, words)
        for day, kind, words in sorted(found, key=lambda one: one[0])
        if day >= agreement.retention.effective
    )


def destroyed_by(agreement: Agreement, *, ended: dt.date | None = None) -> dt.date:
    """The last day on which what came under it may still be there: so many days after its end or its withdrawal."""
    return (ended or agreement.retention.expires) + dt.timedelta(agreement.retention.destroy_within_days)


def backups_gone_by(destroyed: dt.date) -> dt.date:
    """The day by which the last backup that held what was destroyed is gone."""
    return destroyed + dt.timedelta(BACKUP_DAYS)


def warning(agreement: Agreement, day: dt.date) -> int | None:
    """The warning that holds on a day: it ends within so many days; None where none does, or it has ended."""
    left = (agreement.retention.expires - day).days
    return min((days for days in WARNING_DAYS if 0 <= left <= days), default=None)


def calendar_file(agreements: Iterable[Agreement], *, made_at: dt.datetime) -> str:
    """An iCalendar file of all days to come of these agreements, each a whole day."""
    days = [one for agreement in agreements for one in milestones(agreement) if one.day >= made_at.date()]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Promise Hub//agreements//EN", "CALSCALE:GREGORIAN"]
    for one in sorted(days, key=lambda one: (one.day, one.agreement)):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.agreement}-{one.version}-{one.kind}-{one.day:%Y%m%d}@promise-hub",
            f"DTSTAMP:{made_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one.day:%Y%m%d}",
            f"SUMMARY:{one.words}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(f"{part}\r\n" for line in (*lines, "END:VCALENDAR") for part in _folded(line))


def _folded(line: str) -> Sequence[str]:
    """A long line goes on in the next one after a blank (RFC 5545 section 3.1); all text here is ASCII."""
    parts = [line[:LINE_OCTETS]]
    rest = line[LINE_OCTETS:]
    while rest:
        parts.append(" " + rest[: LINE_OCTETS - 1])
        rest = rest[LINE_OCTETS - 1 :]
    return parts
