"""What protection costs and what it buys: our release beside three simpler ways, on the same counts.

For the officer and the partnership. Made from true counts, so it is told as sums over a whole release and never
published. Each way is a small implementation of its own, from the published method:

- primary: groups of ten or fewer withheld, nothing else (California Department of Education, file notes);
- rounding: every count to the nearest five (Hundepool et al. 2012, section 5.4.2, conventional rounding);
- cell key: noise of a given variance, drawn by the sum of the persons' keys, so that the same group always gets the
  same noise (Fraser and Wooton 2005; Thompson, Broadfoot and Elazar 2013; table of noise as Giessing 2016).
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import exp

import numpy as np
from numpy.typing import NDArray

from hub.release.reports.bounds import Bounds
from hub.release.reports.equations import COUNT, equations
from hub.release.reports.reading import Line, Range, Sheet
from policies.disclosure.rules import DEFAULT_RULES, Rules
from policies.disclosure.types import FREE, TOTAL, Block, Dimension, ReleasedCell

OURS, PRIMARY, ROUNDING, CELL_KEY = "ours", "primary only", "rounded to five", "cell key"
METHODS = (OURS, PRIMARY, ROUNDING, CELL_KEY)
BASE = 5
NOISE_MAX, NOISE_VARIANCE = 4, 2.0
"""The greatest noise of a cell key and its variance."""

Group = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Told:
    """What one way tells of a group: between which numbers the count lies for its reader, and count and numerator as
    printed (None where nothing is)."""

    count: Range
    numerator: Range
    n: int | None
    k: int | None
    band: tuple[int, int] | None = None


@dataclass(frozen=True)
class MethodQuality:
    """One way over all blocks: shares of the groups of eleven and more, the error of what is shown, small groups told.

    `exact`, `ranged`, `hidden` are shares by how the rate is told; `rate_error` is the mean distance from the true
    rate in points where a rate is told; `given_away` counts groups of one to ten whose number is told within less
    than three, of `small` there are; `astray` is the share of lines that do not add up.
    """

    method: str
    exact: float
    ranged: float
    hidden: float
    rate_error: float
    astray: float
    small: int
    given_away: int


@dataclass(frozen=True)
class Kept:
    """Of one table or one level: its groups of eleven and more, and how many are shown by us and by primary alone."""

    name: str
    groups: int
    ours: int
    primary: int


@dataclass(frozen=True)
class Quality:
    """The comparison, and what is kept by table and by level."""

    methods: tuple[MethodQuality, ...]
    tables: tuple[Kept, ...]
    levels: tuple[Kept, ...]


def as_text(quality: Quality) -> str:
    """The comparison and what is kept, as lines to print."""
    lines = ["way               exact  range  hidden  rate error  not adding up  small groups given away"]
    lines += [
        f"{one.method:16} {one.exact:6.1%} {one.ranged:6.1%} {one.hidden:7.1%} {one.rate_error:8.2f} pt"
        f" {one.astray:13.1%}  {one.given_away} of {one.small}"
        for one in quality.methods
    ]
    lines += [f"  {one.name}: {one.ours} of {one.groups} groups of 11 or more shown" for one in quality.tables]
    return "\n".join(lines)


def release_quality(
    blocks: Sequence[Block], cells: Iterable[ReleasedCell], *, rules: Rules = DEFAULT_RULES, seed: int = 1
) -> Quality:
    """Our cells of these blocks beside the simpler ways; `seed` draws the persons' keys."""
    shown: dict[tuple[str, int], list[ReleasedCell]] = {}
    for cell in cells:
        shown.setdefault((cell.indicator, cell.cohort_year), []).append(cell)
    counted = [_Counted(block, shown.get((block.indicator, block.cohort_year), []), seed) for block in blocks]
    methods = tuple(_method(name, counted, rules) for name in METHODS)
    return Quality(methods, _kept(counted, rules, by_table=True), _kept(counted, rules, by_table=False))


