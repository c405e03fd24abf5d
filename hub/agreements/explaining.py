"""Explains any case of the one decision: a question in words is read, decided as a request would be, and told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Invalid
from policies.agreements import Agreement
from policies.decision import Decision, Query, Resource, decide, decide_count, decide_submission, decide_use
from policies.principal import Principal, Role
from policies.roles import ROLE_TABLE

_AS = re.compile(r"(?P<role>[a-z]+)(?:@(?P<organisation>[a-z0-9-]{1,40}))?")
_COUNT = re.compile(r"count (?P<indicator>[a-z0-9-]+)(?: by (?P<by>[a-z0-9,-]+))?")
_SEND = re.compile(r"send (?P<year>\d{4}) under (?P<agreement>[A-Za-z0-9-]+)(?: of (?P<provider>[a-z0-9-]+))?")
_USE = re.compile(
    r"use (?P<year>\d{4}) under (?P<agreement>[A-Za-z0-9-]+) of (?P<provider>[a-z0-9-]+)"
    r"(?: with (?P<kinds>[a-z,]+))?"
)
_ACT = re.compile(r"(?P<action>[a-z_]+\.[a-z_]+)(?: of (?P<organisation>[a-z0-9-]+))?")
_QUERY = re.compile(
    r"(?P<indicator>[a-z0-9-]+)(?: by (?P<by>[a-z0-9,-]+))?"
    r"(?: under (?P<agreement>[A-Za-z0-9-]+))?(?: for (?P<purpose>[a-z0-9-]+))?"
)
FORMS = (
    '"INDICATOR by DIMENSION,... under AGREEMENT for PURPOSE", "send YEAR under AGREEMENT of PROVIDER", '
    '"use YEAR under AGREEMENT of PROVIDER with KIND,...", "count INDICATOR by DIMENSION,...", '
    'or "ACTION of ORGANISATION"'
)


@dataclass(frozen=True)
class Explained:
    """A decision and what it was about, in one word of the log."""

    decision: Decision
    asked: str

    def told(self) -> str:
        """The answer in lines: yes or no, the rule, the reason, the agreements read."""
        read = ", ".join(f"{name} version {version}" for name, version in sorted(self.decision.versions.items()))
        verdict = "permitted" if self.decision.permitted else "refused"
        extent = "" if self.decision.extent is None else f", as far as: {self.decision.extent.value}"
        return (
            f"{verdict} by {self.decision.rule}{extent}\nreason: {self.decision.reason}\nagreements: {read or 'none'}"
        )


def explain(session: Session, who: str, ask: str, *, day: dt.date, audit: AuditTrail) -> Explained:
    """Decide a case under the agreements of this hub and say why; the explanation is an event of its own."""
    found = explained(who, ask, agreements=known_agreements(session), day=day)
    append(
        session,
        audit,
        EventType.DECISION_EXPLAINED,
        resource=found.asked,
        decision="permitted" if found.decision.permitted else "refused",
        rule=found.decision.rule,
        versions=found.decision.versions,
    )
    return found


def explained(who: str, ask: str, *, agreements: Sequence[Agreement], day: dt.date) -> Explained:
    """The decision on a case in words; raises Invalid with the forms that can be asked."""
    principal = _principal(who)
    forms: tuple[tuple[str, re.Pattern[str], Callable[..., Decision]], ...] = (
        ("count", _COUNT, _count),
        ("send", _SEND, _send),
        ("use", _USE, _use),
        ("act", _ACT, _act),
        ("query", _QUERY, _query),
    )
    for name, pattern, decided in forms:
        found = pattern.fullmatch(" ".join(ask.split()))
        if found is not None:
            parts = found.groupdict()
            return Explained(decided(principal, parts, agreements, day), f"decision/{name}")
    raise Invalid("This cannot be asked.", code="ask-form", next_step=f"Ask {FORMS}.")


def _principal(who: str) -> Principal:
    found = _AS.fullmatch(who)
    if found is None or found["role"] not in {role.value for role in Role}:
        raise Invalid("Nobody has such a role.", code="ask-who", next_step="Say ROLE@ORGANISATION: steward@novato.")
    return Principal(f"as:{found['role']}", frozenset({Role(found["role"])}), found["organisation"])


Parts = dict[str, str | None]


def _query(principal: Principal, parts: Parts, agreements: Sequence[Agreement], day: dt.date) -> Decision:
    query = Query(parts["agreement"], parts["purpose"], str(parts["indicator"]), _split(parts["by"]))
    return decide(principal, "aggregate.query", Resource("table", query=query), agreements=agreements, day=day)


def _count(principal: Principal, parts: Parts, agreements: Sequence[Agreement], day: dt.date) -> Decision:
    given = {one.id for one in agreements}
    return decide_count(str(parts["indicator"]), _split(parts["by"]), agreements=agreements, given=given, day=day)


def _send(principal: Principal, parts: Parts, agreements: Sequence[Agreement], day: dt.date) -> Decision:
    return decide_submission(
        principal,
        provider=parts["provider"] or principal.organisation or "",
        agreement=(str(parts["agreement"]), None),
        school_year=int(str(parts["year"])),
        agreements=agreements,
        day=day,
    )


def _use(principal: Principal, parts: Parts, agreements: Sequence[Agreement], day: dt.date) -> Decision:
    return decide_use(
        provider=str(parts["provider"]),
        agreement=str(parts["agreement"]),
        school_year=int(str(parts["year"])),
        kinds=_split(parts["kinds"]),
        agreements=agreements,
        day=day,
    )


def _act(principal: Principal, parts: Parts, agreements: Sequence[Agreement], day: dt.date) -> Decision:
    action = str(parts["action"])
    if action not in ROLE_TABLE:
        raise Invalid(
            "There is no such act.", code="ask-act", next_step=f"Ask one of: {', '.join(sorted(ROLE_TABLE))}."
        )
    return decide(principal, action, Resource("any", parts["organisation"]), agreements=agreements, day=day)


def _split(by: str | None) -> tuple[str, ...]:
    return tuple(name for name in (by or "").split(",") if name)
