"""Disclosure control: from counts to cells that may be released, with a verdict; between counting and release.

`protect` is pure: the same blocks, rules and ledger give the same cells, whatever the order they come in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from time import perf_counter
from typing import Protocol

import numpy as np

from policies.disclosure.audit import Audit, Finding
from policies.disclosure.frame import Frame, frame
from policies.disclosure.moves import Observer
from policies.disclosure.provisional import is_provisional, still_true
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Sheet, contradicted, frozen_sheets, sheets
from policies.disclosure.system import ALL, KNOWN, REACHED, System, system
from policies.disclosure.types import Block, BlockError, Evidence, Protected, ReleasedCell, Verdict


@dataclass(frozen=True)
class Together:
    """Blocks that are protected together, and the ledger's cells of them; independent of all others."""

    frames: tuple[Frame, ...]
    ledger: tuple[ReleasedCell, ...]


@dataclass(frozen=True)
class Result:
    """What came of blocks that are protected together."""

    sheets: dict[tuple[str, int], Sheet]
    findings: list[Finding]


class Each(Protocol):
    """Does the same with each, in order: `map`, or the like of it over several processes."""

    def __call__(self, work: Callable[[Together], Result], each: Iterable[Together], /) -> Iterable[Result]: ...


def protect(
    blocks: Sequence[Block], *, rules: Rules, ledger: Sequence[ReleasedCell] = (), each: Each = map
) -> Protected:
    """Cells that may be released together with everything in the ledger, if the verdict is clean.

    Raises BlockError when a block contradicts itself. The clock is read for the verdict's seconds alone.
    """
    start = perf_counter()
    ordered = sorted(blocks, key=lambda block: (block.indicator, block.cohort_year))
    names = [(block.indicator, block.cohort_year) for block in ordered]
    if len(set(names)) < len(names):
        raise BlockError("two blocks have one indicator and cohort year")
    frames = [frame(block, not_reported=rules.not_reported) for block in ordered]
    together = [Together(linked, _told_of(linked, ledger)) for linked in _linked(frames)]
    results = list(each(partial(_protect_together, rules=rules), together))
    shown = {name: sheet for result in results for name, sheet in result.sheets.items()}
    findings = [finding for result in results for finding in result.findings]
    cells = tuple(cell for name in names for cell in _cells(shown[name]))
    return Protected(cells=cells, verdict=_verdict(cells, list(shown.values()), findings, perf_counter() - start))


def _protect_together(together: Together, *, rules: Rules) -> Result:
    frames, ledger = together.frames, together.ledger
    built = system(frames, _links(frames))
    before = {place: cells[-1] for place, cells in _released(frames, ledger, provisional=False).items()}
    earlier = _still_true(built, _released(frames, ledger, provisional=True))
    if earlier:
        bands = [(*place, cell.rate_low or 0, cell.rate_high or 0) for place, told in earlier.items() for cell in told]
        built = system(frames, _links(frames), bands)
    if contradicted(built, before):
        stands, findings = frozen_sheets(built, ledger=before), []
    else:
        stands = sheets(built, rules, ledger=before, earlier=earlier)
        findings = Audit(built, stands, rules).protect(observers(built, rules))
    named = {(f.block.indicator, f.block.cohort_year): sheet for f, sheet in zip(frames, stands, strict=True)}
    return Result(named, findings)


def observers(built: System, rules: Rules) -> tuple[Observer, ...]:
    """The outsider, each provider, and if the rules ask for it each two providers together."""
    nobody = np.zeros(len(built.truth), dtype=np.int64)
    found = [Observer((), nobody, np.zeros(len(nobody), dtype=bool))]
    names = sorted(built.own) if rules.insiders else []
    groups = [(name,) for name in names] + (list(combinations(names, 2)) if rules.pairs else [])
    for group in groups:
        own = np.minimum(sum((built.own[name] for name in group), start=nobody), built.truth)
        found.append(Observer(tuple(group), own, np.any([built.pinned[name] for name in group], axis=0)))
    return tuple(found)


