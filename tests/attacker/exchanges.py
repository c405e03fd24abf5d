"""Lists of persons near one that agrees with everything printed: what shows quickly that a number is not told.

Used by `attack_release.py` on systems too large for a program a number. It shares no code with the hub. Two lists in
whole numbers that agree with what is printed and differ by three in a number prove that nobody can tell it within less,
so that only the numbers for which none is found are left to bounds by linear programming.
"""

import random

import highspy
import numpy as np

TRIES = 3


class Exchanges:
    """One list, and the fewest persons who must become others for a number to be another."""

    def __init__(self, unknowns, start, *, seed):
        self.u, self.start = unknowns, start
        self.chance = random.Random(seed)
        self.here = [sum(value * start[column] for column, value in row.items()) for row in unknowns.rows]
        self.taken = np.flatnonzero(start > unknowns.lower)
        self.given = np.flatnonzero(unknowns.upper > start)
        self.kept, self.place = self._distinct()
        self.solver = self._loaded()

    def move(self, row, change):
        """A list in whole numbers in which the row's number is greater by `change`; None where none was found."""
        at = self.place[row]
        low, high = self._bounds(at)
        # Other numbers that the row is printed to have cannot be had at all.
        if not low <= change <= high:
            return None
        self.solver.changeRowBounds(at, float(change), float(change))
        point = self._tried()
        self.solver.changeRowBounds(at, low, high)
        return point

    def _tried(self):
        for _ in range(TRIES):
            found = self._solved()
            if found is None or np.abs(found - found.round()).max(initial=0) < 1e-6:
                return self._checked(found)
            self._price()
        return None

    def _solved(self):
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self.solver.getSolution().col_value)

    def _checked(self, found):
        """The whole list, held against every equation once more."""
        if found is None:
            return None
        whole = found.round()
        point = self.start.copy()
        np.add.at(point, self.given, whole[: len(self.given)])
        np.add.at(point, self.taken, -whole[len(self.given) :])
        if (point < self.u.lower).any() or (point > self.u.upper).any():
            return None
        for row, low, high in zip(self.u.rows, self.u.low, self.u.high, strict=True):
            if not low - 1e-6 <= sum(value * point[column] for column, value in row.items()) <= high + 1e-6:
                return None
        return point

    def _distinct(self):
        """Each equation once, with the narrowest of the bounds printed for it, and where each row's stands."""
        kept, place, known = [], {}, {}
        for number, row in enumerate(self.u.rows):
            mark = frozenset(row.items())
            if mark not in known:
                known[mark] = len(kept)
                kept.append([row, self.u.low[number], self.u.high[number], self.here[number]])
            at = place[number] = known[mark]
            kept[at][1:3] = max(kept[at][1], self.u.low[number]), min(kept[at][2], self.u.high[number])
        return kept, place

    def _bounds(self, at):
        _, low, high, here = self.kept[at]
        return low - here, high - here

    def _loaded(self):
        given, taken = ({int(column): at for at, column in enumerate(some)} for some in (self.given, self.taken))
        starts, index, value = [0], [], []
        for row, *_ in self.kept:
            for column, weight in row.items():
                if column in given:
                    index.append(given[column])
                    value.append(weight)
                if column in taken:
                    index.append(len(given) + taken[column])
                    value.append(-weight)
            starts.append(len(index))
        size = len(given) + len(taken)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = size, len(self.kept)
        room = np.concatenate([(self.u.upper - self.start)[self.given], (self.start - self.u.lower)[self.taken]])
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self._costs(size), np.zeros(size), room
        bounds = [self._bounds(at) for at in range(len(self.kept))]
        lp.row_lower_, lp.row_upper_ = (np.array(one) for one in zip(*bounds, strict=True))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(value)
        solver = highspy.Highs()
        options = (("output_flag", False), ("threads", 1), ("presolve", "off"))
        for name, setting in options:
            solver.setOptionValue(name, setting)
        solver.passModel(lp)
        return solver

    def _price(self):
        size = self.solver.getNumCol()
        self.solver.changeColsCost(size, np.arange(size, dtype=np.int32), self._costs(size))

    def _costs(self, size):
        """One for each person who becomes another, and a little chance, so that the cheapest exchange is one alone."""
        return np.array([1.0 + 0.2 * self.chance.random() for _ in range(size)])
