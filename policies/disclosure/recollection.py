"""What providers knew of their own children at earlier tellings; under the engine.

A provider that joins vintages takes its own children out of each as they were when it was told, and thinks that all
others stayed the same. So what a vintage said of everybody is, for that provider, said of the children of now with the
change of its own children added. Observers with the same changes can be audited together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from policies.disclosure.believers import Crowd, Observers
from policies.disclosure.frame import Frame, frame
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Change
from policies.disclosure.system import ALL, KNOWN, REACHED, Ints, System, system
from policies.disclosure.types import BaseCell, Block, ReleasedCell, Tally
from policies.disclosure.vintages import Told, system_with, told_provisionally

Earlier = Mapping[str, Sequence[Block]]
"""By provisional vintage, blocks as they were counted when it was told."""

Changes = Mapping[tuple[str, int, int], Change]
"""By vintage, block and group what an observer knew of its own children then, less what it knows of them now."""


Telling = Callable[[tuple[Frame, ...], Sequence[ReleasedCell], Changes], tuple[Told, ...]]


def remembered(block: Block, earlier: Earlier) -> Block:
    """The block with an empty place for each provider that had children then and has none there now."""
    have = {name for cell in block.cells for name in cell.provider_counts}
    left: dict[tuple[str, ...], dict[str, Tally]] = {}
    for then in as_told(block, earlier).values():
        for cell in then.cells:
            gone = {name: Tally(0, 0, 0) for name in cell.provider_counts if name not in have}
            if gone:
                left.setdefault(cell.levels, {}).update(gone)
    empty = (
        BaseCell(levels=at, tally=Tally(0, 0, 0), provider_counts=gone, shared_counts={})
        for at, gone in sorted(left.items())
    )
    return replace(block, cells=(*block.cells, *empty))


def crowds(
    frames: tuple[Frame, ...],
    ledger: Sequence[ReleasedCell],
    earlier: Earlier,
    *,
    rules: Rules,
    observers: Observers,
    told: Telling = told_provisionally,
    plain: System | None = None,
) -> tuple[Crowd, ...]:
    """Observers by what the vintages in the ledger say to them; the outsider is among the first.

    Args:
        told: which vintages there are, and what they tell to somebody whose own children have changed since.
        plain: the blocks' system without what was told before, if it is built.
    """
    by_observer = _changes(frames, earlier, rules=rules, observers=observers)
    alike: dict[frozenset[tuple[tuple[str, int, int], Change]], list[tuple[str, ...]]] = {frozenset(): []}
    for watching in observers(plain or system_with(frames, {}), rules):
        changes = by_observer.get(watching.names, {})
        alike.setdefault(frozenset(changes.items()), []).append(watching.names)
    return tuple(Crowd(frozenset(names), told(frames, ledger, dict(found))) for found, names in alike.items())


def _changes(
    frames: tuple[Frame, ...], earlier: Earlier, *, rules: Rules, observers: Observers
) -> Mapping[tuple[str, ...], Changes]:
    found: dict[tuple[str, ...], dict[tuple[str, int, int], Change]] = {}
    for number, one in enumerate(frames):
        now = None
        for vintage, block in sorted(as_told(one.block, earlier).items()):
            now = now or _own(one, rules, observers)
            then = _own(_shaped(one, block, rules), rules, observers)
            for names, counts in now.items():
                changes = found.setdefault(names, {})
                for group, change in _differences(counts, then.get(names)):
                    changes[vintage, number, group] = change
    return found


def as_told(block: Block, earlier: Earlier) -> dict[str, Block]:
    """The block at each telling, where its dimensions had the levels that they have now."""
    shape = {dimension.name: set(dimension.levels) for dimension in block.dimensions}
    return {
        vintage: then
        for vintage, blocks in earlier.items()
        for then in blocks
        if (then.indicator, then.cohort_year) == (block.indicator, block.cohort_year)
        and {dimension.name: set(dimension.levels) for dimension in then.dimensions} == shape
    }


def _shaped(now: Frame, then: Block, rules: Rules) -> Frame:
    """The frame of an earlier block with the tables of now, so that the groups have the same numbers."""
    order = [[d.name for d in then.dimensions].index(d.name) for d in now.block.dimensions]
    cells = tuple(replace(cell, levels=tuple(cell.levels[place] for place in order)) for cell in then.cells)
    return frame(replace(now.block, cells=cells), not_reported=rules.not_reported)


def _own(one: Frame, rules: Rules, observers: Observers) -> dict[tuple[str, ...], Ints]:
    """By observer its own children in each group: known, k, n."""
    built = system((one,))
    rows = _rows(built)
    return {watching.names: built.matrix.times(watching.own)[rows] for watching in observers(built, rules)}


def _rows(built: System) -> Ints:
    """The rows of known, k and n, group by group."""
    kinds_of = (KNOWN, REACHED, KNOWN if built.frames[0].block.complete else ALL)
    return np.array([[built.row(0, group, kind) for kind in kinds_of] for group in range(len(built.frames[0].groups))])


def _differences(now: Ints, then: Ints | None) -> Iterator[tuple[int, Change]]:
    for group, counts in enumerate(-now if then is None else then - now):
        if counts.any():
            yield group, Change(*counts.tolist())
