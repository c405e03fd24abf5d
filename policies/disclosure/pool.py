"""Moves found so far: other lists of persons, in whole numbers, that agree with everything shown. Under the audit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.moves import Move, Observer
from policies.disclosure.system import Ints, System


@dataclass(frozen=True)
class Moves:
    """Several moves: the columns that each changes (`which` move, `places`, `by` how much), and the rows."""

    count: int
    column_which: Ints
    columns: Ints
    column_by: Ints
    row_which: Ints
    rows: Ints
    row_by: Ints

    def take(self, chosen: NDArray[np.bool_]) -> "Moves":
        """Some of them."""
        number = np.cumsum(chosen) - 1
        columns, rows = chosen[self.column_which], chosen[self.row_which]
        return Moves(
            int(chosen.sum()),
            number[self.column_which[columns]],
            self.columns[columns],
            self.column_by[columns],
            number[self.row_which[rows]],
            self.rows[rows],
            self.row_by[rows],
        )

    def admitted(self, observer: Observer, truth: Ints) -> NDArray[np.bool_]:
        """Which of them leave the observer's own children where they are, and nobody where it knows of nobody."""
        left = truth[self.columns] + self.column_by >= observer.own[self.columns]
        refused = ~left | observer.pinned[self.columns]
        found = np.ones(self.count, dtype=bool)
        found[self.column_which[refused]] = False
        return found

    def widen(self, low: Ints, high: Ints) -> None:
        """Let the least and greatest change of every row hold what these moves change."""
        np.minimum.at(low, self.rows, self.row_by)
        np.maximum.at(high, self.rows, self.row_by)


_NONE = np.zeros(0, dtype=np.int64)
NO_MOVES = Moves(0, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


def moves_of(system: System, count: int, *, which: Ints, columns: Ints, by: Ints) -> Moves:
    """So many moves, each changing columns `by` so much; the same column may be named several times."""
    width, height = system.matrix.shape[1], system.matrix.shape[0]
    column_which, places, column_by = _summed(which, columns, by, width=width)
    starts = system.matrix.starts
    sizes = starts[places + 1] - starts[places]
    ends = np.cumsum(sizes)
    entries = np.arange(sizes.sum()) + np.repeat(starts[places] - ends + sizes, sizes)
    row_by = system.matrix.values[entries] * np.repeat(column_by, sizes)
    rows = _summed(np.repeat(column_which, sizes), system.matrix.rows[entries], row_by, width=height)
    return Moves(count, column_which, places, column_by, *rows)


def one_move(move: Move) -> Moves:
    """A single move."""
    columns, rows = np.flatnonzero(move.columns), np.flatnonzero(move.sums)
    nought = np.zeros(len(columns), dtype=np.int64)
    return Moves(1, nought, columns, move.columns[columns], np.zeros(len(rows), dtype=np.int64), rows, move.sums[rows])


def _summed(which: Ints, places: Ints, by: Ints, *, width: int) -> tuple[Ints, Ints, Ints]:
    codes, at = np.unique(which * width + places, return_inverse=True)
    sums = np.bincount(at, weights=by, minlength=len(codes)).round().astype(np.int64)
    kept = sums != 0
    return codes[kept] // width, codes[kept] % width, sums[kept]


class Pool:
    """All moves found, by any observer; what is shown only ever shrinks, so that they stay true."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._parts: list[Moves] = []

    def add(self, moves: Moves) -> None:
        """Keep moves."""
        self._parts.append(moves)

    def reach(self, observer: Observer, truth: Ints) -> tuple[Ints, Ints]:
        """The least and greatest change of every row by the moves that the observer admits."""
        low, high = np.zeros(self._rows, dtype=np.int64), np.zeros(self._rows, dtype=np.int64)
        for moves in self._parts:
            moves.take(moves.admitted(observer, truth)).widen(low, high)
        return low, high