def _linked(frames: list[Frame]) -> Iterator[tuple[Frame, ...]]:
    """Blocks of one cohort year that count the same persons, or one of them the other's numerator, together."""
    root = list(range(len(frames)))
    for (i, a), (j, b) in combinations(enumerate(frames), 2):
        if _link(a.block, b.block):
            root = [root[i] if r == root[j] else r for r in root]
    together: dict[int, list[Frame]] = defaultdict(list)
    for number, f in enumerate(frames):
        together[root[number]].append(f)
    for group in together.values():
        if len({tuple((axis.name, axis.leaves) for axis in f.axes) for f in group}) > 1:
            raise BlockError("linked blocks must have the same dimensions and levels")
        yield tuple(group)


def _link(a: Block, b: Block) -> bool:
    same = a.cohort_year == b.cohort_year
    shared = bool(a.population) and a.population == b.population
    return same and (shared or a.part_of == b.indicator or b.part_of == a.indicator)


def _links(frames: tuple[Frame, ...]) -> tuple[tuple[int, int, int], ...]:
    found = []
    for (i, a), (j, b) in combinations(enumerate(frames), 2):
        if a.block.part_of == b.block.indicator:
            found.append((j, REACHED, i))
        elif b.block.part_of == a.block.indicator:
            found.append((i, REACHED, j))
        elif a.block.population and a.block.population == b.block.population:
            found.append((i, ALL, j))
    return tuple(found)


def _told_of(frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell]) -> tuple[ReleasedCell, ...]:
    names = {(f.block.indicator, f.block.cohort_year) for f in frames}
    return tuple(cell for cell in ledger if (cell.indicator, cell.cohort_year) in names)


def _released(
    frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell], *, provisional: bool
) -> dict[tuple[int, int], tuple[ReleasedCell, ...]]:
    """The ledger's final or provisional cells by block and group."""
    by_cell: dict[tuple[str, int, str, tuple[tuple[str, str], ...]], tuple[ReleasedCell, ...]] = {}
    for cell in ledger:
        if is_provisional(cell) == provisional:
            name = (cell.indicator, cell.cohort_year, cell.table, cell.levels)
            by_cell[name] = (*by_cell.get(name, ()), cell)
    found: dict[tuple[int, int], tuple[ReleasedCell, ...]] = {}
    for number, f in enumerate(frames):
        for table, levels, group in f.cells:
            told = by_cell.get((f.block.indicator, f.block.cohort_year, table, levels), ())
            if told:
                found[number, group] = (*found.get((number, group), ()), *told)
    return found


def _still_true(
    built: System, told: dict[tuple[int, int], tuple[ReleasedCell, ...]]
) -> dict[tuple[int, int], tuple[ReleasedCell, ...]]:
    """Of what was told provisionally, what agrees with the counts as they are now."""
    found = {}
    for (number, group), cells in told.items():
        known, k = (int(built.counts[built.row(number, group, kind)]) for kind in (KNOWN, REACHED))
        if left := tuple(cell for cell in cells if still_true(cell, known=known, k=k)):
            found[number, group] = left
    return found


def _cells(sheet: Sheet) -> Iterator[ReleasedCell]:
    block = sheet.frame.block
    for table, levels, group in sheet.frame.cells:
        standing = sheet.groups[group]
        cell = ReleasedCell(indicator=block.indicator, cohort_year=block.cohort_year, table=table, levels=levels)
        yield cell if standing.hidden else standing.release(cell, complete=block.complete)


def _verdict(cells: tuple[ReleasedCell, ...], stands: list[Sheet], findings: list[Finding], seconds: float) -> Verdict:
    kept: dict[str, list[bool]] = defaultdict(list)
    reasons = []
    for sheet in stands:
        for table, _, group in sheet.frame.cells:
            if sheet.groups[group].known >= Rules().min_n:
                kept[table].append(not sheet.groups[group].hidden)
        for named, standing in zip(sheet.frame.groups, sheet.groups, strict=True):
            if standing.reason:
                block = sheet.frame.block
                reasons.append(
                    Evidence(
                        indicator=block.indicator,
                        cohort_year=block.cohort_year,
                        levels=named.levels,
                        reason=standing.reason,
                    )
                )
    return Verdict(
        clean=not findings,
        shown=sum(cell.status == "F" for cell in cells),
        withheld=sum(cell.status == "C" for cell in cells),
        exact=sum(finding.width == 0 for finding in findings),
        narrow=sum(finding.width > 0 for finding in findings),
        attribute=sum(finding.attribute for finding in findings),
        kept_share={table: sum(flags) / len(flags) for table, flags in sorted(kept.items())},
        seconds=seconds,
        reasons=tuple(reasons),
    )
