"""The linear program of a large block, kept warm: what must be withheld so that one count can be another, and how.

Under the audit. Every number that may still be withheld can be bent at a price, so that there is always a solution;
from one count to the next only a bound changes, and the solver goes on from where it was (dual simplex).
"""

from dataclasses import dataclass

import highspy
import numpy as np

from policies.disclosure.moves import Move, Observer
from policies.disclosure.system import Floats, Ints, System

TOLERANCE = 1e-6
STEP_COST = 1e-3
"""What moving one person costs beside withholding a shown number."""

PRICINGS, COLUMNS_ADDED = 6, 60
"""How often a solution may ask for columns before something is withheld, and how many at a time."""

UNEVEN_TRIES = 2
"""Solutions with uneven costs that are tried where the first is not in whole numbers."""

NODE_LIMIT, WHOLE_LIMIT = 20, 80
"""Branches tried for whole numbers among the persons whom those solutions moved, if they are no more than so many."""


@dataclass(frozen=True)
class Bent:
    """What must be withheld (`cost`, `rows`) for the change that was asked, and the change of the columns."""

    cost: float
    rows: tuple[int, ...]
    columns: Floats


class Elastic:
    """The program for one observer; limits follow what is shown."""

    def __init__(self, system: System, observer: Observer, *, low: Floats, high: Floats, weights: Floats) -> None:
        self._system, self._observer = system, observer
        self._low, self._high = low.copy(), high.copy()
        self._low[system.one_sided], self._high[system.one_sided] = -system.counts[system.one_sided], np.inf
        self._weights = weights.copy()
        self._bending = np.flatnonzero(np.isfinite(weights))
        self._duals = np.zeros(len(low))
        self._place = {int(row): at for at, row in enumerate(self._bending)}
        self._free = np.where(observer.pinned, 0.0, system.truth - observer.own)
        near = system.near & ~observer.pinned
        self._open = ~near & ~observer.pinned
        lowered = np.flatnonzero(self._free > 0)
        raised = np.flatnonzero(near)
        self._column = np.concatenate([lowered, raised])
        self._sign = np.repeat([-1, 1], [len(lowered), len(raised)])
        self._solvers = [self._load(turn) for turn in range(UNEVEN_TRIES)]

    def allow(self, rows: list[int], low: list[float], high: list[float], weights: list[float]) -> None:
        """Let rows lie between bounds, as differences from the truth; and what bending them costs."""
        for row, least, most, weight in zip(rows, low, high, weights, strict=True):
            self._low[row], self._high[row], self._weights[row] = least, most, weight
            for solver in self._solvers:
                solver.changeRowBounds(row, least, most)
                if row in self._place and np.isfinite(weight):
                    solver.changeColCost(2 * self._place[row], weight)
                    solver.changeColCost(2 * self._place[row] + 1, weight)

    def bend(self, row: int, change: int) -> Bent | None:
        """The cheapest shown numbers to withhold so that a row can change by so much or more; None if none will do."""
        found = self._solved(0, row, change)
        for _ in range(PRICINGS):
            if found is None or found.cost < TOLERANCE or not self._widen():
                break
            found = self._solved(0, row, change)
        return found

    def whole(self, row: int, change: int, first: Bent) -> Move | None:
        """A move in whole numbers that makes the change and breaks nothing, if it is found."""
        found = [first.columns]
        move = self._checked(first.columns)
        for turn in range(1, UNEVEN_TRIES):
            if move is not None:
                break
            bent = self._solved(turn, row, change)
            if bent is not None and bent.cost < TOLERANCE:
                found.append(bent.columns)
                move = self._checked(bent.columns)
        if move is None:
            move = self._among(np.flatnonzero(np.any(found, axis=0)), row, change)
        return move if move is not None and change * move.sums[row] >= change * change else None

    def _solved(self, turn: int, row: int, change: int) -> Bent | None:
        """The solution of one of the solvers, which differ in what a step of each person costs."""
        solver, low, high = self._solvers[turn], self._low[row], self._high[row]
        solver.changeRowBounds(row, *((change, max(high, change)) if change > 0 else (min(low, change), change)))
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            solver.clearSolver()
            solver.run()
        optimal = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        solution = solver.getSolution()
        values, self._duals = np.asarray(solution.col_value), np.asarray(solution.row_dual)
        solver.changeRowBounds(row, low, high)
        return self._bent(values) if optimal else None

    def _bent(self, values: Floats) -> Bent:
        bends = 2 * len(self._bending)
        bent = values[0:bends:2] + values[1:bends:2]
        used = (bent > TOLERANCE) & np.isfinite(self._weights[self._bending])
        columns = np.zeros(len(self._system.truth))
        np.add.at(columns, self._column, self._sign * values[bends:])
        columns[np.abs(columns) < TOLERANCE] = 0.0
        rows = self._bending[used]
        return Bent(float(bent[used] @ self._weights[rows]), tuple(rows.tolist()), columns)

    def _widen(self) -> bool:
        """Let the columns be raised that would make the last solution cheaper; False if there are none."""
        gains = np.where(self._open, self._system.matrix.transposed(self._duals) - STEP_COST, 0.0)
        best = np.argsort(-gains, kind="stable")[:COLUMNS_ADDED]
        best = best[gains[best] > TOLERANCE]
        if not len(best):
            return False
        self._open[best] = False
        part = self._system.matrix.take(best)
        nought = np.zeros(len(best))
        starts, rows, values = (
            part.starts[:-1].astype(np.int32),
            part.rows.astype(np.int32),
            part.values.astype(np.float64),
        )
        for solver in self._solvers:
            solver.addCols(len(best), nought + STEP_COST, nought, nought + np.inf, len(rows), starts, rows, values)
        self._column = np.concatenate([self._column, best])
        self._sign = np.concatenate([self._sign, np.ones(len(best), dtype=np.int64)])
        return True

    def _load(self, turn: int) -> "highspy.Highs":
        """First two columns for each number that may bend, up and down; then persons taken away; then added."""
        part, bends = self._system.matrix.take(self._column), len(self._bending)
        values = part.values * np.repeat(self._sign, np.diff(part.starts))
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = 2 * bends + len(self._column), len(self._low)
        prices = np.repeat(self._weights[self._bending], 2)
        uneven = np.random.default_rng(turn).uniform(1.0, 3.0, len(self._column))
        lp.col_cost_ = np.concatenate([prices, STEP_COST * uneven])
        lp.col_lower_ = np.zeros(lp.num_col_)
        room = np.where(self._sign < 0, self._free[self._column], np.inf)
        lp.col_upper_ = np.concatenate([np.full(2 * bends, np.inf), room])
        lp.row_lower_, lp.row_upper_ = self._low, self._high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.concatenate([np.arange(2 * bends), 2 * bends + part.starts]).astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate([np.repeat(self._bending, 2), part.rows]).astype(np.int32)
        lp.a_matrix_.value_ = np.concatenate([np.tile([1.0, -1.0], bends), values]).astype(np.float64)
        return _loaded(lp)

    def _among(self, columns: Ints, row: int, change: int) -> Move | None:
        """The same in whole numbers, by search among a few columns."""
        if len(columns) > WHOLE_LIMIT:
            return None
        part, truth = self._system.matrix.take(columns), self._free[columns]
        touched, index = np.unique(part.rows, return_inverse=True)
        low, high = self._low[touched].copy(), self._high[touched].copy()
        at = int(np.searchsorted(touched, row))
        low[at], high[at] = (change, max(high[at], change)) if change > 0 else (min(low[at], change), change)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(columns), len(touched)
        lp.col_cost_ = np.zeros(len(columns))
        lp.col_lower_, lp.col_upper_ = -truth, np.where(self._observer.pinned[columns], 0.0, np.inf)
        lp.row_lower_, lp.row_upper_ = low, high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = part.starts.astype(np.int32), index.astype(np.int32)
        lp.a_matrix_.value_ = part.values.astype(np.float64)
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(columns)
        solver = _loaded(lp)
        for option, setting in (("presolve", "on"), ("mip_max_nodes", NODE_LIMIT), ("mip_max_improving_sols", 1)):
            solver.setOptionValue(option, setting)
        solver.run()
        values = np.asarray(solver.getSolution().col_value)
        if len(values) < len(columns):
            return None
        moved = np.zeros(len(self._system.truth))
        moved[columns] = values
        return self._checked(moved)

    def _checked(self, found: Floats) -> Move | None:
        """The move, if it is in whole numbers and agrees with all that is shown and all that the observer knows."""
        columns = found.round().astype(np.int64)
        if np.abs(found - columns).max(initial=0.0) > TOLERANCE:
            return None
        sums = self._system.matrix.times(columns)
        within = bool((sums >= self._low).all() and (sums <= self._high).all())
        return Move(columns, sums) if within and self._observer.admits(columns, self._system.truth) else None


def _loaded(lp: "highspy.HighsLp") -> "highspy.Highs":
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    options = (("output_flag", False), ("threads", 1), ("presolve", "off"), ("simplex_strategy", 1))
    for option, setting in options:
        solver.setOptionValue(option, setting)
    solver.passModel(lp)
    return solver
