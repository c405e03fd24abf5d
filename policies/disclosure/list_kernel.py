"""Steps from one list of persons to another, compiled: one person at a time becomes somebody else in one respect, so
that what is shown stays as it is and one withheld count changes. Under `lists`; imported when a block is large.

A row's count may lie between bounds; beyond them it costs, a dear row is not to be broken. Each step mends a broken
row at the least cost, by chance among the broken (WalkSAT: Selman, Kautz and Cohen 1994), and does not go back at once.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Small = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SLOPE = 1.0
"""What each person beyond the first costs, as a part of what breaking a row costs."""

DEAR = 1e6
"""What breaking a row costs that must never be broken."""

REST = 2
"""Steps for which nobody comes back where somebody has just left."""


class Shape(NamedTuple):
    """How columns hang together: the row of each slot that counts a column (-1: none) and how often; the slots that
    an axis can change; lines of columns that differ in one axis alone; the columns of each row with their signs, and
    its axes as bits."""

    row: Small
    by: Small
    slot_start: Small
    slots: Small
    line: Small
    line_start: Small
    lines: Small
    first: Small
    end: Small
    columns: Small
    signs: Small
    axes: Small


class State(NamedTuple):
    """A list of persons by column, each row's difference from the truth, its bounds, what it costs to break it and what
    it costs now; the broken rows, where each stands among them; when each column was left; the chance."""

    persons: Ints
    closed: Flags
    change: Ints
    low: Floats
    high: Floats
    price: Floats
    cost: Floats
    broken: Ints
    place: Ints
    left: Ints
    chance: NDArray[np.uint64]


@numba.njit(cache=True, nogil=True)
def draw(chance: NDArray[np.uint64], below: int) -> int:
    """A number under `below` (xorshift: Marsaglia 2003)."""
    x = chance[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    chance[0] = x
    return int(x >> np.uint64(11)) % below


@numba.njit(cache=True, nogil=True)
def cost_at(low: Floats, high: Floats, price: Floats, row: int, change: int) -> float:
    """What a row costs at a change."""
    beyond = max(low[row] - change, change - high[row])
    return price[row] * (1.0 + SLOPE * (beyond - 1.0)) if beyond > 0 else 0.0


@numba.njit(cache=True, nogil=True)
def cost_of(shape: Shape, state: State, axis: int, source: int, target: int) -> float:
    """By how much all costs change when a person of one column goes to another that differs in one axis."""
    total = 0.0
    low, high, price, cost, change = state.low, state.high, state.price, state.cost, state.change
    for at in range(shape.slot_start[axis], shape.slot_start[axis + 1]):
        slot = shape.slots[at]
        old, new = shape.row[source, slot], shape.row[target, slot]
        if old == new:
            if old >= 0 and shape.by[source, slot] != shape.by[target, slot]:
                by = shape.by[target, slot] - shape.by[source, slot]
                total += cost_at(low, high, price, old, change[old] + by) - cost[old]
            continue
        if old >= 0:
            total += cost_at(low, high, price, old, change[old] - shape.by[source, slot]) - cost[old]
        if new >= 0:
            total += cost_at(low, high, price, new, change[new] + shape.by[target, slot]) - cost[new]
    return total


@numba.njit(cache=True, nogil=True)
def shift(state: State, row: int, by: int) -> None:
    """Change a row's count."""
    change, cost, broken, place = state.change, state.cost, state.broken, state.place
    change[row] += by
    cost[row] = cost_at(state.low, state.high, state.price, row, change[row])
    at, size = place[row], broken[0]
    if cost[row] > 0 and at == 0:
        broken[0] = size + 1
        broken[size + 1], place[row] = row, size + 1
    elif cost[row] == 0 and at > 0:
        last = broken[size]
        broken[at], place[last] = last, at
        place[row], broken[0] = 0, size - 1


@numba.njit(cache=True, nogil=True)
def begin(state: State) -> None:
    """Note what is broken at first."""
    for row in range(len(state.cost)):
        shift(state, row, 0)


@numba.njit(cache=True, nogil=True)
def step(shape: Shape, state: State, axis: int, source: int, target: int) -> None:
    """A person of one column goes to another that differs in one axis."""
    for at in range(shape.slot_start[axis], shape.slot_start[axis + 1]):
        slot = shape.slots[at]
        old, new = shape.row[source, slot], shape.row[target, slot]
        if old >= 0:
            shift(state, old, -shape.by[source, slot])
        if new >= 0:
            shift(state, new, shape.by[target, slot])
    state.persons[source] -= 1
    state.persons[target] += 1


@numba.njit(cache=True, nogil=True)
def best_step(shape: Shape, state: State, row: int, up: bool, turn: int, tries: int, found: Ints) -> float:
    """The cheapest step, of so many tried, that brings a row's count up, or down; into `found`, and what it costs."""
    best = np.inf
    first, size = shape.first[row], shape.end[row] - shape.first[row]
    start, done = draw(state.chance, size), 0
    for i in range(size):
        entry = first + (start + i) % size
        here, coming = shape.columns[entry], (shape.signs[entry] > 0) == up
        if state.closed[here] or (not coming and state.persons[here] == 0):
            continue
        for axis in range(shape.line.shape[1]):
            if not shape.axes[row] >> axis & 1:
                continue
            line = shape.line[here, axis]
            for at in range(shape.line_start[line], shape.line_start[line + 1]):
                there = shape.lines[at]
                source, target = (there, here) if coming else (here, there)
                if there == here or state.closed[there] or state.persons[source] == 0:
                    continue
                if state.left[target] > turn - REST:
                    continue
                cost = cost_of(shape, state, axis, source, target)
                done += 1
                if cost < best:
                    best = cost
                    found[0], found[1], found[2] = axis, source, target
        if done >= tries:
            break
    return best


@numba.njit(cache=True, nogil=True)
def seek(shape: Shape, state: State, steps: int, tries: int, found: Ints, kept: Ints) -> float:
    """Go on until nothing is broken, or so many steps are made; the least cost met, and the list that has it in
    `kept`. The state is left where it ended."""
    least = DEAR
    total = 0.0
    for row in range(len(state.cost)):
        total += state.cost[row]
    for turn in range(steps):
        if total < least:
            least = total
            kept[:] = state.persons
        if state.broken[0] == 0:
            return 0.0
        row = state.broken[1 + draw(state.chance, state.broken[0])]
        up = state.change[row] < state.low[row]
        cost = best_step(shape, state, row, up, turn, tries, found)
        if cost < np.inf:
            step(shape, state, found[0], found[1], found[2])
            state.left[found[1]] = turn
            total += cost
    if total < least:
        least = total
        kept[:] = state.persons
    return least
