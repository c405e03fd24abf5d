"""Finds other tables of persons that agree with everything shown: linear programming over the additive system.

A move is an integer change of the columns; every move that is handed on has been checked in whole numbers, so that
what it proves does not hang on a solver's tolerance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from policies.disclosure.system import Floats, Ints, Matrix, System

TOLERANCE = 1e-6
NODE_LIMIT = 200
"""Branches tried for a move in whole numbers where linear programming gives fractions."""

WHOLE_LIMIT = 2000
"""Columns up to which that is tried."""

UNEVEN_TRIES = 8

FURTHEST = 6
"""Persons that may come into a column, or go, when moves are sought among few columns."""

PRICINGS, COLUMNS_ADDED = 8, 60
"""How often a repair may ask for columns, and how many at a time."""

STEP_COSTS = (1e-3, 0.03, 0.3, 3.0, 30.0, 3000.0)
"""What moving one person costs beside withholding a shown number, tried in turn."""

STEP_COST = STEP_COSTS[0]


@dataclass(frozen=True)
class Move:
    """A change of the columns in whole numbers, and of the rows' sums."""

    columns: Ints
    sums: Ints


@dataclass(frozen=True)
class Observer:
    """Somebody who knows some children's part of every column, and of `pinned` columns that nobody else is there.

    Of two providers together it is not known which children are in both lists: they know at most `own`, which is what
    their lists are held against, and at least `least`, which is what needs no protection from them.
    """

    names: tuple[str, ...]
    own: Ints
    pinned: NDArray[np.bool_]
    least: Ints | None = None

    def admits(self, move: Ints, truth: Ints) -> bool:
        """Whether the observer cannot tell the moved table from the true one."""
        return bool((truth + move >= self.own).all()) and not move[self.pinned].any()


@dataclass(frozen=True)
class Relaxation:
    """Rows to withhold, what that costs, and the move that it makes possible if it is in whole numbers."""

    cost: float
    rows: tuple[int, ...]
    move: Ints | None


IMPOSSIBLE = Relaxation(np.inf, (), None)


