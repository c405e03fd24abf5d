"""The equations behind a report of counts: unknown numbers of persons, and what each line says of their sums.

Columns count persons of one outcome in one cell of a set of dimensions. Tables that hang together like a tree agree
with some list of persons exactly when they agree where they overlap (Vorob'ev 1962), so only tables that turn in a
circle are crossed in full.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import inf, prod
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from hub.errors import Conflict
from hub.release.reports.reading import NOT_LISTED, Level, Line, Range, Sheet

COLUMNS_MAX = 400_000
"""More unknown numbers than this are not solved in a reasonable time."""

PERSONS_MAX = 1_000_000.0
"""No cell holds more persons than this; so nothing is without an end."""

NODES_MAX = 500
"""How far a search in whole numbers goes; what it has proved until then counts."""

NO, YES = 0, 1
COUNT, NUMERATOR, REST = "n", "k", "n - k"
OUTCOMES: Mapping[str, tuple[int, ...]] = {COUNT: (NO, YES), NUMERATOR: (YES,), REST: (NO,)}

Group = tuple[Level, ...]
Set = frozenset[str]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """A dimension: its leaves, and for each level the leaves under it."""

    leaves: tuple[str, ...]
    under: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Row:
    """Columns with their factors, the bounds of their sum, and the lines of the file that say so."""

    columns: Ints
    values: NDArray[np.float64]
    low: float
    high: float
    lines: tuple[int, ...]


@dataclass
class Equations:
    """All rows of a sheet; `sums` leads from a group and a kind of count to its row."""

    axes: Mapping[str, Axis]
    sets: tuple[Set, ...]
    cells: Mapping[Set, Ints]
    starts: Mapping[Set, int]
    outcomes: int
    size: int
    rows: list[Row] = field(default_factory=list)
    sums: dict[tuple[Group, str], int] = field(default_factory=dict)


def equations(sheet: Sheet) -> Equations:
    """What a sheet says of the persons behind it; raises Conflict when it is too large to be solved."""
    axes = {name: _axis(name, parents, sheet) for name, parents in sorted(sheet.parents.items())}
    sets, joints = join_tree([{name for name, _ in line.group} for line in sheet.lines])
    outcomes = 2 if any(line.numerator is not None for line in sheet.lines) else 1
    size, starts, cells = 0, {}, {}
    for one in sets:
        names = sorted(one)
        if size + prod(len(axes[name].leaves) for name in names) * outcomes > COLUMNS_MAX:
            raise Conflict(
                "The tables turn in a circle over too many groups to be solved together.",
                code="report-too-large",
                next_step="Check fewer dimensions at once: --ignore COLUMN.",
            )
        crossed = list(product(*(range(len(axes[name].leaves)) for name in names)))
        cells[one] = np.array(crossed, dtype=np.int64).reshape(len(crossed), len(names))
        starts[one] = size
        size += len(crossed) * outcomes
    built = Equations(axes, sets, cells, starts, outcomes, size)
    for group, lines in _by_group(sheet.lines).items():
        _say(built, group, lines)
    for one, host, shared in joints:
        built.rows += _agree(built, one, host=host, shared=shared)
    return built


def join_tree(tables: Iterable[Iterable[str]]) -> tuple[tuple[Set, ...], tuple[tuple[Set, Set, Set], ...]]:
    """Sets of dimensions to hold together, and which of them meet in which; a circle becomes one set."""
    every = {frozenset(table) for table in tables}
    sets = [one for one in sorted(every, key=sorted) if not any(one < other for other in every)] or [frozenset()]
    left, joints = list(sets), []
    while len(left) > 1:
        ear = _ear(left)
        if ear is None:
            circle: Set = frozenset().union(*left)
            return join_tree([circle, *(one for one in sets if one not in left)])
        joints.append(ear)
        left.remove(ear[0])
    return tuple(sets), tuple(joints)


def _ear(sets: Sequence[Set]) -> tuple[Set, Set, Set] | None:
    """A set whose part in the others lies in one of them (Graham 1979)."""
    for one in sets:
        rest = [other for other in sets if other is not one]
        shared = one & frozenset().union(*rest)
        host = next((other for other in rest if shared <= other), None)
        if host is not None:
            return one, host, shared
    return None


def columns_of(built: Equations, one: Set, allowed: Iterable[Level], *, outcome: int) -> Ints:
    """The columns of a set that lie under all these levels."""
    names = sorted(one)
    inside = np.ones(len(built.cells[one]), dtype=bool)
    for name, level in allowed:
        inside &= np.isin(built.cells[one][:, names.index(name)], built.axes[name].under[level])
    return built.starts[one] + np.flatnonzero(inside) * built.outcomes + outcome


def _axis(name: str, parents: Mapping[str, tuple[str, ...]], sheet: Sheet) -> Axis:
    above = {parent for levels in parents.values() for parent in levels}
    leaves = [level for level in parents if level not in above]
    if _leaves_some_out(name, leaves, sheet):
        leaves.append(NOT_LISTED)
    under: dict[str, list[int]] = {}
    for number, leaf in enumerate(leaves):
        for level in _reached(leaf, parents):
            under.setdefault(level, []).append(number)
    return Axis(tuple(leaves), {level: tuple(numbers) for level, numbers in under.items()})


def _reached(leaf: str, parents: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """A level and every level above it, in each hierarchy, but for the total."""
    waiting, seen = [leaf], {leaf}
    for level in waiting:
        yield level
        further = [parent for parent in parents.get(level, ()) if parent not in seen]
        waiting += further
        seen |= set(further)


def _leaves_some_out(name: str, leaves: Sequence[str], sheet: Sheet) -> bool:
    """Whether a line that is told in full adds up to less than its total: then somebody is in no listed level."""
    counts = {line.group: line.count[0] for line in sheet.lines if not line.hidden}
    for group, total in counts.items():
        if all(dimension != name for dimension, _ in group):
            children = [counts.get(tuple(sorted((*group, (name, leaf))))) for leaf in leaves]
            known = [child for child in children if child is not None]
            if len(known) == len(children) and sum(known) < total:
                return True
    return False


def _by_group(lines: Sequence[Line]) -> dict[Group, list[Line]]:
    found: dict[Group, list[Line]] = {}
    for line in lines:
        found.setdefault(line.group, []).append(line)
    return found


def _say(built: Equations, group: Group, lines: Sequence[Line]) -> None:
    """The rows of one group: its count, its numerator, and what a rate says of the two."""
    hosts = [one for one in built.sets if {name for name, _ in group} <= one]
    one = min(hosts, key=lambda host: (len(built.cells[host]), sorted(host)))
    parts = {
        kind: np.concatenate([columns_of(built, one, group, outcome=o) for o in outcomes if o < built.outcomes])
        for kind, outcomes in OUTCOMES.items()
        if any(o < built.outcomes for o in outcomes)
    }
    numbers = tuple(line.number for line in lines)
    _sum(built, (group, COUNT), parts[COUNT], bounds=_meet([line.count for line in lines]), lines=numbers)
    if built.outcomes == 1:
        return
    told = [line.numerator for line in lines if line.numerator is not None]
    _sum(built, (group, NUMERATOR), parts[NUMERATOR], bounds=_meet(told), lines=numbers)
    _sum(built, (group, REST), parts[REST], bounds=(0, None), lines=())
    for line in lines:
        if line.rate is not None:
            built.rows += _shares(parts[NUMERATOR], parts[REST], line)


def _sum(built: Equations, of: tuple[Group, str], columns: Ints, *, bounds: Range, lines: tuple[int, ...]) -> None:
    built.sums[of] = len(built.rows)
    low, high = bounds
    built.rows.append(Row(columns, np.ones(len(columns)), float(low), inf if high is None else float(high), lines))


def _meet(ranges: Sequence[Range]) -> Range:
    highs = [high for _, high in ranges if high is not None]
    return max((low for low, _ in ranges), default=0), min(highs) if highs else None


def _shares(part: Ints, rest: Ints, line: Line) -> Iterator[Row]:
    """A rate between two per cents; with a count that is told, a numerator between two whole numbers."""
    low, high = line.rate or (0.0, 100.0)
    if not line.hidden:
        least, most = -(-low * line.count[0] // 100), high * line.count[0] // 100
        yield Row(part, np.ones(len(part)), float(least), float(most), (line.number,))
        return
    for sign, per_cent in ((1.0, low), (-1.0, high)):
        values = sign * np.concatenate([np.full(len(part), 100.0 - per_cent), np.full(len(rest), -per_cent)])
        yield Row(np.concatenate([part, rest]), values, 0.0, inf, (line.number,))


def _agree(built: Equations, one: Set, *, host: Set, shared: Set) -> Iterator[Row]:
    for levels in product(*(built.axes[name].leaves for name in sorted(shared))):
        allowed = list(zip(sorted(shared), levels, strict=True))
        for outcome in range(built.outcomes):
            ours = columns_of(built, one, allowed, outcome=outcome)
            theirs = columns_of(built, host, allowed, outcome=outcome)
            values = np.concatenate([np.ones(len(ours)), -np.ones(len(theirs))])
            yield Row(np.concatenate([ours, theirs]), values, 0.0, 0.0, ())


def program_of(built: Equations) -> highspy.HighsLp:
    """The rows as a linear program over numbers of persons, none below nought."""
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = built.size, len(built.rows)
    program.col_cost_ = np.zeros(built.size)
    program.col_lower_, program.col_upper_ = np.zeros(built.size), np.full(built.size, PERSONS_MAX)
    program.row_lower_ = np.array([row.low for row in built.rows])
    program.row_upper_ = np.array([row.high for row in built.rows])
    starts = np.concatenate([[0], np.cumsum([len(row.columns) for row in built.rows])])
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = starts.astype(np.int32)
    program.a_matrix_.index_ = np.concatenate([row.columns for row in built.rows]).astype(np.int32)
    program.a_matrix_.value_ = np.concatenate([row.values for row in built.rows])
    return program


def solver_of(program: highspy.HighsLp) -> Any:
    """A quiet solver of one thread that holds the program."""
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, setting in (("output_flag", False), ("threads", 1), ("mip_max_nodes", NODES_MAX)):
        solver.setOptionValue(name, setting)
    solver.passModel(program)
    return solver
