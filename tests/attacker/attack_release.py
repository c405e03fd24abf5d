"""An attack on what was released, by somebody who has nothing else. It shares no code with the hub.

    python tests/attacker/attack_release.py cells.csv hierarchies.json [--links links.json] [--truth truth.csv]
                                            [--summary out.json] [--insider own.csv [--owns dimension=level ...]]

`cells.csv` holds every cell ever released: indicator, cohort_year, vintage, table, a column for each dimension (a
level, or `Total`), n, k, rate, rate_low, rate_high, status, persons, coverage_low, coverage_high, where n is the
denominator and persons counts unknown outcomes too (or n and known for the two, where there is no column persons);
counts of a vintage that begins with `provisional` are rounded to ten. `hierarchies.json` gives each dimension's levels
with the level above, or `Total`, or a list where hierarchies cross. `links.json` says which blocks of one year count
the same persons (`population`), whose numerator another is about (`part_of`), and which years a block adds up
(`years`): they are attacked together.

For each indicator and cohort year the attacker writes down what the numbers say about the persons behind them: how
many of each kind did, did not, or are not known to have reached the outcome. Tables that hang together like a tree
agree with some list of persons exactly when they agree where they overlap (Vorob'ev 1962); those that turn in a circle
are crossed in full. Then for each number withheld it seeks the least and the greatest value that is possible, by linear
programming, and in whole numbers where that leaves fractions. Found is what can be told exactly, told within less than
three, or told to be none or all of a group. Ends with 1 if anything was found, else 0.

An insider's `own.csv` has indicator, cohort_year, a column for each dimension with the finest level, n, known, k: its
own children, which it recognises wherever they appear; with a column vintage, rows of a vintage are its children as
they were then, and rows without one those it has now. `--owns` names a level where there are no children but its own.
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
from itertools import combinations
from pathlib import Path

import highspy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.attacker.exchanges import Exchanges
from tests.attacker.release_equations import FIXED, PARTS, WIDTH, Dimensions, Joined, Unknowns, read_printed

STARTS = 3
LARGE = 3_000
"""Unknowns from which on lists of persons are looked for before bounds: a program takes a second there."""


class Solver:
    """The linear program of one system."""

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
        """The same in whole numbers: the bound that the search has proved, and the list if it was found."""
        kinds = highspy.HighsVarType
        self.h.changeColsIntegrality(len(self.all), self.all, np.full(len(self.all), kinds.kInteger))
        point = self.extreme(weights)
        bound = self.h.getInfo().mip_dual_bound
        self.h.changeColsIntegrality(len(self.all), self.all, np.full(len(self.all), kinds.kContinuous))
        return -bound, point


class Attack:
    """Bounds for every withheld number of one system."""

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
        if self.solver.u.size > LARGE:
            self.exchange()
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

    def exchange(self):
        """Looks for lists of persons near one in whole numbers, each for all numbers at once."""
        _, start = self.solver.whole_extreme(np.zeros(self.count))
        for seed in range(STARTS):
            if start is None or not self._keep(start.round()):
                return
            start = self._from(Exchanges(self.solver.u, start.round(), seed=seed))

    def _from(self, exchanges):
        """From one list, for every number that is open; the last list found, to go on from."""
        last = None
        for row in self.targets.values():
            for sign in (1, -1):
                for change in range(WIDTH, 0, -1):
                    found = exchanges.move(row, sign * change) if self._width(row, whole=True) < WIDTH else None
                    if self._keep(found):
                        last = found
                        break
        return last

    def _try(self, weights):
        return self._keep(self.solver.extreme(weights))

    def _keep(self, point):
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
        (most, largest), (least, smallest) = self.solver.whole_extreme(weights), self.solver.whole_extreme(-weights)
        self._keep(largest)
        self._keep(smallest)
        self.high[row] = min(self.high[row], most)
        self.low[row] = max(self.low[row], -least)

    def most(self, part, group):
        """The greatest number of persons that the group can have."""
        row = self.solver.u.targets[part, group, "n"]
        weights = np.zeros(self.count)
        weights[row] = 1.0
        self._try(weights)
        return math.floor(self.high[row] + 1e-6)

    def interval(self, row):
        return math.ceil(self.low[row] - 1e-6), math.floor(self.high[row] + 1e-6)


def secrets(printed, unknowns):
    """The numbers that are not printed: what the attack is on."""
    return {(group, what): row for (group, what), row in unknowns.targets.items() if what not in printed[group].told}


def findings(number_of, printed, attack, *, insider, alone):
    """What the attack found of one part, but what an insider knows of its own children alone.

    `alone` are groups that hold nobody else in truth: that they are empty of others is told of no child.
    """
    for (part, group, what), row in attack.targets.items():
        low, high = attack.interval(row)
        if part != number_of or high - low >= WIDTH:
            continue
        if insider and (group in alone or attack.most(part, group) == attack.solver.u.mine(part, group)):
            continue
        kind = "exact" if high == low else "narrow"
        none = what in ("k", "no") and high == 0 and attack.low[attack.targets.get((part, group, "known"), row)] > 0
        table, levels = printed[group].labels[0]
        yield {
            "kind": kind, "attribute": bool(none and kind == "exact"), "table": table, "levels": dict(levels),
            "count": what, "low": low, "high": high,
        }  # fmt: skip


def attack_together(blocks, dimensions, *, links=(), insider=None, owned=(), truth=None):
    """Findings for indicators and cohort years that count the same persons, by name; and how many were attacked.

    Numbers that contradict each other are attacked apart: first the blocks, then the vintages of one.
    """
    names = sorted(blocks)
    own = insider or {}
    printed = [
        read_printed(blocks[name], dimension_names(blocks[name]), dimensions, own.get(name, ())) for name in names
    ]
    parts = [Unknowns(one, dimensions, whole=is_whole(one)) for one in printed]
    for name, part in zip(names, parts, strict=True):
        if name in own:
            part.know([row for row in own[name] if not row.get("vintage")], owned)
    found_links = [[(names.index(n), outcomes, sign) for n, outcomes, sign in link] for link in links]
    joined = Joined(parts, found_links)
    secret = [secrets(one, part) for one, part in zip(printed, parts, strict=True)]
    wanted = {place: row for place, row in joined.targets.items() if place[1:] in secret[place[0]]}
    attack = Attack(joined, wanted)
    if not attack.run():
        return attack_apart(blocks, dimensions, insider=insider, owned=owned, truth=truth)
    result = {}
    for number_of, name in enumerate(names):
        alone, known = set(), name in (insider or {})
        for row in (truth or {}).get(name, []) if known else []:
            group = dimensions.group(row, dimension_names(blocks[name]))
            if (number_of, group, "n") in joined.targets and joined.mine(number_of, group) == int(row["n"]):
                alone.add(group)
        result[name] = list(findings(number_of, printed[number_of], attack, insider=known, alone=alone))
    return result, len(attack.targets)


def attack_apart(blocks, dimensions, **options):
    """The same for each block by itself, and for each vintage of a block; one that contradicts itself is a finding."""
    if len(blocks) > 1:
        parts = [attack_together({name: rows}, dimensions, **options) for name, rows in sorted(blocks.items())]
        return {name: found for part, _ in parts for name, found in part.items()}, sum(count for _, count in parts)
    [(name, rows)] = blocks.items()
    vintages = sorted({row.get("vintage", "") for row in rows})
    if len(vintages) < 2:
        nothing = {"kind": "contradiction", "attribute": False, "table": "", "levels": {}, "count": "", "low": 0}
        return {name: [{**nothing, "high": 0}]}, 0
    parts = [
        attack_together({name: [row for row in rows if row.get("vintage", "") == vintage]}, dimensions, **options)
        for vintage in vintages
    ]
    return {name: [item for part, _ in parts for item in part[name]]}, sum(count for _, count in parts)


def dimension_names(rows):
    return [name for name in rows[0] if name not in FIXED and any(row.get(name) for row in rows)]


def is_whole(printed):
    """Whether nobody's outcome is unknown, as far as is printed."""
    shown = [item for item in printed.values() if item.fixed("known") and item.low["known"]]
    return bool(shown) and all(item.fixed("n") and item.low["n"] == item.low["known"] for item in shown)


