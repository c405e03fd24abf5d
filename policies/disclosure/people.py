"""Persons as a search over lists of them needs them: one by one, with their levels and their outcome in each block.

Under the audit. A person here is nobody in particular: one of those whom a base cell counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from policies.disclosure.frame import Frame
from policies.disclosure.moves import Observer
from policies.disclosure.swaps import ABSENT, Groups, Slots
from policies.disclosure.system import ALL, Ints, System, axis_order, outcome_counts
from policies.disclosure.types import BaseCell, Tally

Pattern = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """What stays the same for all observers: slots, groups, patterns of outcomes, where columns stand."""

    slots: Slots
    groups: Groups
    patterns: tuple[Pattern, ...]
    first_group: tuple[int, ...]


def layout(system: System) -> Layout | None:
    """The layout of a system, or None when a person cannot be put together from its blocks."""
    patterns = _patterns(system)
    if len(patterns) > PATTERNS_MAX:
        return None
    first = tuple(np.cumsum([0, *(len(f.groups) for f in system.frames)]).tolist())
    return Layout(_slots(system, first, patterns), _groups(system, len(patterns)), patterns, first)


PATTERNS_MAX = 64


def _patterns(system: System) -> tuple[Pattern, ...]:
    """Every way in which blocks may count one person; in none, too, when it may be unknown."""
    width = len(system.frames)
    found = []
    for pattern in product(range(ABSENT + 1), repeat=width):
        outcomes_told = all(o != 2 or not f.block.complete for o, f in zip(pattern, system.frames, strict=True))
        if outcomes_told and all(_linked(pattern, link) for link in system.links):
            found.append(pattern)
    return tuple(found)


def _linked(pattern: Pattern, link: tuple[int, int, int]) -> bool:
    left, kind, right = link
    counted = pattern[left] != ABSENT if kind == ALL else pattern[left] == 1
    return counted == (pattern[right] != ABSENT)


def _slots(system: System, first_group: tuple[int, ...], patterns: tuple[Pattern, ...]) -> Slots:
    axes = system.frames[0].axes
    sizes = [len(axis.leaves) for axis in axes]
    block, stride, first, lists = [], [], [], []
    places = 0
    for number, f in enumerate(system.frames):
        by_axes: dict[tuple[int, ...], list[int]] = {}
        for place, group in enumerate(f.groups):
            by_axes.setdefault(group.axes, []).append(place)
        for restricted, members in sorted(by_axes.items()):
            strides = np.zeros(len(axes), dtype=np.int64)
            shape = [sizes[axis] for axis in restricted]
            for at, axis in enumerate(restricted):
                strides[axis] = int(np.prod(shape[at + 1 :], dtype=np.int64))
            held: list[list[int]] = [[] for _ in range(int(np.prod(shape, dtype=np.int64)))]
            for place in members:
                for leaves in product(*f.groups[place].leaves):
                    at = sum(leaf * int(strides[axis]) for leaf, axis in zip(leaves, restricted, strict=True))
                    held[at].append(first_group[number] + place)
            block.append(number)
            stride.append(strides)
            first.append(places)
            lists += held
            places += len(held)
    start = np.concatenate([[0], np.cumsum([len(groups) for groups in lists])]).astype(np.int64)
    groups = np.array([g for held in lists for g in held], dtype=np.int64)
    table = np.array(stride, dtype=np.int64).reshape(len(block), len(axes))
    masks = (table > 0) @ (1 << np.arange(len(axes), dtype=np.int64))
    slot = np.column_stack([np.array(block), masks, np.array(first), table]).astype(np.int64)
    by_axis = [np.flatnonzero(table[:, axis]) for axis in range(len(axes))] + [np.arange(len(block))]
    listed = np.zeros((len(by_axis), len(block) + 1), dtype=np.int64)
    for axis, holders in enumerate(by_axis):
        listed[axis, 0], listed[axis, 1 : len(holders) + 1] = len(holders), holders
    outcome = np.array(patterns, dtype=np.int64).reshape(len(patterns), len(system.frames))
    return Slots(slot, start, groups, listed, outcome)


def _groups(system: System, patterns: int) -> Groups:
    axes = system.frames[0].axes
    widest = max([patterns, *(len(axis.leaves) for axis in axes)])
    total = sum(len(f.groups) for f in system.frames)
    block = np.zeros(total, dtype=np.int64)
    restricted = np.zeros((total, len(axes)), dtype=bool)
    allowed = np.ones((total, len(axes), widest), dtype=bool)
    at = 0
    for number, f in enumerate(system.frames):
        for group in f.groups:
            block[at] = number
            for axis, leaves in zip(group.axes, group.leaves, strict=True):
                restricted[at, axis] = True
                allowed[at, axis] = np.isin(np.arange(widest), leaves)
            at += 1
    closed = np.zeros((len(axes) + 1, widest), dtype=bool)
    for axis, held in enumerate(axes):
        closed[axis, len(held.leaves) :] = True
    return Groups(block, restricted, allowed, closed)


def people(system: System, made: Layout, observer: Observer, *, alike: int) -> Ints | None:
    """Those whom an observer does not know, at most so many `alike`, in a fixed order: levels, then pattern.

    None when the blocks do not agree on whom they count.
    """
    cells = [_others(f, observer.names) for f in system.frames]
    found: list[tuple[int, ...]] = []
    numbers = {pattern: number for number, pattern in enumerate(made.patterns)}
    # A person may be added where somebody may be unknown; elsewhere the total holds.
    nowhere = (ABSENT,) * len(cells)
    for place in sorted(set().union(*cells)):
        counts = [by_place.get(place, np.zeros(3, dtype=np.int64)) for by_place in cells]
        told = _persons(system, counts)
        if told is None:
            return None
        added = {nowhere: alike} if told and not all(f.block.complete for f in system.frames) else {}
        for pattern, count in sorted({**told, **added}.items()):
            found += [(*place, numbers[pattern])] * min(count, alike)
    return np.array(found, dtype=np.int64).reshape(len(found), len(system.frames[0].axes) + 1)


def _others(f: Frame, names: tuple[str, ...]) -> Mapping[tuple[int, ...], Ints]:
    """By cell of all axes, how many of each outcome are not the observer's own."""
    order = axis_order(f)
    lookup = [{leaf: number for number, leaf in enumerate(axis.leaves)} for axis in f.axes]
    found: dict[tuple[int, ...], Ints] = {}
    for cell in f.block.cells:
        left = np.maximum(outcome_counts(cell.tally) - _own(cell, names), 0)
        place = tuple(table[cell.levels[at]] for at, table in zip(order, lookup, strict=True))
        found[place] = found.get(place, np.zeros(3, dtype=np.int64)) + left
    return found


