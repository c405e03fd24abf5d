"""What is shown and what is withheld of each group, and what an outsider may conclude from one cell by itself.

Starts from the primary rules; every later change withholds more, so that what was found safe stays safe.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from policies.disclosure.frame import Frame, Line
from policies.disclosure.provisional import told_between
from policies.disclosure.rules import Rules, coded, coverage, numerators, populations, wider
from policies.disclosure.system import ALL, KNOWN, MISSED, REACHED, UNKNOWN, System
from policies.disclosure.types import ReleasedCell

Reason = Literal["small", "linked-minimum", "not-reported", "protective", "coded", "coded-protective", "frozen"]
Band = tuple[int, int]


class State(NamedTuple):
    """What is told of a group, and why no more."""

    hidden: bool
    band: Band | None
    cover: Band | None
    reason: Reason | None


@dataclass
class Standing:
    """The state of one group: its counts, whether it is withheld, the bands that tell its rate and its coverage.

    `public` are kinds of count that a final figure of a linked block tells for good.
    """

    known: int
    k: int
    n: int
    hidden: bool = False
    zero: bool = False
    band: Band | None = None
    cover: Band | None = None
    fixed: bool = False
    reason: Reason | None = None
    earlier: tuple[int, int] | None = None
    public: tuple[int, ...] = ()

    def limits(self, kind: int) -> tuple[int, int | None]:
        """How far a count may lie below and above the truth, as far as this cell and its earlier vintages tell."""
        low, high = self._limits(kind)
        if kind != KNOWN or self.earlier is None:
            return low, high
        least, most = (bound - self.known for bound in self.earlier)
        return max(low, least), most if high is None else min(high, most)

    def _limits(self, kind: int) -> tuple[int, int | None]:
        """As far as this cell alone tells. Known less k, and n less known, follow from the others."""
        if self.hidden or kind in (MISSED, UNKNOWN):
            return (-self._count(kind), None)
        if kind == KNOWN or self.zero:
            return (0, 0)
        if kind == REACHED:
            low, high = numerators(self.band, self.known) if self.band else (self.k, self.k)
            return (low - self.k, high - self.k)
        if self.cover is None:
            return (self.known - self.n, None)
        least, most = populations(self.cover, self.known)
        return (least - self.n, None if most is None else most - self.n)

    def secret(self, *, complete: bool) -> tuple[int, ...]:
        """The kinds of count that must not be told."""
        return tuple(kind for kind in self._withheld(complete=complete) if kind not in self.public)

    def _withheld(self, *, complete: bool) -> tuple[int, ...]:
        if self.zero:
            return ()
        if self.hidden:
            return (REACHED, MISSED, KNOWN) if complete else (REACHED, MISSED, UNKNOWN, KNOWN, ALL)
        # Where a final figure tells how many there are, how many are unknown would follow from those who are known.
        rest = UNKNOWN if ALL in self.public else ALL
        return ((REACHED,) if self.band else ()) + (() if complete else (rest,))

    def primary(self, rules: Rules, *, complete: bool) -> "State":
        """How the primary rules show a group that they do not withhold."""
        band = coded(self.known, self.k, rules)
        return State(False, band, None if complete else coverage(self.known, self.n, rules), "coded" if band else None)

    @property
    def state(self) -> "State":
        """What of it is told, and why."""
        return State(self.hidden, self.band, self.cover, self.reason)

    @state.setter
    def state(self, state: "State") -> None:
        self.hidden, self.band, self.cover, self.reason = state

    def hide(self, reason: Reason) -> bool:
        """Withhold the whole cell; False when nothing changed."""
        if self.hidden or self.fixed:
            return False
        self.hidden, self.zero, self.reason = True, False, reason
        return True

    def widen(self, rules: Rules) -> bool:
        """Tell less of the numerator; False when nothing changed."""
        if self.hidden or self.fixed or self.zero or self.band == (0, 100):
            return False
        self.band = wider(self.band, self.known, k=self.k, rules=rules)
        self.reason = "coded-protective"
        return True

    def code(self, rules: Rules) -> bool:
        """Tell no more of the numerator than the primary rules do; False when nothing changed."""
        band = coded(self.known, self.k, rules)
        if band is None or (self.band is not None and self.band[0] <= band[0] and band[1] <= self.band[1]):
            return False
        if self.band is None:
            self.band, self.reason = band, "coded"
        else:
            self.widen(rules)
            self.code(rules)
        return True

    def tell_no_more_than(self, other: "State") -> bool:
        """Withhold what another state of the same group withholds; False when nothing changed."""
        if self.fixed or self.hidden:
            return False
        if other.hidden:
            return self.hide(other.reason or "protective")
        changed = other.cover is None and self.uncover()
        if other.band and self.band != (band := _hull(self.band, other.band)):
            self.band, self.reason, changed = band, other.reason, True
        return changed

    def allows(self, change: int) -> bool:
        """Whether what is told of the numerator leaves room for a change of it."""
        low, high = self.limits(REACHED)
        return low <= change and (high is None or change <= high)

    def uncover(self) -> bool:
        """No longer tell the coverage; False when nothing changed."""
        if self.hidden or self.fixed or self.cover is None:
            return False
        self.cover = None
        return True

    def release(self, cell: ReleasedCell, *, complete: bool) -> ReleasedCell:
        """The cell as everybody outside sees it."""
        if self.zero:
            return replace(cell, status="F", n=0, known=0, rate_low=0, rate_high=100)
        shown = replace(cell, status="F", known=self.known, n=self.n if complete else None)
        if self.band:
            shown = replace(shown, rate_low=self.band[0], rate_high=self.band[1])
        else:
            shown = replace(shown, k=self.k, rate=(200 * self.k + self.known) // (2 * self.known))
        if self.cover:
            shown = replace(shown, coverage_low=self.cover[0], coverage_high=self.cover[1])
        return shown

    def _count(self, kind: int) -> int:
        return (self.known, self.k, self.known - self.k, self.n, self.n - self.known)[kind]


@dataclass
class Sheet:
    """All groups of one block, with the ledger's word on them."""

    frame: Frame
    groups: list[Standing] = field(default_factory=list)

    def settle(self, rules: Rules) -> bool:
        """Withhold what the rules on lines ask for, until they hold; says whether anything changed."""
        changed, ever = True, False
        while changed:
            changed = False
            for line in self.frame.lines:
                children = [self.groups[child] for child in line.children]
                changed |= self._residual(line) | self._remainder(line, children, rules)
                changed |= self._numerators(line, children, rules)
            ever |= changed
        return ever

    def _residual(self, line: Line) -> bool:
        if not line.residual:
            return False
        others = set(line.children) - set(line.residual)
        if not any(self.groups[child].hidden for child in others):
            return False
        return any(self.groups[child].hide("not-reported") for child in line.residual)

    def _remainder(self, line: Line, children: list[Standing], rules: Rules) -> bool:
        """The withheld children together are a cell too: the total less the shown children."""
        parent = self.groups[line.parent]
        if parent.hidden:
            return False
        shown = [child for child in children if not child.hidden]
        if len(shown) == len(children) or parent.known - sum([child.known for child in shown]) >= rules.min_n:
            return False
        return any(child.hide("protective") for child in self._smallest(shown))

    def _numerators(self, line: Line, children: list[Standing], rules: Rules) -> bool:
        """So are the children without an exact numerator: their common rate may be extreme."""
        parent = self.groups[line.parent]
        if parent.hidden or parent.zero or parent.band:
            return False
        told = [child for child in children if not child.hidden and not child.band]
        if len(told) == len(children):
            return False
        known, k = parent.known - sum([c.known for c in told]), parent.k - sum([c.k for c in told])
        if not known or (known >= rules.min_n and coded(known, k, rules) is None):
            return False
        return any(child.widen(rules) for child in self._smallest(told))

    @staticmethod
    def _smallest(children: list[Standing]) -> list[Standing]:
        return sorted((child for child in children if child.known), key=lambda child: child.known)


