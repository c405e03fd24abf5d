"""A release before it is one: base counts protected once, joined with all that was ever released.

Pure: blocks and ledger in, cells, verdict and canonical bytes out. Same inputs, same bytes: the content names no
time, no release id and no person.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from hub.errors import Conflict
from hub.release.slices import HIDDEN_REASON, PROVISIONAL, PROVISIONAL_REASON, RANGE_REASON
from policies.disclosure.types import CONFIDENTIAL, Block, ReleasedCell, Rules, Verdict

if TYPE_CHECKING:
    from policies.disclosure.engine import Each

FORMAT = "promise-release/1"
# Final figures are released once and then frozen. Provisional ones, told more coarsely, have a vintage each time. A
# table that joins a final block later is its next final vintage (final-2), counted from the same frozen cohort.
FINAL = "final"
BlockKey = tuple[str, int]


@dataclass(frozen=True)
class Proposal:
    """What a release would be made of: the counts of one snapshot, once.

    `joining` are final blocks with tables that join them now, counted from the snapshots of their own releases;
    `earlier` are blocks as they were counted when they were told before, by vintage.
    """

    blocks: tuple[Block, ...]
    snapshot: str
    definitions: Mapping[str, str]
    catalogue_version: int
    joining: tuple[Block, ...] = ()
    earlier: Mapping[str, tuple[Block, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Structure:
    """The version of the definition, and the essentials of the equations: hierarchies, tables, shared populations."""

    definition_version: str
    equations: str

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables."""
        return tuple(str(table["name"]) for table in json.loads(self.equations)["tables"])


@dataclass(frozen=True)
class Addition:
    """What joins a final block: its vintage, the new tables' cells and their equations."""

    vintage: str
    cells: tuple[ReleasedCell, ...]
    structure: Structure


@dataclass(frozen=True)
class Telling:
    """What a provisional vintage was counted from, and the version of each block's definition."""

    snapshot: str
    definitions: Mapping[BlockKey, str]


@dataclass(frozen=True)
class Ledger:
    """Everything ever released, and a mark by which a change of it is noticed; blocks are those that are final."""

    cells: Mapping[BlockKey, tuple[ReleasedCell, ...]]
    structures: Mapping[BlockKey, Structure]
    mark: str
    provisional: tuple[ReleasedCell, ...] = ()
    snapshots: Mapping[BlockKey, str] = field(default_factory=lambda: MappingProxyType({}))
    vintages: Mapping[BlockKey, int] = field(default_factory=lambda: MappingProxyType({}))
    tellings: Mapping[str, Telling] = field(default_factory=lambda: MappingProxyType({}))

    def every_cell(self) -> tuple[ReleasedCell, ...]:
        """All cells, final ones block by block, then what was told provisionally."""
        return (*(cell for key in sorted(self.cells) for cell in self.cells[key]), *self.provisional)


@dataclass(frozen=True)
class Draft:
    """A release that may be stored: its new cells, what it takes over, the clean verdict and its bytes.

    `taken_over` counts the independent groups of blocks whose protection stood from the last preparation.
    """

    snapshot: str
    catalogue_version: int
    rules: str
    new_cells: Mapping[BlockKey, tuple[ReleasedCell, ...]]
    new_structures: Mapping[BlockKey, Structure]
    frozen: tuple[BlockKey, ...]
    verdict: Verdict
    content: bytes
    ledger_mark: str
    vintage: str = FINAL
    additions: Mapping[BlockKey, Addition] = field(default_factory=lambda: MappingProxyType({}))
    taken_over: int = 0

    @property
    def content_sha256(self) -> str:
        """The address of the content."""
        return hashlib.sha256(self.content).hexdigest()


def draft_release(
    proposal: Proposal, *, rules: Rules, ledger: Ledger, vintage: str = FINAL, each: "Each" = map
) -> Draft:
    """Protect what is not final yet beside everything ever released; under a provisional vintage, tell it coarsely.

    A block that was released is frozen: it is taken over as it stands, never counted anew, since a correction for
    one child would be that child. Raises Conflict `release-unsafe` unless the joint audit is clean.

    Args:
        each: does the same with each independent group of blocks, in order.
    """
    # Loaded here: the engine is heavy, and the API, which only reads releases, never needs it.
    from policies.disclosure.engine import protect, protect_provisionally

    new = tuple(sorted((block for block in proposal.blocks if _key(block) not in ledger.cells), key=_key))
    reached = _linked_to(new, [block for block in proposal.blocks if _key(block) in ledger.cells])
    protector = protect if vintage == FINAL else partial(protect_provisionally, vintage=vintage)
    together = (*new, *reached, *(proposal.joining if vintage == FINAL else ()))
    protected = protector(together, rules=rules, ledger=ledger.every_cell(), earlier=proposal.earlier, each=each)
    check_verdict(protected.verdict)
    cells = _cells_by_block(new, protected.cells, vintage=vintage)
    structures = {_key(block): _structure(block, proposal.definitions) for block in new}
    added = {_key(block): _addition(block, protected.cells, ledger=ledger) for block in proposal.joining}
    told = {key: (*ledger.cells[key], *addition.cells) for key, addition in added.items()}
    stated = {key: joined(ledger.structures[key], addition.structure) for key, addition in added.items()}
    content = release_content(
        {**ledger.cells, **told, **cells},
        {**ledger.structures, **stated, **structures},
        catalogue_version=proposal.catalogue_version,
    )
    return Draft(
        snapshot=proposal.snapshot,
        catalogue_version=proposal.catalogue_version,
        rules=_canonical(_plain(asdict(rules))).decode(),
        new_cells=cells,
        new_structures=structures,
        frozen=tuple(sorted(ledger.cells)),
        verdict=protected.verdict,
        content=content,
        ledger_mark=ledger.mark,
        vintage=vintage,
        additions=added,
    )