def _own(cell: BaseCell, names: tuple[str, ...]) -> Ints:
    own = np.zeros(3, dtype=np.int64)
    for name in names:
        own += outcome_counts(cell.provider_counts.get(name, Tally(0, 0, 0)))
    return own


def _persons(system: System, counts: Sequence[Ints]) -> dict[Pattern, int] | None:
    """Persons of one cell put together from what each block counts; which goes with which is anybody's guess."""
    links = {right: (left, kind) for left, kind, right in system.links}
    persons: list[list[int]] = []
    for number in _parents_first(links, len(counts)):
        outcomes = np.repeat(np.arange(3), counts[number]).tolist()
        if number in links:
            left, kind = links[number]
            holders = [one for one in persons if (one[left] != ABSENT if kind == ALL else one[left] == 1)]
        else:
            holders = [[ABSENT] * len(counts) for _ in outcomes]
            persons += holders
        if len(holders) != len(outcomes):
            return None
        for one, outcome in zip(holders, outcomes, strict=True):
            one[number] = outcome
    found: dict[Pattern, int] = {}
    for one in persons:
        found[tuple(one)] = found.get(tuple(one), 0) + 1
    return found


def _parents_first(links: Mapping[int, tuple[int, int]], blocks: int) -> list[int]:
    """The blocks in an order in which each comes after the one that it is linked to."""

    def depth(number: int) -> int:
        return 1 + depth(links[number][0]) if number in links else 0

    return sorted(range(blocks), key=lambda number: (depth(number), number))


def columns_of(system: System, made: Layout, persons: Ints) -> tuple[Ints, Ints]:
    """The columns in which persons are counted: which person, and which column; -1 where the system has none."""
    who, where = [], []
    outcomes = made.slots.outcome[persons[:, -1]]
    for number in range(len(system.frames)):
        counted = np.flatnonzero(outcomes[:, number] != ABSENT)
        for cell_places in system.places[number]:
            who.append(counted)
            where.append(cell_places.columns(persons[counted], outcomes[counted, number]))
    return np.concatenate(who), np.concatenate(where)
