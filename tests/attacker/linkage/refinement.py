"""Colour refinement: rows whose place in the structure of blocks (and records) is unlike any other's are named.

Colours use only what is equal under every key: shapes, equality of tags and of filters inside a block, and, where the
resolver's key is held, which rows are one record's (Weisfeiler and Leman 1968).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tests.attacker.linkage.claims import NOBODY
from tests.attacker.linkage.figures import Figures

ROUNDS = 3
ROUNDS_OVER_RECORDS = 1
"""Records tie everything to everything: after one round each chance equality of 16-bit tags spoils many colours."""
_LARGEST = 1000


def refine(target: dict[str, Figures], own: dict[str, Figures], *, records: bool) -> dict[str, NDArray[np.int64]]:
    """By view, the person of every target figure whose colour is found once in each store.

    With `records` the colours of a record's figures over all views are joined (its `person` then serves as its
    number only; names are read from the attacker's own store).
    """
    rounds = ROUNDS_OVER_RECORDS if records else ROUNDS
    ours, theirs = colours(target, records=records, rounds=rounds), colours(own, records=records, rounds=rounds)
    return {view: _same_once(ours[view], theirs[view], persons=own[view].person) for view in target}


def colours(figures: dict[str, Figures], *, records: bool, rounds: int) -> dict[str, NDArray[np.uint64]]:
    """By view the colours of its figures after some rounds."""
    current = {view: of_view.shape.copy() for view, of_view in figures.items()}
    for _ in range(rounds):
        for view, of_view in figures.items():
            current[view] = _round(of_view.names, of_view.tags, of_view.starts, current[view])
        if records:
            _join_records(figures, current)
    return current


def _join_records(figures: dict[str, Figures], current: dict[str, NDArray[np.uint64]]) -> None:
    size = 1 + max(int(of_view.person.max(initial=0)) for of_view in figures.values())
    whole = np.zeros(size, dtype=np.uint64)
    for number, view in enumerate(sorted(figures)):
        np.add.at(whole, figures[view].person, _mixed(current[view] + np.uint64(number)))
    for view, of_view in figures.items():
        current[view] = _mixed(current[view] ^ _mixed(whole[of_view.person]))


def _same_once(
    ours: NDArray[np.uint64], theirs: NDArray[np.uint64], *, persons: NDArray[np.int64]
) -> NDArray[np.int64]:
    claims = np.full(len(ours), NOBODY)
    values, first, counts = np.unique(theirs, return_index=True, return_counts=True)
    mine, where, times = np.unique(ours, return_index=True, return_counts=True)
    place = np.minimum(np.searchsorted(values, mine), max(0, len(values) - 1))
    if not len(values):
        return claims
    once = (values[place] == mine) & (counts[place] == 1) & (times == 1)
    claims[where[once]] = persons[first[place[once]]]
    return claims


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


@njit(cache=True)
def _stirred(number: Any) -> Any:
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@njit(cache=True)
def _round(names: Any, tags: Any, starts: Any, colour: Any) -> Any:
    """Each colour joined with those of its block, by how they are related."""
    renewed = np.empty_like(colour)
    for block in range(len(starts) - 1):
        first, last = starts[block], starts[block + 1]
        for i in range(first, last):
            total = np.uint64(last - first)
            for j in range(first, min(last, first + _LARGEST)):
                if i == j:
                    continue
                relation = 0
                for field in range(7):
                    if tags[i, field] != 0 and tags[i, field] == tags[j, field]:
                        relation |= 1 << field
                given, surname = True, True
                for word in range(4):
                    given &= names[i, word] == names[j, word]
                    surname &= names[i, 4 + word] == names[j, 4 + word]
                relation |= (128 if given else 0) | (256 if surname else 0)
                total += _stirred(colour[j] + np.uint64(relation) * np.uint64(0x9E3779B97F4A7C15))
            renewed[i] = _stirred(colour[i] ^ _stirred(total))
    return renewed
