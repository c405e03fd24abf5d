"""The additive system behind one or more linked blocks: columns of persons, rows of counts that tables could show.

A column counts persons of one outcome (no, yes, unknown) in one cell of a clique of dimensions; a row sums columns.
Rows that must agree whatever is shown (two cliques over what they share, linked populations) are ties.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.cliques import Clique, cliques, separators
from policies.disclosure.counted import BaseCounts, atoms, base_counts, counted, positions
from policies.disclosure.frame import Axis, Frame, Group
from policies.disclosure.types import BlockError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CROSS_LIMIT = 40_000
"""Cells up to which a clique is crossed in full; beyond it only cells near those with persons are columns, which
makes the feasible intervals narrower than an attacker's and so errs on the safe side."""

NEAR_LIMIT = 600
"""Cells up to which a solver starts with all of them; beyond it, with those near persons, and asks for more."""

FULL_LIMIT = 200_000
"""Coefficients up to which a matrix is multiplied in full, which is faster then; whole numbers stay exact."""

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

    @cached_property
    def _full(self) -> Floats:
        """All coefficients, nought or not, of a small matrix."""
        full = np.zeros(self.shape)
        np.add.at(full, (self.rows, np.repeat(np.arange(self.shape[1]), np.diff(self.starts))), self.values)
        return full

    def times(self, vector: Ints) -> Ints:
        """The rows' sums for a column vector."""
        if self.shape[0] * self.shape[1] <= FULL_LIMIT:
            return (self._full @ vector.astype(np.float64)).astype(np.int64)
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
    """Rows that may not fall below nought, `more` added, whatever is shown: bands that were told before."""
    more: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    cliques: tuple[Clique, ...] = ()
    sheets: tuple[Ints, ...] = ()
    """By clique its cells, one row of leaf numbers each, in the order of the columns."""

    @property
    def least(self) -> Ints:
        """How far those rows may change at least."""
        return -(self.counts[self.one_sided] + self.more)

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


class HalfBand(NamedTuple):
    """Weights of a group's persons by outcome (no, yes, unknown) that sum, with `more`, to nought or more."""

    block: int
    group: int
    weights: tuple[int, int, int]
    more: int = 0


def system(
    frames: tuple[Frame, ...], links: tuple[tuple[int, int, int], ...] = (), bands: Sequence[HalfBand] = ()
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
    truth, own, pinned = counted(frames, found, sheets)
    counts = matrix.times(truth)
    if counts[total:ties].any():
        raise BlockError("linked blocks do not count the same persons")
    first = np.concatenate([np.repeat(chosen, atoms(f)) for f in frames for chosen in near])
    one_sided = range(ties, end)
    base = base_counts(frames, found, sheets)
    more = np.array([band.more for band in bands], dtype=np.int64)
    return System(
        frames, tuple(first_row), total, matrix, first, truth, counts, own, pinned, base, one_sided, more, found,
        tuple(sheets),
    )  # fmt: skip


def _dimensions(axes: tuple[Axis, ...], names: tuple[str, ...]) -> Clique:
    return tuple(number for number, axis in enumerate(axes) if axis.name in names)


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
            for place, cell in zip(positions(f, clique), f.block.cells, strict=True)
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
    bands: Sequence[HalfBand],
    offsets: Ints,
    found: tuple[Clique, ...],
    sheets: list[Ints],
) -> int:
    """One row for each half of a band that was told."""
    for block, number, weights, _ in bands:
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