def _linked_to(new: Sequence[Block], final: Sequence[Block]) -> tuple[Block, ...]:
    """Final blocks that hang together with new ones, to be audited with them; what they showed stands as it is.

    Where their counts have changed since, of the new ones is shown what agrees with them, if the proposal says how they
    were counted then; else nothing.
    """
    from policies.disclosure.linked import are_linked

    found: tuple[Block, ...] = ()
    while more := [a for a in final if a not in found and any(are_linked(a, b) for b in (*new, *found))]:
        found = (*found, *more)
    return found


def joined(standing: Structure, further: Structure) -> Structure:
    """The equations of a block with the tables and dimensions of a further vintage."""
    first, second = json.loads(standing.equations), json.loads(further.equations)
    known = {dimension["name"] for dimension in first["dimensions"]}
    first["dimensions"] += [one for one in second["dimensions"] if one["name"] not in known]
    first["tables"] += second["tables"]
    return Structure(standing.definition_version, _canonical(first).decode())


def check_verdict(verdict: Verdict) -> None:
    """Raises Conflict `release-unsafe` unless the joint audit found nothing that can be computed back."""
    if not verdict.clean:
        raise Conflict(
            "The joint audit found withheld numbers that what is shown would give away.",
            code="release-unsafe",
            next_step="Read the evidence of the verdict; withhold more or take a table out of the catalogue.",
        )


def release_content(
    cells: Mapping[BlockKey, Sequence[ReleasedCell]],
    structures: Mapping[BlockKey, Structure],
    *,
    catalogue_version: int,
) -> bytes:
    """`release.json`: every cell and every hierarchy, canonical, without times or ids."""
    blocks = [
        {
            "indicator": key[0],
            "cohort_year": key[1],
            "definition_version": structures[key].definition_version,
            "equations": json.loads(structures[key].equations),
            "cells": [cell_as_json(cell) for cell in cells[key]],
        }
        for key in sorted(cells)
    ]
    return _canonical({"format": FORMAT, "catalogue_version": catalogue_version, "blocks": blocks})


def cell_as_json(cell: ReleasedCell) -> dict[str, object]:
    """A cell with what is hidden left out."""
    fields = {
        "table": cell.table,
        "vintage": cell.vintage,
        "levels": dict(cell.levels),
        "n": cell.n,
        "known": cell.known,
        "k": cell.k,
        "rate": cell.rate,
        "rate_low": cell.rate_low,
        "rate_high": cell.rate_high,
        "coverage_low": cell.coverage_low,
        "coverage_high": cell.coverage_high,
        "status": cell.status,
        "status_reason": status_reason(cell),
    }
    return {name: value for name, value in fields.items() if value is not None}


def status_reason(cell: ReleasedCell) -> str:
    """One sentence for everybody: nothing, a range, or hidden; never which kind of protection it was."""
    if cell.status == CONFIDENTIAL:
        return HIDDEN_REASON
    if cell.vintage.startswith(PROVISIONAL):
        return PROVISIONAL_REASON
    return RANGE_REASON if cell.rate is None and cell.rate_low is not None else ""


def verdict_as_json(verdict: Verdict) -> str:
    """The officer's evidence: what was shown and withheld, why, and what the audit found."""
    return _canonical(_plain(asdict(verdict))).decode()


def _key(block: Block) -> BlockKey:
    return block.indicator, block.cohort_year


def _cells_by_block(
    blocks: Iterable[Block], cells: Iterable[ReleasedCell], *, vintage: str
) -> dict[BlockKey, tuple[ReleasedCell, ...]]:
    found: dict[BlockKey, list[ReleasedCell]] = {_key(block): [] for block in blocks}
    for cell in cells:
        if (cell.indicator, cell.cohort_year) in found:
            found[cell.indicator, cell.cohort_year].append(replace(cell, vintage=vintage))
    return {key: tuple(found[key]) for key in found}


def _addition(block: Block, cells: Iterable[ReleasedCell], *, ledger: Ledger) -> Addition:
    """Of a final block, the tables that it has not told yet; what it has told stands as it is."""
    key = _key(block)
    standing = ledger.structures[key]
    tables = tuple(table for table in block.tables if table.name not in standing.tables)
    names = {table.name for table in tables}
    vintage = f"{FINAL}-{ledger.vintages[key] + 1}"
    new = tuple(
        replace(cell, vintage=vintage)
        for cell in cells
        if (cell.indicator, cell.cohort_year) == key and cell.table in names
    )
    definitions = {block.indicator: standing.definition_version}
    return Addition(vintage, new, _structure(replace(block, tables=tables), definitions))


def _structure(block: Block, definitions: Mapping[str, str]) -> Structure:
    equations = {
        "dimensions": [
            {"name": d.name, "levels": list(d.levels), "parents": dict(d.parents), "linked": d.linked}
            for d in block.dimensions
        ],
        "tables": [
            {"name": t.name, "dimensions": list(t.dimensions), "priority": t.priority}
            | ({"coarse": list(t.coarse)} if t.coarse else {})
            for t in block.tables
        ],
        "complete": block.complete,
        "population": block.population,
        "part_of": block.part_of,
    }
    return Structure(definitions.get(block.indicator, "1"), _canonical(equations).decode())


def _plain(value: object) -> object:
    """The same value of JSON's types alone; sets in order."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
