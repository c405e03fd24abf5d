"""The way from one list of persons to another: which change to make next, until one count is as asked and nothing
that is shown has changed. Compiled; under `search`, over the steps of `swaps`.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

import numba
import numpy as np

from policies.disclosure.swaps import (
    NEVER,
    PEOPLE_MAX,
    Book,
    Flags,
    Floats,
    Groups,
    Ints,
    Slots,
    broken,
    broken_one,
    counted,
    draw,
    exchange,
    fits,
    give,
    improved,
    make,
    missing,
    note,
    pair,
    undo,
    value,
)

RARE, SOME, PAIRS = 24, 8, 300
"""Persons for whom one who differs in one thing more is sought; for whom one who differs in two; how many of those are
tried."""

AIM = 8
"""An aim: group, kind and change asked; the step; group, kind and sign now in focus; how many pairs may be tried."""

CIRCLE_MAX = 8
"""Persons who pass places on in one circle."""


@numba.njit(cache=True, nogil=True)
def alone(
    slots: Slots, groups: Groups, book: Book, aim: Ints, p: int, attribute: int, best: Floats, choice: Ints
) -> None:
    """Changes of one attribute of one person; the best so far is kept in `choice`."""
    off = abs(aim[2] - value(book.state, aim[0], aim[1]))
    mine = book.now[p, attribute]
    for level in range(len(slots.outcome) if attribute == book.now.shape[1] - 1 else groups.closed.shape[1]):
        if level == mine or groups.closed[attribute, level]:
            continue
        if fits(groups.block, groups.allowed, slots.outcome, aim[4], aim[5], attribute, level) != (aim[6] > 0):
            continue
        cost = give(slots, book, p, attribute, level)
        cost += NEVER * (abs(aim[2] - value(book.state, aim[0], aim[1])) - off)
        give(slots, book, p, attribute, mine)
        if cost < best[0] - 1e-9:
            best[0] = cost
            choice[0], choice[1], choice[2] = p, -1 - level, attribute


@numba.njit(cache=True, nogil=True)
def offered(
    slots: Slots, groups: Groups, book: Book, aim: Ints, p: int, q: int, attribute: int, best: Floats, choice: Ints
) -> bool:
    """Try a swap; the best so far is kept in `choice`. False when it does not move the focus."""
    mine, yours = book.now[p, attribute], book.now[q, attribute]
    if mine == yours or book.rests[q] > aim[3] or groups.closed[attribute, yours]:
        return False
    if fits(groups.block, groups.allowed, slots.outcome, aim[4], aim[5], attribute, yours) != (aim[6] > 0):
        return False
    off = abs(aim[2] - value(book.state, aim[0], aim[1]))
    cost = exchange(slots, book, p, q, attribute)
    cost += NEVER * (abs(aim[2] - value(book.state, aim[0], aim[1])) - off)
    exchange(slots, book, p, q, attribute)
    if cost < best[0] - 1e-9:
        best[0] = cost
        choice[0], choice[1], choice[2] = p, q, attribute
    return True


@numba.njit(cache=True, nogil=True)
def partners(
    slots: Slots,
    groups: Groups,
    book: Book,
    aim: Ints,
    p: int,
    attribute: int,
    enough: float,
    best: Floats,
    choice: Ints,
) -> None:
    """Swaps of one attribute of one person with others that differ from it in two attributes more."""
    persons, attributes = book.now.shape
    q = draw(book.chance, persons)
    for _ in range(persons):
        q = q + 1 if q + 1 < persons else 0
        differ = 0
        for other in range(attributes):
            differ += book.now[p, other] != book.now[q, other]
        if differ == 3 and offered(slots, groups, book, aim, p, q, attribute, best, choice):
            aim[7] -= 1
            if best[0] <= enough or aim[7] < 0:
                return


@numba.njit(cache=True, nogil=True)
def twins(
    slots: Slots,
    groups: Groups,
    book: Book,
    aim: Ints,
    p: int,
    attribute: int,
    enough: float,
    best: Floats,
    choice: Ints,
) -> None:
    """Swaps of one attribute of one person with others that differ from it in one attribute more."""
    now, radix = book.now, book.radix
    persons, attributes = now.shape
    whole = 0
    for other in range(attributes):
        whole += radix[other] * now[p, other]
    for other in range(attributes):
        if other == attribute:
            continue
        row = pair(attribute, other, attributes)
        code = whole - radix[attribute] * now[p, attribute] - radix[other] * now[p, other]
        at = np.searchsorted(book.codes[row], code)
        while at < persons and book.codes[row, at] == code:
            q = book.order[row, at]
            at += 1
            if now[q, other] != now[p, other] and unchanged(book, q):
                offered(slots, groups, book, aim, p, q, attribute, best, choice)
                if best[0] <= enough:
                    return


@numba.njit(cache=True, nogil=True, inline="always")
def unchanged(book: Book, q: int) -> bool:
    """Whether a person is as in truth."""
    same = True
    for attribute in range(book.now.shape[1]):
        same &= book.now[q, attribute] == book.truth[q, attribute]
    return same


@numba.njit(cache=True, nogil=True)
def look(slots: Slots, groups: Groups, book: Book, aim: Ints, total: float, best: Floats, choice: Ints) -> None:
    """The best change of one person, or swap of two nearly alike, that moves the count in focus by its sign.

    First swaps of two who differ in one thing more, then changes of one, then swaps of two who differ in two.
    """
    enough = -total + 1e-6
    aim[7] = PAIRS
    for near in range(3):
        look_near(slots, groups, book, aim, near, enough, best, choice)
        if best[0] <= enough:
            return


@numba.njit(cache=True, nogil=True)
def look_near(
    slots: Slots, groups: Groups, book: Book, aim: Ints, near: int, enough: float, best: Floats, choice: Ints
) -> None:
    """The same for one of the three kinds of change."""
    persons, attributes = book.now.shape
    g, kind, sign = aim[4], aim[5], aim[6]
    p, done = draw(book.chance, persons), 0
    for _ in range(persons):
        p = p + 1 if p + 1 < persons else 0
        if book.rests[p] > aim[3]:
            continue
        lacks = missing(groups.block, groups.restricted, groups.allowed, slots.outcome, book.now, p, g, kind)
        if (sign < 0 and lacks != -1) or (sign > 0 and lacks < 0):
            continue
        done += 1
        if done > (RARE if near == 0 else SOME):
            return
        for attribute in range(attributes):
            if sign > 0 and attribute != lacks:
                continue
            if sign < 0 and attribute < attributes - 1 and not groups.restricted[g, attribute]:
                continue
            if near == 0:
                twins(slots, groups, book, aim, p, attribute, enough, best, choice)
            elif near == 1:
                alone(slots, groups, book, aim, p, attribute, best, choice)
            else:
                partners(slots, groups, book, aim, p, attribute, enough, best, choice)
            if best[0] <= enough or aim[7] < 0:
                return


@numba.njit(cache=True, nogil=True)
def steps_allowed(
    slots: Slots, groups: Groups, book: Book, block: int, one: int, other: int, less: Flags, more: Flags
) -> None:
    """For each two leaves of two axes whether their groups may lose a person, and gain one."""
    less[:] = True
    more[:] = True
    for s in range(len(slots.slot)):
        if slots.slot[s, 0] != block or slots.slot[s, 1] != (1 << one | 1 << other):
            continue
        for a in range(less.shape[0]):
            for b in range(less.shape[1]):
                if groups.closed[one, a] or groups.closed[other, b]:
                    less[a, b] = more[a, b] = False
                    continue
                place = slots.slot[s, 2] + slots.slot[s, 3 + one] * a + slots.slot[s, 3 + other] * b
                for i in range(slots.start[place], slots.start[place + 1]):
                    g = slots.groups[i]
                    less[a, b] &= book.state[g, 0] > book.state[g, 3]
                    more[a, b] &= book.state[g, 0] < book.state[g, 6]


@numba.njit(cache=True, nogil=True)
def round_trip(who: Ints, less: Flags, more: Flags, a: int, b: int, sign: int, path: Ints) -> int:
    """Persons who, each passing to the next one's column, change cell (a, b) by `sign` and no row or column.

    `path` gets each person and the new column; returns how many there are, 0 if there is no way. `who` has a person
    for each cell, or -1. Breadth first, so the way is as short as can be.
    """
    rows, columns = who.shape
    came, through, queue = np.full(columns, -2), np.full(columns, -1), np.zeros(columns, dtype=np.int64)
    tail = 0
    for x in range(columns):
        if (sign > 0 and x == b) or (sign < 0 and x != b and who[a, b] >= 0 and less[a, b] and more[a, x]):
            came[x] = -1
            queue[tail] = x
            tail += 1
    end, head = -1, 0
    while head < tail and end < 0:
        x = queue[head]
        head += 1
        for row in range(rows):
            if row == a or who[row, x] < 0 or not less[row, x]:
                continue
            for y in range(columns):
                if came[y] != -2 or not more[row, y] or end >= 0:
                    continue
                came[y], through[y] = x, row
                queue[tail] = y
                tail += 1
                if y == b if sign < 0 else who[a, y] >= 0 and less[a, y] and more[a, b]:
                    end = y
    if end < 0:
        return 0
    count, y = 0, end
    while came[y] >= 0:
        path[count, 0], path[count, 1] = who[through[y], came[y]], y
        count += 1
        y = came[y]
    path[count, 0], path[count, 1] = (who[a, end], b) if sign > 0 else (who[a, b], y)
    return count + 1


@numba.njit(cache=True, nogil=True)
def circle(slots: Slots, groups: Groups, book: Book, aim: Ints) -> bool:
    """Change a count of a two-way table by one, by persons alike in all else who pass places on in a circle."""
    g, kind = aim[0], aim[1]
    axes = np.flatnonzero(groups.restricted[g])
    if len(axes) != 2:
        return False
    one, other = axes[0], axes[1]
    persons, attributes = book.now.shape
    width = groups.closed.shape[1]
    less, more = np.zeros((width, width), dtype=np.bool_), np.zeros((width, width), dtype=np.bool_)
    steps_allowed(slots, groups, book, groups.block[g], one, other, less, more)
    who, path = np.full((width, width), -1), np.zeros((width + 2, 2), dtype=np.int64)
    row, at = pair(one, other, attributes), 0
    while at < persons:
        end = at
        while end < persons and book.codes[row, end] == book.codes[row, at]:
            end += 1
        pattern = book.truth[book.order[row, at], attributes - 1]
        if end - at > 1 and counted(kind, slots.outcome[pattern, groups.block[g]]):
            for i in range(at, end):
                q = book.order[row, i]
                if unchanged(book, q):
                    who[book.now[q, one], book.now[q, other]] = q
            if passed_on(slots, groups, book, aim, one, other, who, less, more, path):
                return True
            who[:] = -1
        at = end
    return False


@numba.njit(cache=True, nogil=True)
def passed_on(
    slots: Slots,
    groups: Groups,
    book: Book,
    aim: Ints,
    one: int,
    other: int,
    who: Ints,
    less: Flags,
    more: Flags,
    path: Ints,
) -> bool:
    """Make a round trip that brings the count where it is asked and breaks nothing; False if there is none."""
    g, kind = aim[0], aim[1]
    sign = 1 if aim[2] > value(book.state, g, kind) else -1
    choice = np.zeros(3, dtype=np.int64)
    choice[2] = other
    for a in range(groups.allowed.shape[2]):
        for b in range(groups.allowed.shape[2]):
            if not (groups.allowed[g, one, a] and groups.allowed[g, other, b]):
                continue
            count = round_trip(who, less, more, a, b, sign, path)
            if count == 0 or count > CIRCLE_MAX or book.people[0] + count >= PEOPLE_MAX:
                continue
            for i in range(count):
                choice[0], choice[1] = path[i, 0], -1 - path[i, 1]
                make(slots, book, choice, aim[3])
            if value(book.state, g, kind) == aim[2] and not broken(book):
                return True
            for i in range(count):
                choice[0], choice[1] = path[i, 0], -1 - book.truth[path[i, 0], other]
                make(slots, book, choice, aim[3])
    return False


@numba.njit(cache=True, nogil=True)
def reach(slots: Slots, groups: Groups, book: Book, aim: Ints, steps: int, keep: Ints) -> float:
    """Change persons until the count aimed at is as asked and nothing is broken, or for so many steps.

    Gives the least that was broken while the count was as asked, infinite if it never was; `keep` is then who was
    changed, and how: size, then person and attributes each.
    """
    choice, best, least = np.zeros(3, dtype=np.int64), np.zeros(1), np.inf
    last = aim[3] + steps + 1
    for step in range(aim[3] + 1, last + 1):
        total = broken_one(book, aim)
        off = aim[2] - value(book.state, aim[0], aim[1])
        if total == 0.0 and abs(off) == 1 and circle(slots, groups, book, aim):
            off = 0
        if off == 0 and total < least:
            least = total
            note(book, keep)
        if least == 0.0 or step == last or book.people[0] + 2 >= PEOPLE_MAX:
            break
        if off != 0:
            aim[4], aim[5], aim[6] = aim[0], aim[1], 1 if off > 0 else -1
        best[0], choice[0], aim[3] = np.inf, -1, step
        look(slots, groups, book, aim, total + NEVER * abs(off), best, choice)
        if choice[0] < 0:
            break
        make(slots, book, choice, step)
    return least


@numba.njit(cache=True, nogil=True)
def widen(
    slots: Slots, groups: Groups, book: Book, targets: Ints, low: Ints, high: Ints, steps: int, found: Ints
) -> int:
    """Seek lists of persons that widen each target until it is as wide as asked; `found` holds them, one by one.

    Args:
        targets: group, kind, width asked, least rise asked; `low` and `high` are how far each kind of each group is
            known to reach.
    Returns the part of `found` that is filled.
    """
    filled = 0
    aim = np.zeros(AIM, dtype=np.int64)
    size = 1 + PEOPLE_MAX * (book.now.shape[1] + 1)
    for t in range(2 * len(targets)):
        g, kind, width, rise = targets[t // 2]
        sign = 1 - 2 * (t % 2)
        undo(slots, book)
        aim[0], aim[1], aim[2], aim[3] = g, kind, 0, 0
        while filled + size <= len(found):
            wide = high[g, kind] - low[g, kind] >= width
            if (sign > 0 and high[g, kind] >= max(width, rise)) or (wide and (sign < 0 or high[g, kind] >= rise)):
                break
            aim[2] += sign
            if reach(slots, groups, book, aim, steps, found[filled : filled + size]) > 0.0:
                break
            if improved(book, low, high):
                filled += 1 + found[filled] * (book.now.shape[1] + 1)
    undo(slots, book)
    return filled


@numba.njit(cache=True, nogil=True)
def cheapest(slots: Slots, groups: Groups, book: Book, target: Ints, steps: int, turns: int, keep: Ints) -> float:
    """The least that must be broken for a count to change as asked, as far as so many turns of search find."""
    least, trial, aim = np.inf, np.zeros(len(keep), dtype=np.int64), np.zeros(AIM, dtype=np.int64)
    for _ in range(turns):
        undo(slots, book)
        aim[0], aim[1], aim[2], aim[3] = target[0], target[1], target[2], 0
        cost = reach(slots, groups, book, aim, steps, trial)
        if cost < least:
            least = cost
            keep[:] = trial
        if least == 0.0:
            break
    undo(slots, book)
    return least
