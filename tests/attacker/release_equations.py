"""The equations behind a release, as somebody writes them down who has nothing but what was released.

Used by `attack_release.py`. It shares no code with the hub.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product

import numpy as np

WIDTH = 3
MOST = 100_000
FIXED = {
    "indicator", "cohort_year", "vintage", "table", "n", "known", "k", "rate", "rate_low", "rate_high",
    "coverage_low", "coverage_high", "status", "status_reason", "recipient_class", "persons",
}  # fmt: skip
NO, YES, UNKNOWN = 0, 1, 2
PARTS = {"known": (NO, YES), "k": (YES,), "no": (NO,), "n": (NO, YES, UNKNOWN), "unknown": (UNKNOWN,)}


@dataclass
class Printed:
    """All that was ever printed about one set of persons."""

    low: dict = field(default_factory=dict)
    high: dict = field(default_factory=dict)
    ratios: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    told: set = field(default_factory=set)

    def bound(self, what, low, high):
        self.low[what] = max(self.low.get(what, 0), low)
        self.high[what] = min(self.high.get(what, MOST), high)

    def fixed(self, what):
        return what in self.low and self.low[what] == self.high[what]


class Dimensions:
    """The levels of each dimension, as sets of the finest levels; a level may stand under several others."""

    def __init__(self, hierarchies):
        self.leaves, self.sets = {}, {}
        for name, parents in hierarchies.items():
            over = {level: [above] if isinstance(above, str) else above or [] for level, above in parents.items()}
            self.leaves[name] = sorted(set(over) - {parent for above in over.values() for parent in above})
            sets = defaultdict(set)
            for number, leaf in enumerate(self.leaves[name]):
                waiting = [leaf]
                while waiting:
                    level = waiting.pop()
                    if level and level != "Total":
                        sets[level].add(number)
                        waiting += over.get(level, [])
            self.sets[name] = {level: frozenset(numbers) for level, numbers in sets.items()}

    def group(self, row, names):
        """The persons a row speaks of: dimension -> the finest levels allowed, where not all are."""
        found = []
        for name in names:
            level = row.get(name) or "Total"
            if level != "Total":
                allowed = self.sets[name][level]
                if len(allowed) < len(self.leaves[name]):
                    found.append((name, allowed))
        return tuple(sorted(found, key=lambda pair: pair[0]))


class Shifts:
    """How many more of an insider's own children there were in a group at an earlier vintage than there are now."""

    def __init__(self, own, dimensions):
        self.dimensions, self.own = dimensions, defaultdict(list)
        for row in own:
            self.own[row.get("vintage", "")].append(row)

    def of(self, group, vintage):
        if not vintage or vintage not in self.own:
            return dict.fromkeys(("n", "known", "k"), 0)
        then, now = self._sum(group, vintage), self._sum(group, "")
        return {what: then[what] - now[what] for what in then}

    def _sum(self, group, vintage):
        total = dict.fromkeys(("n", "known", "k"), 0)
        for row in self.own[vintage]:
            if all(self.dimensions.leaves[name].index(row[name]) in allowed for name, allowed in group):
                for what in total:
                    total[what] += int(row[what])
        return total


def number(text):
    return None if text in (None, "") else int(float(text))


def read_printed(rows, names, dimensions, own=()):
    """Group by group, what the rows print. Of an insider's own children, rows of an earlier vintage say how many there
    were then; what was printed then is brought to the children it has now, all others being thought the same."""
    printed, shifts = defaultdict(Printed), Shifts(own, dimensions)
    for row in rows:
        group = dimensions.group(row, names)
        item, more = printed[group], shifts.of(group, row.get("vintage", ""))
        item.labels.append((row["table"], tuple((n, row[n]) for n in names if row.get(n))))
        columns = ("persons", "n", "k") if "persons" in row else ("n", "known", "k")
        counts = {what: number(row.get(column)) for what, column in zip(("n", "known", "k"), columns, strict=True)}
        coarse = row.get("vintage", "").startswith("provisional")
        for what, value in counts.items():
            if value is not None:
                item.told |= set() if coarse else {what}
                low, high = (max(value - 5, 11), value + 4) if coarse and value else (value, value)
                item.bound(what, low - more[what], high - more[what])
        limits = [(number(row.get("rate_low")), number(row.get("rate_high")), "k", "known")]
        limits.append((number(row.get("coverage_low")), number(row.get("coverage_high")), "known", "n"))
        rate = number(row.get("rate"))
        if rate is not None:
            limits.append((max(rate - 0.5, 0), min(rate + 0.5, 100), "k", "known"))
        for low, high, part, whole in limits:
            if low is not None or high is not None:
                item.ratios.append((part, whole, low or 0, 100 if high is None else high, more[part], more[whole]))
    for item in printed.values():
        tighten(item)
    return dict(printed)


