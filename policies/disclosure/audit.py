"""The interval audit: shows for every withheld count, and every observer, that it could as well be another number.

The proof is a pool of moves, each a table of persons in whole numbers that agrees with everything shown. Where none
can be found, the cheapest shown numbers are withheld until there is one (the linear-programming repair of Fischetti
and Salazar 2001, section 6, with a cost for each shown row).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.disclosure.elastic import Elastic
from policies.disclosure.moves import IMPOSSIBLE, Move, Mover, Observer, Relaxation, nobody
from policies.disclosure.pool import NO_MOVES, Moves, Pool, one_move
from policies.disclosure.rules import Rules
from policies.disclosure.search import COLUMNS_MIN, FEW_STEPS, Search, search_of
from policies.disclosure.standing import Band, Sheet, Standing
from policies.disclosure.system import ALL, KNOWN, REACHED, Ints, System, kinds

Small = NDArray[np.int32]

COVERAGE_COST, WIDENING_COST, NUMERATOR_COST, CELL_COST = 0.1, 0.1, 0.4, 1.0
TOTAL_COST = 1000.0
"""What it costs to withhold a coverage band, to widen a coded rate, to code a rate, to withhold a cell; scaled by the
table's rank, and for the total of all."""

WHOLE_WORTH = 1.5
"""How much more than the linear program's a way may cost that is known to be whole."""

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


class Audit:
    """One system with what is shown of it, its pool of moves, and the repair."""

    def __init__(
        self, system: System, sheets: tuple[Sheet, ...], rules: Rules, *, searched_from: int = COLUMNS_MIN
    ) -> None:
        self._system, self._sheets, self._rules = system, sheets, rules
        self._mover = Mover(system, nobody(system))
        self._lists = search_of(system, rules) if system.matrix.shape[1] >= searched_from else None
        self._elastic: Elastic | None = None
        rows = system.matrix.shape[0]
        self._pool = Pool(rows)
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
        if self._lists is not None:
            self._elastic = None
            self._lists.watch(observer)
            lacking = rows[self._lacking(rows, low, high)]
            moves = self._lists.widen(lacking, low, high, reach=self._reach, steps=FEW_STEPS)
            self._keep_all(moves, low, high)
        else:
            self._sweep(rows, low, high)
        for row in rows[self._lacking(rows, low, high)].tolist():
            while self._lacking(row, low, high) and self._withheld_for(row, low, high, observer=observer):
                changed = True
            if self._lacking(row, low, high):
                width = int(high[row] - low[row])
                findings.append(Finding(row, observer.names, width, self._tells_all(row, low, high)))
        return changed, findings

    def _withheld_for(self, row: int, low: Ints, high: Ints, *, observer: Observer) -> bool:
        """Look for moves of a row, and where there are none withhold what stands in the way; True if that was done."""
        if self._lists is not None:
            return self._settle_row(row, low, high, lists=self._lists, observer=observer)
        self._search(row, low, high)
        return bool(self._lacking(row, low, high)) and self._repair(row, low, high, observer=observer)

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
        self._pool.add(one_move(move))
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

    def _settle_row(self, row: int, low: Ints, high: Ints, *, lists: Search, observer: Observer) -> bool:
        """Make a row of a large block safe: by moves that are there, else by withholding; True if that was needed."""
        solved = self._solve_row(row, low, high, observer=observer)
        if not self._lacking(row, low, high):
            return False
        whole, moves = self._climb(row, low, high, lists=lists)
        if not self._lacking(row, low, high):
            return False
        if np.isfinite(whole.cost) and whole.cost <= WHOLE_WORTH * solved.cost and self._loosen(whole):
            self._keep_all(lists.agreeing(moves), low, high)
            return True
        return self._loosen(solved) or self._loosen(Relaxation(0.0, tuple(self._nearest(row)), None))

    def _climb(self, row: int, low: Ints, high: Ints, *, lists: Search) -> tuple[Relaxation, Moves]:
        """Widen a row person by person as far as that breaks nothing; gives the cheapest step beyond."""
        while True:
            up, down = lists.cheapest(row, int(high[row]) + 1), (IMPOSSIBLE, NO_MOVES)
            if up[0].cost:
                down = lists.cheapest(row, int(low[row]) - 1)
            best, moves = min((up, down), key=lambda pair: (pair[0].cost, pair[0].rows))
            kept = lists.agreeing(moves)
            if not kept.count:
                return best, moves
            self._keep_all(kept, low, high)
            if not self._lacking(row, low, high):
                return best, moves

    def _keep_all(self, moves: Moves, low: Ints, high: Ints) -> None:
        self._pool.add(moves)
        moves.widen(low, high)

    def _solve_row(self, row: int, low: Ints, high: Ints, *, observer: Observer) -> Relaxation:
        """What the linear program finds cheapest to withhold; a move that needs nothing withheld is kept if whole."""
        solver, width, reach = self._program(observer), self._rules.width, int(self._reach[row])
        others = int(self._system.matrix.times(self._system.truth - observer.own)[row])
        offers = [IMPOSSIBLE]
        for up in (width, 0, *range(width - 1, 0, -1)):
            changes = max(up, reach), -(width - up)
            if width - up > others:
                continue
            offer = Relaxation(0.0, (), None)
            for change in (change for change in changes if change > high[row] or change < low[row]):
                bent = solver.bend(row, change)
                beyond = max(change - self._high[row], self._low[row] - change, 0.0)
                own = (row,) if beyond else ()
                if bent is None:
                    offer = IMPOSSIBLE
                    break
                cost = offer.cost + bent.cost + (float(beyond * self._weights[row]) if beyond else 0.0)
                offer = Relaxation(cost, tuple(sorted({*offer.rows, *bent.rows, *own})), None)
                if not bent.rows and not beyond:
                    self._keep(solver.whole(row, change, bent), low, high)
            if not self._lacking(row, low, high):
                return IMPOSSIBLE
            offers += [offer] if offer.rows else []
            if not offer.rows and np.isfinite(offer.cost):
                break
        return min(offers, key=lambda offer: (offer.cost, offer.rows))

    def _program(self, observer: Observer) -> Elastic:
        """The linear program for an observer, made when it is first needed."""
        if self._elastic is None:
            low, high, weights = self._low, self._high, self._weights
            self._elastic = Elastic(self._system, observer, low=low, high=high, weights=weights)
        return self._elastic

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
        if self._lists is not None:
            bounds = self._low[rows].tolist(), self._high[rows].tolist(), self._weights[rows].tolist()
            self._lists.allow(rows, *bounds)
            if self._elastic is not None:
                self._elastic.allow(rows, *bounds)

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
