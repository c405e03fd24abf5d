"""Other lists of persons that agree with everything shown, found by changing one person or swapping two at a time.

A focused local search (Selman, Kautz and Cohen 1994): begin with the persons as they are, ask for one count to be
another, and mend what that breaks of the shown numbers until nothing is broken. What it finds is checked elsewhere;
what it does not find may still be there. Under the audit, for blocks too large to solve every count as a program.
Here are the steps; `wander` makes the way.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ABSENT = 3
"""The outcome of a person whom a block does not count; 0, 1 and 2 are no, yes and unknown."""

KINDS = 5
"""Known, k, known minus k, n, n minus known, as in `policies.disclosure.system`."""

NEVER = 1e6
"""What breaking a number costs that may not be withheld."""

TABU = 2
"""For how many steps a person who was changed is left alone."""


PEOPLE_MAX = 48
"""Persons that may be changed at once."""


class Slots(NamedTuple):
    """Where each set of axes of each block finds the groups of a person.

    `slot` has a row for each: block, axes as bits, first place, and what to add to the place for a leaf of each axis;
    `groups[start[place]:start[place + 1]]` are the groups. `by_axis` lists, after their number, the slots that hold an
    axis; its last row, all of them. `outcome` says what each pattern of outcomes is in each block.
    """

    slot: Ints
    start: Ints
    groups: Ints
    by_axis: Ints
    outcome: Ints


class Groups(NamedTuple):
    """Block, restricted axes and allowed leaves of each group; levels where nobody may come."""

    block: Ints
    restricted: Flags
    allowed: Flags
    closed: Flags


class Book(NamedTuple):
    """What has changed.

    `now` and `truth` hold persons' levels, the pattern of outcomes last. For each two attributes (row `pair(a, b)`)
    `codes` has what persons are in all others, sorted, and `order` who they are. `state` has for each group the change
    of its counts (known, k, n), then the least and the greatest that agree with what is shown; `weight` what breaking
    each costs. `people` and `touched` list, after their number, who and which groups may have changed; `rests` says
    until which step a person is left alone; `chance` is where the sequence of lots stands.
    """

    now: Ints
    truth: Ints
    radix: Ints
    codes: Ints
    order: Ints
    state: Ints
    weight: Floats
    people: Ints
    rests: Ints
    touched: Ints
    chance: Ints


@numba.njit(cache=True, nogil=True, inline="always")
def draw(chance: Ints, below: int) -> int:
    """The next number of a fixed sequence, from 0 to `below` - 1."""
    chance[0] = (chance[0] * 1103515245 + 12345) & 0x7FFFFFFF
    return int((chance[0] >> 8) % below)


@numba.njit(cache=True, nogil=True, inline="always")
def pair(one: int, other: int, attributes: int) -> int:
    """The number of two attributes among all pairs."""
    low, high = min(one, other), max(one, other)
    return low * attributes + high


@numba.njit(cache=True, nogil=True, inline="always")
def price(state: Ints, weight: Floats, g: int) -> float:
    """What is broken of one group: its count, which stands for all of it, or else its numerator and its coverage."""
    count = (state[g, 0] < state[g, 3]) | (state[g, 0] > state[g, 6])
    numerator = (state[g, 1] < state[g, 4]) | (state[g, 1] > state[g, 7])
    coverage = (state[g, 2] < state[g, 5]) | (state[g, 2] > state[g, 8])
    parts = numerator * weight[g, 1] + coverage * weight[g, 2]
    return float(count * weight[g, 0] + (1 - count) * parts)


@numba.njit(cache=True, nogil=True, inline="always")
def add(start: Ints, groups: Ints, state: Ints, weight: Floats, place: int, outcome: int, sign: int) -> float:
    """Count a person in, or out, where it stands; what that breaks more than before."""
    cost = 0.0
    if outcome == ABSENT:
        return cost
    for i in range(start[place], start[place + 1]):
        g = groups[i]
        cost -= price(state, weight, g)
        state[g, 2] += sign
        if outcome < 2:
            state[g, 0] += sign
        if outcome == 1:
            state[g, 1] += sign
        cost += price(state, weight, g)
    return cost


@numba.njit(cache=True, nogil=True)
def turn(
    slot: Ints,
    start: Ints,
    groups: Ints,
    by_axis: Ints,
    outcome: Ints,
    now: Ints,
    state: Ints,
    weight: Floats,
    p: int,
    attribute: int,
    level: int,
) -> float:
    """Give a person another level or pattern of outcomes; what that breaks more than before."""
    axes = now.shape[1] - 1
    cost = 0.0
    for i in range(1, by_axis[attribute, 0] + 1):
        s = by_axis[attribute, i]
        before = outcome[now[p, axes], slot[s, 0]]
        after = outcome[level, slot[s, 0]] if attribute == axes else before
        if before == after and (attribute == axes or before == ABSENT):
            continue
        place = slot[s, 2]
        for axis in range(axes):
            place += slot[s, 3 + axis] * now[p, axis]
        cost += add(start, groups, state, weight, place, before, -1)
        if attribute < axes:
            place += slot[s, 3 + attribute] * (level - now[p, attribute])
        cost += add(start, groups, state, weight, place, after, 1)
    now[p, attribute] = level
    return cost


@numba.njit(cache=True, nogil=True)
def swap(
    slot: Ints,
    start: Ints,
    groups: Ints,
    by_axis: Ints,
    outcome: Ints,
    now: Ints,
    state: Ints,
    weight: Floats,
    p: int,
    q: int,
    attribute: int,
) -> float:
    """Exchange an attribute of two persons; what that breaks more than before. Where they are alike, nothing moves."""
    axes = now.shape[1] - 1
    apart, cost = 0, 0.0
    for axis in range(axes):
        if axis != attribute and now[p, axis] != now[q, axis]:
            apart |= 1 << axis
    mine, yours = now[p, attribute], now[q, attribute]
    for i in range(1, by_axis[attribute, 0] + 1):
        s = by_axis[attribute, i]
        one, other = outcome[now[p, axes], slot[s, 0]], outcome[now[q, axes], slot[s, 0]]
        if slot[s, 1] & apart == 0 and (attribute == axes or one == other):
            continue
        here, there = slot[s, 2], slot[s, 2]
        for axis in range(axes):
            here += slot[s, 3 + axis] * now[p, axis]
            there += slot[s, 3 + axis] * now[q, axis]
        cost += add(start, groups, state, weight, here, one, -1)
        cost += add(start, groups, state, weight, there, other, -1)
        across = 0
        if attribute < axes:
            across = slot[s, 3 + attribute] * (yours - mine)
        else:
            one, other = other, one
        cost += add(start, groups, state, weight, here + across, one, 1)
        cost += add(start, groups, state, weight, there - across, other, 1)
    now[p, attribute], now[q, attribute] = yours, mine
    return cost


@numba.njit(cache=True, nogil=True)
def touch(slots: Slots, book: Book, p: int) -> None:
    """Note the groups of a person as touched."""
    axes, half = book.now.shape[1] - 1, len(book.touched) // 2
    for s in range(len(slots.slot)):
        place = slots.slot[s, 2]
        for axis in range(axes):
            place += slots.slot[s, 3 + axis] * book.now[p, axis]
        for i in range(slots.start[place], slots.start[place + 1]):
            g = slots.groups[i]
            if book.touched[half + g] == 0:
                book.touched[half + g] = 1
                book.touched[0] += 1
                book.touched[book.touched[0]] = g


@numba.njit(cache=True, nogil=True, inline="always")
def counted(kind: int, outcome: int) -> bool:
    """Whether a kind of count counts an outcome."""
    if kind == 0:
        return outcome < 2
    if kind == 1:
        return outcome == 1
    if kind == 2:
        return outcome == 0
    if kind == 3:
        return outcome < ABSENT
    return outcome == 2


@numba.njit(cache=True, nogil=True, inline="always")
def value(state: Ints, g: int, kind: int) -> int:
    """How far a count has changed."""
    if kind == 0:
        change = state[g, 0]
    elif kind == 1:
        change = state[g, 1]
    elif kind == 2:
        change = state[g, 0] - state[g, 1]
    elif kind == 3:
        change = state[g, 2]
    else:
        change = state[g, 2] - state[g, 0]
    return int(change)


@numba.njit(cache=True, nogil=True, inline="always")
def missing(block: Ints, restricted: Flags, allowed: Flags, outcome: Ints, now: Ints, p: int, g: int, kind: int) -> int:
    """The one attribute by which a person does not count: -1 if it counts, -2 if there are several."""
    axes = now.shape[1] - 1
    found = -1
    for axis in range(axes):
        if restricted[g, axis] and not allowed[g, axis, now[p, axis]]:
            if found >= 0:
                return -2
            found = axis
    if not counted(kind, outcome[now[p, axes], block[g]]):
        return -2 if found >= 0 else axes
    return found


@numba.njit(cache=True, nogil=True, inline="always")
def fits(block: Ints, allowed: Flags, outcome: Ints, g: int, kind: int, attribute: int, level: int) -> bool:
    """Whether a level, or pattern of outcomes, is one that a count counts."""
    if attribute == allowed.shape[1]:
        return counted(kind, outcome[level, block[g]])
    return bool(allowed[g, attribute, level])


@numba.njit(cache=True, nogil=True)
def give(slots: Slots, book: Book, p: int, attribute: int, level: int) -> float:
    """Give a person another level or pattern of outcomes; what that breaks more than before."""
    return turn(
        slots.slot, slots.start, slots.groups, slots.by_axis, slots.outcome, book.now, book.state, book.weight,
        p, attribute, level,
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def exchange(slots: Slots, book: Book, p: int, q: int, attribute: int) -> float:
    """Exchange an attribute of two persons; what that breaks more than before."""
    return swap(
        slots.slot, slots.start, slots.groups, slots.by_axis, slots.outcome, book.now, book.state, book.weight,
        p, q, attribute,
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def make(slots: Slots, book: Book, choice: Ints, step: int) -> None:
    """Make the chosen change (person, partner or -1 less the new level, attribute); let who was changed rest."""
    p, q, attribute = choice[0], choice[1], choice[2]
    touch(slots, book, p)
    if q >= 0:
        touch(slots, book, q)
        exchange(slots, book, p, q, attribute)
        touch(slots, book, q)
        changed(book, q, step)
    else:
        give(slots, book, p, attribute, -1 - q)
    touch(slots, book, p)
    changed(book, p, step)


@numba.njit(cache=True, nogil=True)
def changed(book: Book, person: int, step: int) -> None:
    """Note a person as changed."""
    book.rests[person] = step + TABU
    for i in range(1, book.people[0] + 1):
        if book.people[i] == person:
            return
    book.people[0] += 1
    book.people[book.people[0]] = person


@numba.njit(cache=True, nogil=True)
def undo(slots: Slots, book: Book) -> None:
    """Everybody as in truth again."""
    for i in range(1, book.people[0] + 1):
        p = book.people[i]
        for attribute in range(book.now.shape[1]):
            if book.now[p, attribute] != book.truth[p, attribute]:
                give(slots, book, p, attribute, book.truth[p, attribute])
        book.rests[p] = 0
    for i in range(1, book.touched[0] + 1):
        book.touched[len(book.touched) // 2 + book.touched[i]] = 0
    book.people[0] = 0
    book.touched[0] = 0


@numba.njit(cache=True, nogil=True)
def note(book: Book, keep: Ints) -> None:
    """Write down who is changed and how."""
    width = book.now.shape[1] + 1
    keep[0] = book.people[0]
    for i in range(book.people[0]):
        p = book.people[i + 1]
        keep[1 + i * width] = p
        for attribute in range(width - 1):
            keep[2 + i * width + attribute] = book.now[p, attribute]


@numba.njit(cache=True, nogil=True)
def broken_one(book: Book, aim: Ints) -> float:
    """What is broken in all; one of it, drawn by lot, becomes the focus of the aim."""
    state, total, number = book.state, 0.0, 0
    for i in range(1, book.touched[0] + 1):
        g = book.touched[i]
        cost = price(state, book.weight, g)
        if cost <= 0.0:
            continue
        total += cost
        number += 1
        if draw(book.chance, number) == 0:
            column = 0
            while state[g, 3 + column] <= state[g, column] <= state[g, 6 + column]:
                column += 1
            aim[4], aim[5] = g, 3 if column == 2 else column
            aim[6] = 1 if state[g, column] < state[g, 3 + column] else -1
    return total


@numba.njit(cache=True, nogil=True)
def broken(book: Book) -> bool:
    """Whether anything is broken."""
    total = 0.0
    for i in range(1, book.touched[0] + 1):
        total += price(book.state, book.weight, book.touched[i])
    return total > 0.0


@numba.njit(cache=True, nogil=True)
def improved(book: Book, low: Ints, high: Ints) -> bool:
    """Take down how far each count has come; says whether any came farther than before."""
    better = False
    for i in range(1, book.touched[0] + 1):
        g = book.touched[i]
        for kind in range(KINDS):
            change = value(book.state, g, kind)
            better = better or change < low[g, kind] or change > high[g, kind]
            low[g, kind] = min(low[g, kind], change)
            high[g, kind] = max(high[g, kind], change)
    return better
