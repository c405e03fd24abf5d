"""Finds other tables of persons that agree with everything shown: linear programming over the additive system.

A move is an integer change of the columns; every move that is handed on has been checked in whole numbers, so that
what it proves does not hang on a solver's tolerance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from policies.disclosure.system import Ints, System

Floats = NDArray[np.float64]

TOLERANCE = 1e-6
NODE_LIMIT = 200
"""Branches tried for a move in whole numbers where linear programming gives fractions."""

STEP_COST = 1e-3
"""What moving one person costs beside withholding a shown number."""


@dataclass(frozen=True)
class Observer:
    """Somebody who knows some children's part of every column, and of `pinned` columns that nobody else is there."""

    names: tuple[str, ...]
    own: Ints
    pinned: NDArray[np.bool_]

    def admits(self, move: Ints, truth: Ints) -> bool:
        """Whether the observer cannot tell the moved table from the true one."""
        return bool((truth + move >= self.own).all()) and not move[self.pinned].any()


class Mover:
    """The solver, loaded once with a system; bounds follow what is shown."""

    def __init__(self, system: System, observer: Observer) -> None:
        self._system, self._observer = system, observer
        self._rows, self._columns = system.matrix.shape
        self._low, self._high = np.zeros(self._rows), np.zeros(self._rows)
        self._columns_of_entries = np.repeat(np.arange(self._columns), np.diff(system.matrix.starts))
        self._both = np.arange(2 * self._columns, dtype=np.int32)
        self._solver = self._loaded(np.zeros(self._rows, dtype=bool), np.zeros(self._rows))

    def allow(self, rows: Sequence[int], low: Sequence[float], high: Sequence[float]) -> None:
        """Let rows lie between bounds, as differences from the truth."""
        for row, least, most in zip(rows, low, high, strict=True):
            self._low[row], self._high[row] = least, most
            self._solver.changeRowBounds(row, least, most)

    def watch(self, observer: Observer) -> None:
        """From now on move only what the observer does not know."""
        self._observer = observer
        self._solver.changeColsBounds(len(self._both), self._both, np.zeros(len(self._both)), self._room())

    def move(self, row: int, change: int) -> Ints | None:
        """A move that changes a row's count by exactly `change` and nothing that is shown, of few persons if can be."""
        self._solver.changeRowBounds(row, change, change)
        found = self._solve(self._solver)
        if found is not None and _fractional(found):
            found = self._solve_whole()
        self._solver.changeRowBounds(row, self._low[row], self._high[row])
        checked = self._checked(found)
        return checked if checked is not None and self._system.matrix.times(checked)[row] == change else None

    def sweep(self, rows: Ints, change: int) -> Ints | None:
        """A move that takes as many of `rows` as can be towards `change`, and none beyond it."""
        for row in rows.tolist():
            low, high = self._low[row], self._high[row]
            bounds = (low, min(high, change)) if change > 0 else (max(low, change), high)
            self._solver.changeRowBounds(row, *bounds)
        weights = np.zeros(self._rows)
        weights[rows] = -1.0 if change > 0 else 1.0
        matrix = self._system.matrix
        cost = np.bincount(
            self._columns_of_entries, weights=weights[matrix.rows] * matrix.values, minlength=self._columns
        )
        self._solver.changeColsCost(len(self._both), self._both, np.concatenate([cost, -cost]) + STEP_COST)
        found = self._solve(self._solver)
        self._solver.changeColsCost(len(self._both), self._both, np.full(len(self._both), STEP_COST))
        for row in rows.tolist():
            self._solver.changeRowBounds(row, self._low[row], self._high[row])
        return self._checked(found)

    def relax(self, row: int, change: int, *, weights: Floats) -> tuple[float, list[int]]:
        """The cheapest shown rows to withhold so that `row` can change by `change`; infinite cost if there are none.

        `weights` says what withholding a row costs for each person that it would have to move; infinite is never.
        """
        elastic = np.isfinite(weights)
        solver = self._loaded(elastic, weights)
        solver.changeRowBounds(row, change, change)
        if self._solve(solver) is None:
            return np.inf, []
        values = np.asarray(solver.getSolution().col_value)[2 * self._columns :]
        rows = np.flatnonzero(elastic)
        slack = values[: len(rows)] + values[len(rows) :]
        return float(solver.getInfo().objective_function_value), rows[slack > TOLERANCE].tolist()

    def _loaded(self, elastic: NDArray[np.bool_], weights: Floats) -> "highspy.Highs":
        """A solver whose columns are persons added, persons taken away, and slack on the elastic rows."""
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", "simplex")):
            solver.setOptionValue(option, value)
        solver.setOptionValue("mip_max_nodes", NODE_LIMIT)
        matrix, rows = self._system.matrix, np.flatnonzero(elastic)
        entries, slack = len(matrix.rows), np.arange(1, len(rows) + 1)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = 2 * self._columns + 2 * len(rows), self._rows
        lp.col_cost_ = np.concatenate([np.full(2 * self._columns, STEP_COST), weights[rows], weights[rows]])
        lp.col_lower_ = np.zeros(2 * self._columns + 2 * len(rows))
        lp.col_upper_ = np.concatenate([self._room(), np.full(2 * len(rows), np.inf)])
        lp.row_lower_, lp.row_upper_ = self._low, self._high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        starts = [matrix.starts, entries + matrix.starts[1:], 2 * entries + slack, 2 * entries + len(rows) + slack]
        lp.a_matrix_.start_ = np.concatenate(starts).astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate([matrix.rows, matrix.rows, rows, rows]).astype(np.int32)
        ones = np.ones(len(rows))
        lp.a_matrix_.value_ = np.concatenate([matrix.values, -matrix.values, ones, -ones]).astype(np.float64)
        solver.passModel(lp)
        return solver

    def _room(self) -> Floats:
        """By how much each column may be raised, then by how much each may be lowered."""
        taken = np.where(self._observer.pinned, 0.0, self._system.truth - self._observer.own)
        return np.concatenate([np.where(self._observer.pinned, 0.0, np.inf), taken])

    def _solve(self, solver: "highspy.Highs") -> Floats | None:
        solver.clearSolver()
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        values = np.asarray(solver.getSolution().col_value)
        return np.asarray(values[: self._columns] - values[self._columns : 2 * self._columns])

    def _solve_whole(self) -> Floats | None:
        whole, continuous = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
        self._solver.changeColsIntegrality(len(self._both), self._both, np.full(len(self._both), whole))
        found = self._solve(self._solver)
        self._solver.changeColsIntegrality(len(self._both), self._both, np.full(len(self._both), continuous))
        return found

    def _checked(self, found: Floats | None) -> Ints | None:
        """The move in whole numbers, if it agrees with all that is shown and all that the observer knows."""
        if found is None or _fractional(found):
            return None
        move = found.round().astype(np.int64)
        sums = self._system.matrix.times(move)
        if (sums < self._low).any() or (sums > self._high).any():
            return None
        return move if self._observer.admits(move, self._system.truth) else None


def _fractional(found: Floats) -> bool:
    return bool(np.abs(found - found.round()).max(initial=0.0) > TOLERANCE)


def nobody(system: System) -> Observer:
    """The outsider, who knows nobody."""
    size = len(system.truth)
    return Observer((), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool))
