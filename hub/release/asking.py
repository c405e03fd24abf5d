"""What may be asked, by whom: a question is checked on the catalogue, the agreements and the day, before any data.

Each refusal says what may be asked. None depends on what the data hold, so none tells anything about them.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.errors import Fault, Invalid, Refused
from hub.release.slices import Cursor
from hub.submissions.agreed import idle_agreements
from policies.agreements import Agreement, in_force
from policies.catalogue_files import Catalogue, CatalogueTable, GapPair
from policies.decision import Decision, Query, Resource, decide
from policies.indicator_files import dimensions as dimension_files
from policies.indicator_sets import indicator_sets
from policies.principal import Principal
from policies.table_requests import DEPTH_MAX

if TYPE_CHECKING:
    from fastapi import Request

FIRST_YEAR, LAST_YEAR = 2000, 2100
PAGE_ROWS = 1000
LEVEL = re.compile(r"([a-z0-9-]{1,64}):([A-Za-z0-9-]{1,64}(?: [A-Za-z0-9-]{1,64})*)")
SCHOOL_YEAR_BEGINS = 7
"""The month in which a school year begins (Cal. Education Code 37200)."""


@dataclass(frozen=True)
class Asker:
    """Who asks, under which agreement and for which purpose, on which day; all agreement versions known.

    `idle`: data-sharing agreements under which nothing was ever accepted, which limit nobody's question.
    """

    principal: Principal
    agreement: str | None
    purpose: str | None
    agreements: Sequence[Agreement]
    day: dt.date
    idle: frozenset[str] = frozenset()

    def may_ask(self, query: Query) -> Decision:
        """The decision on a question of this asker."""
        behind = [one for one in self.agreements if one.id not in self.idle]
        return decide(
            self.principal, "aggregate.query", Resource("table", query=query), agreements=behind, day=self.day
        )

    def licence(self) -> Agreement | None:
        """The agreement in force that is named, if it is one."""
        return next((known for known in in_force(self.agreements, self.day) if known.id == self.agreement), None)


PRESCHOOL = "preschool"
"""The dimension that tells which preschool a child of a class went to."""


def asker_of(request: "Request", session: Session, *, agreement: str = "", purpose: str = "") -> Asker:
    """Who asks, with the agreement and purpose named; of a token its own agreement."""
    # Loaded here: commands ask nothing over HTTP, and start in half the time without it.
    from hub.http import hub_of, principal_of

    principal = principal_of(request)
    return Asker(
        principal=principal,
        agreement=agreement or principal.agreement,
        purpose=purpose or None,
        agreements=known_agreements(session),
        day=hub_of(request).clock().date(),
        idle=idle_agreements(session),
    )


@dataclass(frozen=True)
class Question:
    """One table of one indicator: splits in any order, cohort years, levels, a page."""

    indicator: str
    by: tuple[str, ...] = ()
    first_year: int | None = None
    last_year: int | None = None
    levels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    release: str | None = None
    after: Cursor | None = None
    limit: int = PAGE_ROWS


def check_question(question: Question, *, catalogue: Catalogue, day: dt.date) -> CatalogueTable:
    """The declared table that the question names; raises Invalid saying what may be asked, whatever the data hold."""
    check_indicator(question.indicator, catalogue=catalogue)
    for year in (question.first_year, question.last_year):
        if year is not None:
            check_year(year, "cohort", day=day)
    if question.first_year and question.last_year and question.first_year > question.last_year:
        raise Invalid(
            "The years are in the wrong order.",
            code="cohort-wrong",
            next_step=f"Ask {question.last_year}..{question.first_year}.",
            faults=(Fault("cohort", "cohort-wrong"),),
        )
    check_split(question.by, catalogue=catalogue)
    table = catalogue.table_split_by(question.indicator, dimensions=question.by)
    if table is None:
        splits = "; ".join(", ".join(one.dimensions) or "no split" for one in catalogue.tables[question.indicator])
        raise Invalid(
            "The catalogue holds no such table of this indicator.",
            code="table-not-declared",
            next_step=f"Ask one of these splits: {splits}. A further table can be requested for the next release.",
            faults=(Fault("by", "table-not-declared"),),
        )
    if not set(question.levels) <= set(table.dimensions):
        raise Invalid(
            "A level is named of a dimension that the table is not split by.",
            code="level-without-split",
            next_step="Name the dimension in `by` too.",
            faults=(Fault("level", "level-without-split"),),
        )
    for name in table.coarse:
        _check_coarse(name, question.levels.get(name))
    return table


def _check_coarse(dimension: str, level: str | None) -> None:
    """Raises Invalid for a level that stands inside a group of which the table tells the whole only."""
    known = dimension_files()[dimension]
    if level in known.parents:
        whole = [one.id for one in known.levels if one.id not in known.parents]
        raise Invalid(
            f"The table tells of {dimension} only the whole groups.",
            code="level-too-fine",
            next_step=f"Ask one of these: {', '.join(whole)}; or ask by {dimension} alone.",
            faults=(Fault("level", "level-too-fine"),),
        )


def read_levels(named: Sequence[str]) -> dict[str, str]:
    """Levels written as dimension:level; raises Invalid for what is not."""
    found = [LEVEL.fullmatch(text) for text in named]
    if any(match is None for match in found):
        raise Invalid(
            "A level is named as dimension:level.",
            code="level-wrong",
            next_step="Write level=race:white; /v1/dimensions names the levels.",
            faults=(Fault("level", "level-wrong"),),
        )
    return {match[1]: match[2] for match in found if match is not None}


def check_split(by: Sequence[str], *, catalogue: Catalogue) -> None:
    """Raises Invalid for a dimension that there is not, and for more of them at once than any table may have."""
    if not set(by) <= set(known_dimensions(catalogue)):
        raise Invalid(
            "There is no such split.",
            code="dimension-unknown",
            next_step=f"Ask splits among: {', '.join(known_dimensions(catalogue))}.",
            faults=(Fault("by", "dimension-unknown"),),
        )
    if len(by) > DEPTH_MAX:
        raise Invalid(
            "These are more splits at once than any table may have.",
            code="split-too-deep",
            next_step=f"Ask at most {DEPTH_MAX} splits at once.",
            faults=(Fault("by", "split-too-deep"),),
        )


def known_dimensions(catalogue: Catalogue) -> tuple[str, ...]:
    """Every dimension that there is, whether a table is split by it or not, in one order."""
    named = {name for indicator in catalogue.indicators for name in catalogue.dimensions(indicator)}
    return tuple(sorted(named | dimension_files().keys()))


def check_indicator(indicator: str, *, catalogue: Catalogue) -> None:
    """Raises Invalid naming the indicators that there are."""
    if indicator not in catalogue.tables:
        raise Invalid(
            "There is no such indicator.",
            code="indicator-unknown",
            next_step=f"Ask one of: {', '.join(catalogue.indicators)}.",
            faults=(Fault("indicator", "indicator-unknown"),),
        )


def check_gaps(
    indicators: Sequence[str], pairs: Sequence[str], *, catalogue: Catalogue
) -> list[tuple[str, GapPair, CatalogueTable]]:
    """Indicator, pair and table of each gap that is asked for and declared."""
    for indicator in indicators:
        check_indicator(indicator, catalogue=catalogue)
    if any(catalogue.gap(name) is None for name in pairs):
        raise Invalid(
            "There is no such pair of groups.",
            code="gap-unknown",
            next_step=f"Ask one of: {', '.join(pair.name for pair in catalogue.gaps)}.",
            faults=(Fault("pair", "gap-unknown"),),
        )
    return [
        (indicator, pair, table)
        for indicator in indicators or indicator_sets().core
        for pair in catalogue.gaps
        if (not pairs or pair.name in pairs) and (table := catalogue.table(indicator, name=pair.table)) is not None
    ]


def check_pathway(preschool: str | None, *, catalogue: Catalogue) -> dict[str, CatalogueTable]:
    """By outcome the declared table that follows these children; raises Invalid for no level of preschools.

    All children stand in every outcome's total. Those of a preschool stand where its table is declared.
    """
    if preschool is not None and preschool not in preschool_levels():
        raise Invalid(
            "There is no such kind of preschool.",
            code="preschool-unknown",
            next_step=f"Ask one of: {', '.join(preschool_levels())}.",
            faults=(Fault("preschool", "preschool-unknown"),),
        )
    split = (PRESCHOOL,) if preschool else ()
    found = {step.indicator: catalogue.table_split_by(step.indicator, dimensions=split) for step in catalogue.pathway}
    tables = {name: table for name, table in found.items() if table is not None}
    if not tables or (preschool is None and len(tables) < len(catalogue.pathway)):
        raise Invalid("The catalogue holds no such pathway.", code="table-not-declared",
                      next_step="Ask without a preschool.",
                      faults=(Fault("preschool", "table-not-declared"),))  # fmt: skip
    return tables


def preschool_levels() -> tuple[str, ...]:
    """The kinds of preschool whose children can be followed."""
    return tuple(level.id for level in dimension_files()[PRESCHOOL].levels if level.id not in ("none", "unknown"))


def check_may_read(asker: Asker, indicator: str, *, table: CatalogueTable) -> tuple[Decision, Agreement | None]:
    """The decision and the licence that narrows the answer; raises Refused with the rule and what to do.

    A table of the report card is open to everybody who names no agreement; all else needs one.
    """
    if table.audience == "public" and asker.agreement is None:
        decision = decide(asker.principal, "public.read", Resource("table"), agreements=asker.agreements, day=asker.day)
    else:
        decision = asker.may_ask(Query(asker.agreement, asker.purpose, indicator, table.dimensions))
    if not decision.permitted:
        raise Refused(
            f"This may not be asked here: {decision.reason}.",
            code="query-refused",
            rule=decision.rule,
            versions=decision.versions,
            next_step="See /agreements for what your agreement names, or ask a table of the public report card.",
        )
    return decision, asker.licence()


def check_year(year: int, place: str, *, day: dt.date) -> None:
    """Raises Invalid for a year before the records or after the school year of `day`, whatever the data hold."""
    latest = school_year(day)
    if not FIRST_YEAR <= year <= latest:
        raise Invalid(
            f"A cohort year lies between {FIRST_YEAR} and {latest}, the present school year.",
            code="cohort-wrong",
            next_step="Name the year in which the school year ends: 2025-26 is 2026.",
            faults=(Fault(place, "cohort-wrong"),),
        )


def school_year(day: dt.date) -> int:
    """The school year of a day, named by the year in which it ends; it begins on the first of July (Ed. Code 37200)."""
    return day.year + (day.month >= SCHOOL_YEAR_BEGINS)