class Mover:
    """The solver, loaded with a system; bounds follow what is shown.

    In a large system only some columns may be raised at first; `relax` asks for others where they would help.
    """

    def __init__(self, system: System, observer: Observer) -> None:
        self._system, self._observer = system, observer
        self._low, self._high = np.zeros(system.matrix.shape[0]), np.zeros(system.matrix.shape[0])
        self._low[system.one_sided], self._high[system.one_sided] = system.least, np.inf
        self._raised, self._lowered = np.flatnonzero(system.near), np.flatnonzero(system.truth)
        self._open = ~system.near
        self._load()

    def allow(self, rows: Sequence[int], low: Sequence[float], high: Sequence[float]) -> None:
        """Let rows lie between bounds, as differences from the truth."""
        self._low[rows], self._high[rows] = low, high
        self._bound(np.asarray(rows), self._low[rows], self._high[rows])

    def watch(self, observer: Observer) -> None:
        """From now on move only what the observer does not know."""
        self._observer = observer
        columns = np.arange(self._size, dtype=np.int32)
        self._solver.changeColsBounds(self._size, columns, np.zeros(self._size), self._room())

    def prefer(self, up: Floats, down: Floats) -> None:
        """What bringing a person into each column costs, and taking one out, in steps of one person."""
        self._steps = STEP_COST * np.concatenate([up[self._raised], down[self._lowered]])
        self._price(self._steps)

    def move(self, row: int, change: int) -> Move | None:
        """A move that changes a row's count by exactly `change` and nothing that is shown, of few persons if can be."""
        self._solver.changeRowBounds(row, change, change)
        found = self._solve(self._solver)
        if found is not None and _fractional(found):
            found = self._solve_uneven()
        if found is not None and _fractional(found) and self._size <= WHOLE_LIMIT:
            found = self._solve_whole()
        self._solver.changeRowBounds(row, self._low[row], self._high[row])
        move = self._checked(found)
        return move if move is not None and move.sums[row] == change else None

    def fractions(self, row: int, change: int) -> Floats | None:
        """A change of the columns, in fractions if need be, that changes a row's count and nothing that is shown."""
        self._solver.changeRowBounds(row, change, change)
        found = self._solve(self._solver)
        self._solver.changeRowBounds(row, self._low[row], self._high[row])
        return found

    def among(self, row: int, change: int, *, columns: Ints) -> Move | None:
        """A move of persons in some columns alone that changes a row's count by `change`, sought in whole numbers."""
        part, bounds = self._system.matrix.take(columns), (self._low.copy(), self._high.copy())
        bounds[0][row] = bounds[1][row] = change
        free = np.where(self._observer.pinned, 0, self._system.truth - self._observer.own)[columns]
        closed = self._observer.pinned[columns]
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = part.shape[1], part.shape[0]
        lp.col_cost_ = np.zeros(len(columns))
        lp.col_lower_, lp.col_upper_ = -np.minimum(free, FURTHEST), np.where(closed, 0.0, FURTHEST)
        lp.row_lower_, lp.row_upper_ = bounds
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(columns)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = part.starts.astype(np.int32), part.rows.astype(np.int32)
        lp.a_matrix_.value_ = part.values.astype(np.float64)
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("mip_max_nodes", NODE_LIMIT)):
            solver.setOptionValue(option, value)
        solver.passModel(lp)
        solver.run()
        values = np.asarray(solver.getSolution().col_value)
        if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        found = np.zeros(len(self._system.truth))
        found[columns] = values
        return self._checked(found)

    def sweep(self, rows: Ints, change: int) -> Move | None:
        """A move that takes as many of `rows` as can be towards `change`, and none beyond it."""
        low, high = self._low[rows], self._high[rows]
        bounds = (low, np.minimum(high, change)) if change > 0 else (np.maximum(low, change), high)
        self._bound(rows, *bounds)
        weights = np.zeros(len(self._low))
        weights[rows] = -1.0 if change > 0 else 1.0
        self._price(self._matrix.transposed(weights) + STEP_COST)
        found = self._solve(self._solver)
        self._price(self._steps)
        self._bound(rows, low, high)
        return self._checked(found)

    def relax(self, row: int, change: int, *, weights: Floats) -> Relaxation:
        """The cheapest shown rows to withhold so that `row` can change by `change`.

        `weights` says what withholding a row costs for each person that it would have to move; infinite is never.
        Dearer steps make for shorter moves, until one is in whole numbers.
        """
        elastic = np.isfinite(weights)
        elastic[row] = False
        rows = np.flatnonzero(elastic)
        tried = (self._relaxed(rows, weights[rows], row=(row, change), step_cost=cost) for cost in STEP_COSTS)
        return next((found for found in tried if found.move is not None or not np.isfinite(found.cost)), IMPOSSIBLE)

    def _relaxed(self, rows: Ints, weights: Floats, *, row: tuple[int, int], step_cost: float) -> Relaxation:
        """The same at one cost of a step, with columns asked for as needed; without its move if that is fractional."""
        for _ in range(PRICINGS):
            solver = self._elastic(rows, weights, step_cost=step_cost)
            solver.changeRowBounds(row[0], row[1], row[1])
            move = self._solve(solver)
            if move is None or not self._widen(np.asarray(solver.getSolution().row_dual), step_cost):
                break
        if move is None:
            return IMPOSSIBLE
        slack = np.asarray(solver.getSolution().col_value)[solver.getNumCol() - 2 * len(rows) :]
        beyond = slack[: len(rows)] + slack[len(rows) :]
        whole = None if _fractional(move) else move.round().astype(np.int64)
        return Relaxation(float(beyond @ weights), tuple(rows[beyond > TOLERANCE].tolist()), whole)

    def _widen(self, duals: Floats, step_cost: float) -> bool:
        """Let the columns be raised that would make the last solution cheaper; False if there are none."""
        if not self._open.any():
            return False
        gains = np.where(self._open & ~self._observer.pinned, self._system.matrix.transposed(duals) - step_cost, 0.0)
        best = np.argsort(-gains, kind="stable")[:COLUMNS_ADDED]
        best = best[gains[best] > TOLERANCE]
        if not len(best):
            return False
        self._open[best] = False
        self._raised = np.sort(np.concatenate([self._raised, best]))
        self._load()
        return True

    def _load(self) -> None:
        up, down = (self._system.matrix.take(columns) for columns in (self._raised, self._lowered))
        starts = np.concatenate([up.starts, up.starts[-1] + down.starts[1:]])
        self._size = len(self._raised) + len(self._lowered)
        values = np.concatenate([up.values, -down.values])
        self._matrix = Matrix((len(self._low), self._size), starts, np.concatenate([up.rows, down.rows]), values)
        self._steps = np.full(self._size, STEP_COST)
        self._solver = self._elastic(np.zeros(0, dtype=np.int64), np.zeros(0))

    def _elastic(self, rows: Ints, weights: Floats, *, step_cost: float = STEP_COST) -> "highspy.Highs":
        """A solver whose columns are persons added, persons taken away, and slack on some rows, up and down."""
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", "simplex")):
            solver.setOptionValue(option, value)
        solver.setOptionValue("mip_max_nodes", NODE_LIMIT)
        matrix, size = self._matrix, self._size + 2 * len(rows)
        entries, slack = len(matrix.rows), np.arange(1, 2 * len(rows) + 1)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = size, len(self._low)
        lp.col_cost_ = np.concatenate([np.full(self._size, step_cost), weights, weights])
        lp.col_lower_ = np.zeros(size)
        lp.col_upper_ = np.concatenate([self._room(), np.full(2 * len(rows), np.inf)])
        lp.row_lower_, lp.row_upper_ = self._low, self._high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.concatenate([matrix.starts, entries + slack]).astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate([matrix.rows, rows, rows]).astype(np.int32)
        ones = np.ones(len(rows))
        lp.a_matrix_.value_ = np.concatenate([matrix.values, ones, -ones]).astype(np.float64)
        solver.passModel(lp)
        return solver

    def _room(self) -> Floats:
        """By how much each column may be raised, then by how much each may be lowered."""
        taken = np.where(self._observer.pinned, 0.0, self._system.truth - self._observer.own)
        added = np.where(self._observer.pinned, 0.0, np.inf)
        return np.concatenate([added[self._raised], taken[self._lowered]])

    def _bound(self, rows: Ints, low: Floats, high: Floats) -> None:
        self._solver.changeRowsBounds(len(rows), rows.astype(np.int32), low, high)  # type: ignore[attr-defined]

    def _price(self, costs: Floats) -> None:
        self._solver.changeColsCost(self._size, np.arange(self._size, dtype=np.int32), costs)

    def _solve(self, solver: "highspy.Highs") -> Floats | None:
        solver.clearSolver()
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        values = np.asarray(solver.getSolution().col_value)
        move = np.zeros(len(self._system.truth))
        move[self._raised] += values[: len(self._raised)]
        move[self._lowered] -= values[len(self._raised) : self._size]
        return move

    def _solve_uneven(self) -> Floats | None:
        """The same with uneven costs, which often has a solution in whole numbers where even costs have none."""
        found = None
        for turn in range(UNEVEN_TRIES):
            self._price(self._steps * np.random.default_rng(turn).uniform(1.0, 3.0, self._size))
            found = self._solve(self._solver)
            if found is not None and not _fractional(found):
                break
        self._price(self._steps)
        return found

    def _solve_whole(self) -> Floats | None:
        """The same in whole numbers, by search."""
        columns, kinds = np.arange(self._size, dtype=np.int32), highspy.HighsVarType
        self._solver.changeColsIntegrality(self._size, columns, np.full(self._size, kinds.kInteger))
        found = self._solve(self._solver)
        self._solver.changeColsIntegrality(self._size, columns, np.full(self._size, kinds.kContinuous))
        return found

    def checked(self, columns: Ints) -> Move | None:
        """The move, if it agrees with all that is shown and all that the observer knows."""
        sums = self._system.matrix.times(columns)
        within = bool((sums >= self._low).all() and (sums <= self._high).all())
        return Move(columns, sums) if within and self._observer.admits(columns, self._system.truth) else None

    def _checked(self, found: Floats | None) -> Move | None:
        if found is None or _fractional(found):
            return None
        return self.checked(found.round().astype(np.int64))


def _fractional(found: Floats) -> bool:
    return bool(np.abs(found - found.round()).max(initial=0.0) > TOLERANCE)


def nobody(system: System) -> Observer:
    """The outsider, who knows nobody."""
    size = len(system.truth)
    return Observer((), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool))
