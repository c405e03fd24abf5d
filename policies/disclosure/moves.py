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

    def __init__(self, system: System) -> None:
        self._system = system
        self._rows, self._columns = system.matrix.shape
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", "simplex")):
            self._solver.setOptionValue(option, value)
        self._solver.setOptionValue("mip_max_nodes", NODE_LIMIT)
        self._low = np.zeros(self._rows)
        self._high = np.zeros(self._rows)
        self._load()
        self._observer: Observer | None = None

    def allow(self, rows: Sequence[int], low: Sequence[float], high: Sequence[float]) -> None:
        """Let rows lie between bounds, as differences from the truth."""
        if not len(rows):
            return
        self._low[rows], self._high[rows] = low, high
        number = np.asarray(rows, dtype=np.int32)
        for place in number.tolist():
            self._solver.changeRowBounds(place, self._low[place], self._high[place])

    def watch(self, observer: Observer) -> None:
        """From now on move only what the observer does not know."""
        if self._observer is observer:
            return
        self._observer = observer
        upper = np.concatenate(
            [
                np.where(observer.pinned, 0.0, np.inf),
                np.where(observer.pinned, 0.0, self._system.truth - observer.own),
            ]
        )
        number = np.arange(2 * self._columns, dtype=np.int32)
        self._solver.changeColsBounds(len(number), number, np.zeros(len(number)), upper)

    def move(self, row: int, change: int) -> Ints | None:
        """A move that changes a row's count by exactly `change` and nothing that is shown, of few persons if can be."""
        self._solver.changeRowBounds(row, change, change)
        found = self._solve()
        if found is not None and np.abs(found - found.round()).max(initial=0.0) > TOLERANCE:
            found = self._solve_whole()
        self._solver.changeRowBounds(row, self._low[row], self._high[row])
        if found is None:
            return None
        return self._checked(found.round().astype(np.int64), row, change)

    def relax(self, row: int, change: int, *, weights: Floats) -> tuple[float, list[int]]:
        """The cheapest shown rows to withhold so that `row` can change by `change`; infinite cost if there are none.

        `weights` says what withholding a row costs for each person that it would have to move; infinite is never.
        """
        open_rows = np.flatnonzero(np.isfinite(weights))
        number = np.concatenate([2 * self._columns + open_rows, 2 * self._columns + self._rows + open_rows])
        number = number.astype(np.int32)
        self._solver.changeColsBounds(len(number), number, np.zeros(len(number)), np.full(len(number), np.inf))
        self._solver.changeColsCost(len(number), number, np.concatenate([weights[open_rows]] * 2))
        self._solver.changeRowBounds(row, change, change)
        found = self._solve()
        cost = float(self._solver.getInfo().objective_function_value)
        values = np.asarray(self._solver.getSolution().col_value)[2 * self._columns :]
        slack = values[: self._rows] + values[self._rows :] if found is not None else np.zeros(self._rows)
        self._solver.changeRowBounds(row, self._low[row], self._high[row])
        self._solver.changeColsBounds(len(number), number, np.zeros(len(number)), np.zeros(len(number)))
        if found is None:
            return np.inf, []
        return cost, np.flatnonzero(slack > TOLERANCE).tolist()

    def _load(self) -> None:
        matrix, columns, rows = self._system.matrix, self._columns, self._rows
        entries = len(matrix.rows)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = 2 * columns + 2 * rows, rows
        lp.col_cost_ = np.concatenate([np.full(2 * columns, STEP_COST), np.zeros(2 * rows)])
        lp.col_lower_ = np.zeros(2 * columns + 2 * rows)
        lp.col_upper_ = np.concatenate([np.full(columns, np.inf), self._system.truth, np.zeros(2 * rows)])
        lp.row_lower_, lp.row_upper_ = self._low, self._high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        unit = np.arange(1, rows + 1)
        starts = [matrix.starts, entries + matrix.starts[1:], 2 * entries + unit, 2 * entries + rows + unit]
        lp.a_matrix_.start_ = np.concatenate(starts).astype(np.int32)
        every = np.arange(rows)
        lp.a_matrix_.index_ = np.concatenate([matrix.rows, matrix.rows, every, every]).astype(np.int32)
        ones = np.ones(rows)
        lp.a_matrix_.value_ = np.concatenate([matrix.values, -matrix.values, ones, -ones]).astype(np.float64)
        self._solver.passModel(lp)

    def _solve(self) -> Floats | None:
        self._solver.clearSolver()
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return self._move()

    def _solve_whole(self) -> Floats | None:
        number = np.arange(2 * self._columns, dtype=np.int32)
        whole = np.full(len(number), highspy.HighsVarType.kInteger)
        self._solver.changeColsIntegrality(len(number), number, whole)
        self._solver.clearSolver()
        self._solver.run()
        found = self._move() if self._solver.getInfo().primal_solution_status == 2 else None
        self._solver.changeColsIntegrality(len(number), number, np.full(len(number), highspy.HighsVarType.kContinuous))
        return found

    def _move(self) -> Floats:
        values = np.asarray(self._solver.getSolution().col_value)
        return np.asarray(values[: self._columns] - values[self._columns : 2 * self._columns])

    def _checked(self, move: Ints, row: int, change: int) -> Ints | None:
        sums = self._system.matrix.times(move)
        low, high = self._low.copy(), self._high.copy()
        low[row] = high[row] = change
        if (sums < low).any() or (sums > high).any():
            return None
        if self._observer is not None and not self._observer.admits(move, self._system.truth):
            return None
        return move
