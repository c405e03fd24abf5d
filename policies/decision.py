"""The one decision: may this principal do this, to this, under these agreements, on this day, and by which rule.

Deny by default. The same function runs at the edge (to drop what is not agreed before it leaves), at intake, at
linking, at counting and at answering. An element is usable only if every contributor's agreement in force permits
it. A refusal for what is absent and for what is hidden is the same, word for word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from policies.agreements import Agreement, ElementTerms, effective, in_force
from policies.decision_rules import RULES
from policies.disclosure_floor import MINIMUM_N
from policies.element_uses import Pair, elements_counted, elements_split_by
from policies.organisation_files import area_of
from policies.principal import Principal, Role
from policies.roles import Extent, extent_of

DISTRICT = "district"


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


def decide(
    principal: Principal, action: str, resource: Resource, *, agreements: Sequence[Agreement], day: dt.date
) -> Decision:
    """The verdict on one act; agreements are all versions known, day is the day of the act."""
    extents = extent_of(action, principal.roles)
    if not extents:
        return _refuse("R-01")
    if resource.query is not None:
        return _decide_query(principal, resource.query, agreements=agreements, day=day)
    widest = _widest(extents)
    if widest is Extent.OWN and resource.organisation != principal.organisation:
        return _refuse("R-02")
    return Decision(True, "R-00", RULES["R-00"], {}, widest)


def _decide_query(principal: Principal, query: Query, *, agreements: Sequence[Agreement], day: dt.date) -> Decision:
    if principal.agreement is not None and query.agreement != principal.agreement:
        return _refuse("R-03")
    licence = _licence(principal, query.agreement, in_force(agreements, day))
    if licence is None:
        return _refuse("R-10")
    rule = _licence_rule(query, licence)
    if rule != "R-00":
        return _verdict(rule, (licence,))
    purpose = next(one for one in licence.purposes if one.id == query.purpose)
    behind = _behind(query.indicator, query.dimensions, contributing(agreements, day), agreements, day)
    rule = _contributors_rule(query.indicator, query.dimensions, behind, purpose=purpose.under or purpose.id)
    behind_versions = tuple(one for one, _ in behind)
    return _verdict(rule, (licence, *behind_versions), Extent.AGREEMENTS)


def _licence_rule(query: Query, licence: Agreement) -> str:
    if query.purpose not in {purpose.id for purpose in licence.purposes}:
        return "R-11"
    if query.indicator not in licence.outputs.indicators:
        return "R-12"
    if not set(query.dimensions) <= licence.outputs.dimensions:
        return "R-13"
    return _shape_rule(query.dimensions, licence)


def _shape_rule(dimensions: Sequence[str], agreement: Agreement) -> str:
    """How many splits at once, and how fine a place: what a licence and what a contributor's agreement both limit."""
    if len(dimensions) > agreement.outputs.max_dimensions:
        return "R-14"
    if DISTRICT in dimensions and agreement.outputs.geographic_floor == "county":
        return "R-15"
    return "R-00"


def decide_count(
    indicator: str,
    dimensions: Sequence[str],
    *,
    agreements: Sequence[Agreement],
    given: Collection[str],
    day: dt.date,
) -> Decision:
    """Whether one table of an indicator may be counted from what was given under these agreements, by their ids."""
    named = [one for one in contributing(agreements, day) if one.id in given]
    behind = _behind(indicator, dimensions, named, agreements, day)
    return _verdict(_contributors_rule(indicator, dimensions, behind), tuple(one for one, _ in behind))


def contributing(agreements: Sequence[Agreement], day: dt.date) -> tuple[Agreement, ...]:
    """The data-sharing agreements whose word counts on the day: those in force and those that have ended.

    What was given under an agreement stays under its limits when it has ended, so that an end never shows more.
    """
    return tuple(one for one in effective(agreements, day) if one.tier == "DSA")


Behind = tuple[Agreement, frozenset[str]]
"""An agreement, and the tables that were ever given under it: an amendment that names fewer of them lets those that
were given before be used no longer."""


def _behind(
    indicator: str, dimensions: Sequence[str], given: Sequence[Agreement], known: Sequence[Agreement], day: dt.date
) -> tuple[Behind, ...]:
    """Of these agreements those under which a table was given that the indicator or a dimension reads."""
    read = elements_counted(indicator).union(*(elements_split_by(name) for name in dimensions))
    tables = {table for table, _ in read}
    found = ((one, _tables_given(one.id, known, day)) for one in given)
    return tuple((one, ever) for one, ever in found if not tables.isdisjoint(ever))


