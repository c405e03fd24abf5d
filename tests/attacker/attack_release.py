"""An attack on what was released, by somebody who has nothing else. It shares no code with the hub.

    python tests/attacker/attack_release.py cells.csv hierarchies.json [--truth truth.csv] [--summary out.json]
                                            [--insider own.csv [--owns dimension=level ...]]

`cells.csv` holds every cell ever released: indicator, cohort_year, vintage, table, a column for each dimension (a
level, `Total`, or empty when the table has no such dimension), n, known, k, rate, rate_low, rate_high, coverage_low,
coverage_high, status; counts of a vintage that begins with `provisional` are rounded to ten. `hierarchies.json` gives
each dimension's levels with the level above, or `Total`.

For each indicator and cohort year the attacker writes down what the numbers say about the persons behind them: how
many of each kind did, did not, or are not known to have reached the outcome. Tables that hang together like a tree
agree with some list of persons exactly when they agree where they overlap (Vorob'ev 1962); those that turn in a circle
are crossed in full. Then for each number withheld it seeks the least and the greatest value that is possible, by linear
programming, and in whole numbers where that leaves fractions. Found is what can be told exactly, told within less than
three, or told to be none or all of a group. Ends with 1 if anything was found, else 0.

An insider's `own.csv` has indicator, cohort_year, a column for each dimension with the finest level, n, known, k: its
own children, which it recognises wherever they appear. `--owns` names a level where there are no children but its own.
With the truth at hand, what an insider tells of a group that holds its own children alone is not counted.
"""

import argparse
import csv
import json
import math
import random
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import highspy
import numpy as np

WIDTH = 3
MOST = 100_000
FIXED = {
    "indicator", "cohort_year", "vintage", "table", "n", "known", "k", "rate", "rate_low", "rate_high",
    "coverage_low", "coverage_high", "status", "status_reason", "recipient", "recipient_class",
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

    def bound(self, what, low, high):
        self.low[what] = max(self.low.get(what, 0), low)
        self.high[what] = min(self.high.get(what, MOST), high)

    def fixed(self, what):
        return what in self.low and self.low[what] == self.high[what]


class Dimensions:
    """The levels of each dimension, as sets of the finest levels."""

    def __init__(self, hierarchies):
        self.leaves, self.sets = {}, {}
        for name, parents in hierarchies.items():
            above = {parent for parent in parents.values() if parent and parent != "Total"}
            self.leaves[name] = sorted(set(parents) - above)
            sets = defaultdict(set)
            for number, leaf in enumerate(self.leaves[name]):
                level = leaf
                while level and level != "Total":
                    sets[level].add(number)
                    level = parents.get(level)
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


def number(text):
    return None if text in (None, "") else int(float(text))


def read_printed(rows, names, dimensions):
    """Group by group, what the rows print."""
    printed = defaultdict(Printed)
    for row in rows:
        item = printed[dimensions.group(row, names)]
        item.labels.append((row["table"], tuple((n, row[n]) for n in names if row.get(n))))
        counts = {what: number(row.get(what)) for what in ("n", "known", "k")}
        coarse = row.get("vintage", "").startswith("provisional")
        for what, value in counts.items():
            if value is not None:
                item.bound(what, *((max(value - 5, 11), value + 4) if coarse and value else (value, value)))
        limits = [(number(row.get("rate_low")), number(row.get("rate_high")), "k", "known")]
        limits.append((number(row.get("coverage_low")), number(row.get("coverage_high")), "known", "n"))
        rate = number(row.get("rate"))
        if rate is not None:
            limits.append((max(rate - 0.5, 0), min(rate + 0.5, 100), "k", "known"))
        for low, high, part, whole in limits:
            if low is not None or high is not None:
                item.ratios.append((part, whole, low or 0, 100 if high is None else high))
    for item in printed.values():
        tighten(item)
    return dict(printed)


def tighten(item):
    """A printed rate says in whole numbers what the other of two counts may be."""
    for part, whole, low, high in item.ratios:
        if item.fixed(whole):
            of = item.low[whole]
            item.bound(part, math.ceil(low * of / 100 - 1e-9), math.floor(high * of / 100 + 1e-9))
        elif item.fixed(part) and item.low[part]:
            of = item.low[part]
            item.bound(whole, math.ceil(100 * of / high - 1e-9), math.floor(100 * of / low + 1e-9) if low else MOST)
    for part, whole, rest in (("k", "known", "no"), ("known", "n", "unknown")):
        if item.fixed(part) and item.fixed(whole):
            item.bound(rest, item.low[whole] - item.low[part], item.low[whole] - item.low[part])


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
    """Columns: persons of each outcome in each cell of each set; rows: groups, and where sets overlap."""

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
            inside &= np.isin(self.cells[one][:, names.index(name)], sorted(leaves))
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
        for part, whole, low, high in item.ratios:
            if not (item.fixed(whole) or (item.fixed(part) and item.low[part])):
                self._row([(parts[part], 100.0), (parts[whole], -float(low))], 0, math.inf)
                self._row([(parts[part], -100.0), (parts[whole], float(high))], 0, math.inf)

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


class Solver:
    """The linear program of one indicator and cohort year."""

    def __init__(self, unknowns):
        self.u = unknowns
        starts, index, value = [0], [], []
        for row in unknowns.rows:
            index += row.keys()
            value += row.values()
            starts.append(len(index))
        self.matrix = (np.array(starts), np.array(index, dtype=int), np.array(value))
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = unknowns.size, len(unknowns.rows)
        lp.col_cost_ = np.zeros(unknowns.size)
        lp.col_lower_, lp.col_upper_ = unknowns.lower, unknowns.upper
        lp.row_lower_, lp.row_upper_ = np.array(unknowns.low), np.array(unknowns.high)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(value)
        self.h = highspy.Highs()
        for name, setting in (("output_flag", False), ("threads", 1), ("mip_max_nodes", 500)):
            self.h.setOptionValue(name, setting)
        self.h.passModel(lp)
        self.all = np.arange(unknowns.size, dtype=np.int32)
        self.solved = 0

    def sums(self, point):
        starts, index, value = self.matrix
        return np.add.reduceat(np.append(value * point[index], 0.0), starts[:-1]) * (np.diff(starts) > 0)

    def extreme(self, weights):
        """A possible list of persons that makes the weighted rows as large as can be; None if there is none."""
        starts, index, value = self.matrix
        cost = np.bincount(index, weights=value * np.repeat(weights, np.diff(starts)), minlength=self.u.size)
        self.h.changeColsCost(len(self.all), self.all, -cost)
        self.h.run()
        self.solved += 1
        if self.h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self.h.getSolution().col_value)

    def whole_extreme(self, weights):
        """The same in whole numbers: the bound that the search has proved."""
        kinds = highspy.HighsVarType
        self.h.changeColsIntegrality(len(self.all), self.all, np.full(len(self.all), kinds.kInteger))
        self.extreme(weights)
        bound = self.h.getInfo().mip_dual_bound
        self.h.changeColsIntegrality(len(self.all), self.all, np.full(len(self.all), kinds.kContinuous))
        return -bound


