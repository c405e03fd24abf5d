"""The additive system behind one or more linked blocks: columns of persons, rows of counts that tables could show.

A column counts persons of one outcome (no, yes, unknown) in one cell of a clique of dimensions; a row sums columns.
Rows that must agree whatever is shown (two cliques over what they share, linked populations) are ties.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.cliques import Clique, cliques, separators
from policies.disclosure.frame import Axis, Frame, Group
from policies.disclosure.types import BaseCell, BlockError, Tally

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CROSS_LIMIT = 40_000
"""Cells up to which a clique is crossed in full; beyond it only cells near those with persons are columns, which
makes the feasible intervals narrower than an attacker's and so errs on the safe side."""

NEAR_LIMIT = 600
"""Cells up to which a solver starts with all of them; beyond it, with those near persons, and asks for more."""

KNOWN, REACHED, MISSED, ALL, UNKNOWN = range(5)
"""Kinds of row for each group: known, k, known minus k, n, n minus known. A complete block has the first three."""

ATOMS = ((0, 1), (1,), (0,), (0, 1, 2), (2,))
"""Columns' outcomes (0 no, 1 yes, 2 unknown) that each kind of row sums."""


@dataclass(frozen=True)
class Matrix:
    """Sparse integer coefficients by column: `rows[starts[j]:starts[j + 1]]` with `values`."""

    shape: tuple[int, int]
    starts: Ints
    rows: Ints
    values: Ints

    def times(self, vector: Ints) -> Ints:
        """The rows' sums for a column vector."""
        moved = self.take(np.flatnonzero(vector))
        weights = np.repeat(vector[vector != 0], np.diff(moved.starts)) * moved.values
        return np.bincount(moved.rows, weights=weights, minlength=self.shape[0]).round().astype(np.int64)

    def take(self, columns: Ints) -> "Matrix":
        """The matrix of some columns alone."""
        sizes = self.starts[columns + 1] - self.starts[columns]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        entries = np.arange(starts[-1]) - np.repeat(starts[:-1] - self.starts[columns], sizes)
        return Matrix((self.shape[0], len(columns)), starts, self.rows[entries], self.values[entries])

    def transposed(self, vector: Floats) -> Floats:
        """The columns' sums for a row vector."""
        places = np.repeat(np.arange(self.shape[1]), np.diff(self.starts))
        sums = np.bincount(places, weights=vector[self.rows] * self.values, minlength=self.shape[1])
        return np.asarray(sums, dtype=np.float64)


@dataclass(frozen=True)
class BaseCounts:
    """The base cells of one block beside the columns of one clique: where each outcome of each is counted, how many
    there are, each provider's own, and those of two providers both where that is known."""

    columns: Ints
    truth: Ints
    own: Mapping[str, Ints]
    shared: Mapping[tuple[str, ...], Ints] | None


@dataclass(frozen=True)
class System:
    """Columns, rows, the true counts, and each provider's own children; `near` are the columns to look at first."""

    frames: tuple[Frame, ...]
    first_row: tuple[int, ...]
    ties: int
    matrix: Matrix
    near: NDArray[np.bool_]
    truth: Ints
    counts: Ints
    own: Mapping[str, Ints]
    pinned: Mapping[str, NDArray[np.bool_]]
    base: tuple[BaseCounts, ...] = ()
    one_sided: range = range(0)
    """Rows that may not fall below nought whatever is shown: bands that were told before."""

    def together(self, names: Sequence[str]) -> tuple[Ints, Ints]:
        """By column, how many children some providers know at most, and at least: the same may be in several lists."""
        most, least = np.zeros(len(self.truth), dtype=np.int64), np.zeros(len(self.truth), dtype=np.int64)
        for part in self.base:
            own = [part.own[name] for name in names if name in part.own]
            if own:
                largest, both = np.max(own, axis=0), 0 if part.shared is None else part.shared.get(tuple(names), 0)
                union = np.clip(np.sum(own, axis=0) - both, largest, part.truth)
                np.add.at(most, part.columns, union)
                np.add.at(least, part.columns, largest if part.shared is None else union)
        return most, least

    def row(self, block: int, group: int, kind: int) -> int:
        """The row of one kind of count of one group."""
        return self.first_row[block] + group * kinds(self.frames[block]) + kind


def kinds(frame: Frame) -> int:
    """How many kinds of row a block has."""
    return 3 if frame.block.complete else 5


def atoms(frame: Frame) -> int:
    """How many outcomes a block tells apart."""
    return 2 if frame.block.complete else 3


Told = tuple[int, int, tuple[int, int, int]]
"""Block, group, and weights of its persons by outcome (no, yes, unknown) that sum to nought or more: half a band."""


