"""Compiled loops of the block attack: relations inside blocks, how well two blocks fit, who is who in them."""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LOOKS = 64
KINDS = 9 * 32 + LOOKS
DEEPEST = 15
IMPOSSIBLE, PINNED, TAKEN = -1e8, 40.0, -6.0
TURNS, COOLING = 6, 0.7


@njit(cache=True)
def bits(word: Any) -> int:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True)
def shared(names: Any, i: int, at: int, j: int, other: int) -> int:
    """What two names share: bits of two filters."""
    total = 0
    for word in range(4):
        total += bits(names[i, at + word] & names[j, other + word])
    return total


@njit(cache=True)
def relations(names: Any, tags: Any, first: int, size: int, out: Any) -> None:
    """out[i, j]: mask of equal tags, then bits shared by given, surname, given with surname, surname with given."""
    for i in range(size):
        for j in range(size):
            mask = 0
            for field in range(7):
                if tags[first + i, field] != 0 and tags[first + i, field] == tags[first + j, field]:
                    mask |= 1 << field
            out[i, j, 0] = mask
            out[i, j, 1] = shared(names, first + i, 0, first + j, 0)
            out[i, j, 2] = shared(names, first + i, 4, first + j, 4)
            out[i, j, 3] = shared(names, first + i, 0, first + j, 4)
            out[i, j, 4] = shared(names, first + i, 4, first + j, 0)


@njit(cache=True)
def coarse(common: int) -> int:
    return 0 if common <= 20 else (2 if common == 64 else 1)


@njit(cache=True)
def kind_of(relation: Any) -> int:
    """A coarse kind of relation: likeness of given and of surname, and which of five tags agree."""
    mask = relation[0]
    place = (mask & 15) | (16 if mask & 48 else 0)
    return (coarse(relation[1]) * 3 + coarse(relation[2])) * 32 + place


@njit(cache=True)
def kind_counts(names: Any, tags: Any, shape: Any, starts: Any, largest: int) -> Any:
    """(blocks, kinds) how many pairs of each kind, and figures of each look, a block holds, at most DEEPEST.

    Blocks above `largest` are left 0.
    """
    counts = np.zeros((len(starts) - 1, KINDS), dtype=np.uint8)
    out = np.zeros((largest, largest, 5), dtype=np.uint8)
    for block in range(len(starts) - 1):
        first, size = starts[block], starts[block + 1] - starts[block]
        if size > largest:
            continue
        relations(names, tags, first, size, out)
        for i in range(size):
            look = KINDS - LOOKS + np.int64(shape[first + i] % np.uint64(LOOKS))
            if counts[block, look] < DEEPEST:
                counts[block, look] += 1
            for j in range(i):
                kind = kind_of(out[i, j])
                if counts[block, kind] < DEEPEST:
                    counts[block, kind] += 1
    return counts


@njit(cache=True)
def block_fits(target: Any, own: Any, target_size: Any, own_size: Any, table: Any, sizes: Any, most: int) -> Any:
    """The `most` own blocks that fit each target block best, by naive Bayes over kinds; -1 where there are fewer."""
    best = np.full((len(target), most), -1, dtype=np.int64)
    score = np.full((len(target), most), -1e30, dtype=np.float32)
    for block in range(len(target)):
        for other in range(len(own)):
            total = sizes[min(target_size[block], sizes.shape[0] - 1), min(own_size[other], sizes.shape[1] - 1)]
            if total < -15:
                continue
            for kind in range(target.shape[1]):
                total += table[kind, target[block, kind], own[other, kind]]
            if total > score[block, most - 1]:
                place = most - 1
                while place > 0 and score[block, place - 1] < total:
                    score[block, place] = score[block, place - 1]
                    best[block, place] = best[block, place - 1]
                    place -= 1
                score[block, place] = total
                best[block, place] = other
    return best


