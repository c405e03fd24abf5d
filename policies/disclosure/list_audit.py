"""The interval audit of a large block whose tables turn in circles: moves are sought among lists of persons first, and
programs are solved only where few counts are left; beside `audit`, which solves a program for each.

The proof is the same: every move is checked in whole numbers. Where none is found in time, the cheapest shown numbers
that are found in the way are withheld; so a worse search withholds more, and never tells more.
"""

from typing import NamedTuple

import numpy as np

from policies.disclosure.audit import Audit, Finding
from policies.disclosure.list_kernel import DEAR
from policies.disclosure.lists import Effort, Lists
from policies.disclosure.moves import TOLERANCE, Move, Observer, Relaxation
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Sheet
from policies.disclosure.system import Floats, Ints, System

SEARCHES = (Effort(40, 800), Effort(40, 800), Effort(40, 800))
"""Searches for a move, in turn until one finds it."""

SEARCHES_AGAIN = (Effort(40, 100), Effort(60, 200), Effort(60, 200))
"""The same where something withheld is tried to be shown."""

REPAIRS = (Effort(150, 200),) * 3
"""Searches for the cheapest numbers to withhold: all are made, the cheapest is taken."""

PROGRAMS, CHOOSING, PATIENCE = 5, (1, 4), 4
"""How many programs are solved for each count where few are left, after which of them whole numbers are sought among
the persons whom all of them moved, and how many times more repairs are tried."""

TIMES, ROUNDING = (1, 2, 3, 1, 2, 1), Effort(60, 400)
"""By what a solution in fractions is multiplied before it is rounded, in turn; and the search from there."""


class Plan(NamedTuple):
    """How much is searched: for all counts before anything is withheld; how few are left when programs are solved; for
    what to withhold where shorter searches end with the count unmoved (none: by a program); and whether what was
    withheld is tried again."""

    searches: tuple[Effort, ...]
    few: int
    persistent: tuple[Effort, ...]
    again: bool


THOROUGH = Plan(SEARCHES, 100, (), again=True)
HASTY = Plan((Effort(40, 60),), 0, (Effort(150, 200),) * 4, again=False)
"""Where a program takes seconds and thousands of counts lack: most are freed by what is withheld for others."""


