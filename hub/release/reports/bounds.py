"""The least and the greatest that a hidden number can be, by linear programming, and the lines that force it.

The bounds of Fischetti and Salazar (2001, section 2); the lines are those whose dual values are not nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite

import highspy
import numpy as np
from numpy.typing import NDArray

from hub.release.reports.equations import Equations, program_of, solver_of

TOLERANCE = 1e-6
SWEEPS, FEW = 6, 8
"""How often many numbers are moved at once, before those that are left are bounded one by one."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Between which whole numbers a hidden number lies, and of which rows, how often, either end is made."""

    low: int
    high: int
    because: tuple[Mapping[int, float], Mapping[int, float]]
    whole: bool

    @property
    def width(self) -> int:
        """How far the ends are apart."""
        return self.high - self.low


class Bounds:
    """The linear program of one sheet."""

    def __init__(self, built: Equations) -> None:
        self._built = built
        rows = built.rows
        self._starts = np.concatenate([[0], np.cumsum([len(row.columns) for row in rows])]).astype(np.int64)
        self._index = np.concatenate([row.columns for row in rows])
        self._value = np.concatenate([row.values for row in rows])
        self._solver = solver_of(program_of(built))
        self._every = np.arange(built.size, dtype=np.int32)
        self._low, self._high = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)

    def possible(self) -> bool:
        """Whether any list of persons agrees with all lines."""
        return self._extreme(np.zeros(len(self._built.rows))) is not None

    def narrow(self, targets: Sequence[int], width: int) -> dict[int, Interval]:
        """Of these rows, those that lie in an interval narrower than `width`."""
        chance = np.random.default_rng(1)
        for _ in range(SWEEPS):
            open_rows = [row for row in targets if self._seen(row) < width]
            if len(open_rows) < FEW:
                break
            weights = np.zeros(len(self._built.rows))
            weights[open_rows] = chance.choice((-1.0, 1.0), len(open_rows)) * chance.uniform(0.5, 1.5, len(open_rows))
            self._extreme(weights)
            self._extreme(-weights)
        found = {}
        for row in targets:
            if self._seen(row) < width:
                interval = self._interval(row, width)
                if interval.width < width:
                    found[row] = interval
        return found

    def _seen(self, row: int) -> float:
        return float(self._high[row] - self._low[row] + TOLERANCE)

    def _interval(self, row: int, width: int) -> Interval:
        weights = np.zeros(len(self._built.rows))
        weights[row] = 1.0
        self._extreme(weights)
        above = self._because()
        self._extreme(-weights)
        below = self._because()
        low, high = ceil(self._low[row] - TOLERANCE), floor(self._high[row] + TOLERANCE)
        interval = Interval(low, high, (below, above), whole=False)
        if interval.width < width:
            return interval
        high = min(high, floor(self._whole_extreme(weights) + TOLERANCE))
        low = max(low, ceil(-self._whole_extreme(-weights) - TOLERANCE))
        return Interval(low, high, (below, above), whole=True)

    def _extreme(self, weights: Floats) -> Floats | None:
        """A list of persons (in fractions) that makes the weighted rows as great as can be."""
        self._solver.changeColsCost(len(self._every), self._every, -self._cost(weights))
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        sums = self._sums(np.array(self._solver.getSolution().col_value))
        self._low, self._high = np.minimum(self._low, sums), np.maximum(self._high, sums)
        return sums

    def _whole_extreme(self, weights: Floats) -> float:
        """The same in whole numbers of persons: the bound that the search has proved."""
        self._kind(highspy.HighsVarType.kInteger)
        self._solver.changeColsCost(len(self._every), self._every, -self._cost(weights))
        self._solver.run()
        bound = -float(self._solver.getInfo().mip_dual_bound)
        self._kind(highspy.HighsVarType.kContinuous)
        return bound if isfinite(bound) else float(np.inf)

    def _kind(self, kind: object) -> None:
        self._solver.changeColsIntegrality(len(self._every), self._every, np.full(len(self._every), kind))

    def _because(self) -> dict[int, float]:
        """Which rows hold the last extreme, and how often each is taken."""
        duals = np.array(self._solver.getSolution().row_dual)
        return {int(row): -float(duals[row]) for row in np.flatnonzero(np.abs(duals) > TOLERANCE)}

    def _cost(self, weights: Floats) -> Floats:
        spread = np.repeat(weights, np.diff(self._starts))
        return np.bincount(self._index, weights=self._value * spread, minlength=self._built.size).astype(np.float64)

    def _sums(self, point: Floats) -> Floats:
        return np.add.reduceat(np.append(self._value * point[self._index], 0.0), self._starts[:-1]) * (
            np.diff(self._starts) > 0
        )