def tighten(item):
    """A printed rate says in whole numbers what the other of two counts may be."""
    for part, whole, low, high, more, others in item.ratios:
        if item.fixed(whole):
            of = item.low[whole] + others
            item.bound(part, math.ceil(low * of / 100 - 1e-9) - more, math.floor(high * of / 100 + 1e-9) - more)
        elif item.fixed(part) and item.low[part] + more > 0:
            of = item.low[part] + more
            most = math.floor(100 * of / low + 1e-9) - others if low else MOST
            item.bound(whole, math.ceil(100 * of / high - 1e-9) - others, most)
    for part, whole, rest in (("k", "known", "no"), ("known", "n", "unknown")):
        if item.fixed(part) and item.fixed(whole):
            item.bound(rest, item.low[whole] - item.low[part], item.low[whole] - item.low[part])
        if {part, whole} <= item.told or (whole in item.told and not item.low[whole]):
            item.told |= {part, rest}


def trees(tables):
    """Sets of dimensions to hold together, and what neighbours share; a circle of tables becomes one set."""
    sets = {frozenset(table) for table in tables}
    sets = [s for s in sorted(sets, key=sorted) if not any(s < other for other in sets)] or [frozenset()]
    left, joints = list(sets), []
    while len(left) > 1:
        for one in left:
            rest = [other for other in left if other is not one]
            shared = one & frozenset().union(*rest)
            host = next((other for other in rest if shared <= other), None)
            if host is not None:
                joints.append((one, host, shared))
                left = rest
                break
        else:
            core = frozenset().union(*left)
            return trees([core, *(s for s in sets if s not in left)])
    return sets, joints


