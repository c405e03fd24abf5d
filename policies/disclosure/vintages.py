"""What was told before, by vintage, and the systems of persons in which it holds; under the engine."""

from collections.abc import Sequence
from dataclasses import replace

from policies.disclosure.frame import Frame
from policies.disclosure.linked import links
from policies.disclosure.provisional import is_provisional, still_true
from policies.disclosure.standing import Earlier
from policies.disclosure.system import ALL, KNOWN, REACHED, System, system
from policies.disclosure.types import ReleasedCell

Told = Earlier
"""What one vintage told, by block and group."""


def told_finally(frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell]) -> dict[tuple[int, int], ReleasedCell]:
    """The ledger's final cells by block and group."""
    final = [cell for cell in ledger if not is_provisional(cell)]
    return {place: cells[-1] for place, cells in _by_group(frames, final).items()}


def told_provisionally(frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell]) -> tuple[Told, ...]:
    """What each provisional vintage told, in order; what was told again in the same words is there once."""
    vintages = sorted({cell.vintage for cell in ledger if is_provisional(cell)})
    told = [_by_group(frames, [cell for cell in ledger if cell.vintage == vintage]) for vintage in vintages]
    shown = [{at: tuple(c for c in cells if c.known is not None) for at, cells in one.items()} for one in told]
    kept = [{at: cells for at, cells in one.items() if cells} for one in shown]
    words = [{at: {replace(cell, vintage="") for cell in cells} for at, cells in one.items()} for one in kept]
    return tuple(one for number, one in enumerate(kept) if one and words[number] not in words[:number])


def _by_group(
    frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell]
) -> dict[tuple[int, int], tuple[ReleasedCell, ...]]:
    by_cell: dict[tuple[str, int, str, tuple[tuple[str, str], ...]], tuple[ReleasedCell, ...]] = {}
    for cell in ledger:
        name = (cell.indicator, cell.cohort_year, cell.table, cell.levels)
        by_cell[name] = (*by_cell.get(name, ()), cell)
    found: dict[tuple[int, int], tuple[ReleasedCell, ...]] = {}
    for number, f in enumerate(frames):
        for table, levels, group in f.cells:
            told = by_cell.get((f.block.indicator, f.block.cohort_year, table, levels), ())
            if told:
                found[number, group] = (*found.get((number, group), ()), *told)
    return found


def joined(told: Sequence[Told]) -> dict[tuple[int, int], tuple[ReleasedCell, ...]]:
    """What several vintages told, by block and group."""
    found: dict[tuple[int, int], tuple[ReleasedCell, ...]] = {}
    for one in told:
        for place, cells in one.items():
            found[place] = (*found.get(place, ()), *cells)
    return found


def true_part(built: System, told: Told) -> dict[tuple[int, int], tuple[ReleasedCell, ...]]:
    """Of what was told provisionally, what agrees with the counts as they are now."""
    found = {}
    for (number, group), cells in told.items():
        complete = built.frames[number].block.complete
        kinds_of = (KNOWN, REACHED, KNOWN if complete else ALL)
        known, k, n = (int(built.counts[built.row(number, group, kind)]) for kind in kinds_of)
        if left := tuple(cell for cell in cells if still_true(cell, known=known, k=k, n=n)):
            found[number, group] = left
    return found


def system_with(frames: tuple[Frame, ...], told: Told) -> System:
    """The system of blocks in which what was told in bands holds."""
    bands = []
    for (number, group), cells in told.items():
        for cell in cells:
            low, high = cell.rate_low or 0, 100 if cell.rate_high is None else cell.rate_high
            bands += [(number, group, (-low, 100 - low, 0)), (number, group, (high, high - 100, 0))]
            if cell.coverage_low is not None and cell.coverage_high is not None:
                low, high = cell.coverage_low, cell.coverage_high
                bands.append((number, group, (100 - low, 100 - low, -low)))
                bands.append((number, group, (high - 100, high - 100, high)))
    return system(frames, links(frames), bands)
