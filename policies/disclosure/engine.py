"""Disclosure control: from counts to cells that may be released, with a verdict; between counting and release.

`protect` is pure: the same blocks, rules and ledger give the same cells, whatever the order they come in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from time import perf_counter
from types import MappingProxyType
from typing import Protocol

import numpy as np

from policies.disclosure.audit import Audit, Finding
from policies.disclosure.auditing import audit_of
from policies.disclosure.believers import Crowd, withhold_everything, withhold_from_believers
from policies.disclosure.beside_final import mark_public, withdraw_final, withhold_contradictions
from policies.disclosure.frame import Frame, frame
from policies.disclosure.linked import linked
from policies.disclosure.moves import Observer
from policies.disclosure.provisional import provisional_cell
from policies.disclosure.recollection import Earlier, as_told, crowds, remembered
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Ledger, Sheet, contradicted, frozen_sheets, sheets
from policies.disclosure.system import System
from policies.disclosure.thresholds import floor_of, raise_rules
from policies.disclosure.types import Block, BlockError, Evidence, Protected, ReleasedCell, Verdict
from policies.disclosure.vintages import FINAL, joined, system_with, told_before, told_finally, true_part


@dataclass(frozen=True)
class Before:
    """The ledger's cells, and blocks as they were counted at each provisional telling, by vintage."""

    cells: tuple[ReleasedCell, ...]
    blocks: Earlier

    def of(self, frames: tuple[Frame, ...]) -> "Before":
        """What there is of some blocks."""
        names = {(f.block.indicator, f.block.cohort_year) for f in frames}
        cells = tuple(cell for cell in self.cells if (cell.indicator, cell.cohort_year) in names)
        vintages = {cell.vintage for cell in cells}
        blocks = {
            vintage: tuple(one for one in then if (one.indicator, one.cohort_year) in names)
            for vintage, then in sorted(self.blocks.items())
            if vintage in vintages
        }
        return Before(cells, blocks)


@dataclass(frozen=True)
class Together:
    """Blocks that are protected together, and what was told of them; independent of all others.

    `vintage` is that of figures to be told provisionally, empty for final ones.
    """

    frames: tuple[Frame, ...]
    told: Before
    vintage: str = ""


@dataclass(frozen=True)
class Result:
    """What came of blocks that are protected together."""

    sheets: dict[tuple[str, int], Sheet]
    findings: list[Finding]


class Each(Protocol):
    """Does the same with each, in order: `map`, or the like of it over several processes."""

    def __call__(self, work: Callable[[Together], Result], each: Iterable[Together], /) -> Iterable[Result]: ...


NONE: Earlier = MappingProxyType({})


def protect(
    blocks: Sequence[Block],
    *,
    rules: Rules,
    ledger: Sequence[ReleasedCell] = (),
    earlier: Earlier = NONE,
    each: Each = map,
) -> Protected:
    """Cells that may be released together with everything in the ledger, if the verdict is clean.

    `earlier` says how the blocks were counted at each provisional telling, by vintage: what each provider knew of its
    own children then. Where that is not given, it is thought to have known what it knows now.

    Raises BlockError when a block contradicts itself. The clock is read for the verdict's seconds alone.
    """
    return _protect(blocks, rules=rules, told=Before(tuple(ledger), earlier), each=each, vintage="")


def protect_provisionally(
    blocks: Sequence[Block],
    *,
    vintage: str,
    rules: Rules,
    ledger: Sequence[ReleasedCell] = (),
    earlier: Earlier = NONE,
    each: Each = map,
) -> Protected:
    """The same to be told coarsely under a provisional vintage: no number is told exactly or within the width, whether
    it would be withheld or not, so that any of them may be withheld when the figures become final."""
    return _protect(blocks, rules=rules, told=Before(tuple(ledger), earlier), each=each, vintage=vintage)


def _protect(blocks: Sequence[Block], *, rules: Rules, told: Before, each: Each, vintage: str) -> Protected:
    start = perf_counter()
    ordered = sorted(blocks, key=lambda block: (block.indicator, block.cohort_year))
    names = [(block.indicator, block.cohort_year) for block in ordered]
    if len(set(names)) < len(names):
        raise BlockError("two blocks have one indicator and cohort year")
    frames = [frame(remembered(block, told.blocks), not_reported=rules.not_reported) for block in ordered]
    together = [Together(group, told.of(group), vintage) for group in linked(frames)]
    results = list(each(partial(_protect_together, rules=rules), together))
    shown = {name: sheet for result in results for name, sheet in result.sheets.items()}
    findings = [finding for result in results for finding in result.findings]
    cells = tuple(cell for name in names for cell in _cells(shown[name]))
    if vintage:
        cells = tuple(provisional_cell(cell, vintage) for cell in cells)
    return Protected(cells=cells, verdict=_verdict(cells, list(shown.values()), findings, perf_counter() - start))


