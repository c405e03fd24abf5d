"""Tables that join blocks which are final already: counted anew from the snapshot of the block's own release.

So a table that was approved later tells of the same frozen cohort, and no correction shows beside a released number.
Whether a table can join is decided on what is public (releases, definitions, hierarchies), never on the counts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.audit.events import AuditTrail
from hub.db import Database
from hub.files import AnalysisStore
from hub.outcomes.service import blocks, definition_versions, read_snapshot
from hub.release.draft import BlockKey, Ledger, Structure
from policies.disclosure.types import Block, TableDeclaration
from policies.table_requests import kin

Tables = Mapping[str, Sequence[TableDeclaration]]


def joining_blocks(
    database: Database, *, analysis: AnalysisStore, declared: Tables, ledger: Ledger, counted: Sequence[Block],
    audit: AuditTrail,
) -> tuple[Block, ...]:  # fmt: skip
    """Final blocks with the declared tables that they have not told yet, together with all that share their persons."""
    found: list[Block] = []
    new = {(block.indicator, block.cohort_year) for block in counted} - ledger.cells.keys()
    for snapshot, groups in _by_snapshot(declared, ledger, new).items():
        with database.reading() as session:
            known = read_snapshot(session, snapshot)
        if known is None:
            continue
        names = {indicator for group in groups for indicator, _ in group}
        tables = {name: _union(name, groups, declared=declared, ledger=ledger) for name in sorted(names)}
        recounted = blocks(database, known, analysis=analysis, tables=tables, audit=audit, told=ledger.snapshots)
        by_key = {(block.indicator, block.cohort_year): block for block in recounted}
        for group in groups:
            members = [_with_own_tables(by_key[key], declared, ledger) for key in group if key in by_key]
            if len(members) == len(group) and all(_same_shape(one, ledger.structures[_key(one)]) for one in members):
                found += members
    return tuple(sorted(found, key=_key))


def _by_snapshot(
    declared: Tables, ledger: Ledger, new: frozenset[BlockKey] | set[BlockKey]
) -> dict[str, list[tuple[BlockKey, ...]]]:
    """By snapshot, the groups of final blocks that lack a declared table and can be counted again as they were."""
    found: dict[str, dict[tuple[BlockKey, ...], None]] = {}
    for key in sorted(ledger.cells):
        if not _missing(key, declared, ledger):
            continue
        shared = [(name, key[1]) for name in kin(key[0])]
        group = tuple(one for one in shared if one in ledger.cells)
        snapshots = {ledger.snapshots[one] for one in group}
        current = all(
            definition_versions([one[0]])[one[0]] == ledger.structures[one].definition_version for one in group
        )
        if len(snapshots) == 1 and current and not any(one in new for one in shared):
            found.setdefault(snapshots.pop(), {})[group] = None
    return {snapshot: list(groups) for snapshot, groups in found.items()}


def _missing(key: BlockKey, declared: Tables, ledger: Ledger) -> list[TableDeclaration]:
    told = ledger.structures[key].tables
    return [table for table in declared.get(key[0], ()) if table.name not in told]


def _told(key: BlockKey, ledger: Ledger) -> list[TableDeclaration]:
    tables = json.loads(ledger.structures[key].equations)["tables"]
    return [
        TableDeclaration(
            name=one["name"],
            dimensions=tuple(one["dimensions"]),
            priority=one["priority"],
            coarse=tuple(one.get("coarse", ())),
        )
        for one in tables
    ]


def _union(
    indicator: str, groups: Sequence[tuple[BlockKey, ...]], *, declared: Tables, ledger: Ledger
) -> list[TableDeclaration]:
    """Every table that a block of the indicator has told or shall tell: what must be counted."""
    keys = [key for group in groups for key in group if key[0] == indicator]
    tables = {table.name: table for key in keys for table in (*_told(key, ledger), *_missing(key, declared, ledger))}
    return list(tables.values())


def _with_own_tables(block: Block, declared: Tables, ledger: Ledger) -> Block:
    key = _key(block)
    return replace(block, tables=(*_told(key, ledger), *_missing(key, declared, ledger)))


def _same_shape(block: Block, structure: Structure) -> bool:
    """Whether levels and hierarchies are still those that were released; else the ledger's cells would not be seen."""
    now = {one.name: (list(one.levels), dict(one.parents)) for one in block.dimensions}
    then = json.loads(structure.equations)["dimensions"]
    return all(now.get(one["name"]) == (one["levels"], one["parents"]) for one in then)


def _key(block: Block) -> BlockKey:
    return block.indicator, block.cohort_year
