"""The search over lists of persons, loaded with a system: moves that widen withheld counts, and what to withhold.

Under the audit, beside `moves`, which does the same by linear programming where a block is small.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.moves import IMPOSSIBLE, Observer, Relaxation
from policies.disclosure.people import Layout, columns_of, layout, people
from policies.disclosure.pool import NO_MOVES, Moves, moves_of
from policies.disclosure.rules import Rules
from policies.disclosure.swaps import NEVER, PEOPLE_MAX, Book
from policies.disclosure.system import KNOWN, Ints, System, kinds
from policies.disclosure.wander import cheapest, widen

COLUMNS_MIN = 3_000
"""Columns from which lists of persons are searched before a program is solved."""

FEW_STEPS, BEND_STEPS, TURNS = 1, 10, 8
"""Changes of persons for each step of a count, in the first search and before something is withheld; and how often the
latter is tried."""

FOUND_SIZE = 4_000_000
FAR = 2**30
SHOWN_KINDS = (0, 1, 3)
"""The kinds of row that are limited by what is shown: known, k, n."""


def search_of(system: System, rules: Rules) -> "Search | None":
    """The search for a system, or None where its blocks link persons in too many ways."""
    made = layout(system)
    return None if made is None else Search(system, made, rules)


class Search:
    """Limits follow what is shown; persons follow the observer."""

    def __init__(self, system: System, made: Layout, rules: Rules) -> None:
        self._system, self._layout, self._rules = system, made, rules
        total = made.first_group[-1]
        self._state = np.zeros((total, 9), dtype=np.int64)
        self._low, self._high = self._state[:, 3:6], self._state[:, 6:9]
        self._weight = np.full((total, 3), NEVER)
        self._rows = np.zeros((total, 5), dtype=np.int64)
        self._group_of = np.zeros(system.ties, dtype=np.int64)
        for number, f in enumerate(system.frames):
            for group in range(len(f.groups)):
                place = made.first_group[number] + group
                for kind in range(5):
                    shown = kind if kind < kinds(f) else KNOWN
                    self._rows[place, kind] = system.row(number, group, shown)
                for kind in range(kinds(f)):
                    self._group_of[system.row(number, group, kind)] = place
        self._single = np.array([kinds(f) == 3 for f in system.frames for _ in f.groups])
        self._book: Book | None = None
        self._people = np.zeros((0, len(system.frames[0].axes) + 1), dtype=np.int64)
        self._groups = made.groups
        rows = system.matrix.shape[0]
        self._row_low, self._row_high = np.zeros(rows), np.zeros(rows)
        self._row_low[system.one_sided], self._row_high[system.one_sided] = -system.counts[system.one_sided], np.inf

    def allow(self, rows: Sequence[int], low: Sequence[float], high: Sequence[float], weights: Sequence[float]) -> None:
        """Let the rows of one group lie between bounds, as differences from the truth; what withholding them costs."""
        self._row_low[rows], self._row_high[rows] = low, high
        group = self._group_of[rows[0]]
        for at, kind in enumerate(SHOWN_KINDS):
            if kind >= len(rows):
                self._low[group, at], self._high[group, at] = -FAR, FAR
                continue
            self._low[group, at] = max(low[kind], -FAR)
            self._high[group, at] = min(high[kind], FAR)
            self._weight[group, at] = min(weights[kind], NEVER)

    def watch(self, observer: Observer) -> None:
        """From now on change only whom the observer does not know."""
        self._observer = observer
        alike = max(self._rules.width, self._rules.min_n if self._rules.strict else 0) + 1
        found = people(self._system, self._layout, observer, alike=alike)
        self._book = None
        if found is None or not len(found):
            return
        self._people = found
        self._groups = self._layout.groups._replace(closed=self._closed(observer))
        total = len(self._low)
        radix, codes, order = _index(found)
        self._book = Book(
            now=found.copy(),
            truth=found,
            radix=radix,
            codes=codes,
            order=order,
            state=self._state,
            weight=self._weight,
            people=np.zeros(PEOPLE_MAX + 1, dtype=np.int64),
            rests=np.zeros(len(found), dtype=np.int64),
            touched=np.zeros(2 * (total + 1), dtype=np.int64),
            chance=np.array([20261122], dtype=np.int64),
        )

    def widen(self, rows: Ints, low: Ints, high: Ints, *, reach: Ints, steps: int) -> Moves:
        """Moves, all checked, that widen rows' intervals."""
        if self._book is None:
            return NO_MOVES
        width = np.full(len(rows), self._rules.width)
        targets = np.stack([self._group_of[rows], self._kind(rows), width, reach[rows]], axis=1)
        found = np.zeros(FOUND_SIZE, dtype=np.int64)
        from_low, from_high = (bound[self._rows].astype(np.int64) for bound in (low, high))
        from_low[self._single, 4] = from_high[self._single, 4] = 0
        filled = widen(self._layout.slots, self._groups, self._book, targets, from_low, from_high, steps, found)
        return self.agreeing(self._moves(found[:filled]))

    def cheapest(self, row: int, change: int) -> tuple[Relaxation, Moves]:
        """The cheapest shown rows that the search finds to withhold so that `row` can change by `change`."""
        if self._book is None:
            return IMPOSSIBLE, NO_MOVES
        aim = np.array([self._group_of[row], self._kind(np.array([row]))[0], change], dtype=np.int64)
        keep = np.zeros(1 + PEOPLE_MAX * (self._people.shape[1] + 1), dtype=np.int64)
        cost = cheapest(self._layout.slots, self._groups, self._book, aim, BEND_STEPS, TURNS, keep)
        if cost >= NEVER:
            return IMPOSSIBLE, NO_MOVES
        moves = self._moves(keep[: 1 + keep[0] * (self._people.shape[1] + 1)])
        if not moves.count or not moves.admitted(self._observer, self._system.truth).all():
            return IMPOSSIBLE, NO_MOVES
        columns = np.zeros(len(self._system.truth), dtype=np.int64)
        columns[moves.columns] = moves.column_by
        by = np.zeros(self._system.matrix.shape[0], dtype=np.int64)
        by[moves.rows] = moves.row_by
        return Relaxation(float(cost), self._broken(by), columns), moves

    def _broken(self, by: Ints) -> tuple[int, ...]:
        """The shown rows that a change breaks: a group's count, or else its numerator and coverage."""
        change = by[self._rows[:, SHOWN_KINDS]]
        out = (change < self._low) | (change > self._high)
        out[:, 1:] &= ~out[:, :1]
        group, at = np.nonzero(out)
        return tuple(self._rows[group, np.array(SHOWN_KINDS)[at]].tolist())

    def agreeing(self, moves: Moves) -> Moves:
        """Those moves that agree with all that is shown now and all that the observer knows."""
        out = (moves.row_by < self._row_low[moves.rows]) | (moves.row_by > self._row_high[moves.rows])
        good = moves.admitted(self._observer, self._system.truth)
        good[moves.row_which[out]] = False
        return moves.take(good)

    def _moves(self, found: Ints) -> Moves:
        """The lists as moves, without those that need a column that the system has not."""
        width, at, sizes = self._people.shape[1] + 1, 0, []
        while at < len(found):
            sizes.append(int(found[at]))
            at += 1 + sizes[-1] * width
        ends = np.cumsum(1 + np.array(sizes, dtype=np.int64) * width)
        heads = ends - 1 - np.array(sizes, dtype=np.int64) * width
        entries = np.delete(found, heads).reshape(-1, width)
        which = np.repeat(np.arange(len(sizes)), sizes)
        gone, left = columns_of(self._system, self._layout, self._people[entries[:, 0]])
        come, taken = columns_of(self._system, self._layout, entries[:, 1:])
        who = np.concatenate([gone, come])
        columns, by = np.concatenate([left, taken]), np.repeat([-1, 1], [len(gone), len(come)])
        lost = np.isin(which, which[who[columns < 0]])
        kept = ~lost[who]
        moves = moves_of(self._system, len(sizes), which=which[who[kept]], columns=columns[kept], by=by[kept])
        return moves.take(np.isin(np.arange(len(sizes)), moves.row_which))

    def _kind(self, rows: Ints) -> Ints:
        kinds_of = self._rows[self._group_of[rows]] == rows[:, None]
        return np.asarray(np.argmax(kinds_of, axis=1))

    def _closed(self, observer: Observer) -> NDArray[np.bool_]:
        """Levels that the observer knows to be wholly its own."""
        closed = self._layout.groups.closed.copy()
        for axis, leaf in observer.levels:
            closed[axis, leaf] = True
        return closed


def _index(found: Ints) -> tuple[Ints, Ints, Ints]:
    """By pair of attributes, what persons are in all the others, sorted, and who they are."""
    attributes = found.shape[1]
    sizes = [int(found[:, attribute].max()) + 1 for attribute in range(attributes)]
    radix = np.cumprod([1, *sizes[:-1]]).astype(np.int64)
    codes = np.zeros((attributes * attributes, len(found)), dtype=np.int64)
    order = np.zeros((attributes * attributes, len(found)), dtype=np.int64)
    whole = found @ radix
    for one in range(attributes):
        for other in range(one + 1, attributes):
            rest = whole - found[:, one] * radix[one] - found[:, other] * radix[other]
            order[one * attributes + other] = np.argsort(rest, kind="stable")
            codes[one * attributes + other] = rest[order[one * attributes + other]]
    return radix, codes, order