def _protect_together(together: Together, *, rules: Rules) -> Result:
    frames, told = together.frames, together.told
    before = told_finally(frames, told.cells)
    plain = system_with(frames, {})
    if contradicted(plain, before):
        stands, findings = _beside_corrected(together, plain, before, rules=rules)
    else:
        blocks = {vintage: then for vintage, then in told.blocks.items() if vintage != FINAL}
        listening = crowds(frames, told.cells, blocks, rules=rules, observers=observers, plain=plain)
        earlier = true_part(plain, joined(listening[0].told))
        built, floor = system_with(frames, earlier) if earlier else plain, floor_of(rules)
        stands = sheets(built, floor, ledger=before, earlier=earlier)
        mark_public(frames, stands, before)
        audited = Audited(built, stands, listening, together.vintage)
        findings = raise_rules(stands, rules, found=audited.protect_at_floor(floor), protect=audited.protect)
    named = {(f.block.indicator, f.block.cohort_year): sheet for f, sheet in zip(frames, stands, strict=True)}
    return Result(named, findings)


def _beside_corrected(
    together: Together, plain: System, before: Ledger, *, rules: Rules
) -> tuple[tuple[Sheet, ...], list[Finding]]:
    """Final figures that were corrected since, as they were released, and of the blocks beside them what agrees with
    them for everybody; nothing where that is not found, or where it is not known what each provider knew then."""
    frames, told, floor = together.frames, together.told, floor_of(rules)
    frozen, final = frozen_sheets(plain, ledger=before), {block for block, _ in before}
    remembering = all(FINAL in as_told(frames[block].block, told.blocks) for block in final)
    if len(final) == len(frames) or not remembering:
        return frozen, []
    listening = crowds(frames, told.cells, told.blocks, rules=rules, observers=observers, told=told_before)
    earlier = true_part(plain, joined(listening[0].told))
    built = system_with(frames, earlier)
    stands = sheets(built, floor, ledger={}, earlier=earlier)
    withdraw_final(built, stands, before)
    mark_public(frames, stands, before)
    audited = Audited(built, stands, listening, together.vintage)
    agree = partial(withhold_contradictions, stands, listening, rules=floor, observers=observers)
    safe = agree() and not audited.begin_at_floor(floor) and agree()
    if not safe or raise_rules(stands, rules, found=audited.protect(floor), protect=audited.protect):
        return frozen, []
    return tuple(frozen[block] if block in final else sheet for block, sheet in enumerate(stands)), []


@dataclass(frozen=True)
class Audited:
    """Sheets and everybody from whom they are protected: who takes what is told to be true now, and who joins it with
    vintages told before."""

    built: System
    stands: tuple[Sheet, ...]
    listening: tuple[Crowd, ...]
    vintage: str

    def protect_at_floor(self, rules: Rules) -> list[Finding]:
        """Withhold what an observer could tell, and show again what need not be withheld: at the floor alone, since
        what stricter rules show again might be what laxer ones withhold."""
        return self._joined_up(rules, self.begin_at_floor(rules))

    def begin_at_floor(self, rules: Rules) -> list[Finding]:
        """The same, for those who join nothing that was told before."""
        audit = self._audit(rules)
        return audit.protect() or audit.show_again()

    def protect(self, rules: Rules) -> list[Finding]:
        """Withhold what an observer could tell; everything, where that cannot be mended."""
        return self._joined_up(rules, self._audit(rules).protect())

    def _joined_up(self, rules: Rules, findings: list[Finding]) -> list[Finding]:
        join = partial(withhold_from_believers, rules=rules, vintage=self.vintage, observers=observers)
        findings = findings + join(self.stands, self.listening)
        if findings:
            withhold_everything(self.stands)
            findings = join(self.stands, self.listening, whole=True)
        return findings

    def _audit(self, rules: Rules) -> Audit:
        watching = self.listening[0].among(observers)
        return audit_of(self.built, self.stands, rules, watching(self.built, rules))


def observers(built: System, rules: Rules) -> tuple[Observer, ...]:
    """The outsider first, each provider, and if the rules ask for it each two providers together."""
    nobody = np.zeros(len(built.truth), dtype=np.int64)
    found = [Observer((), nobody, np.zeros(len(nobody), dtype=bool))]
    names = sorted(built.own) if rules.insiders else []
    groups: list[tuple[str, ...]] = [(name,) for name in names]
    groups += combinations(names, 2) if rules.pairs else ()
    for group in groups:
        most, least = built.together(group)
        found.append(Observer(group, most, np.any([built.pinned[name] for name in group], axis=0), least))
    return tuple(found)


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
