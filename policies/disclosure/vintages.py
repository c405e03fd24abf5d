"""What was told before, by vintage, and the systems of persons in which it holds; under the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from policies.disclosure.frame import Frame
from policies.disclosure.linked import links
from policies.disclosure.provisional import is_provisional, still_true
from policies.disclosure.standing import Change, Earlier, Heard
from policies.disclosure.system import ALL, KNOWN, REACHED, HalfBand, System, system
from policies.disclosure.types import ReleasedCell

Told = Earlier
"""What one vintage told, by block and group."""

FINAL = "final"
"""The vintage under which blocks are given as they were counted when their figures became final."""


def told_finally(frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell]) -> dict[tuple[int, int], ReleasedCell]:
    """The ledger's final cells by block and group."""
    final = [cell for cell in ledger if not is_provisional(cell)]
    return {place: cells[-1] for place, cells in _by_group(frames, final).items()}


def told_provisionally(
    frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell], changes: Mapping[tuple[str, int, int], Change]
) -> tuple[Told, ...]:
    """What each provisional vintage told, in order, to an observer whose own children have changed since by vintage,
    block and group; what was told again in the same words is there once."""
    vintages = sorted({cell.vintage for cell in ledger if is_provisional(cell)})
    kept = [
        {
            at: tuple(Heard(cell, changes.get((vintage, *at), Change())) for cell in shown)
            for at, cells in _by_group(frames, [cell for cell in ledger if cell.vintage == vintage]).items()
            if (shown := [cell for cell in cells if cell.known is not None])
        }
        for vintage in vintages
    ]
    words = [{at: {_words(one) for one in heard} for at, heard in one.items()} for one in kept]
    return tuple(one for number, one in enumerate(kept) if one and words[number] not in words[:number])


def told_before(
    frames: tuple[Frame, ...], ledger: Sequence[ReleasedCell], changes: Mapping[tuple[str, int, int], Change]
) -> tuple[Told, ...]:
    """What each provisional vintage told, and last all final figures, which were corrected since, as a vintage too."""
    final = {
        at: (Heard(cell, changes.get((FINAL, *at), Change())),)
        for at, cell in told_finally(frames, ledger).items()
        if cell.known is not None
    }
    return (*told_provisionally(frames, ledger, changes), final)


def _words(heard: Heard) -> Heard:
    return Heard(replace(heard.cell, vintage=""), heard.change)


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


def joined(told: Sequence[Told]) -> dict[tuple[int, int], tuple[Heard, ...]]:
    """What several vintages told, by block and group."""
    found: dict[tuple[int, int], tuple[Heard, ...]] = {}
    for one in told:
        for place, cells in one.items():
            found[place] = (*found.get(place, ()), *cells)
    return found


def true_part(built: System, told: Told) -> dict[tuple[int, int], tuple[Heard, ...]]:
    """Of what was told provisionally, what agrees with the counts as they are now."""
    found = {}
    for (number, group), cells in told.items():
        complete = built.frames[number].block.complete
        kinds_of = (KNOWN, REACHED, KNOWN if complete else ALL)
        known, k, n = (int(built.counts[built.row(number, group, kind)]) for kind in kinds_of)
        left = tuple(
            one
            for one in cells
            if still_true(one.cell, known=known + one.change.known, k=k + one.change.k, n=n + one.change.n)
        )
        if left:
            found[number, group] = left
    return found


def system_with(frames: tuple[Frame, ...], told: Told) -> System:
    """The system of blocks in which what was told in bands holds."""
    bands = []
    for (number, group), cells in told.items():
        for cell, change in cells:
            low, high = cell.rate_low or 0, 100 if cell.rate_high is None else cell.rate_high
            halves = [(-low, 100 - low, 0), (high, high - 100, 0)]
            if cell.coverage_low is not None and cell.coverage_high is not None:
                low, high = cell.coverage_low, cell.coverage_high
                halves += [(100 - low, 100 - low, -low), (high - 100, high - 100, high)]
            bands += [HalfBand(number, group, weights, _weighed(change, weights)) for weights in halves]
            if cell.k is not None:
                bands.append(HalfBand(number, group, (0, 1, 0), change.k - cell.k))
                bands.append(HalfBand(number, group, (0, -1, 0), cell.k - change.k))
    return system(frames, links(frames), bands)


def _weighed(change: Change, weights: tuple[int, int, int]) -> int:
    known, k, n = change
    return sum(weight * part for weight, part in zip(weights, (known - k, k, n - known), strict=True))
