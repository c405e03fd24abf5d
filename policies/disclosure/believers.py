"""Everything told before, joined by somebody who takes it to be true of the same persons; under the engine.

After a correction that is not so, and what she concludes is of nobody; but she does not know it, and must not be right
within the protection width even by chance. So whichever vintages agree with each other and with what is told now are
audited from a list of persons that agrees with them all, wherever the true one lies (`docs/disclosure.md`, section 2).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

import numpy as np

from policies.disclosure.agreeing import UndecidedError, agreeing_list
from policies.disclosure.audit import Finding
from policies.disclosure.auditing import audit_of
from policies.disclosure.moves import Observer, nobody
from policies.disclosure.provisional import provisional_cell
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Heard, Sheet, Standing, counted_before, counted_in
from policies.disclosure.system import Ints, System, kinds
from policies.disclosure.types import ReleasedCell
from policies.disclosure.vintages import Told, joined, system_with, true_part

SETS_TRIED = 20
"""How many sets of vintages are tried for agreement, before nothing new is told of a block."""

Observers = Callable[[System, Rules], tuple[Observer, ...]]


@dataclass(frozen=True)
class Crowd:
    """Observers to whom the vintages say the same, and what they say."""

    names: frozenset[tuple[str, ...]]
    told: tuple[Told, ...]

    def among(self, observers: Observers) -> Observers:
        """Who of some observers is of the crowd."""
        return lambda built, rules: tuple(one for one in observers(built, rules) if one.names in self.names)


class Telling(Protocol):
    """What is being told now of blocks, and how to tell less of it."""

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """What is shown and withheld, as it will be told."""

    def in_bands(self) -> Told:
        """What is told in bands that the sheets do not say."""

    def as_shown(self) -> tuple[Sheet, ...]:
        """The sheets as somebody sees them, to be audited."""

    def withhold(self, audited: tuple[Sheet, ...], found: set[tuple[int, int]]) -> bool:
        """Withhold what an audit has withheld, and what it found unsafe; whether it must be made again."""


@dataclass(frozen=True)
class FinalTelling:
    """Figures told exactly."""

    sheets: tuple[Sheet, ...]
    rules: Rules

    def in_bands(self) -> Told:
        """Nothing: the sheets say it all."""
        return {}

    def as_shown(self) -> tuple[Sheet, ...]:
        """A copy."""
        return tuple(Sheet(sheet.frame, [replace(standing) for standing in sheet.groups]) for sheet in self.sheets)

    def withhold(self, audited: tuple[Sheet, ...], found: set[tuple[int, int]]) -> bool:
        """Withhold what the audit has withheld; it found nothing else, or it could not be mended."""
        for sheet, other in zip(self.sheets, audited, strict=True):
            for standing, seen in zip(sheet.groups, other.groups, strict=True):
                _take_over(standing, seen, self.rules)
            sheet.settle(self.rules)
        return False


@dataclass(frozen=True)
class ProvisionalTelling:
    """Figures told coarsely: then no number at all is told exactly, and each must be as safe as a withheld one, since
    it may be withheld later."""

    sheets: tuple[Sheet, ...]
    rules: Rules
    vintage: str

    def in_bands(self) -> Told:
        """The coarse figures."""
        found = {}
        for number, sheet in enumerate(self.sheets):
            for group, standing in enumerate(sheet.groups):
                if not (standing.hidden or standing.zero or standing.fixed):
                    cell = standing.release(_nameless(sheet), complete=sheet.frame.block.complete)
                    found[number, group] = (Heard(provisional_cell(cell, self.vintage)),)
        return found

    def as_shown(self) -> tuple[Sheet, ...]:
        """Everything withheld but what was told finally."""
        return tuple(
            Sheet(
                sheet.frame,
                [
                    replace(one)
                    if one.fixed
                    else Standing(one.known, one.k, one.n, hidden=True, fixed=True, public=one.public)
                    for one in sheet.groups
                ],
            )
            for sheet in self.sheets
        )

    def withhold(self, audited: tuple[Sheet, ...], found: set[tuple[int, int]]) -> bool:
        """Withhold the groups that were found; where they are withheld already, the smallest that is told."""
        told = [self.sheets[block].groups[group] for block, group in sorted(found)]
        changed = sum(one.hide("protective") for one in told) > 0
        if found and not changed:
            rest = [one for block in sorted({block for block, _ in found}) for one in self.sheets[block].groups]
            changed = any(one.hide("protective") for one in sorted(rest, key=lambda one: one.known))
        for sheet in self.sheets:
            sheet.settle(self.rules)
        return changed


def _take_over(standing: Standing, seen: Standing, rules: Rules) -> None:
    """Withhold of a group what is withheld of its likeness."""
    if seen.hidden:
        standing.hide("protective")
        return
    if seen.cover is None:
        standing.uncover()
    while standing.band != seen.band and standing.widen(rules):
        pass


def _nameless(sheet: Sheet) -> ReleasedCell:
    return ReleasedCell(indicator=sheet.frame.block.indicator, cohort_year=sheet.frame.block.cohort_year, table="",
                        levels=())  # fmt: skip


class Believers:
    """Everybody who joins what is told now of some blocks with vintages told before."""

    def __init__(self, telling: Telling, told: tuple[Told, ...], *, rules: Rules, observers: Observers) -> None:
        self._telling, self._told, self._rules, self._observers = telling, told, rules, observers
        self._frames = tuple(sheet.frame for sheet in telling.sheets)
        plain = self._plain = system_with(self._frames, {})
        self._truth = plain.truth
        self._true = frozenset(number for number, one in enumerate(told) if true_part(plain, one) == one)
        self._everybody = observers(plain, rules)
        self._done: set[tuple[tuple[str, ...], frozenset[int]]] = set()
        self.findings: list[Finding] = []

    def protect_from_truth(self) -> None:
        """Withhold until nobody who believes only what is still true can tell a withheld count."""
        self._from_truth(true_part(self._plain, joined(self._told)))

    def protect_from_whole(self) -> None:
        """The same for those who believe vintages as a whole: only the ones of which all is still true."""
        self._from_truth(joined([self._told[number] for number in sorted(self._true)]))

    def _from_truth(self, before: Told) -> None:
        self._withhold(before, None, frozenset(one.names for one in self._everybody))

    def protect(self) -> bool:
        """Withhold until none of those who were not looked at before can tell one; whether there were any.

        Less is shown from then on, so what was found safe stays safe; but more vintages may agree.
        """
        looked = False
        for observers in self._alike():
            names = frozenset(one.names for one in observers)
            for chosen, base in self._agreeing(all_together(observers)):
                fresh = frozenset(name for name in names if (name, chosen) not in self._done)
                self._done |= {(name, chosen) for name in fresh}
                looked |= bool(fresh)
                if fresh and not chosen <= self._true:
                    self._withhold(joined([self._told[number] for number in sorted(chosen)]), base, fresh)
        return looked

    def _alike(self) -> Iterator[tuple[Observer, ...]]:
        """Observers who can believe the same: all of them, unless what some know of their own children forbids it."""
        outsider = [chosen for chosen, _ in self._agreeing(nobody(self._plain))]
        if [chosen for chosen, _ in self._agreeing(all_together(self._everybody))] == outsider:
            yield self._everybody
        else:
            yield from ((observer,) for observer in self._everybody)

    def _agreeing(self, observer: Observer) -> list[tuple[frozenset[int], Ints]]:
        """The largest sets of vintages that agree with what is told now, each with a list of persons."""
        alone = frozenset(n for n in range(len(self._told)) if self._list({n}, observer) is not None)
        whole = self._list(alone, observer) if alone else None
        if whole is not None:
            return [(alone, whole)]
        pairs = {frozenset(pair) for pair in combinations(sorted(alone), 2) if self._list(pair, observer) is not None}
        waiting = sorted(_cliques(alone, pairs), key=lambda one: (-len(one), sorted(one)))
        found: list[tuple[frozenset[int], Ints]] = []
        for tried, chosen in enumerate(waiting):
            if tried == SETS_TRIED:
                raise UndecidedError
            if any(chosen <= larger for larger, _ in found):
                continue
            base = self._list(chosen, observer)
            if base is not None:
                found.append((chosen, base))
            else:
                waiting += [less for one in sorted(chosen) if (less := chosen - {one}) not in waiting]
        return found

    def _list(self, chosen: Collection[int], observer: Observer) -> Ints | None:
        """Persons that agree with some vintages and with what is told now; the true ones where all of it is true."""
        if self._true.issuperset(chosen):
            return self._truth
        told = joined([*(self._told[number] for number in sorted(chosen)), self._telling.in_bands()])
        sheets = self._telling.as_shown()
        if _plainly_contradicted(sheets, told):
            return None
        built = system_with(self._frames, told)
        return agreeing_list(built, seen(sheets, built, told), observer)

    def _withhold(self, before: Told, base: Ints | None, names: frozenset[tuple[str, ...]]) -> None:
        """Audit as some observers see it who take `before` to be true, from the list `base`, and withhold."""
        changed = True
        while changed:
            told = joined([before, self._telling.in_bands()])
            built = system_with(self._frames, told)
            if base is not None:
                near = built.near | (base > 0)
                built = replace(built, truth=base, counts=built.matrix.times(base), near=near)
            sheets = seen(self._telling.as_shown(), built, told)
            watching = tuple(one for one in self._observers(built, self._rules) if one.names in names)
            findings = audit_of(built, sheets, self._rules, watching).protect()
            changed = self._telling.withhold(sheets, {place_of(built, finding.row) for finding in findings})
        self.findings += findings


def withhold_from_believers(
    stands: tuple[Sheet, ...],
    crowds: Sequence[Crowd],
    *,
    rules: Rules,
    vintage: str,
    observers: Observers,
    whole: bool = False,
) -> list[Finding]:
    """Withhold what somebody could tell who joins vintages, of all blocks or of each by itself; gives back what could
    not be mended. With a `vintage`, what is told is provisional. `whole`: of a vintage that holds in part alone, that
    part is believed by nobody."""
    believers: list[Believers] = []
    for number, crowd in enumerate(crowds):
        if not (crowd.told or vintage or number or whole):
            continue
        watching = crowd.among(observers)
        joining = Believers(_telling(stands, rules, vintage), crowd.told, rules=rules, observers=watching)
        if (vintage or number) and not whole:
            joining.protect_from_truth()
        believers.append(joining)
        for place, sheet in enumerate(stands if len(stands) > 1 and crowd.told else ()):
            mine = tuple({(0, at[1]): cells for at, cells in one.items() if at[0] == place} for one in crowd.told)
            telling = _telling((sheet,), rules, vintage)
            believers.append(Believers(telling, tuple(filter(None, mine)), rules=rules, observers=watching))
    for one in believers if whole else ():
        one.protect_from_whole()
    try:
        while sum(one.protect() for one in believers):
            pass
    except UndecidedError:
        withhold_everything(stands)
    return [finding for one in believers for finding in one.findings]


def withhold_everything(stands: tuple[Sheet, ...]) -> None:
    """Tell nothing that was not released before."""
    for sheet in stands:
        for standing in sheet.groups:
            standing.hide("protective")


def _telling(stands: tuple[Sheet, ...], rules: Rules, vintage: str) -> Telling:
    return ProvisionalTelling(stands, rules, vintage) if vintage else FinalTelling(stands, rules)


def _cliques(nodes: frozenset[int], pairs: set[frozenset[int]]) -> Iterator[frozenset[int]]:
    """The largest sets of nodes of which every two are a pair (Bron and Kerbosch 1973, without a pivot)."""
    near = {node: frozenset(other for other in nodes if frozenset((node, other)) in pairs) for node in nodes}

    def grown(clique: frozenset[int], able: frozenset[int], left: frozenset[int]) -> Iterator[frozenset[int]]:
        if clique and not able and not left:
            yield clique
        for node in sorted(able):
            yield from grown(clique | {node}, able & near[node], left & near[node])
            able, left = able - {node}, left | {node}

    yield from grown(frozenset(), nodes, frozenset())


def all_together(observers: tuple[Observer, ...]) -> Observer:
    """Somebody who knows what any of them knows."""
    own = np.max([one.own for one in observers], axis=0)
    return Observer((), own, np.any([one.pinned for one in observers], axis=0))


def seen(sheets: tuple[Sheet, ...], built: System, told: Told) -> tuple[Sheet, ...]:
    """Sheets as if the persons of `built` were the true ones, with the bounds of what was told in round numbers."""
    for number, sheet in enumerate(sheets):
        for group, standing in enumerate(sheet.groups):
            counted = counted_in(built, number, group)
            standing.known, standing.k, standing.n = counted.known, counted.k, counted.n
            standing.earlier = counted_before(told.get((number, group), ()))
    return sheets


def _plainly_contradicted(sheets: tuple[Sheet, ...], told: Told) -> bool:
    """Whether a single count contradicts what was told of it in round numbers."""
    for (number, group), cells in told.items():
        low, high = counted_before(cells) or (0, 0)
        standing = sheets[number].groups[group]
        if low > high or not (standing.hidden or low <= standing.known <= high):
            return True
    return False


def place_of(built: System, row: int) -> tuple[int, int]:
    """The block and group of a row."""
    block = max(number for number, first in enumerate(built.first_row) if first <= row)
    return block, (row - built.first_row[block]) // kinds(built.frames[block])