def _tables_given(agreement: str, known: Sequence[Agreement], day: dt.date) -> frozenset[str]:
    """The tables that any version of an agreement named that had taken effect by the day."""
    versions = (one for one in known if one.id == agreement and one.retention.effective <= day)
    return frozenset(table for one in versions for table in one.elements)


def _contributors_rule(
    indicator: str, dimensions: Sequence[str], behind: Sequence[Behind], *, purpose: str | None = None
) -> str:
    for agreement, tables in behind:
        if purpose is not None and purpose not in {one.id for one in agreement.purposes}:
            return "R-16"
        if not _all(agreement, tables, elements_counted(indicator), lambda terms: terms.may_report):
            return "R-17"
        if any(
            not _all(agreement, tables, elements_split_by(name), lambda terms: terms.may_disaggregate)
            for name in dimensions
        ):
            return "R-18"
        rule = _shape_rule(dimensions, agreement)
        if rule != "R-00":
            return rule
    return "R-00"


def _all(
    agreement: Agreement, tables: frozenset[str], read: frozenset[Pair], may: Callable[[ElementTerms], bool]
) -> bool:
    """Whether the agreement lets every element be used so, of the tables that were given under it."""
    terms = (agreement.terms(table, name) for table, name in read if table in tables)
    return all(one is not None and may(one) for one in terms)


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
    principal: Principal,
    *,
    provider: str,
    agreement: tuple[str, int | None],
    school_year: int,
    agreements: Sequence[Agreement],
    day: dt.date,
) -> Decision:
    """Whether this agent may send this provider's records of a school year under this agreement on this day.

    Args:
        agreement: its id, and the version under which the records were prepared, None where none is named.
    """
    if Role.AGENT not in principal.roles:
        return _refuse("R-01")
    if principal.organisation != provider:
        return _refuse("R-02")
    found = _giving(provider, agreement[0], in_force(agreements, day))
    if found is None:
        return _refuse("R-20")
    if agreement[1] not in (None, found.version):
        return _verdict("R-21", (found,))
    return _verdict(_population_rule(found, provider, school_year), (found,), Extent.OWN)


def _population_rule(agreement: Agreement, provider: str, school_year: int) -> str:
    """Whose records an agreement means: its school years, and the areas of the county whose offices it is about."""
    meant = agreement.populations
    if meant is None:
        return "R-00"
    if not meant.hold(school_year):
        return "R-22"
    return "R-00" if not meant.areas or area_of(provider) in meant.areas else "R-24"


def decide_grade(agreement: Agreement, grade: str) -> Decision:
    """Whether records of a grade may leave the provider under an agreement, and be used under it."""
    meant = agreement.populations
    held = meant is None or not meant.grades or grade in meant.grades
    return _verdict("R-00" if held else "R-25", (agreement,), Extent.OWN)


def decide_use(
    *,
    provider: str,
    agreement: str,
    school_year: int,
    kinds: Collection[str],
    agreements: Sequence[Agreement],
    day: dt.date,
) -> Decision:
    """Whether what a provider sent of a school year may be used on the day, linked with these kinds of organisation.

    The version in force decides: a year or an area that an amendment takes out is used no longer.
    """
    found = _giving(provider, agreement, in_force(agreements, day))
    if found is None:
        return _refuse("R-30")
    rule = _population_rule(found, provider, school_year)
    if rule != "R-00":
        return _verdict(rule, (found,))
    if found.linkage is not None and not set(kinds) <= found.linkage.allowed_sources:
        return _verdict("R-31", (found,))
    return _verdict("R-00", (found,), Extent.OWN)


def decide_element(agreement: Agreement, table: str, element: str) -> Decision:
    """Whether an element may leave the provider under an agreement: asked at the edge, and again at intake."""
    return _verdict("R-23" if agreement.terms(table, element) is None else "R-00", (agreement,), Extent.OWN)


def _giving(provider: str, agreement: str, agreements: Sequence[Agreement]) -> Agreement | None:
    for candidate in agreements:
        if candidate.id == agreement and candidate.tier == "DSA" and provider in candidate.contributors():
            return candidate
    return None


def permitted_elements(agreement: Agreement) -> frozenset[tuple[str, str]]:
    """The (table, element) pairs that the agreement names: all else is dropped before it leaves."""
    named = ((table, name) for table, names in agreement.elements.items() for name in names)
    return frozenset((table, name) for table, name in named if decide_element(agreement, table, name).permitted)


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
    return _verdict(rule, ())


def _verdict(rule: str, read: Sequence[Agreement], extent: Extent | None = None) -> Decision:
    permitted = rule == "R-00"
    versions = {one.id: str(one.version) for one in read}
    return Decision(permitted, rule, RULES[rule], versions, extent if permitted else None)