class Unknowns:
    """One indicator and cohort year.

    Columns: persons of each outcome in each cell of each set; rows: groups, and where sets overlap.
    """

    def __init__(self, printed, dimensions, *, whole):
        self.printed, self.dimensions = printed, dimensions
        self.outcomes = 2 if whole else 3
        self.sets, joints = trees([[name for name, _ in group] for group in printed])
        self.cells, self.start = {}, {}
        size = 0
        for one in self.sets:
            names = sorted(one)
            cells = list(product(*(range(len(dimensions.leaves[n])) for n in names)))
            self.cells[one] = np.array(cells, dtype=int).reshape(len(cells), len(names))
            self.start[one] = size
            size += len(self.cells[one]) * self.outcomes
        self.size = size
        self.rows, self.low, self.high, self.targets = [], [], [], {}
        self.lower, self.upper = np.zeros(size), np.full(size, float(MOST))
        for group, item in printed.items():
            self._group(group, item)
        for joint in joints:
            self._overlap(*joint)

    def columns(self, one, allowed, outcome):
        names = sorted(one)
        inside = np.ones(len(self.cells[one]), dtype=bool)
        for name, leaves in allowed:
            of_them = np.zeros(len(self.dimensions.leaves[name]), dtype=bool)
            of_them[sorted(leaves)] = True
            inside &= of_them[self.cells[one][:, names.index(name)]]
        return self.start[one] + np.flatnonzero(inside) * self.outcomes + outcome

    def _group(self, group, item):
        one = min((s for s in self.sets if {n for n, _ in group} <= s), key=lambda s: (len(self.cells[s]), sorted(s)))
        parts = {}
        for what, outcomes in PARTS.items():
            used = [outcome for outcome in outcomes if outcome < self.outcomes]
            parts[what] = np.concatenate([self.columns(one, group, o) for o in used]) if used else np.array([], int)
            if what in item.low or not (what == "unknown" and self.outcomes == 2):
                self.targets[group, what] = len(self.rows)
                self._row([(parts[what], 1.0)], item.low.get(what, 0), item.high.get(what, math.inf))
        for part, whole, low, high, more, others in item.ratios:
            if not (item.fixed(whole) or (item.fixed(part) and item.low[part] + more > 0)):
                self._row([(parts[part], 100.0), (parts[whole], -float(low))], low * others - 100 * more, math.inf)
                self._row([(parts[part], -100.0), (parts[whole], float(high))], 100 * more - high * others, math.inf)

    def _overlap(self, one, host, shared):
        for levels in product(*(range(len(self.dimensions.leaves[n])) for n in sorted(shared))):
            allowed = [(n, {level}) for n, level in zip(sorted(shared), levels, strict=True)]
            for outcome in range(self.outcomes):
                pair = [(self.columns(one, allowed, outcome), 1.0), (self.columns(host, allowed, outcome), -1.0)]
                self._row(pair, 0, 0)

    def _row(self, terms, low, high):
        values = defaultdict(float)
        for columns, value in terms:
            for column in columns.tolist():
                values[column] += value
        self.rows.append(values)
        self.low.append(float(low))
        self.high.append(float(high))

    def know(self, rows, owned):
        """An insider's own children: at least they are there, and in `owned` levels nobody else is."""
        mine = np.zeros(self.size)
        shut = np.zeros(self.size, dtype=bool)
        for one in self.sets:
            names = sorted(one)
            place = {tuple(cell): i for i, cell in enumerate(self.cells[one].tolist())}
            for row in rows:
                cell = tuple(self.dimensions.leaves[n].index(row[n]) for n in names)
                n, known, k = (int(row[what]) for what in ("n", "known", "k"))
                at = self.start[one] + place[cell] * self.outcomes
                mine[at : at + self.outcomes] += [known - k, k, n - known][: self.outcomes]
            for name, level in owned:
                if name in one:
                    for outcome in range(self.outcomes):
                        shut[self.columns(one, [(name, self.dimensions.sets[name][level])], outcome)] = True
        self.lower = mine
        self.upper[shut] = mine[shut]
        return {
            group: sum(mine[c] for c in self.rows[row]) for (group, what), row in self.targets.items() if what == "n"
        }


class Joined:
    """Several indicators and cohort years that count the same persons, as one system.

    A link says that terms cancel, in every cell that tables of all of them tell: (part, outcomes, sign) each.
    """

    def __init__(self, parts, links=()):
        self.parts = parts
        self.size, self.rows, self.low, self.high, self.targets = 0, [], [], [], {}
        self.begin = []
        for number_of, part in enumerate(parts):
            self.begin.append(self.size)
            for (group, what), row in part.targets.items():
                self.targets[number_of, group, what] = len(self.rows) + row
            self.rows += [{column + self.size: value for column, value in row.items()} for row in part.rows]
            self.low += part.low
            self.high += part.high
            self.size += part.size
        self.lower = np.concatenate([part.lower for part in parts])
        self.upper = np.concatenate([part.upper for part in parts])
        for link in links:
            self._link(link)

    def _link(self, terms):
        for shared in self._shared([part for part, _, _ in terms]):
            names = sorted(shared)
            leaves = self.parts[0].dimensions.leaves
            for levels in product(*(range(len(leaves[n])) for n in names)):
                allowed = [(n, {level}) for n, level in zip(names, levels, strict=True)]
                values = defaultdict(float)
                for number_of, outcomes, sign in terms:
                    part = self.parts[number_of]
                    host = min((s for s in part.sets if shared <= s), key=lambda s: (len(part.cells[s]), sorted(s)))
                    for outcome in outcomes:
                        if outcome < part.outcomes:
                            for column in part.columns(host, allowed, outcome).tolist():
                                values[self.begin[number_of] + column] += sign
                self.rows.append(values)
                self.low.append(0.0)
                self.high.append(0.0)

    def _shared(self, numbers):
        """The largest sets of dimensions that every one of these parts holds together."""
        found = {frozenset.intersection(*sets) for sets in product(*(self.parts[n].sets for n in numbers))}
        return [one for one in sorted(found, key=sorted) if not any(one < other for other in found)]

    def mine(self, number_of, group):
        """How many children of a group an insider owns."""
        return sum(self.lower[column] for column in self.rows[self.targets[number_of, group, "n"]])
