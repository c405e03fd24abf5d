"""The interval audit: shows for every withheld count, and every observer, that it could as well be another number.

The proof is a pool of moves, each a table of persons in whole numbers that agrees with everything shown. Where none
can be found, the cheapest shown numbers are withheld until there is one (the linear-programming repair of Fischetti
and Salazar 2001, section 6, with a cost for each shown row).
"""

from dataclasses import dataclass

import numpy as np

from policies.disclosure.moves import Move, Mover, Observer, Relaxation
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Band, Sheet, Standing, State
from policies.disclosure.system import ALL, KNOWN, REACHED, Ints, System, kinds
from policies.disclosure.witnesses import Witnesses

COVERAGE_COST, WIDENING_COST, NUMERATOR_COST, CELL_COST = 0.1, 0.1, 0.4, 1.0
TOTAL_COST = 1000.0
"""What it costs to withhold a coverage band, to widen a coded rate, to code a rate, to withhold a cell; scaled by the
table's rank, and for the total of all."""

SWEEPS, MANY, FEW = 6, 40, 12
"""How often many withheld counts are moved at once, from how many on, and how few are left to be moved one by one."""

SHOWN_AGAIN_COLUMNS = 3_000
"""Columns up to which what was withheld is tried again."""

FOOTPRINT = 20.0
"""How much dearer it is to move a person when every observer would see it, who still needs a move."""


@dataclass(frozen=True)
class Finding:
    """A withheld count that an observer can tell: how wide its feasible interval is, and whether it tells none or all
    of a group."""

    row: int
    observer: tuple[str, ...]
    width: int
    attribute: bool