def system(
    frames: tuple[Frame, ...], links: tuple[tuple[int, int, int], ...] = (), bands: Sequence[Told] = ()
) -> System:
    """The system of `frames` that share their dimensions; a link says that a kind of one block is another's n."""
    axes = frames[0].axes
    found = cliques(sorted({_dimensions(axes, table.dimensions) for f in frames for table in f.block.tables}))
    sheets, near = map(list, zip(*(_cells(frames, clique) for clique in found), strict=True))
    sizes = [len(cells) for cells in sheets]
    offsets = np.concatenate([[0], np.cumsum([sum(sizes) * atoms(f) for f in frames])])
    entries = _Entries()
    first_row, total = [], 0
    for number, f in enumerate(frames):
        first_row.append(total)
        places = [int(offsets[number]) + sum(sizes[:c]) * atoms(f) for c in range(len(found))]
        total = _group_rows(entries, f, total, places=places, found=found, sheets=sheets)
    ties = total
    for number, f in enumerate(frames):
        places = [int(offsets[number]) + sum(sizes[:c]) * atoms(f) for c in range(len(found))]
        ties = _separator_rows(entries, f, ties, places=places, found=found, sheets=sheets)
    for left, kind, right in links:
        ties = _link_rows(entries, frames, ties, link=(left, kind, right), offsets=offsets, cells=sum(sizes))
    end = _band_rows(entries, frames, ties, bands=bands, offsets=offsets, found=found, sheets=sheets)
    matrix = entries.matrix((end, int(offsets[-1])))
    truth, own, pinned = _counts(frames, found, sheets)
    counts = matrix.times(truth)
    if counts[total:ties].any():
        raise BlockError("linked blocks do not count the same persons")
    first = np.concatenate([np.repeat(chosen, atoms(f)) for f in frames for chosen in near])
    one_sided = range(ties, end)
    base = _base_counts(frames, found, sheets)
    return System(frames, tuple(first_row), total, matrix, first, truth, counts, own, pinned, base, one_sided)


def _dimensions(axes: tuple[Axis, ...], names: tuple[str, ...]) -> Clique:
    return tuple(number for number, axis in enumerate(axes) if axis.name in names)


def _order(frame: Frame) -> tuple[int, ...]:
    """Where each axis stands among the levels of a base cell."""
    names = [dimension.name for dimension in frame.block.dimensions]
    return tuple(names.index(axis.name) for axis in frame.axes)


def _positions(frame: Frame, clique: Clique) -> list[tuple[int, ...]]:
    """The cell of the clique that each base cell falls in."""
    order = _order(frame)
    lookup = [{leaf: number for number, leaf in enumerate(frame.axes[axis].leaves)} for axis in clique]
    return [
        tuple(table[cell.levels[order[axis]]] for axis, table in zip(clique, lookup, strict=True))
        for cell in frame.block.cells
    ]


def _cells(frames: tuple[Frame, ...], clique: Clique) -> tuple[Ints, NDArray[np.bool_]]:
    """The clique's cells that become columns, one row of leaf numbers each, sorted; and those to look at first."""
    sizes = [len(frames[0].axes[axis].leaves) for axis in clique]
    crossed = np.prod(sizes, dtype=np.float64)
    if crossed <= NEAR_LIMIT:
        near = cells = set(product(*(range(size) for size in sizes)))
    else:
        near = {
            place
            for f in frames
            for place, cell in zip(_positions(f, clique), f.block.cells, strict=True)
            if cell.tally.n
        }
        near |= _neighbours(frames, clique, near)
        cells = near if crossed > CROSS_LIMIT else set(product(*(range(size) for size in sizes)))
    ordered = sorted(cells)
    chosen = np.array([cell in near for cell in ordered], dtype=bool)
    return np.array(ordered, dtype=np.int64).reshape(len(ordered), len(clique)), chosen


