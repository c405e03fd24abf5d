"""The register of agreements as a person may read it: in force or not, until when, with whom, and what warns."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from policies.agreement_dates import warning
from policies.agreement_readers import may_read
from policies.agreements import Agreement
from policies.principal import Principal


@dataclass(frozen=True)
class Entry:
    """One version of one agreement as it is shown."""

    agreement: Agreement
    in_force: bool
    days_left: int
    warning: str


def entries_for(principal: Principal, agreements: Sequence[Agreement], *, day: dt.date) -> tuple[Entry, ...]:
    """The agreements that the principal may read, newest version of each first."""
    newest: dict[str, Agreement] = {}
    for agreement in agreements:
        if agreement.id not in newest or newest[agreement.id].version < agreement.version:
            newest[agreement.id] = agreement
    return tuple(_entry(newest[name], day) for name in sorted(newest) if may_read(principal, newest[name]))


def _entry(agreement: Agreement, day: dt.date) -> Entry:
    left = (agreement.retention.expires - day).days
    within = warning(agreement, day)
    if left < 0:
        words = "expired: what it allowed has stopped"
    elif within is not None:
        words = f"ends within {within} days: renew it, or use stops by itself on that day"
    else:
        words = ""
    return Entry(agreement, agreement.active_on(day), left, words)
