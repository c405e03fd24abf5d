"""The one decision: may this principal do this, to this, under these agreements, on this day, and by which rule.

Deny by default. The same function runs at the edge (to drop what is not agreed before it leaves), at intake, at
linking, at counting and at answering. An element is usable only if every contributor's agreement in force permits
it. A refusal for what is absent and for what is hidden is the same, word for word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policies.agreements import Agreement, in_force
from policies.disclosure_floor import MINIMUM_N
from policies.principal import Principal, Role
from policies.roles import Extent, extent_of


@dataclass(frozen=True)
class Query:
    """What is asked of released results: every query names its agreement and its purpose."""

    agreement: str | None
    purpose: str | None
    indicator: str
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resource:
    """What an action is done to: whose it is, and for a query what is asked."""

    kind: str
    organisation: str | None = None
    query: Query | None = None


@dataclass(frozen=True)
class Decision:
    """Permit or refusal, with the rule that decided, the reason in words and the agreement versions read."""

    permitted: bool
    rule: str
    reason: str
    versions: Mapping[str, str]
    extent: Extent | None = None


# Every rule, its sentence, and so the manual's table. Refusals cover absent and hidden alike.
RULES: Mapping[str, str] = {
    "R-00": "permitted",
    "R-01": "no role of yours may do this",
    "R-02": "you may do this for your own organisation only",
    "R-03": "your sign-in is bound to another agreement",
    "R-10": "name an agreement in force that your organisation is a licensee of",
    "R-11": "name a purpose of that agreement",
    "R-12": "the agreement does not name this indicator; ask for one that it names",
    "R-13": "the agreement does not name this dimension; ask for those that it names",
    "R-14": "the agreement allows fewer dimensions at once",
    "R-20": "no agreement in force lets this organisation send this",
}


def decide(
    principal: Principal, action: str, resource: Resource, *, agreements: Sequence[Agreement], day: dt.date
) -> Decision:
    """The verdict on one act; agreements are all versions known, day is the day of the act."""
    extents = extent_of(action, principal.roles)
    if not extents:
        return _refuse("R-01")
    if resource.query is not None:
        return _decide_query(principal, resource.query, agreements=in_force(agreements, day))
    widest = _widest(extents)
    if widest is Extent.OWN and resource.organisation != principal.organisation:
        return _refuse("R-02")
    return Decision(True, "R-00", RULES["R-00"], {}, widest)


def _decide_query(principal: Principal, query: Query, *, agreements: Sequence[Agreement]) -> Decision:
    if principal.agreement is not None and query.agreement != principal.agreement:
        return _refuse("R-03")
    licence = _licence(principal, query.agreement, agreements)
    if licence is None:
        return _refuse("R-10")
    versions = {licence.id: str(licence.version)}
    rule = _query_rule(query, licence)
    return Decision(rule == "R-00", rule, RULES[rule], versions, Extent.AGREEMENTS if rule == "R-00" else None)


def _query_rule(query: Query, licence: Agreement) -> str:
    if query.purpose not in {purpose.id for purpose in licence.purposes}:
        return "R-11"
    if query.indicator not in licence.outputs.indicators:
        return "R-12"
    if not set(query.dimensions) <= licence.outputs.dimensions:
        return "R-13"
    if len(query.dimensions) > licence.outputs.max_dimensions:
        return "R-14"
    return "R-00"


def _licence(principal: Principal, agreement: str | None, agreements: Sequence[Agreement]) -> Agreement | None:
    for candidate in agreements:
        if candidate.id == agreement and candidate.tier == "DUL" and principal.organisation in candidate.licensees():
            return candidate
    return None


def agreement_for(
    provider: str, *, agreements: Sequence[Agreement], day: dt.date, source_kind: str
) -> Agreement | None:
    """The DSA in force under which this provider may send; None means nothing may leave (R-20)."""
    for candidate in in_force(agreements, day):
        if candidate.tier != "DSA" or provider not in candidate.contributors():
            continue
        if candidate.linkage is None or source_kind in candidate.linkage.allowed_sources:
            return candidate
    return None


def decide_submission(
    principal: Principal, *, provider: str, agreement: str, agreements: Sequence[Agreement], day: dt.date
) -> Decision:
    """Whether this agent may send for this provider under this agreement on this day."""
    if Role.AGENT not in principal.roles:
        return _refuse("R-01")
    if principal.organisation != provider:
        return _refuse("R-02")
    for candidate in in_force(agreements, day):
        if candidate.id == agreement and candidate.tier == "DSA" and provider in candidate.contributors():
            return Decision(True, "R-00", RULES["R-00"], {candidate.id: str(candidate.version)}, Extent.OWN)
    return _refuse("R-20")


def permitted_elements(agreement: Agreement) -> frozenset[tuple[str, str]]:
    """The (table, element) pairs that the agreement names: all else is dropped before it leaves."""
    return frozenset((table, name) for table, names in agreement.elements.items() for name in names)


def usable_elements(agreements: Sequence[Agreement], *, providers: frozenset[str]) -> frozenset[tuple[str, str]]:
    """The elements that no provider's agreement in force withholds where it names the table at all.

    A provider without a DSA in force contributes nothing, so that its absence takes nothing from the others.
    """
    named = [
        permitted_elements(agreement)
        for agreement in agreements
        if agreement.tier == "DSA" and agreement.contributors() & providers
    ]
    union = frozenset().union(*named)
    barred = {pair for pairs in named for pair in _of_same_tables(union, pairs) if pair not in pairs}
    return union - barred


def _of_same_tables(union: frozenset[tuple[str, str]], pairs: frozenset[tuple[str, str]]) -> set[tuple[str, str]]:
    tables = {table for table, _ in pairs}
    return {(table, name) for table, name in union if table in tables}


def threshold(agreements: Sequence[Agreement], *, providers: frozenset[str]) -> int:
    """The largest smallest-number-shown among the providers' agreements in force; never under the floor."""
    return max(
        (a.outputs.min_n for a in agreements if a.tier == "DSA" and a.contributors() & providers), default=MINIMUM_N
    )


def _widest(extents: Mapping[Role, Extent]) -> Extent:
    held = set(extents.values())
    return next((extent for extent in _WIDEST_FIRST if extent in held), Extent.OWN)


_WIDEST_FIRST = (
    Extent.ALL,
    Extent.APPROVE,
    Extent.VETO,
    Extent.METADATA,
    Extent.COUNTS,
    Extent.VIEW,
    Extent.REQUEST,
    Extent.AGREEMENTS,
    Extent.OWN,
)


def _refuse(rule: str) -> Decision:
    return Decision(False, rule, RULES[rule], {})
