"""Seeks a list of persons that agrees with all that some believe; under the engine."""

from collections.abc import Iterator

import highspy
import numpy as np

from policies.disclosure.moves import Observer
from policies.disclosure.standing import Sheet
from policies.disclosure.system import Floats, Ints, System, kinds

SLACK_COST = 1_000.0
"""What it costs to contradict one person that is shown, beside moving one."""

TOLERANCE = 1e-6

BRANCHES = 5_000
"""How many are tried for a list in whole numbers."""


class UndecidedError(RuntimeError):
    """Whether there is such a list was not found out in the branches allowed."""


def agreeing_list(
    built: System, sheets: tuple[Sheet, ...], observer: Observer, *, branches: int = BRANCHES
) -> Ints | None:
    """Persons by column, as near the true ones as may be, that agree with what sheets and system say and with what
    the observer knows; None where there are none. Raises UndecidedError."""
    low, high = _bounds(built, sheets)
    solver, lowered = _program(built, observer, low, high)
    solver.setOptionValue("mip_max_nodes", branches)
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return None
    values, size = np.asarray(solver.getSolution().col_value).round().astype(np.int64), len(built.truth)
    found = built.truth + values[:size]
    found[lowered] -= values[size:]
    sums = built.matrix.times(found - built.truth)
    if (sums < low).any() or (sums > high).any() or (found < observer.own).any():
        raise UndecidedError
    return found


def contradicting(
    built: System, sheets: tuple[Sheet, ...], observer: Observer, *, branches: int = BRANCHES
) -> Ints | None:
    """Rows of what may still be withheld that keep every list from agreeing, as few persons of them as may be; none
    where a list agrees, None where it cannot be made to, or that was not found out in the branches allowed."""
    low, high = _bounds(built, sheets)
    shown = np.array(sorted(_shown_rows(built, sheets)), dtype=np.int64)
    solver, _ = _program(built, observer, low, high)
    first, ones = solver.getNumCol(), np.ones(len(shown))
    for sign in (1.0, -1.0):
        solver.addCols(
            len(shown), SLACK_COST * ones, 0.0 * ones, np.inf * ones, len(shown),
            np.arange(len(shown), dtype=np.int32), shown.astype(np.int32), sign * ones,
        )  # fmt: skip
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_max_nodes", branches)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    slack = np.asarray(solver.getSolution().col_value)[first:]
    beyond = slack[: len(shown)] + slack[len(shown) :]
    return np.asarray(shown[beyond > TOLERANCE], dtype=np.int64)


def _shown_rows(built: System, sheets: tuple[Sheet, ...]) -> Iterator[int]:
    """The rows of groups that are shown and may be withheld."""
    for block, sheet in enumerate(sheets):
        for group, standing in enumerate(sheet.groups):
            if not (standing.hidden or standing.fixed):
                yield from (built.row(block, group, kind) for kind in range(kinds(sheet.frame)))


def _bounds(built: System, sheets: tuple[Sheet, ...]) -> tuple[Floats, Floats]:
    """Between which differences from the true counts the rows must lie."""
    low, high = np.zeros(built.matrix.shape[0]), np.zeros(built.matrix.shape[0])
    low[built.one_sided], high[built.one_sided] = built.least, np.inf
    for block, sheet in enumerate(sheets):
        for group, standing in enumerate(sheet.groups):
            for kind in range(kinds(sheet.frame)):
                least, most = standing.limits(kind)
                row = built.row(block, group, kind)
                low[row], high[row] = least, np.inf if most is None else most
    return low, high


def _program(built: System, observer: Observer, low: Floats, high: Floats) -> tuple["highspy.Highs", Ints]:
    """Columns are persons added and persons taken away, as few as can be."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 1e9)):
        solver.setOptionValue(option, value)
    lowered = np.flatnonzero(built.truth)
    down, size = built.matrix.take(lowered), len(built.truth)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = size + len(lowered), len(low)
    lp.col_cost_ = np.ones(lp.num_col_)
    lp.col_lower_ = np.zeros(lp.num_col_)
    taken = np.where(observer.pinned, 0.0, built.truth - observer.own)
    lp.col_upper_ = np.concatenate([np.where(observer.pinned, 0.0, np.inf), taken[lowered]])
    lp.row_lower_, lp.row_upper_ = low, high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    starts = np.concatenate([built.matrix.starts, built.matrix.starts[-1] + down.starts[1:]])
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = np.concatenate([built.matrix.rows, down.rows]).astype(np.int32)
    lp.a_matrix_.value_ = np.concatenate([built.matrix.values, -down.values]).astype(np.float64)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * lp.num_col_
    solver.passModel(lp)
    return solver, lowered