@njit(cache=True)
def pair_gain(one: Any, other: Any, tag_gain: Any, overlap_gain: Any) -> float:
    """Log-likelihood ratio that two relations are of the same two people."""
    gain = tag_gain[one[0], other[0]]
    for part in range(4):
        gain += overlap_gain[part, one[part + 1], other[part + 1]]
    return gain


@njit(cache=True)
def fit_blocks(
    target: Any, own: Any, n: int, m: int, unary: Any, tag_gain: Any, overlap_gain: Any, kept: int, out: Any
) -> float:
    """Assigns figures of an own block to those of a target block (out[i] = own place or -1); gives the gain.

    Relaxation over the `kept` likeliest own figures of each target figure, then the best one by one.
    """
    likely = likely_figures(target, own, n, m, unary, tag_gain, overlap_gain, min(kept, m))
    gains = all_gains(target, own, likely, tag_gain, overlap_gain)
    score = relaxed(gains, likely, unary)
    return assign(score, likely, target, own, n, m, unary, tag_gain, overlap_gain, out)


@njit(cache=True)
def likely_figures(
    target: Any, own: Any, n: int, m: int, unary: Any, tag_gain: Any, overlap_gain: Any, kept: int
) -> Any:
    """(n, kept) own figures that fit each target figure best, each of its relations taken at its best."""
    likely = np.empty((n, kept), dtype=np.int64)
    worth = np.zeros(m)
    for i in range(n):
        for a in range(m):
            worth[a] = unary[i, a]
            if m > kept and unary[i, a] > IMPOSSIBLE:
                for j in range(0, n, 1 + n // 24):
                    if j != i:
                        worth[a] += best_gain(target[i, j], own, a, m, tag_gain, overlap_gain)
        likely[i] = np.argsort(-worth)[:kept]
    return likely


@njit(cache=True)
def best_gain(relation: Any, own: Any, a: int, m: int, tag_gain: Any, overlap_gain: Any) -> float:
    best = 0.0
    for b in range(m):
        if a != b:
            best = max(best, pair_gain(relation, own[a, b], tag_gain, overlap_gain))
    return best


@njit(cache=True)
def all_gains(target: Any, own: Any, likely: Any, tag_gain: Any, overlap_gain: Any) -> Any:
    """(n, kept, n, kept) gains of every two assignments."""
    n, kept = likely.shape
    gains = np.zeros((n, kept, n, kept), dtype=np.float32)
    for i in range(n):
        for x in range(kept):
            a = likely[i, x]
            for j in range(n):
                for y in range(kept):
                    b = likely[j, y]
                    if j != i:
                        gains[i, x, j, y] = (
                            TAKEN if a == b else pair_gain(target[i, j], own[a, b], tag_gain, overlap_gain)
                        )
    return gains


@njit(cache=True)
def relaxed(gains: Any, likely: Any, unary: Any) -> Any:
    """(n, kept) scores after the beliefs of all figures have spoken to each other some times."""
    n, kept = likely.shape
    belief = np.full((n, kept), 0.5 / kept)
    score = np.zeros((n, kept))
    for _ in range(TURNS):
        for i in range(n):
            for x in range(kept):
                score[i, x] = unary[i, likely[i, x]]
                if score[i, x] > IMPOSSIBLE:
                    for j in range(n):
                        for y in range(kept):
                            score[i, x] += belief[j, y] * gains[i, x, j, y]
        for i in range(n):
            top = max(0.0, score[i].max())
            belief[i] = np.exp(np.maximum(-60.0, (score[i] - top) * COOLING))
            belief[i] /= belief[i].sum() + np.exp(-top * COOLING)
    return score


@njit(cache=True)
def assign(
    score: Any,
    likely: Any,
    target: Any,
    own: Any,
    n: int,
    m: int,
    unary: Any,
    tag_gain: Any,
    overlap_gain: Any,
    out: Any,
) -> float:
    """Takes pairs in falling score, each figure once, while they raise the gain; gives the whole gain."""
    out[:n] = -1
    free = np.ones(m, dtype=np.bool_)
    kept = likely.shape[1]
    order = np.argsort(-score.ravel())
    whole = 0.0
    for place in order:
        i, a = place // kept, likely[place // kept, place % kept]
        if out[i] >= 0 or not free[a] or unary[i, a] < IMPOSSIBLE:
            continue
        gain = unary[i, a]
        for j in range(n):
            if out[j] >= 0:
                gain += pair_gain(target[i, j], own[a, out[j]], tag_gain, overlap_gain)
        if gain > 0 or whole == 0.0:
            out[i] = a
            free[a] = False
            whole += gain
    return whole


@njit(cache=True)
def unary_gains(
    shape: Any, within: Any, own_shape: Any, own_within: Any, first: int, n: int, other: int, m: int,
    shape_gain: Any, wrong_shape: float, within_gain: Any, out: Any,
) -> None:  # fmt: skip
    for i in range(n):
        for a in range(m):
            if shape[first + i] == own_shape[other + a]:
                out[i, a] = shape_gain[other + a] + within_gain[within[first + i], own_within[other + a]]
            else:
                out[i, a] = wrong_shape


@njit(cache=True)
def pin(pinned: Any, first: int, n: int, other: int, m: int, unary: Any) -> None:
    """Leaves each figure that is known its own one only, and that one to nobody else."""
    for i in range(n):
        a = pinned[first + i] - other
        if pinned[first + i] >= 0:
            unary[i, :m] = 10 * IMPOSSIBLE
            if 0 <= a < m:
                unary[:n, a] = 10 * IMPOSSIBLE
    for i in range(n):
        a = pinned[first + i] - other
        if pinned[first + i] >= 0 and 0 <= a < m:
            unary[i, a] = PINNED


@njit(cache=True)
def fit_all(
    names: Any, tags: Any, shape: Any, within: Any, starts: Any,
    own_names: Any, own_tags: Any, own_shape: Any, own_within: Any, own_starts: Any,
    candidates: Any, shape_gain: Any, wrong_shape: float, within_gain: Any, tag_gain: Any, overlap_gain: Any,
    kept: int, largest: int, pinned: Any,
) -> Any:  # fmt: skip
    """For each target block the best own block of its candidates, its gain, the next best gain, and who is who.

    `pinned[i]` is the own figure that a target figure is known to be, or -1.
    """
    blocks = len(starts) - 1
    best = np.full(blocks, -1, dtype=np.int64)
    gain = np.zeros(blocks)
    second = np.zeros(blocks)
    who = np.full(len(names), -1, dtype=np.int64)
    target = np.zeros((largest, largest, 5), dtype=np.uint8)
    own = np.zeros((largest, largest, 5), dtype=np.uint8)
    out = np.zeros(largest, dtype=np.int64)
    unary = np.zeros((largest, largest))
    for block in range(blocks):
        first, n = starts[block], starts[block + 1] - starts[block]
        if n > largest or candidates[block, 0] < 0:
            continue
        relations(names, tags, first, n, target)
        for candidate in candidates[block]:
            if candidate < 0:
                break
            other, m = own_starts[candidate], own_starts[candidate + 1] - own_starts[candidate]
            if m > largest:
                continue
            relations(own_names, own_tags, other, m, own)
            unary_gains(
                shape, within, own_shape, own_within, first, n, other, m, shape_gain, wrong_shape, within_gain, unary
            )
            pin(pinned, first, n, other, m, unary)
            found = fit_blocks(target, own, n, m, unary, tag_gain, overlap_gain, kept, out)
            if found > gain[block]:
                second[block] = gain[block]
                gain[block] = found
                best[block] = candidate
                for i in range(n):
                    who[first + i] = other + out[i] if out[i] >= 0 else -1
            elif found > second[block]:
                second[block] = found
    return best, gain, second, who
