"""Searches lists of persons for one that agrees with all that is shown and gives a withheld count another number, or
that breaks least of it; under the audit, beside `moves`, which does the same by linear programming.

What is found is checked by the mover like any other move, so that nothing hangs on this search being right.
"""

from typing import NamedTuple

import numpy as np

from policies.disclosure.counted import atoms
from policies.disclosure.list_kernel import DEAR, REST, Flags, Shape, State, begin, seek
from policies.disclosure.moves import Move, Observer
from policies.disclosure.system import ATOMS, MISSED, UNKNOWN, Floats, Ints, System, kinds

Small = np.int32
TOLERANCE = 1e-6
UNEVEN = 0.3
"""How unevenly remainders are taken, so that another seed rounds otherwise."""

SPREAD, CHANCE = 2654435761, 88172645463325252
"""From a seed to where the chance begins (Knuth, Marsaglia)."""


class Effort(NamedTuple):
    """Steps of a search, tries for each step, and where its chance begins."""

    steps: int
    tries: int
    seed: int = 0


class Lists:
    """The search, loaded with a system; limits follow what is shown, and persons the observer."""

    def __init__(self, system: System) -> None:
        rows, columns = system.matrix.shape
        self._system, self.shape = system, shape_of(system)
        self._free, self._closed = system.truth.copy(), np.zeros(columns, dtype=bool)
        self._low, self._high = np.full(rows + 1, -np.inf), np.full(rows + 1, np.inf)
        self._low[system.one_sided], self._high[system.one_sided] = system.least, np.inf
        self._low[system.ties : system.one_sided.start] = self._high[system.ties : system.one_sided.start] = 0.0
        self._price = np.full(rows + 1, DEAR)
        self._even = np.ones(rows + 1)
        self._even[-1] = DEAR
        self._aimed = 0
        ends = np.cumsum([len(cells) * atoms(f) for f in system.frames for cells in system.sheets]).tolist()
        self._sheets = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    def allow(self, rows: list[int], low: Floats, high: Floats, weights: Floats) -> None:
        """Let rows lie between bounds, as differences from the truth; what breaking them costs."""
        self._low[rows], self._high[rows] = low, high
        self._price[rows] = np.minimum(weights, DEAR)

    def watch(self, observer: Observer) -> None:
        """From now on change only whom the observer does not know."""
        self._free = np.where(observer.pinned, 0, self._system.truth - observer.own)
        self._closed = observer.pinned

    def search(self, row: int, change: int, *, start: Move, effort: Effort, priced: bool = False) -> tuple[float, Ints]:
        """The least that is broken when a row changes by so much or more, and the change of the columns.

        The search goes out from `start`. All rows are equally dear unless they are `priced`.
        """
        self._aim(row, change)
        state = self.state(start, effort.seed, self._price if priced else self._even)
        kept = state.persons.copy()
        least = seek(self.shape, state, effort.steps, effort.tries, np.zeros(3, dtype=np.int64), kept)
        return least, kept - self._free

    def state(self, start: Move, seed: int, price: Floats) -> State:
        """The list of persons that a move leads to, and what is broken by it."""
        count, rows = self._free + start.columns, len(self._low)
        moved = np.append(start.sums, start.sums[self._aimed])
        chance = np.array([seed * SPREAD + CHANCE], dtype=np.uint64)
        nought, none = np.zeros(rows), np.zeros(rows, dtype=np.int64)
        broken, left = np.zeros(rows + 1, dtype=np.int64), np.full(len(count), -REST)
        state = State(count, self._closed, moved, self._low, self._high, price, nought, broken, none, left, chance)
        begin(state)
        return state

    def _aim(self, row: int, change: int) -> None:
        """Let the last row count the same as another, and be broken until it has changed so much."""
        shape, last = self.shape, len(self._low) - 1
        for number, aimed in ((self._aimed, False), (row, True)):
            mine = slice(shape.first[number], shape.end[number])
            shape.row[shape.columns[mine], -1] = last if aimed else -1
            shape.by[shape.columns[mine], -1] = shape.signs[mine]
        shape.first[last], shape.end[last], shape.axes[last] = shape.first[row], shape.end[row], shape.axes[row]
        self._low[last], self._high[last] = (change, np.inf) if change > 0 else (-np.inf, change)
        self._aimed = row

    def brought(self, row: int, change: int, *, start: Move, seed: int) -> Move:
        """A list in which a row has changed by so much because persons came in from nearby, whatever that breaks: where
        nobody differs in one respect alone from those whom the row counts, no single step leads in."""
        inside, chance = self.shape.columns[self.shape.first[row] : self.shape.end[row]], np.random.default_rng(seed)
        number = next(n for n, sheet in enumerate(self._sheets) if sheet.start <= inside[0] < sheet.stop)
        block, clique = divmod(number, len(self._system.sheets))
        places, first = (
            _places(self._system.sheets[clique], atoms(self._system.frames[block])),
            self._sheets[number].start,
        )
        columns, free = start.columns.copy(), self._free + start.columns
        outside = np.setdiff1d(np.arange(first, self._sheets[number].stop), inside)
        outside, inside = outside[free[outside] > 0], inside[~self._closed[inside]]
        apart = (places[inside - first][:, None] != places[outside - first][None]).sum(axis=2)
        apart = apart + chance.uniform(0.0, UNEVEN, apart.shape)
        for _ in range(min(change - int(start.sums[row]), int(free[outside].sum())) if len(inside) else 0):
            there, here = np.unravel_index(int(apart.argmin()), apart.shape)
            columns[inside[there]] += 1
            columns[outside[here]] -= 1
            if self._free[outside[here]] + columns[outside[here]] == 0:
                apart[:, here] = np.inf
        return Move(columns, self._system.matrix.times(columns))

    def whole(self, found: Floats, *, seed: int) -> Move:
        """A change of persons in fractions as one in whole numbers of as many persons, which breaks little of what is
        shown: the largest remainders are rounded up."""
        columns = np.floor(found + TOLERANCE).astype(np.int64)
        rest = found - columns + np.random.default_rng(seed).uniform(0.0, UNEVEN, len(found))
        rest[found - columns < TOLERANCE] = 0.0
        for sheet in self._sheets:
            lacking = max(-int(columns[sheet].sum()), 0)
            columns[sheet.start + np.argsort(-rest[sheet], kind="stable")[:lacking]] += 1
        return Move(columns, self._system.matrix.times(columns))


