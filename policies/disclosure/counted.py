"""Where a block's children stand in its system: the true columns, each provider's own, and what it knows to be all its
own; under `system`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.cliques import Clique
from policies.disclosure.frame import Frame
from policies.disclosure.types import BaseCell, Tally

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BaseCounts:
    """The base cells of one block beside the columns of one clique: where each outcome of each is counted, how many
    there are, each provider's own, and those of two providers both where that is known."""

    columns: Ints
    truth: Ints
    own: Mapping[str, Ints]
    shared: Mapping[tuple[str, ...], Ints] | None


def atoms(frame: Frame) -> int:
    """How many outcomes a block tells apart."""
    return 2 if frame.block.complete else 3


def _order(frame: Frame) -> tuple[int, ...]:
    """Where each axis stands among the levels of a base cell."""
    names = [dimension.name for dimension in frame.block.dimensions]
    return tuple(names.index(axis.name) for axis in frame.axes)


def positions(frame: Frame, clique: Clique) -> list[tuple[int, ...]]:
    """The cell of the clique that each base cell falls in."""
    order = _order(frame)
    lookup = [{leaf: number for number, leaf in enumerate(frame.axes[axis].leaves)} for axis in clique]
    return [
        tuple(table[cell.levels[order[axis]]] for axis, table in zip(clique, lookup, strict=True))
        for cell in frame.block.cells
    ]


def counted(
    frames: tuple[Frame, ...], found: tuple[Clique, ...], sheets: list[Ints]
) -> tuple[Ints, dict[str, Ints], dict[str, NDArray[np.bool_]]]:
    """The true columns, and by provider its own children and the columns it knows to be wholly its own."""
    size = sum(len(cells) for cells in sheets) * sum(atoms(f) for f in frames)
    providers = sorted({name for f in frames for cell in f.block.cells for name in cell.provider_counts})
    truth = np.zeros(size, dtype=np.int64)
    own = {name: np.zeros(size, dtype=np.int64) for name in providers}
    pinned = {name: np.zeros(size, dtype=bool) for name in providers}
    start = 0
    for f in frames:
        whole = _whole_levels(f)
        for clique, cells in zip(found, sheets, strict=True):
            lookup = {tuple(cell): number for number, cell in enumerate(cells.tolist())}
            for place, cell in zip(positions(f, clique), f.block.cells, strict=True):
                if not cell.tally.n:
                    continue
                at = start + lookup[place] * atoms(f)
                truth[at : at + atoms(f)] += _outcomes(cell.tally)[: atoms(f)]
                for name, tally in cell.provider_counts.items():
                    own[name][at : at + atoms(f)] += _outcomes(tally)[: atoms(f)]
            for name, levels in whole.items():
                held = np.zeros(len(cells), dtype=bool)
                for axis, leaf in levels:
                    if axis in clique:
                        held |= cells[:, clique.index(axis)] == leaf
                pinned[name][start : start + len(cells) * atoms(f)] = np.repeat(held, atoms(f))
            start += len(cells) * atoms(f)
    return truth, own, pinned


def base_counts(frames: tuple[Frame, ...], found: tuple[Clique, ...], sheets: list[Ints]) -> tuple[BaseCounts, ...]:
    parts, start = [], 0
    for f in frames:
        counted = [cell for cell in f.block.cells if cell.tally.n]
        truth = np.array([_outcomes(cell.tally)[: atoms(f)] for cell in counted], dtype=np.int64)
        own: dict[str, Ints] = {}
        for number, cell in enumerate(counted):
            for name, tally in cell.provider_counts.items():
                own.setdefault(name, np.zeros_like(truth))[number] = _outcomes(tally)[: atoms(f)]
        shared = _shared(counted, truth)
        for clique, cells in zip(found, sheets, strict=True):
            lookup = {tuple(cell): number for number, cell in enumerate(cells.tolist())}
            places = zip(positions(f, clique), f.block.cells, strict=True)
            first = np.array([lookup[place] for place, cell in places if cell.tally.n], dtype=np.int64) * atoms(f)
            columns = (start + first[:, None] + np.arange(atoms(f))).ravel()
            by_name = {name: mine.ravel() for name, mine in own.items()}
            parts.append(BaseCounts(columns, truth.ravel(), by_name, shared))
            start += len(cells) * atoms(f)
    return tuple(parts)


def _shared(counted: list[BaseCell], truth: Ints) -> dict[tuple[str, ...], Ints] | None:
    """By pair of providers the children of both, or None if it is not known for all cells."""
    found: dict[tuple[str, ...], Ints] = {}
    for number, cell in enumerate(counted):
        if cell.shared_counts is None:
            return None
        for pair, tally in cell.shared_counts.items():
            found.setdefault(pair, np.zeros_like(truth))[number] = _outcomes(tally)[: truth.shape[1]]
    return {pair: both.ravel() for pair, both in found.items()}


def _outcomes(tally: Tally) -> Ints:
    return np.array([tally.known - tally.k, tally.k, tally.n - tally.known], dtype=np.int64)


def _whole_levels(f: Frame) -> dict[str, set[tuple[int, int]]]:
    """By provider the level that bears its name, if all there are its own: it knows that nobody else is there."""
    order = _order(f)
    everyone: dict[tuple[int, int], int] = {}
    theirs: dict[str, dict[tuple[int, int], int]] = {}
    lookup = [{leaf: number for number, leaf in enumerate(axis.leaves)} for axis in f.axes]
    for cell in f.block.cells:
        places = [(axis, lookup[axis][cell.levels[order[axis]]]) for axis in range(len(f.axes))]
        for place in places:
            everyone[place] = everyone.get(place, 0) + cell.tally.n
            for name, tally in cell.provider_counts.items():
                mine = theirs.setdefault(name, {})
                mine[place] = mine.get(place, 0) + tally.n
    return {
        name: {
            (axis, leaf)
            for (axis, leaf), count in mine.items()
            if f.axes[axis].leaves[leaf] == name and count == everyone[axis, leaf]
        }
        for name, mine in theirs.items()
    }