class _Counted:
    """One block: its groups with their true counts and what each way tells of them."""

    def __init__(self, block: Block, cells: Sequence[ReleasedCell], seed: int) -> None:
        self.block = block
        self.tables: dict[Group, list[str]] = {}
        self._ours: dict[Group, ReleasedCell] = {}
        for cell in cells:
            group = tuple(sorted(pair for pair in cell.levels if pair[1] != TOTAL))
            self.tables.setdefault(group, []).append(cell.table)
            self._ours.setdefault(group, cell)
        self._inside = _membership(block)
        self._known = np.array([cell.tally.known for cell in block.cells], dtype=np.int64)
        self._k = np.array([cell.tally.k for cell in block.cells], dtype=np.int64)
        self._keys = _keys(block, seed)
        self.true = {group: self._count(group) for group in self.tables}

    def told(self, method: str) -> dict[Group, Told]:
        return {group: self._told(method, group) for group in self.tables}

    def sheet(self, told: Mapping[Group, Told]) -> Sheet:
        """The groups as a report that somebody attacks."""
        lines = tuple(
            Line(number, group, one.count, one.numerator, None) for number, (group, one) in enumerate(told.items())
        )
        parents = {
            d.name: {level: _above(d, level) for level in (*d.levels, *d.parents, *d.parents.values())}
            for d in self.block.dimensions
            if any(name == d.name for group in told for name, _ in group)
        }
        return Sheet((), lines, parents)

    def _told(self, method: str, group: Group) -> Told:
        known, k = self.true[group]
        if method == OURS:
            return _ours(self._ours[group])
        if method == PRIMARY:
            return Told((known, known), (k, k), known, k) if known > 10 else Told((0, None), (0, None), None, None)
        if method == ROUNDING:
            n, reached = _rounded(known), _rounded(k)
            return Told(_around(n, 2), _around(reached, 2), n, reached)
        keys = self._group_keys(group)
        n, reached = known + noise(keys[0], known), k + noise(keys[1], k)
        return Told(_around(n, NOISE_MAX), _around(reached, NOISE_MAX), n, reached)

    def _count(self, group: Group) -> tuple[int, int]:
        inside = self._mask(group)
        return int(self._known[inside].sum()), int(self._k[inside].sum())

    def _group_keys(self, group: Group) -> tuple[float, float]:
        inside = self._mask(group)
        no, yes = (float(keys[inside].sum()) for keys in self._keys)
        return (no + yes) % 1.0, yes % 1.0

    def _mask(self, group: Group) -> NDArray[np.bool_]:
        inside = np.ones(len(self.block.cells), dtype=bool)
        for pair in group:
            inside &= self._inside[pair]
        return inside


def noise(key: float, count: int) -> int:
    """What is added to a count whose persons' keys add up to this fraction; nothing to nobody."""
    if count == 0:
        return 0
    steps, shares = _noise_table(min(count, NOISE_MAX))
    return next(step for step, share in zip(steps, accumulate(shares), strict=True) if key <= share + 1e-12)