def shape_of(system: System) -> Shape:
    """How the columns of a system hang together."""
    axes, columns = len(system.frames[0].axes), system.matrix.shape[1]
    line = _lines(system)
    sizes = np.bincount(line.ravel())
    order = np.argsort(line.ravel(), kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    by_row = np.argsort(system.matrix.rows, kind="stable")
    column = np.repeat(np.arange(columns), np.diff(system.matrix.starts))
    first = np.concatenate([[0], np.cumsum(np.bincount(system.matrix.rows, minlength=system.matrix.shape[0]))])
    of_row, signs = column[by_row], system.matrix.values[by_row]
    masks = _masks(system, line, first, of_row)
    slot_of, slot_masks = _slots(system, masks, first, of_row)
    row, by = np.full((columns, len(slot_masks) + 1), -1), np.zeros((columns, len(slot_masks) + 1))
    for number, slot in slot_of.items():
        mine = slice(first[number], first[number + 1])
        row[of_row[mine], slot], by[of_row[mine], slot] = number, signs[mine]
    slots = [
        [*(s for s, mask in enumerate(slot_masks) if mask >> axis & 1), len(slot_masks)] for axis in range(axes + 1)
    ]
    return Shape(
        row.astype(Small), by.astype(Small),
        np.concatenate([[0], np.cumsum([len(s) for s in slots])]).astype(Small), np.concatenate(slots).astype(Small),
        line.astype(Small), starts.astype(Small), (order // (axes + 1)).astype(Small),
        np.append(first[:-1], 0).astype(Small), np.append(first[1:], 0).astype(Small), of_row.astype(Small),
        signs.astype(Small), np.append(masks, 0).astype(Small),
    )  # fmt: skip


def _lines(system: System) -> Ints:
    """For each column and axis the number of the line of columns that differ from it in that axis alone."""
    axes = len(system.frames[0].axes)
    line, start, lines = np.zeros((system.matrix.shape[1], axes + 1), dtype=np.int64), 0, 0
    for f in system.frames:
        for clique, cells in zip(system.cliques, system.sheets, strict=True):
            width = atoms(f)
            places = _places(cells, width)
            here = slice(start, start + len(places))
            for axis in range(axes + 1):
                at = len(clique) if axis == axes else clique.index(axis) if axis in clique else -1
                rest = np.delete(places, at, axis=1) if at >= 0 else places
                _, which = np.unique(rest, axis=0, return_inverse=True)
                line[here, axis] = lines + which.ravel()
                lines += int(which.max()) + 1
            start += len(places)
    return line


def _places(cells: Ints, width: int) -> Ints:
    """Where the columns of some cells stand: their leaves, and the outcome."""
    return np.column_stack([np.repeat(cells, width, axis=0), np.tile(np.arange(width), len(cells))])


def _masks(system: System, line: Ints, first: Ints, of_row: Ints) -> Ints:
    """By row, the axes as bits that change whether it counts somebody; the outcome is the last."""
    axes = line.shape[1] - 1
    masks = np.zeros(system.matrix.shape[0], dtype=np.int64)
    for block, f in enumerate(system.frames):
        for number, group in enumerate(f.groups):
            for kind in range(kinds(f)):
                told_apart = len(ATOMS[kind]) < atoms(f) and not (kind == 0 and f.block.complete)
                masks[system.row(block, number, kind)] = sum(1 << axis for axis in group.axes) | told_apart << axes
    sizes = np.bincount(line.ravel())
    for row in range(system.ties, len(masks)):
        mine = of_row[first[row] : first[row + 1]]
        for axis in range(axes + 1):
            lines, counts = np.unique(line[mine, axis], return_counts=True)
            masks[row] |= int((counts != sizes[lines]).any()) << axis
    return masks


def _slots(system: System, masks: Ints, first: Ints, of_row: Ints) -> tuple[dict[int, int], list[int]]:
    """Rows with the same axes share a slot where no column is in two of them; by row its slot, and the slots' axes."""
    skipped = {
        system.row(block, number, kind)
        for block, f in enumerate(system.frames)
        for number in range(len(f.groups))
        for kind in (MISSED, UNKNOWN)[: kinds(f) - 2]
    }
    slot_of: dict[int, int] = {}
    slots: list[tuple[int, Flags]] = []
    for row, mask in enumerate(masks.tolist()):
        mine = of_row[first[row] : first[row + 1]]
        if row in skipped or not mask:
            continue
        fitting = (n for n, (axes, taken) in enumerate(slots) if axes == mask and not taken[mine].any())
        slot = next(fitting, len(slots))
        if slot == len(slots):
            slots.append((mask, np.zeros(system.matrix.shape[1], dtype=bool)))
        slots[slot][1][mine] = True
        slot_of[row] = slot
    return slot_of, [mask for mask, _ in slots]