def link_terms(links, blocks):
    """What the definitions say of blocks: the same persons, one's numerator is the other's cohort, years added up."""
    of = {(link["indicator"], str(link["cohort_year"])): link for link in links}
    known = {name: of[name] for name in sorted(blocks) if name in of}
    everybody, reached = PARTS["n"], PARTS["k"]
    for (a, one), (b, other) in combinations(known.items(), 2):
        if a[1] == b[1] and one.get("population") and one["population"] == other.get("population"):
            yield [(a, everybody, 1), (b, everybody, -1)]
    for a, one in known.items():
        upper = (one.get("part_of"), a[1])
        if upper in blocks:
            yield [(a, everybody, 1), (upper, reached, -1)]
        years = [(a[0], str(year)) for year in one.get("years", ())]
        if years and all(year in blocks for year in years):
            for outcome in everybody:
                yield [(a, (outcome,), 1), *((year, (outcome,), -1) for year in years)]


def joined_blocks(blocks, links):
    """Blocks that links hang together, with their links."""
    root = {name: name for name in blocks}
    terms = list(link_terms(links, blocks))
    for link in terms:
        first = root[link[0][0]]
        for name, _, _ in link[1:]:
            old = root[name]
            root = {one: first if at == old else at for one, at in root.items()}
    for top in sorted(set(root.values())):
        names = {name for name in blocks if root[name] == top}
        yield {name: blocks[name] for name in names}, [link for link in terms if link[0][0] in names]


def attack_release(cells, hierarchies, *, insider=(), owned=(), truth=(), links=()):
    """Everything found in a release, with a summary of counts."""
    start = time.perf_counter()
    dimensions = Dimensions(hierarchies)
    blocks, own, true = by_block(cells), by_block(insider) if insider else None, by_block(truth)
    found, attacked = [], 0
    for together, terms in joined_blocks(blocks, links):
        parts, count = attack_together(together, dimensions, links=terms, insider=own, owned=owned, truth=true)
        attacked += count
        for block, items in sorted(parts.items()):
            found += [{"indicator": block[0], "cohort_year": block[1], **item} for item in items]
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


def by_block(rows):
    blocks = defaultdict(list)
    for row in rows:
        blocks[row["indicator"], row["cohort_year"]].append(row)
    return blocks


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
    parser.add_argument("--links", help="JSON: which indicators count the same persons")
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
        links=json.loads(Path(options.links).read_text(encoding="utf-8")) if options.links else (),
    )
    for item in found[:20]:
        print("recovered:", json.dumps(item))
    print(json.dumps(summary))
    if options.summary:
        Path(options.summary).write_text(json.dumps({**summary, "found": found}, indent=1), encoding="utf-8")
    return 1 if summary["recovered"] else 0


if __name__ == "__main__":
    sys.exit(main())