@cache
def _noise_table(count: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The shares of each noise: of greatest entropy, without drift, never under nought (Giessing 2016)."""
    steps = tuple(range(-count, NOISE_MAX + 1))
    narrow = _bisected(lambda width: _variance(range(-NOISE_MAX, NOISE_MAX + 1), width) - NOISE_VARIANCE, 0.0, 5.0)
    tilt = _bisected(lambda drift: -_mean(steps, narrow, drift), -5.0, 5.0)
    weights = _weights(steps, narrow, tilt)
    return steps, tuple(weight / sum(weights) for weight in weights)


def _weights(steps: Iterable[int], width: float, drift: float = 0.0) -> list[float]:
    return [exp(-width * step * step + drift * step) for step in steps]


def _variance(steps: Sequence[int], width: float) -> float:
    weights = _weights(steps, width)
    return sum(w * s * s for w, s in zip(weights, steps, strict=True)) / sum(weights)


def _mean(steps: Sequence[int], width: float, drift: float) -> float:
    weights = _weights(steps, width, drift)
    return sum(w * s for w, s in zip(weights, steps, strict=True)) / sum(weights)


def _bisected(falls: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function is nought."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falls(middle) > 0 else (low, middle)
    return (low + high) / 2


def _ours(cell: ReleasedCell) -> Told:
    if cell.status != FREE or cell.known is None:
        return Told((0, None), (0, None), None, None)
    if cell.k is not None:
        return Told((cell.known, cell.known), (cell.k, cell.k), cell.known, cell.k)
    low, high = cell.rate_low or 0, 100 if cell.rate_high is None else cell.rate_high
    between = -(-low * cell.known // 100), high * cell.known // 100
    return Told((cell.known, cell.known), between, cell.known, None, (low, high))


def _rounded(count: int) -> int:
    return (count + BASE // 2) // BASE * BASE


def _around(count: int, width: int) -> Range:
    return max(count - width, 0), count + width


def _above(dimension: Dimension, level: str) -> tuple[str, ...]:
    """The levels right above one, in each hierarchy."""
    return tuple(way[level] for way in (dimension.parents, *dimension.crossing) if level in way)


def _membership(block: Block) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """Of each level, which base cells lie under it."""
    found = {}
    for place, dimension in enumerate(block.dimensions):
        leaves = np.array([cell.levels[place] for cell in block.cells], dtype=object)
        under: dict[str, set[str]] = {}
        for leaf in dimension.levels:
            level: str | None = leaf
            while level is not None:
                under.setdefault(level, set()).add(leaf)
                level = dimension.parents.get(level)
        for name, inside in under.items():
            found[dimension.name, name] = np.array([leaf in inside for leaf in leaves], dtype=bool)
    return found


def _keys(block: Block, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By base cell the sum of its persons' keys, of those who did not reach the outcome and of those who did."""
    chance = random.Random(f"{seed} {block.indicator} {block.cohort_year}")  # noqa: S311 (a comparison, no secret)
    sums = [
        tuple(sum(chance.random() for _ in range(count)) for count in (cell.tally.known - cell.tally.k, cell.tally.k))
        for cell in sorted(block.cells, key=lambda cell: cell.levels)
    ]
    order = sorted(range(len(block.cells)), key=lambda place: block.cells[place].levels)
    keys = np.zeros((2, len(block.cells)))
    for place, (no, yes) in zip(order, sums, strict=True):
        keys[:, place] = no, yes
    return keys[0], keys[1]


def _method(name: str, counted: Sequence[_Counted], rules: Rules) -> MethodQuality:
    large = exact = ranged = small = given = lines = astray = 0
    errors: list[float] = []
    for one in counted:
        told = one.told(name)
        for group, (known, k) in one.true.items():
            printed = told[group]
            if known >= rules.min_n:
                large += 1
                exact += printed.k is not None
                ranged += printed.k is None and printed.n is not None and printed.band != (0, 100)
                if printed.n and printed.k is not None:
                    errors.append(abs(100 * min(printed.k / printed.n, 1.0) - 100 * k / known))
        few = [group for group, (known, _) in one.true.items() if 0 < known < rules.min_n]
        small += len(few)
        given += _given_away(one, told, few, width=rules.width) if few else 0
        wrong, checked = _astray(one, told)
        astray, lines = astray + wrong, lines + checked
    return MethodQuality(
        name,
        _share(exact, large),
        _share(ranged, large),
        1 - _share(exact + ranged, large),
        round(sum(errors) / len(errors), 2) if errors else 0.0,
        _share(astray, lines),
        small,
        given,
    )


def _given_away(one: _Counted, told: Mapping[Group, Told], few: Sequence[Group], *, width: int) -> int:
    """How many small groups a reader tells within less than `width`, from everything that this way prints."""
    built = equations(one.sheet(told))
    bounds = Bounds(built)
    targets = [built.sums[group, COUNT] for group in few]
    return len(bounds.narrow(targets, width)) if bounds.possible() else 0


def _astray(one: _Counted, told: Mapping[Group, Told]) -> tuple[int, int]:
    """Lines whose printed parts do not add up to their printed total, and how many lines are printed in full."""
    wrong = checked = 0
    for dimension in one.block.dimensions:
        for group in told:
            if any(name == dimension.name for name, _ in group):
                continue
            parts = [told.get(tuple(sorted((*group, (dimension.name, leaf))))) for leaf in dimension.levels]
            printed = [part.n for part in parts if part is not None and part.n is not None]
            total = told[group].n
            if total is not None and len(printed) == len(parts) > 0:
                checked += 1
                wrong += sum(printed) != total
    return wrong, checked


def _kept(counted: Sequence[_Counted], rules: Rules, *, by_table: bool) -> tuple[Kept, ...]:
    found: dict[str, list[int]] = {}
    for one in counted:
        ours = one.told(OURS)
        for group, (known, _) in one.true.items():
            if known >= rules.min_n:
                for name in one.tables[group] if by_table else _level_names(group):
                    row = found.setdefault(name, [0, 0])
                    row[0] += 1
                    row[1] += ours[group].n is not None
    return tuple(Kept(name, groups, shown, groups) for name, (groups, shown) in sorted(found.items()))


def _level_names(group: Group) -> Iterator[str]:
    return (f"{name}: {level}" for name, level in group)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