class Audit:
    """One system with what is shown of it, its pool of moves, and the repair."""

    def __init__(
        self, system: System, sheets: tuple[Sheet, ...], rules: Rules, observers: tuple[Observer, ...]
    ) -> None:
        self._system, self._sheets, self._rules = system, sheets, rules
        # What somebody who knows much cannot see through, most others cannot either.
        observers = tuple(sorted(observers, key=lambda observer: (-int(observer.own.sum()), observer.names)))
        self._observers, self._mover = observers, Mover(system, observers[0])
        self._witnesses = Witnesses(system, observers)
        self._at = 0
        rows = system.matrix.shape[0]
        self._places = {
            system.row(block, group, kind): (block, group, kind)
            for block, sheet in enumerate(sheets)
            for group in range(len(sheet.groups))
            for kind in range(kinds(sheet.frame))
        }
        persons = np.zeros(rows, dtype=np.int64)
        for row, (block, group, _) in self._places.items():
            persons[row] = system.row(block, group, KNOWN if sheets[block].frame.block.complete else ALL)
        everybody = self._witnesses.least[persons] == system.counts[persons][:, None]
        self._alone = everybody & np.array([bool(observer.names) for observer in observers])
        self._low, self._high, self._weights = np.zeros(rows), np.zeros(rows), np.full(rows, np.inf)
        self._reach, self._told = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=bool)
        self._states: dict[tuple[int, int], tuple[bool, Band | None, Band | None]] = {}
        self._refresh()

    def protect(self) -> list[Finding]:
        """Withhold until no observer can tell a withheld count; gives back what could not be repaired."""
        findings: list[Finding] = []
        repaired = True
        while repaired:
            repaired, findings = False, []
            for number in range(len(self._observers)):
                if len(rows := self._lacking(number)):
                    changed, found = self._protect_from(number, rows)
                    repaired |= changed
                    findings += found
        return findings

    def show_again(self) -> list[Finding]:
        """Show what was withheld to protect others, the dearest first, wherever nothing can then be told.

        Whoever was protected first may have had something withheld that is no longer needed. Before anything of it is
        released, that is safe. In a large system it is left out, since it would take long.
        """
        if not self._try_again():
            return []
        places = {place[:2] for place in self._places.values()}
        for block, group in sorted(places, key=lambda place: (-self._scale(*place), place)):
            sheet = self._sheets[block]
            standing = sheet.groups[group]
            if standing.reason in ("protective", "coded-protective"):
                self._try(block, group, standing.primary(self._rules, complete=sheet.frame.block.complete))
        return self.protect()

    def _try_again(self) -> bool:
        """Whether what was withheld is tried again."""
        return self._system.matrix.shape[1] <= SHOWN_AGAIN_COLUMNS

    def _try(self, block: int, group: int, state: State) -> None:
        """Show a group as in `state` if the rules on lines allow it and no observer can tell what is withheld."""
        standings = [standing for sheet in self._sheets for standing in sheet.groups]
        states = [standing.state for standing in standings]
        self._sheets[block].groups[group].state = state
        before = None
        good = not any(sheet.settle(self._rules) for sheet in self._sheets)
        if good:
            self._refresh()
            rows = np.array([self._system.row(block, group, kind) for kind in range(kinds(self._system.frames[block]))])
            before = self._witnesses.without(rows, self._low[rows], self._high[rows])
            good = self._holds()
        if not good:
            for standing, earlier in zip(standings, states, strict=True):
                standing.state = earlier
            self._refresh()
            if before is not None:
                self._witnesses.put_back(before)

    def _holds(self) -> bool:
        """Whether moves can be found for every observer as things stand."""
        for number in range(len(self._observers)):
            rows = self._lacking(number).tolist()
            if rows:
                self._watch(number)
            for row in rows:
                if self._lacks(row):
                    self._prove(row)
                if self._lacks(row):
                    return False
        return True

    def _watch(self, number: int) -> None:
        """From now on seek moves that one observer cannot tell from the truth."""
        self._at = number
        self._mover.watch(self._observers[number])

    def _prove(self, row: int) -> None:
        self._prefer(row)
        self._search(row)

    def _protect_from(self, number: int, rows: Ints) -> tuple[bool, list[Finding]]:
        self._watch(number)
        changed, findings = False, []
        if len(rows) >= MANY:
            self._sweep(rows)
        for row in self._lacking(number).tolist():
            while self._lacks(row):
                self._prove(row)
                if not self._lacks(row):
                    break
                if not self._repair(row):
                    findings.append(self._finding(row))
                    break
                changed = True
        return changed, findings

    def _sweep(self, rows: Ints) -> None:
        """Moves that widen many rows at once."""
        for turn in range(SWEEPS):
            if len(rows) < FEW:
                return
            self._keep(self._mover.sweep(rows, self._rules.width * (-1) ** turn))
            rows = self._lacking(self._at)

    def _keep(self, move: Move | None) -> bool:
        if move is not None:
            self._witnesses.add(move)
        return move is not None

    def _lacking(self, number: int) -> Ints:
        """Rows that must not be told and whose interval is too narrow for an observer, or short of the threshold.

        What the observer knows of its own children alone is not asked for.
        """
        low, high = self._witnesses.low[:, number], self._witnesses.high[:, number]
        short = (high - low < self._rules.width) | (high < self._reach)
        found: Ints = (self._told & short & ~self._alone[:, number]).nonzero()[0]
        return found

    def _lacking_for(self, row: int) -> Ints:
        """The observers for whom a row lacks."""
        low, high = self._witnesses.low[row], self._witnesses.high[row]
        short = (high - low < self._rules.width) | (high < self._reach[row])
        found: Ints = (short & ~self._alone[row]).nonzero()[0]
        return found

    def _lacks(self, row: int) -> bool:
        low, high = self._range(row)
        return high - low < self._rules.width or high < self._reach[row]

    def _range(self, row: int) -> tuple[int, int]:
        return int(self._witnesses.low[row, self._at]), int(self._witnesses.high[row, self._at])

    def _prefer(self, row: int) -> None:
        """Seek moves that few of the other observers see for whom the row lacks too."""
        coming, going = self._witnesses.seen(self._lacking_for(row))
        self._mover.prefer(1.0 + FOOTPRINT * coming, 1.0 + FOOTPRINT * going)

    def _search(self, row: int) -> None:
        """Look for moves that widen a row's interval: up as far as is needed, then down for the rest."""
        width = self._rules.width
        for up in range(max(width, int(self._reach[row])), self._range(row)[1], -1):
            if up <= self._high[row] and self._keep(self._mover.move(row, up)):
                break
        low, high = self._range(row)
        for down in range(high - width, low):
            if down >= self._low[row] and self._keep(self._mover.move(row, down)):
                break

    def _repair(self, row: int) -> bool:
        """Withhold the cheapest shown rows that keep a row from moving; False when nothing can be withheld."""
        width, reach = self._rules.width, int(self._reach[row])
        others = int(self._system.counts[row] - self._witnesses.sums[row, self._at])
        ups = {max(width, reach), self._range(row)[1], max(width - others, 0), int(min(self._high[row], width))}
        ways = sorted((up, max(width - up, 0)) for up in ups if reach <= up and width - up <= others)
        repairs = [self._way(row, way) for way in ways]
        best = min(repairs, key=lambda repair: (sum(part.cost for part in repair), [part.rows for part in repair]))
        changed = False
        for part in best:
            changed |= self._loosen(part)
            if part.move is not None:
                self._keep(self._mover.checked(part.move))
        if not changed and self._lacks(row):
            self._search(row)
        if not changed and self._lacks(row):
            return self._loosen(Relaxation(0.0, tuple(self._nearest(row)), None))
        return True

    def _way(self, row: int, way: tuple[int, int]) -> list[Relaxation]:
        """What to withhold so that a row may rise and fall so far, its own band included."""
        up, down = way
        parts = [self._mover.relax(row, change, weights=self._weights) for change in (up, -down) if change]
        beyond = max(up - self._high[row], 0) + max(down + self._low[row], 0)
        if beyond:
            parts.insert(0, Relaxation(float(beyond * self._weights[row]), (row,), None))
        return parts

    def _nearest(self, row: int) -> list[int]:
        """The cheapest shown row that shares persons with `row`: the last resort where the solver finds no way."""
        matrix = self._system.matrix
        columns = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.starts))
        sharing = np.unique(matrix.rows[np.isin(columns, columns[matrix.rows == row])])
        able = [int(r) for r in sharing if np.isfinite(self._weights[r])]
        return sorted(able, key=lambda r: (self._weights[r], r))[:1]

    def _loosen(self, repair: Relaxation) -> bool:
        """Withhold what the rows show, as far as the move needs, then what the rules on lines ask for."""
        changed = False
        moved = None if repair.move is None else self._system.matrix.times(repair.move)
        for row in repair.rows:
            block, group, kind = self._places[row]
            standing = self._sheets[block].groups[group]
            if kind == KNOWN:
                changed |= standing.hide("protective")
            elif kind == ALL:
                changed |= standing.uncover()
            else:
                changed |= standing.widen(self._rules)
                while moved is not None and not standing.allows(int(moved[row])) and standing.widen(self._rules):
                    pass
        for sheet in self._sheets:
            changed |= sheet.settle(self._rules)
        if changed:
            self._refresh()
        return changed

    def _refresh(self) -> None:
        """Tell the solver what has changed, and note what must not be told and what may still be withheld."""
        for block, sheet in enumerate(self._sheets):
            for group, standing in enumerate(sheet.groups):
                state = (standing.hidden, standing.band, standing.cover)
                if self._states.get((block, group)) != state:
                    self._states[block, group] = state
                    self._restate(block, group)

    def _restate(self, block: int, group: int) -> None:
        sheet = self._sheets[block]
        standing, scale = sheet.groups[group], self._scale(block, group)
        rows = [self._system.row(block, group, kind) for kind in range(kinds(sheet.frame))]
        secret = standing.secret(complete=sheet.frame.block.complete)
        for kind, row in enumerate(rows):
            low, high = standing.limits(kind)
            self._low[row], self._high[row] = low, np.inf if high is None else high
            self._told[row] = kind in secret
            self._weights[row] = _cost(standing, kind) * scale
        if self._rules.strict:
            self._reach[rows[KNOWN]] = max(self._rules.min_n - standing.known, 0) if standing.hidden else 0
        self._mover.allow(rows, self._low[rows].tolist(), self._high[rows].tolist())

    def _scale(self, block: int, group: int) -> float:
        """How dear a group is: the total of all, then tables by their priority."""
        rank, depth = self._sheets[block].frame.groups[group].rank
        return TOTAL_COST if rank == 0 else 1.0 + 4.0 / (rank * depth)

    def _finding(self, row: int) -> Finding:
        """That the observer at work can tell a row."""
        low, high = self._range(row)
        return Finding(row, self._observers[self._at].names, high - low, self._tells_all(row, low, high))

    def _tells_all(self, row: int, low: int, high: int) -> bool:
        """Whether an interval of no width tells that none, or all, of some persons reached the outcome."""
        block, group, kind = self._places[row]
        standing = self._sheets[block].groups[group]
        told = kind not in (KNOWN, ALL) and low == high
        return bool(told and standing.known and int(self._system.counts[row]) in (0, standing.known))


def _cost(standing: Standing, kind: int) -> float:
    """What withholding a kind of count costs for each person it would have to move; infinite if it is not shown."""
    if standing.hidden or standing.fixed or standing.zero:
        return np.inf
    if kind == KNOWN:
        return CELL_COST
    if kind == REACHED and standing.band != (0, 100):
        return WIDENING_COST if standing.band else NUMERATOR_COST
    return COVERAGE_COST if kind == ALL and standing.cover is not None else np.inf