class Attack:
    """Bounds for every withheld number of one indicator and cohort year."""

    def __init__(self, unknowns, targets):
        self.solver, self.targets = Solver(unknowns), targets
        self.count = len(unknowns.rows)
        self.low, self.high = np.full(self.count, np.inf), np.full(self.count, -np.inf)
        self.whole_low, self.whole_high = self.low.copy(), self.high.copy()

    def run(self):
        """False when the numbers contradict each other."""
        chance = random.Random(20261122)
        if not self._try(np.zeros(self.count)):
            return False
        for _ in range(6):
            open_rows = [row for row in self.targets.values() if self._width(row) < WIDTH]
            if len(open_rows) < 8:
                break
            weights = np.zeros(self.count)
            for row in open_rows:
                weights[row] = chance.choice((-1.0, 1.0)) * chance.uniform(0.5, 1.5)
            self._try(weights)
            self._try(-weights)
        for row in self.targets.values():
            for sign in (1.0, -1.0):
                if self._width(row) < WIDTH:
                    weights = np.zeros(self.count)
                    weights[row] = sign
                    self._try(weights)
            if self._width(row) >= WIDTH > self._width(row, whole=True):
                self._in_whole_numbers(row)
        return True

    def _try(self, weights):
        point = self.solver.extreme(weights)
        if point is None:
            return False
        sums = self.solver.sums(point)
        self.low, self.high = np.minimum(self.low, sums), np.maximum(self.high, sums)
        if np.abs(point - point.round()).max(initial=0) < 1e-6:
            self.whole_low = np.minimum(self.whole_low, sums.round())
            self.whole_high = np.maximum(self.whole_high, sums.round())
        return True

    def _width(self, row, *, whole=False):
        if whole:
            return self.whole_high[row] - self.whole_low[row]
        return math.floor(self.high[row] + 1e-6) - math.ceil(self.low[row] - 1e-6)

    def _in_whole_numbers(self, row):
        weights = np.zeros(self.count)
        weights[row] = 1.0
        self.high[row] = min(self.high[row], self.solver.whole_extreme(weights))
        self.low[row] = max(self.low[row], -self.solver.whole_extreme(-weights))

    def most(self, group):
        """The greatest number of persons that the group can have."""
        row = self.solver.u.targets[group, "n"]
        weights = np.zeros(self.count)
        weights[row] = 1.0
        self._try(weights)
        return math.floor(self.high[row] + 1e-6)

    def interval(self, row):
        return math.ceil(self.low[row] - 1e-6), math.floor(self.high[row] + 1e-6)


def secrets(printed, unknowns):
    """The numbers that are not printed: what the attack is on."""
    return {(group, what): row for (group, what), row in unknowns.targets.items() if not printed[group].fixed(what)}


