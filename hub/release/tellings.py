"""Blocks as they were counted when they were told before: those that are not final yet at each provisional telling,
and those that are final and count the same persons as a new one; from the snapshot that was told.

So disclosure control takes out of each telling what every provider knew of its own children then. A telling whose
snapshot was destroyed, or whose definition has changed since, is left out: a provider is then thought to have known
what it knows now, and beside a final figure that was corrected nothing new is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.audit.events import AuditTrail
from hub.db import Database
from hub.files import AnalysisStore
from hub.outcomes.service import blocks, definition_versions, read_snapshot
from hub.release.draft import FINAL, BlockKey, Ledger, Telling
from policies.disclosure.types import Block, TableDeclaration
from policies.table_requests import kin


def told_blocks(
    database: Database,
    *,
    analysis: AnalysisStore,
    declared: Mapping[str, Sequence[TableDeclaration]],
    ledger: Ledger,
    new: Iterable[BlockKey],
    audit: AuditTrail,
) -> dict[str, tuple[Block, ...]]:
    """By provisional vintage, the blocks that it told and that are not final; as of the vintage `final` those that are
    final and count the same persons as one of the `new`."""
    told = [(vintage, telling, _not_final(telling, declared, ledger)) for vintage, telling in ledger.tellings.items()]
    told += [(FINAL, telling, set(telling.definitions)) for telling in _finals(new, declared, ledger)]
    counted: dict[tuple[str, bool, tuple[str, ...]], tuple[Block, ...]] = {}
    found: dict[str, tuple[Block, ...]] = {}
    for vintage, telling, wanted in sorted(told, key=lambda one: (one[0], one[1].snapshot)):
        now = definition_versions(sorted({indicator for indicator, _ in wanted}))
        keys = {key for key in wanted if telling.definitions[key] == now[key[0]]}
        if not keys:
            continue
        count = telling.snapshot, vintage == FINAL, tuple(now)
        if count not in counted:
            tables = {indicator: declared[indicator] for indicator in now}
            counted[count] = _counted(database, telling, analysis, tables=tables, audit=audit)
        known = tuple(one for one in counted[count] if (one.indicator, one.cohort_year) in keys)
        found[vintage] = (*found.get(vintage, ()), *known)
    return found


def _not_final(telling: Telling, declared: Mapping[str, object], ledger: Ledger) -> set[BlockKey]:
    return {key for key in telling.definitions if key not in ledger.cells and key[0] in declared}


def _finals(new: Iterable[BlockKey], declared: Mapping[str, object], ledger: Ledger) -> list[Telling]:
    """By snapshot the final blocks that share their persons with a new one."""
    keys = {(name, year) for indicator, year in new for name in kin(indicator) if name in declared}
    by_snapshot: dict[str, dict[BlockKey, str]] = {}
    for key in sorted(keys & ledger.cells.keys()):
        by_snapshot.setdefault(ledger.snapshots[key], {})[key] = ledger.structures[key].definition_version
    return [Telling(snapshot, definitions) for snapshot, definitions in by_snapshot.items()]


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