Ledger = Mapping[tuple[int, int], ReleasedCell]
"""The cells ever released, by block and group of a system."""


class Change(NamedTuple):
    """How many more, or fewer, of an observer's own children there were than there are now: known, k, n."""

    known: int = 0
    k: int = 0
    n: int = 0


class Heard(NamedTuple):
    """A cell told before, to an observer whose own children have changed since."""

    cell: ReleasedCell
    change: Change = Change()


Earlier = Mapping[tuple[int, int], tuple[Heard, ...]]
"""The cells told provisionally that are still true, by block and group of a system."""


def sheets(system: System, rules: Rules, *, ledger: Ledger, earlier: Earlier) -> tuple[Sheet, ...]:
    """Every group after the primary rules; those in the ledger stay as they were released."""
    result = []
    for number, frame in enumerate(system.frames):
        least = _minima(frame)
        sheet = Sheet(frame)
        for group in range(len(frame.groups)):
            standing = counted_in(system, number, group)
            standing.earlier = counted_before(earlier.get((number, group), ()))
            before = ledger.get((number, group))
            if before is None:
                _primary(standing, rules, least=least.get(group, 0), complete=frame.block.complete)
            else:
                _stay(standing, before)
            sheet.groups.append(standing)
        sheet.settle(rules)
        result.append(sheet)
    return tuple(result)