def _neighbours(frames: tuple[Frame, ...], clique: Clique, cells: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Two cells for each group, at the commonest levels of the other dimensions, so that every count can grow."""
    common = [
        sorted(range(len(frames[0].axes[axis].leaves)), key=lambda leaf: (-sum(c[i] == leaf for c in cells), leaf))[:2]
        for i, axis in enumerate(clique)
    ]
    added = set()
    for group in {(g.axes, g.leaves) for f in frames for g in f.groups if set(g.axes) <= set(clique)}:
        fixed = dict(zip(*group, strict=True))
        choices = [fixed[axis][:2] if axis in fixed else common[i] for i, axis in enumerate(clique)]
        added |= {tuple(c[min(place, len(c) - 1)] for c in choices) for place in (0, 1)}
    return added


class _Entries:
    """Coefficients as they are gathered."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Ints]] = []

    def add(self, rows: Ints, columns: Ints, value: int) -> None:
        """The same value at each of the places."""
        self._parts.append((rows, columns, np.full(len(columns), value, dtype=np.int64)))

    def matrix(self, shape: tuple[int, int]) -> Matrix:
        """All that was added, by column and row."""
        rows, columns, values = (np.concatenate([part[i] for part in self._parts]) for i in range(3))
        order = np.lexsort((rows, columns))
        starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=shape[1]))]).astype(np.int64)
        return Matrix(shape, starts, rows[order], values[order])


def members(axes: tuple[Axis, ...], group: Group, clique: Clique, cells: Ints) -> Ints:
    """The numbers of the clique's cells that a group sums."""
    inside = np.ones(len(cells), dtype=bool)
    for axis, leaves in zip(group.axes, group.leaves, strict=True):
        allowed = np.zeros(len(axes[axis].leaves), dtype=bool)
        allowed[list(leaves)] = True
        inside &= allowed[cells[:, clique.index(axis)]]
    return np.flatnonzero(inside)


def _holder(group: Group, found: tuple[Clique, ...], sheets: list[Ints]) -> int:
    """The smallest clique that holds a group's dimensions."""
    holding = [c for c in range(len(found)) if set(group.axes) <= set(found[c])]
    return min(holding, key=lambda c: (len(sheets[c]), c))


def _band_rows(
    entries: _Entries,
    frames: tuple[Frame, ...],
    row: int,
    *,
    bands: Sequence[Told],
    offsets: Ints,
    found: tuple[Clique, ...],
    sheets: list[Ints],
) -> int:
    """One row for each half of a band that was told."""
    for block, number, weights in bands:
        f = frames[block]
        group = f.groups[number]
        clique = _holder(group, found, sheets)
        start = int(offsets[block]) + sum(len(cells) for cells in sheets[:clique]) * atoms(f)
        columns = start + members(f.axes, group, found[clique], sheets[clique]) * atoms(f)
        for outcome, weight in enumerate(weights[: atoms(f)]):
            entries.add(np.full(len(columns), row, dtype=np.int64), columns + outcome, weight)
        row += 1
    return row


def _group_rows(
    entries: _Entries, f: Frame, row: int, *, places: list[int], found: tuple[Clique, ...], sheets: list[Ints]
) -> int:
    for group in f.groups:
        clique = _holder(group, found, sheets)
        cells = members(f.axes, group, found[clique], sheets[clique])
        for kind in range(kinds(f)):
            for atom in ATOMS[kind]:
                columns = places[clique] + cells * atoms(f) + atom
                entries.add(np.full(len(columns), row, dtype=np.int64), columns, 1)
            row += 1
    return row


def _separator_rows(
    entries: _Entries, f: Frame, row: int, *, places: list[int], found: tuple[Clique, ...], sheets: list[Ints]
) -> int:
    for left, right, shared in separators(found):
        sizes = [len(f.axes[axis].leaves) for axis in shared]
        for side, sign in ((left, 1), (right, -1)):
            kept = [found[side].index(axis) for axis in shared]
            level = np.zeros(len(sheets[side]), dtype=np.int64)
            for axis, size in zip(kept, sizes, strict=True):
                level = level * size + sheets[side][:, axis]
            for atom in range(atoms(f)):
                columns = places[side] + np.arange(len(level)) * atoms(f) + atom
                entries.add(row + level * atoms(f) + atom, columns, sign)
        row += int(np.prod(sizes, dtype=np.int64)) * atoms(f)
    return row


def _link_rows(
    entries: _Entries,
    frames: tuple[Frame, ...],
    row: int,
    *,
    link: tuple[int, int, int],
    offsets: Ints,
    cells: int,
) -> int:
    left, kind, right = link
    numbers = np.arange(cells, dtype=np.int64)
    for block, of_kind, sign in ((left, kind, 1), (right, ALL, -1)):
        width = atoms(frames[block])
        for atom in ATOMS[of_kind][:width]:
            entries.add(row + numbers, int(offsets[block]) + numbers * width + atom, sign)
    return row + cells


def _counts(
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
            for place, cell in zip(_positions(f, clique), f.block.cells, strict=True):
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


def _base_counts(frames: tuple[Frame, ...], found: tuple[Clique, ...], sheets: list[Ints]) -> tuple[BaseCounts, ...]:
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
            places = zip(_positions(f, clique), f.block.cells, strict=True)
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
