"""What a requested table would cost the others: the newest cohorts protected with it and without it, side by side.

Counts come from the one counting module and stay here; what is kept are numbers of cells.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub.agreements.service import known_agreements
from hub.audit.events import AuditTrail
from hub.db import Clock, Database
from hub.files import AnalysisStore
from hub.jobs import Outcome, Ticket
from hub.outcomes.service import blocks, newest_snapshot
from hub.release.publishing import declared_tables, release_rules
from hub.release.requests.service import catalogue_to_count, open_request, record_cost
from hub.submissions.agreed import agreed
from policies.catalogue_files import Catalogue
from policies.disclosure.types import FREE, Block, ReleasedCell, Rules
from policies.table_requests import kin, table_beside, with_tables

if TYPE_CHECKING:
    from policies.disclosure.engine import Each

YEARS = 3
"""So many of the newest cohort years are tried."""

NOTHING_COUNTED = {"unavailable": "nothing is linked and counted yet"}
Cells = Mapping[tuple[str, int, str, tuple[tuple[str, str], ...]], ReleasedCell]


def cost_job(
    database: Database, *, clock: Clock, analysis: AnalysisStore, catalogue: Catalogue
) -> Callable[[Ticket], Outcome]:
    """Works a request's cost out and keeps it; a request that is decided meanwhile is left alone."""

    def work(ticket: Ticket) -> Outcome:
        trail = AuditTrail("resolver", None, ticket.key[:64], ticket.kind, clock)
        request = int(ticket.payload["request"])
        found = work_out(database, request, analysis=analysis, catalogue=catalogue, audit=trail)
        if found is None:
            return Outcome(lambda session: None)
        return Outcome(lambda session: record_cost(session, request, found, audit=trail))

    return work


def work_out(
    database: Database, request: int, *, analysis: AnalysisStore, catalogue: Catalogue, audit: AuditTrail
) -> Mapping[str, Any] | None:
    """The cost of a request as of the newest snapshot; None when it is decided."""
    with database.reading() as session:
        wanted, snapshot = open_request(session, request), newest_snapshot(session)
        standing = catalogue_to_count(session, catalogue)
        rules = release_rules(
            known_agreements(session),
            providers=frozenset(one.provider for one in agreed(session, day=audit.clock().date())),
            audit=audit,
        )
    if wanted is None:
        return None
    if snapshot is None:
        return NOTHING_COUNTED
    indicator, dimensions = wanted
    names = [name for name in kin(indicator) if name in standing.tables]
    declared = declared_tables(with_tables(standing, [wanted]))
    counted = blocks(
        database, snapshot, analysis=analysis, tables={name: declared[name] for name in names}, audit=audit
    )
    years = sorted({block.cohort_year for block in counted if block.indicator == indicator})[-YEARS:]
    tried = [block for block in counted if block.cohort_year in years]
    return cost_of(tried, indicator, table_beside(standing, dimensions).name, rules=rules)


def cost_of(blocks: Sequence[Block], indicator: str, table: str, *, rules: Rules, each: "Each" = map) -> dict[str, Any]:
    """By indicator and table: cells, how many are shown without the new table, lost with it, or told more coarsely."""
    from policies.disclosure.engine import protect

    without = [_without(block, table) if block.indicator == indicator else block for block in blocks]
    before = _by_place(protect(without, rules=rules, each=each).cells)
    after = _by_place(protect(blocks, rules=rules, each=each).cells)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for place, cell in after.items():
        row = found.setdefault((cell.indicator, cell.table), {"cells": 0, "shown": 0, "lost": 0, "coarser": 0})
        row["cells"] += 1
        was = before.get(place)
        if was is None:
            row["shown"] += cell.status == FREE
            continue
        row["shown"] += was.status == FREE
        row["lost"] += was.status == FREE != cell.status
        row["coarser"] += was.k is not None and cell.status == FREE and cell.k is None
    rows: list[dict[str, Any]] = [
        {"indicator": name, "table": told, **counts} for (name, told), counts in found.items()
    ]
    others = [row for row in rows if (row["indicator"], row["table"]) != (indicator, table)]
    return {
        "years": sorted({block.cohort_year for block in blocks}),
        "table": next(row for row in rows if (row["indicator"], row["table"]) == (indicator, table)),
        "others": others,
        "lost": sum(row["lost"] for row in others),
        "coarser": sum(row["coarser"] for row in others),
    }


def _without(block: Block, table: str) -> Block:
    return replace(block, tables=tuple(one for one in block.tables if one.name != table))


def _by_place(cells: Sequence[ReleasedCell]) -> Cells:
    return {(cell.indicator, cell.cohort_year, cell.table, cell.levels): cell for cell in cells}