def raise_threshold(sheets: tuple[Sheet, ...], rules: Rules) -> bool:
    """Withhold the groups under a raised threshold, and what the rules on lines ask for; whether anything changed."""
    changed = False
    for sheet in sheets:
        small = [one for one in sheet.groups if one.known < rules.min_n and not one.zero]
        changed |= sum(one.hide("small") for one in small) > 0
        changed |= sheet.settle(rules)
    return changed


def raise_numerators(sheets: tuple[Sheet, ...], rules: Rules) -> bool:
    """Code the rates whose numerators fall under a raised minimum, and what the rules on lines ask for; whether
    anything changed."""
    changed = False
    for sheet in sheets:
        told = [one for one in sheet.groups if not (one.hidden or one.zero or one.fixed)]
        changed |= sum(one.code(rules) for one in told) > 0
        changed |= sheet.settle(rules)
    return changed


def frozen_sheets(system: System, *, ledger: Ledger) -> tuple[Sheet, ...]:
    """What was released, in its own numbers, and nothing else: for blocks whose counts have changed since.

    A corrected number beside the released one would tell the correction, which may be one child's.
    """
    result = []
    for number, frame in enumerate(system.frames):
        sheet = Sheet(frame)
        for group in range(len(frame.groups)):
            before = ledger.get((number, group))
            standing = counted_in(system, number, group)
            if before is not None and before.known is not None:
                standing = Standing(before.known, before.k or 0, before.known)
                _stay(standing, before)
            else:
                standing.hide("frozen")
            sheet.groups.append(standing)
        result.append(sheet)
    return tuple(result)


def contradicted(system: System, ledger: Ledger) -> bool:
    """Whether any count has changed since it was released."""
    for (number, group), before in ledger.items():
        now, then = counted_in(system, number, group), Standing(0, 0, 0)
        _stay(then, before)
        if before.status == "F" and (now.known != before.known or before.n not in (None, now.n)):
            return True
        if before.k not in (None, now.k) or not _within(then.band, now.k, now.known):
            return True
        if not _within(then.cover, now.known, now.n):
            return True
    return False


def counted_before(cells: tuple[Heard, ...]) -> Band | None:
    """Between which counts the rounded or exact ones of earlier vintages leave a group."""
    told = [(*told_between(one.cell), one.change.known) for one in cells if one.cell.known is not None]
    return (max(low - more for low, _, more in told), min(high - more for _, high, more in told)) if told else None


def _hull(band: Band | None, other: Band) -> Band:
    """The least band that holds two; of one alone that one."""
    return (min(band[0], other[0]), max(band[1], other[1])) if band else other


def _within(band: Band | None, part: int, whole: int) -> bool:
    return band is None or band[0] * whole <= 100 * part <= band[1] * whole


def counted_in(system: System, number: int, group: int) -> Standing:
    """A group with its counts, nothing withheld."""
    known, k = (int(system.counts[system.row(number, group, kind)]) for kind in (KNOWN, REACHED))
    complete = system.frames[number].block.complete
    return Standing(known, k, known if complete else int(system.counts[system.row(number, group, ALL)]))


def _primary(standing: Standing, rules: Rules, *, least: int, complete: bool) -> None:
    known = standing.known
    if standing.n == 0 and rules.zero_shown:
        standing.zero = True
    elif known < rules.min_n:
        standing.hide("small")
    elif known < least:
        standing.hide("linked-minimum")
    else:
        standing.state = standing.primary(rules, complete=complete)


def _stay(standing: Standing, cell: ReleasedCell) -> None:
    """Show a group as it was released, for good."""
    standing.fixed, standing.reason, standing.hidden = True, "frozen", cell.status == "C"
    standing.zero = cell.known == 0
    if cell.rate_low is not None and cell.rate_high is not None:
        standing.band = (cell.rate_low, cell.rate_high)
    if cell.coverage_low is not None and cell.coverage_high is not None:
        standing.cover = (cell.coverage_low, cell.coverage_high)


def _minima(frame: Frame) -> dict[int, int]:
    """By group, the least count at which its linked levels may be shown."""
    minimum = {(d.name, level): least for d in frame.block.dimensions for level, least in d.minimum.items()}
    found: dict[int, int] = {}
    for _, levels, group in frame.cells:
        found[group] = max([found.get(group, 0), *(minimum.get(pair, 0) for pair in levels)])
    return found