class ListAudit(Audit):
    """One system; lists of persons are searched, and kept as starts of further searches."""

    def __init__(
        self,
        system: System,
        sheets: tuple[Sheet, ...],
        rules: Rules,
        observers: tuple[Observer, ...],
        *,
        plan: Plan = THOROUGH,
    ) -> None:
        rows, columns = system.matrix.shape
        self._lists = Lists(system)
        self._still = Move(np.zeros(columns, dtype=np.int64), np.zeros(rows, dtype=np.int64))
        self._found: list[Move] = []
        self._near: list[Move] = []
        self._used = np.zeros(columns, dtype=bool)
        self._turn, self._few, self._plan = 0, False, plan
        super().__init__(system, sheets, rules, observers)

    def _try_again(self) -> bool:
        return self._plan.again

    def _watch(self, number: int) -> None:
        super()._watch(number)
        self._lists.watch(self._observers[number])

    def _prove(self, row: int) -> None:
        for effort in SEARCHES_AGAIN:
            self._widen(row, effort)

    def _protect_from(self, number: int, rows: Ints) -> tuple[bool, list[Finding]]:
        self._watch(number)
        changed, findings = False, []
        for effort in self._plan.searches:
            for row in self._lacking(number).tolist():
                self._widen(row, effort)
        rows = self._lacking(number)
        self._few = len(rows) <= self._plan.few
        for row in rows.tolist():
            self._settle(row)
            while self._lacks(row):
                if not self._withhold_for(row):
                    findings.append(self._finding(row))
                    break
                changed = True
                self._settle(row)
        return changed, findings

    def _settle(self, row: int) -> None:
        """Seek moves for one row, with programs if few are left, until one is found or none can be."""
        self._near, self._used = [], np.zeros_like(self._still.columns, dtype=bool)
        self._widen(row, SEARCHES[0])
        programs = PROGRAMS if self._few else 0
        all(
            self._lacks(row) and self._program(row, number) and (number not in CHOOSING or self._choose(row))
            for number in range(programs)
        )

    def _choose(self, row: int) -> bool:
        """Seek moves in whole numbers of all the persons whom programs moved in part; True, to go on."""
        for change in self._possible_changes(row):
            if self._lacks(row):
                self._keep(self._mover.among(row, change, columns=np.flatnonzero(self._used)))
        return True

    def _widen(self, row: int, effort: Effort) -> None:
        """Seek moves that widen a row's interval, one person at a time from the furthest that is known."""
        self._turn += 1
        for sign in (1, -1):
            while self._lacks(row):
                start = self._furthest(row, sign)
                change = int(start.sums[row]) + sign
                if not self._low[row] <= change <= self._high[row]:
                    break
                least, move = self._lists.search(row, change, start=start, effort=effort._replace(seed=self._turn))
                if least or not self._keep(self._mover.checked(move)):
                    break

    def _furthest(self, row: int, sign: int) -> Move:
        """The move found so far that takes a row furthest up, or down, and still holds."""
        best = self._still
        for move in self._found:
            if sign * move.sums[row] > sign * best.sums[row] and self._mover.checked(move.columns) is not None:
                best = move
        return best

    def _program(self, row: int, number: int) -> bool:
        """Seek moves by linear programming with uneven costs, and in whole numbers near what it finds; False if there
        is none even in fractions."""
        uneven = np.random.default_rng(number).uniform(1.0, 3.0, (2, len(self._still.columns)))
        self._mover.prefer(uneven[0], uneven[1])
        possible = False
        for change in self._possible_changes(row):
            if self._lacks(row):
                fractions = self._mover.fractions(row, change)
                if fractions is not None:
                    possible = True
                    self._used |= np.abs(fractions) > TOLERANCE
                    self._round(fractions, row, change)
        return possible

    def _changes(self, row: int) -> tuple[int, ...]:
        """By how much a row must change, up or down, for its interval to be wide enough."""
        (low, high), reach = self._range(row), int(self._reach[row])
        up = max(low + self._rules.width, reach)
        return (up, high - self._rules.width) if high >= reach else (up,)

    def _possible_changes(self, row: int) -> list[int]:
        """The same, no further than the row's own band allows; both ends where only both together are enough."""
        low, high = self._range(row)
        up = min(max(low + self._rules.width, self._reach[row]), self._high[row])
        down = max(high - self._rules.width, self._low[row])
        return [int(change) for change in (up, down) if not low <= change <= high]

    def _round(self, fractions: Floats, row: int, change: int) -> None:
        """Seek a move in whole numbers near one in fractions."""
        for times in TIMES:
            if self._lacks(row):
                self._turn += 1
                start = self._lists.whole(fractions * times, seed=self._turn)
                self._near.append(start)
                _, move = self._lists.search(row, change, start=start, effort=ROUNDING._replace(seed=self._turn))
                self._keep(self._mover.checked(move))

    def _keep(self, move: Move | None) -> bool:
        self._found += [move] if move is not None else []
        return super()._keep(move)

    def _withhold_for(self, row: int) -> bool:
        """Withhold the cheapest shown numbers that are found to keep a row from moving; False where nothing can be."""
        cost, move = self._cheapest(row, REPAIRS * (PATIENCE if self._few else 1))
        if cost >= DEAR and self._plan.persistent:
            cost, move = min(
                (self._from_nearby(row, effort) for effort in self._plan.persistent), key=lambda one: one[0]
            )
        if cost >= DEAR:
            return self._withhold_near(row) if self._plan.persistent else self._repair(row)
        sums = self._system.matrix.times(move)
        broken = np.flatnonzero(((sums < self._low) | (sums > self._high)) & np.isfinite(self._weights))
        changed = self._loosen(Relaxation(cost, tuple(broken.tolist()), move))
        self._keep(self._mover.checked(move))
        return changed or not self._lacks(row) or self._withhold_near(row)

    def _withhold_near(self, row: int) -> bool:
        return self._loosen(Relaxation(0.0, tuple(self._nearest(row)), None))

    def _from_nearby(self, row: int, effort: Effort) -> tuple[float, Ints]:
        """The least that is broken when persons are brought into a row from nearby."""
        self._turn += 1
        change = self._changes(row)[0]
        start = self._lists.brought(row, change, start=self._furthest(row, 1), seed=self._turn)
        return self._lists.search(row, change, start=start, effort=effort._replace(seed=self._turn), priced=True)

    def _cheapest(self, row: int, efforts: tuple[Effort, ...]) -> tuple[float, Ints]:
        """The least that is found to be broken when a row changes enough, up or down, by several searches."""
        found = []
        for number, effort in enumerate(efforts):
            for change in self._changes(row):
                self._turn += 1
                near = [start for start in self._near if start.sums[row] * change > 0]
                start = near[number // 2 % len(near)] if near and number % 2 else self._furthest(row, change)
                seeded = effort._replace(seed=self._turn)
                found.append(self._lists.search(row, change, start=start, effort=seeded, priced=True))
        return min(found, key=lambda repair: repair[0])

    def _restate(self, block: int, group: int) -> None:
        super()._restate(block, group)
        rows = list(range(self._system.row(block, group, 0), self._system.row(block, group + 1, 0)))
        self._lists.allow(rows, self._low[rows], self._high[rows], self._weights[rows])
