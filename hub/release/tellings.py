"""Blocks that are not final yet, as they were counted at each provisional telling: from the snapshot that was told.

So disclosure control takes out of each telling what every provider knew of its own children then. A telling whose
snapshot was destroyed, or whose definition has changed since, is left out: a provider is then thought to have known
what it knows now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.audit.events import AuditTrail
from hub.db import Database
from hub.files import AnalysisStore
from hub.outcomes.service import blocks, definition_versions, read_snapshot
from hub.release.draft import Ledger, Telling
from policies.disclosure.types import Block, TableDeclaration


def told_blocks(
    database: Database,
    *,
    analysis: AnalysisStore,
    declared: Mapping[str, Sequence[TableDeclaration]],
    ledger: Ledger,
    audit: AuditTrail,
) -> dict[str, tuple[Block, ...]]:
    """By provisional vintage, the blocks that it told and that are not final."""
    wanted = {
        vintage: {key for key in telling.definitions if key not in ledger.cells and key[0] in declared}
        for vintage, telling in ledger.tellings.items()
    }
    counted: dict[str, tuple[Block, ...]] = {}
    found = {}
    for vintage, telling in sorted(ledger.tellings.items()):
        now = definition_versions(sorted({indicator for indicator, _ in wanted[vintage]}))
        keys = {key for key in wanted[vintage] if telling.definitions[key] == now[key[0]]}
        if not keys:
            continue
        if telling.snapshot not in counted:
            tables = {indicator: declared[indicator] for indicator in now}
            counted[telling.snapshot] = _counted(database, telling, analysis, tables=tables, audit=audit)
        found[vintage] = tuple(one for one in counted[telling.snapshot] if (one.indicator, one.cohort_year) in keys)
    return found


def _counted(
    database: Database,
    telling: Telling,
    analysis: AnalysisStore,
    *,
    tables: Mapping[str, Sequence[TableDeclaration]],
    audit: AuditTrail,
) -> tuple[Block, ...]:
    with database.reading() as session:
        known = read_snapshot(session, telling.snapshot)
    if known is None:
        return ()
    told = dict.fromkeys(telling.definitions, telling.snapshot)
    return blocks(database, known, analysis=analysis, tables=tables, audit=audit, told=told)
