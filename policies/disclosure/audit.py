"""The interval audit: shows for every withheld count, and every observer, that it could as well be another number.

The proof is a pool of moves, each a table of persons in whole numbers that agrees with everything shown. Where none
can be found, the cheapest shown numbers are withheld until there is one (the linear-programming repair of Fischetti
and Salazar 2001, section 6, with a cost for each shown row).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.moves import Move, Mover, Observer, Relaxation, nobody
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Band, Sheet, Standing
from policies.disclosure.system import ALL, KNOWN, REACHED, Ints, System, kinds

Small = NDArray[np.int32]

COVERAGE_COST, WIDENING_COST, NUMERATOR_COST, CELL_COST = 0.1, 0.1, 0.4, 1.0
TOTAL_COST = 1000.0
"""What it costs to withhold a coverage band, to widen a coded rate, to code a rate, to withhold a cell; scaled by the
table's rank, and for the total of all."""

SWEEPS, FEW = 6, 12
"""How often many withheld counts are moved at once, before the last few are moved one by one."""


@dataclass(frozen=True)
class Finding:
    """A withheld count that an observer can tell: how wide its feasible interval is, and whether it tells none or all
    of a group."""

    row: int
    observer: tuple[str, ...]
    width: int
    attribute: bool


@dataclass
class Pool:
    """Moves found so far, one a row, and the row sums that they change."""

    moves: Small
    sums: Small
    size: int = 0

    def add(self, move: Move) -> None:
        """Keep a move."""
        if self.size == len(self.moves):
            self.moves = np.concatenate([self.moves, np.zeros_like(self.moves)])
            self.sums = np.concatenate([self.sums, np.zeros_like(self.sums)])
        self.moves[self.size], self.sums[self.size] = move.columns, move.sums
        self.size += 1

    def reach(self, observer: Observer, truth: Ints) -> tuple[Ints, Ints]:
        """The least and greatest change of every row by the moves that the observer admits."""
        moves = self.moves[: self.size]
        admitted = (moves >= observer.own - truth).all(axis=1) & ~moves[:, observer.pinned].any(axis=1)
        sums = self.sums[: self.size][admitted].astype(np.int64)
        return sums.min(axis=0, initial=0), sums.max(axis=0, initial=0)


