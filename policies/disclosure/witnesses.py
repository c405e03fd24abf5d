"""The proof that a withheld count could be another number: moves found so far, and how far each observer must let each
count range. Under the audit.

One move serves every observer who cannot tell its list of persons from the true one, so each is held against all of
them at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.moves import Move, Observer
from policies.disclosure.system import Floats, Ints, System

Flags = NDArray[np.bool_]
Small = NDArray[np.int32]


@dataclass(frozen=True)
class Before:
    """Moves that were left out, and how far some rows ranged with them."""

    moves: Small
    admitting: Flags
    rows: Ints
    low: Small
    high: Small


class Witnesses:
    """Ranges of every row for every observer; while what is shown only shrinks, a move found stays true."""

    def __init__(self, system: System, observers: tuple[Observer, ...]) -> None:
        self._truth = system.truth
        self._own = np.array([observer.own for observer in observers], dtype=np.int32).T.copy()
        self._pinned = np.array([observer.pinned for observer in observers], dtype=bool).T.copy()
        self._pinned_by = self._pinned.astype(np.float64)
        self._held_by = (self._own >= system.truth[:, None]).astype(np.float64)
        rows = system.matrix.shape[0]
        self.low: Small = np.zeros((rows, len(observers)), dtype=np.int32)
        self.high: Small = np.zeros((rows, len(observers)), dtype=np.int32)
        self.sums = row_sums(system, self._own)
        """How many of each row's persons every observer knows at most."""
        least = [observer.own if observer.least is None else observer.least for observer in observers]
        self.least = row_sums(system, np.array(least, dtype=np.int32).T)
        """How many at least."""
        self._moves: Small = np.zeros((64, rows), dtype=np.int32)
        self._admitting: Flags = np.zeros((64, len(observers)), dtype=bool)
        self._size = 0

    def add(self, move: Move) -> None:
        """Let the move widen the ranges of the observers that admit it."""
        (columns,), (rows,) = move.columns.nonzero(), move.sums.nonzero()
        admitting = self.admitted(columns, move.columns[columns])
        self._append(move.sums[None], admitting[None])
        self._widen(rows, np.where(admitting, move.sums[rows][:, None], 0))

    def without(self, rows: Ints, low: Floats, high: Floats) -> "Before":
        """Leave out the moves by which some rows would leave their bounds; what stood before, to be put back."""
        moves = self._moves[: self._size]
        bad = ((moves[:, rows] < low) | (moves[:, rows] > high)).any(axis=1)
        low_by, high_by = moves[bad].min(axis=0, initial=0), moves[bad].max(axis=0, initial=0)
        # A range changes only where one of the moves reached its end for some observer.
        least = (low_by < 0) & (low_by <= self.low.max(axis=1))
        touched = np.flatnonzero(least | ((high_by > 0) & (high_by >= self.high.min(axis=1))))
        admitting, left = self._admitting[: self._size][bad], np.flatnonzero(~bad)
        before = Before(moves[bad], admitting, touched, self.low[touched], self.high[touched])
        self._size = len(left)
        self._moves[: self._size], self._admitting[: self._size] = moves[left], self._admitting[left]
        for row in touched.tolist():
            which = np.flatnonzero(self._moves[: self._size, row])
            sums = np.where(self._admitting[which], self._moves[which, row][:, None], 0)
            self.low[row], self.high[row] = sums.min(axis=0, initial=0), sums.max(axis=0, initial=0)
        return before

    def put_back(self, before: "Before") -> None:
        """Take back moves that were left out; those found since stay."""
        self._append(before.moves, before.admitting)
        self._widen(before.rows, before.low)
        self._widen(before.rows, before.high)

    def _append(self, moves: Ints | Small, admitting: Flags) -> None:
        end = self._size + len(moves)
        while end > len(self._moves):
            self._moves = np.concatenate([self._moves, np.zeros_like(self._moves)])
            self._admitting = np.concatenate([self._admitting, np.zeros_like(self._admitting)])
        self._moves[self._size : end], self._admitting[self._size : end] = moves, admitting
        self._size = end

    def _widen(self, rows: Ints, sums: Small) -> None:
        self.low[rows] = np.minimum(self.low[rows], sums)
        self.high[rows] = np.maximum(self.high[rows], sums)

    def admitted(self, columns: Ints, by: Ints) -> Flags:
        """Which observers cannot tell a change of some columns from the truth."""
        left = (self._truth[columns] + by)[:, None]
        return np.asarray((self._own[columns] <= left).all(axis=0) & ~self._pinned[columns].any(axis=0))

    def seen(self, observers: Ints) -> tuple[Floats, Floats]:
        """For each column, which part of some observers would see a person come, and go."""
        among = np.zeros(self._own.shape[1])
        among[observers] = 1.0
        return self._pinned_by @ among / len(observers), self._held_by @ among / len(observers)


def row_sums(system: System, vectors: Small) -> Small:
    """The rows' sums of several column vectors, which stand beside each other."""
    matrix = system.matrix
    columns, which = np.nonzero(vectors)
    sizes = matrix.starts[columns + 1] - matrix.starts[columns]
    ends = np.cumsum(sizes)
    entries = np.arange(sizes.sum()) + np.repeat(matrix.starts[columns] - ends + sizes, sizes)
    places = matrix.rows[entries] * vectors.shape[1] + np.repeat(which, sizes)
    weights = matrix.values[entries] * np.repeat(vectors[columns, which], sizes)
    sums = np.bincount(places, weights=weights, minlength=matrix.shape[0] * vectors.shape[1])
    return sums.reshape(matrix.shape[0], vectors.shape[1]).round().astype(np.int32)