def findings(printed, attack, mine, alone):
    """What the attack found, but what an insider knows of its own children alone.

    `alone` are groups that hold nobody else in truth: that they are empty of others is told of no child.
    """
    for (group, what), row in attack.targets.items():
        low, high = attack.interval(row)
        if high - low >= WIDTH:
            continue
        if mine is not None and (group in alone or attack.most(group) == mine[group]):
            continue
        kind = "exact" if high == low else "narrow"
        none = what in ("k", "no") and high == 0 and attack.low[attack.targets.get((group, "known"), row)] > 0
        table, levels = printed[group].labels[0]
        yield {
            "kind": kind, "attribute": bool(none and kind == "exact"), "table": table, "levels": dict(levels),
            "count": what, "low": low, "high": high,
        }  # fmt: skip


def attack_block(rows, names, dimensions, *, insider=None, owned=(), truth=()):
    """Findings for one indicator and cohort year; vintages that contradict each other are attacked one by one."""
    printed = read_printed(rows, names, dimensions)
    shown = [item for item in printed.values() if item.fixed("known") and item.low["known"]]
    whole = bool(shown) and all(item.fixed("n") and item.low["n"] == item.low["known"] for item in shown)
    unknowns = Unknowns(printed, dimensions, whole=whole)
    mine = None if insider is None else unknowns.know(insider, owned)
    attack = Attack(unknowns, secrets(printed, unknowns))
    if not attack.run():
        vintages = sorted({row.get("vintage", "") for row in rows})
        if len(vintages) < 2:
            return [
                {
                    "kind": "contradiction",
                    "attribute": False,
                    "table": "",
                    "levels": {},
                    "count": "",
                    "low": 0,
                    "high": 0,
                }
            ], 0
        parts = [
            attack_block(
                [r for r in rows if r.get("vintage", "") == v], names, dimensions, insider=insider, owned=owned
            )
            for v in vintages
        ]
        return [found for part, _ in parts for found in part], sum(count for _, count in parts)
    true = {dimensions.group(row, names): int(row["n"]) for row in truth} if mine else {}
    alone = {group for group, n in true.items() if mine.get(group) == n}
    return list(findings(printed, attack, mine, alone)), len(attack.targets)


def attack_release(cells, hierarchies, *, insider=(), owned=(), truth=()):
    """Everything found in a release, with a summary of counts."""
    start = time.perf_counter()
    dimensions = Dimensions(hierarchies)
    blocks = defaultdict(list)
    for row in cells:
        blocks[row["indicator"], row["cohort_year"]].append(row)
    own = defaultdict(list)
    for row in insider:
        own[row["indicator"], row["cohort_year"]].append(row)
    found, attacked = [], 0
    for block, rows in sorted(blocks.items()):
        names = [name for name in rows[0] if name not in FIXED and any(row.get(name) for row in rows)]
        part, count = attack_block(
            rows, names, dimensions,
            insider=own.get(block) if insider else None, owned=owned,
            truth=[row for row in truth if (row["indicator"], row["cohort_year"]) == block],
        )  # fmt: skip
        attacked += count
        found += [{"indicator": block[0], "cohort_year": block[1], **item} for item in part]
    exact = [item for item in found if item["kind"] == "exact"]
    summary = {
        "blocks": len(blocks),
        "cells": len(cells),
        "withheld_numbers": attacked,
        "exact": len(exact),
        "narrow": sum(item["kind"] == "narrow" for item in found),
        "attribute": sum(item["attribute"] for item in found),
        "contradictions": sum(item["kind"] == "contradiction" for item in found),
        "seconds": round(time.perf_counter() - start, 2),
    }
    summary["recovered"] = summary["exact"] + summary["narrow"] + summary["contradictions"]
    if truth:
        summary["true"] = sum(is_true(item, truth) for item in exact)
    return found, summary


def is_true(item, truth):
    """Whether an exact finding is what the truth says."""
    for row in truth:
        same = (row["indicator"], row["cohort_year"], row["table"]) == (
            item["indicator"], item["cohort_year"], item["table"],
        )  # fmt: skip
        if same and all(row.get(name) == level for name, level in item["levels"].items()):
            n, known, k = (int(row[what]) for what in ("n", "known", "k"))
            return {"n": n, "known": known, "k": k, "no": known - k, "unknown": n - known}[item["count"]] == item["low"]
    return False


def read_csv(path):
    if path is None:
        return []
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Attack a release with nothing but what was released.")
    parser.add_argument("cells")
    parser.add_argument("hierarchies")
    parser.add_argument("--truth")
    parser.add_argument("--summary")
    parser.add_argument("--insider", help="CSV of the insider's own children")
    parser.add_argument("--owns", action="append", default=[], metavar="DIMENSION=LEVEL")
    options = parser.parse_args(arguments)
    hierarchies = json.loads(Path(options.hierarchies).read_text(encoding="utf-8"))
    owned = [tuple(pair.split("=", 1)) for pair in options.owns]
    found, summary = attack_release(
        read_csv(options.cells),
        hierarchies,
        insider=read_csv(options.insider),
        owned=owned,
        truth=read_csv(options.truth),
    )
    for item in found[:20]:
        print("recovered:", json.dumps(item))
    print(json.dumps(summary))
    if options.summary:
        Path(options.summary).write_text(json.dumps({**summary, "found": found}, indent=1), encoding="utf-8")
    return 1 if summary["recovered"] else 0


if __name__ == "__main__":
    sys.exit(main())