class Audit:
    """One system with what is shown of it, its pool of moves, and the repair."""

    def __init__(self, system: System, sheets: tuple[Sheet, ...], rules: Rules) -> None:
        self._system, self._sheets, self._rules = system, sheets, rules
        self._mover = Mover(system, nobody(system))
        rows, columns = system.matrix.shape
        self._pool = Pool(np.zeros((64, columns), dtype=np.int32), np.zeros((64, rows), dtype=np.int32))
        self._places = {
            system.row(block, group, kind): (block, group, kind)
            for block, sheet in enumerate(sheets)
            for group in range(len(sheet.groups))
            for kind in range(kinds(sheet.frame))
        }
        self._persons = np.zeros(rows, dtype=np.int64)
        for row, (block, group, _) in self._places.items():
            self._persons[row] = system.row(block, group, KNOWN if sheets[block].frame.block.complete else ALL)
        self._low, self._high, self._weights = np.zeros(rows), np.zeros(rows), np.full(rows, np.inf)
        self._reach, self._told = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=bool)
        self._secret = np.zeros(0, dtype=np.int64)
        self._states: dict[tuple[int, int], tuple[bool, Band | None, Band | None]] = {}
        self._refresh()

    def protect(self, observers: tuple[Observer, ...]) -> list[Finding]:
        """Withhold until no observer can tell a withheld count; gives back what could not be repaired."""
        findings: list[Finding] = []
        repaired = True
        while repaired:
            repaired, findings = False, []
            for observer in observers:
                changed, found = self._protect_from(observer)
                repaired |= changed
                findings += found
        return findings

    def _protect_from(self, observer: Observer) -> tuple[bool, list[Finding]]:
        self._mover.watch(observer)
        low, high = self._pool.reach(observer, self._system.truth)
        changed, findings = False, []
        rows = self._targets(observer)
        self._sweep(rows, low, high)
        for row in rows[self._lacking(rows, low, high)].tolist():
            while self._lacking(row, low, high):
                self._search(row, low, high)
                if not self._lacking(row, low, high):
                    break
                if not self._repair(row, low, high, observer=observer):
                    width = int(high[row] - low[row])
                    findings.append(Finding(row, observer.names, width, self._tells_all(row, low, high)))
                    break
                changed = True
        return changed, findings

    def _sweep(self, rows: Ints, low: Ints, high: Ints) -> None:
        """Moves that widen many rows at once."""
        for turn in range(SWEEPS):
            lacking = rows[self._lacking(rows, low, high)]
            if len(lacking) < FEW:
                return
            self._keep(self._mover.sweep(lacking, self._rules.width * (-1) ** turn), low, high)

    def _keep(self, move: Move | None, low: Ints, high: Ints) -> bool:
        if move is None:
            return False
        self._pool.add(move)
        np.minimum(low, move.sums, out=low)
        np.maximum(high, move.sums, out=high)
        return True

    def _targets(self, observer: Observer) -> Ints:
        """Rows that must not be told, except what the observer knows of its own children alone."""
        if not observer.names:
            return self._secret
        own = self._system.matrix.times(observer.own)
        persons = self._persons[self._secret]
        return np.asarray(self._secret[own[persons] != self._system.counts[persons]])

    def _lacking(self, rows: int | Ints, low: Ints, high: Ints) -> NDArray[np.bool_]:
        """Whether the moves found so far leave rows' intervals too narrow, or short of the threshold."""
        return np.asarray((high[rows] - low[rows] < self._rules.width) | (high[rows] < self._reach[rows]))

    def _search(self, row: int, low: Ints, high: Ints) -> None:
        """Look for moves that widen a row's interval: up as far as is needed, then down for the rest."""
        for up in range(max(self._rules.width, int(self._reach[row])), int(high[row]), -1):
            if up <= self._high[row] and self._found(row, up, low, high):
                break
        for down in range(int(high[row]) - self._rules.width, int(low[row])):
            if down >= self._low[row] and self._found(row, down, low, high):
                break

    def _found(self, row: int, change: int, low: Ints, high: Ints) -> bool:
        return self._keep(self._mover.move(row, change), low, high)

    def _repair(self, row: int, low: Ints, high: Ints, *, observer: Observer) -> bool:
        """Withhold the cheapest shown rows that keep a row from moving; False when nothing can be withheld."""
        width, reach = self._rules.width, int(self._reach[row])
        others = int(self._system.matrix.times(self._system.truth - observer.own)[row])
        ups = {max(width, reach), int(high[row]), max(width - others, 0), int(min(self._high[row], width))}
        ways = sorted((up, max(width - up, 0)) for up in ups if reach <= up and width - up <= others)
        repairs = [self._way(row, way) for way in ways]
        best = min(repairs, key=lambda repair: (sum(part.cost for part in repair), [part.rows for part in repair]))
        changed = False
        for part in best:
            changed |= self._loosen(part)
            if part.move is not None:
                self._keep(self._mover.checked(part.move), low, high)
        if not changed and self._lacking(row, low, high):
            self._search(row, low, high)
        if not changed and self._lacking(row, low, high):
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
        self._secret = np.flatnonzero(self._told)

    def _restate(self, block: int, group: int) -> None:
        sheet = self._sheets[block]
        standing, (rank, depth) = sheet.groups[group], sheet.frame.groups[group].rank
        scale = TOTAL_COST if rank == 0 else 1.0 + 4.0 / (rank * depth)
        rows = [self._system.row(block, group, kind) for kind in range(kinds(sheet.frame))]
        secret = standing.secret(complete=sheet.frame.block.complete)
        for kind, row in enumerate(rows):
            low, high = standing.limits(kind)
            self._low[row], self._high[row] = low, np.inf if high is None else high
            self._told[row] = kind in secret
            self._weights[row] = _cost(standing, kind) * scale
        if self._rules.strict and standing.hidden:
            self._reach[rows[KNOWN]] = max(self._rules.min_n - standing.known, 0)
        self._mover.allow(rows, self._low[rows].tolist(), self._high[rows].tolist())

    def _tells_all(self, row: int, low: Ints, high: Ints) -> bool:
        """Whether an interval of no width tells that none, or all, of some persons reached the outcome."""
        block, group, kind = self._places[row]
        standing = self._sheets[block].groups[group]
        told = kind not in (KNOWN, ALL) and low[row] == high[row]
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
