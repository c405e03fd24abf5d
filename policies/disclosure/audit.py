"""The interval audit: shows for every withheld count, and every observer, that it could as well be another number.

The proof is a pool of moves, each a table of persons in whole numbers that agrees with everything shown. Where none
can be found, the cheapest shown numbers are withheld until there is one (the linear-programming repair of Fischetti
and Salazar 2001, section 6, with a cost for each shown row).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from policies.disclosure.moves import Floats, Mover, Observer
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Sheet, Standing
from policies.disclosure.system import ALL, KNOWN, REACHED, Ints, System, kinds

COVERAGE_COST, NUMERATOR_COST, CELL_COST = 0.1, 0.4, 1.0
"""What it costs to withhold a coverage band, to code a rate, to withhold a cell; scaled by the table's rank."""


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
    """Moves found so far, and the row sums that they change."""

    moves: list[Ints] = field(default_factory=list)
    sums: list[Ints] = field(default_factory=list)

    def add(self, move: Ints, sums: Ints) -> None:
        """Keep a move with its row sums."""
        self.moves.append(move)
        self.sums.append(sums)


class Audit:
    """One system with what is shown of it, its pool of moves, and the repair."""

    def __init__(self, system: System, sheets: tuple[Sheet, ...], rules: Rules) -> None:
        self._system, self._sheets, self._rules = system, sheets, rules
        self._mover = Mover(system)
        self._pool = Pool()
        self._places = {
            system.row(block, group, kind): (block, group, kind)
            for block, sheet in enumerate(sheets)
            for group in range(len(sheet.groups))
            for kind in range(kinds(sheet.frame))
        }
        self._low = np.zeros(system.matrix.shape[0], dtype=np.float64)
        self._high = np.zeros(system.matrix.shape[0], dtype=np.float64)
        self._weights = self._costs()
        self._refresh(list(self._places))

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
        low, high = self._reach(observer)
        changed, findings = False, []
        for row in self._targets(observer):
            need = self._need(row)
            while self._lacking(row, low, high, need=need):
                self._search(row, low, high, need=need)
                if not self._lacking(row, low, high, need=need):
                    break
                if not self._repair(row, need=need, observer=observer):
                    width = int(high[row] - low[row])
                    findings.append(Finding(row, observer.names, width, self._tells_all(row, low, high)))
                    break
                changed = True
        return changed, findings

    def _targets(self, observer: Observer) -> Iterator[int]:
        """Rows that must not be told, except what the observer knows of its own children alone."""
        own = self._system.matrix.times(observer.own) if observer.names else None
        for block, sheet in enumerate(self._sheets):
            complete = sheet.frame.block.complete
            for group, standing in enumerate(sheet.groups):
                if own is not None and self._alone(own, block, group, standing):
                    continue
                for kind in standing.secret(complete=complete):
                    yield self._system.row(block, group, kind)

    def _alone(self, own: Ints, block: int, group: int, standing: Standing) -> bool:
        kind = KNOWN if self._sheets[block].frame.block.complete else ALL
        return int(own[self._system.row(block, group, kind)]) == standing.n

    def _need(self, row: int) -> tuple[int, int]:
        """The width that a row's interval must have, and how far it must reach above the truth."""
        block, group, kind = self._places[row]
        standing = self._sheets[block].groups[group]
        reach = self._rules.min_n - standing.known if self._rules.strict and standing.hidden and kind == KNOWN else 0
        return self._rules.width, max(reach, 0)

    @staticmethod
    def _lacking(row: int, low: Ints, high: Ints, *, need: tuple[int, int]) -> bool:
        return bool(high[row] - low[row] < need[0] or high[row] < need[1])

    def _search(self, row: int, low: Ints, high: Ints, *, need: tuple[int, int]) -> None:
        """Look for moves that widen a row's interval: up as far as is needed, then down for the rest."""
        for up in range(max(need), int(high[row]), -1):
            if up <= self._high[row] and self._found(row, up, low, high):
                break
        for down in range(int(high[row]) - need[0], int(low[row])):
            if down >= self._low[row] and self._found(row, down, low, high):
                break

    def _found(self, row: int, change: int, low: Ints, high: Ints) -> bool:
        move = self._mover.move(row, change)
        if move is None:
            return False
        sums = self._system.matrix.times(move)
        self._pool.add(move, sums)
        np.minimum(low, sums, out=low)
        np.maximum(high, sums, out=high)
        return True

    def _reach(self, observer: Observer) -> tuple[Ints, Ints]:
        """The least and greatest change of every row by the moves that the observer admits."""
        low = np.zeros(self._system.matrix.shape[0], dtype=np.int64)
        high = low.copy()
        for move, sums in zip(self._pool.moves, self._pool.sums, strict=True):
            if observer.admits(move, self._system.truth):
                np.minimum(low, sums, out=low)
                np.maximum(high, sums, out=high)
        return low, high

    def _repair(self, row: int, *, need: tuple[int, int], observer: Observer) -> bool:
        """Withhold the cheapest shown rows that keep a row from moving; False when nothing can be withheld."""
        width, reach = need
        up = int(min(max(width, reach), self._high[row]))
        down = int(max(-width, self._low[row], -self._free(row, observer)))
        options = []
        for changes in ((up,), (down,)) if up >= max(need) and down <= -width and not reach else ((up, up - width),):
            results = [self._mover.relax(row, change, weights=self._weights) for change in changes if change]
            options.append((sum(cost for cost, _ in results), sorted({r for _, rows in results for r in rows})))
        cost, rows = min(options)
        if np.isfinite(cost) and rows:
            return self._loosen(rows)
        return self._loosen(self._nearest(row))

    def _free(self, row: int, observer: Observer) -> int:
        mask = np.zeros(self._system.matrix.shape[1], dtype=np.int64)
        mask += self._system.truth - observer.own
        return int(self._system.matrix.times(mask)[row])

    def _nearest(self, row: int) -> list[int]:
        """The cheapest shown row that shares persons with `row`: the last resort where the solver finds no way."""
        matrix = self._system.matrix
        columns = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.starts))
        sharing = np.unique(matrix.rows[np.isin(columns, columns[matrix.rows == row])])
        able = [int(r) for r in sharing if np.isfinite(self._weights[r])]
        return sorted(able, key=lambda r: (self._weights[r], r))[:1]

    def _loosen(self, rows: list[int]) -> bool:
        """Withhold what the rows show, then what the rules on lines ask for."""
        changed = False
        for row in rows:
            block, group, kind = self._places[row]
            standing = self._sheets[block].groups[group]
            if kind == KNOWN:
                changed |= standing.hide("protective")
            elif kind == REACHED:
                changed |= standing.widen(self._rules)
            else:
                changed |= standing.uncover()
        for sheet in self._sheets:
            changed |= sheet.settle(self._rules)
        if changed:
            self._refresh(list(self._places))
        return changed

    def _refresh(self, rows: list[int]) -> None:
        """Tell the solver what is shown now, and what may still be withheld."""
        changed, lows, highs = [], [], []
        for row in rows:
            block, group, kind = self._places[row]
            sheet = self._sheets[block]
            low, high = sheet.groups[group].limits(kind)
            bounds = (float(low), np.inf if high is None else float(high))
            if bounds != (self._low[row], self._high[row]):
                self._low[row], self._high[row] = bounds
                changed.append(row)
                lows.append(bounds[0])
                highs.append(bounds[1])
        self._mover.allow(changed, lows, highs)
        self._weights = self._costs()

    def _costs(self) -> Floats:
        """What withholding each row costs for each person it would have to move; infinite where it is not shown."""
        weights = np.full(self._system.matrix.shape[0], np.inf)
        for row, (block, group, kind) in self._places.items():
            sheet = self._sheets[block]
            standing, (rank, depth) = sheet.groups[group], sheet.frame.groups[group].rank
            scale = 1000.0 if rank == 0 else 1.0 + 4.0 / (rank * depth)
            if standing.hidden or standing.fixed or standing.zero:
                continue
            if kind == KNOWN:
                weights[row] = CELL_COST * scale
            elif kind == REACHED and standing.band != (0, 100):
                weights[row] = NUMERATOR_COST * scale
            elif kind == ALL and standing.cover is not None:
                weights[row] = COVERAGE_COST * scale
        return weights

    def _tells_all(self, row: int, low: Ints, high: Ints) -> bool:
        """Whether an interval of no width tells that none, or all, of some persons reached the outcome."""
        block, group, kind = self._places[row]
        standing = self._sheets[block].groups[group]
        told = kind not in (KNOWN, ALL) and low[row] == high[row]
        return bool(told and standing.known and int(self._system.counts[row]) in (0, standing.known))
