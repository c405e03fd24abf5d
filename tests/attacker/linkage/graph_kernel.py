"""Compiled loops of graph matching: the nearest filters of each filter, and matching two graphs outwards from seeds."""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tests.attacker.linkage.block_kernel import bits


@njit(cache=True)
def nearest(filters: Any, weights: Any, count: int) -> Any:
    """(n, count) places and Dice coefficients of the filters nearest to each, falling."""
    total, words = filters.shape
    place = np.full((total, count), -1, dtype=np.int64)
    dice = np.zeros((total, count), dtype=np.float32)
    for i in range(total):
        for j in range(i + 1, total):
            common = 0
            for word in range(words):
                common += bits(filters[i, word] & filters[j, word])
            likeness = np.float32(2.0 * common / max(1, weights[i] + weights[j]))
            for one, other in ((i, j), (j, i)):
                if likeness > dice[one, count - 1]:
                    at = count - 1
                    while at > 0 and dice[one, at - 1] < likeness:
                        dice[one, at] = dice[one, at - 1]
                        place[one, at] = place[one, at - 1]
                        at -= 1
                    dice[one, at] = likeness
                    place[one, at] = other
    return place, dice


@njit(cache=True)
def spread(
    near: Any, dice: Any, weights: Any, own_near: Any, own_dice: Any, own_weights: Any, match: Any, back: Any,
    dice_spread: float, weight_spread: float, least: float,
) -> Any:  # fmt: skip
    """One round: for every target node the own node that most of its matched neighbours speak for, and how much.

    A neighbour speaks by how alike the two edges are; nodes of unlike weight are not compared.
    """
    total = len(near)
    best = np.full(total, -1, dtype=np.int64)
    lead = np.zeros(total)
    support = np.zeros(len(own_near))
    touched = np.zeros(65536, dtype=np.int64)
    for i in range(total):
        count = 0
        for x in range(near.shape[1]):
            j = near[i, x]
            if j < 0 or match[j] < 0:
                continue
            b = match[j]
            for y in range(own_near.shape[1]):
                a = own_near[b, y]
                if a < 0 or abs(weights[i] - own_weights[a]) > 3 * weight_spread:
                    continue
                apart = (dice[i, x] - own_dice[b, y]) / dice_spread
                if abs(apart) > 3:
                    continue
                if support[a] == 0.0 and count < len(touched):
                    touched[count] = a
                    count += 1
                support[a] += 3.0 - 0.5 * apart * apart
        first, second, who = 0.0, 0.0, -1
        for place in range(count):
            a = touched[place]
            apart = (weights[i] - own_weights[a]) / weight_spread
            worth = support[a] - 0.5 * apart * apart
            if worth > first:
                second, first, who = first, worth, a
            elif worth > second:
                second = worth
            support[a] = 0.0
        if first >= least:
            best[i] = who
            lead[i] = first - second
    return best, lead
