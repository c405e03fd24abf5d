"""Pattern mining: bits that are set together are one bigram's; the commonest pattern is taken for the commonest bigram.

After Christen, Ranbaduge, Vatsalan and Schnell (2018), who need no more than public lists of names. A record's bigrams
give back its name: the one of the public list that explains its bits best.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TOGETHER = 0.9
PATTERNS = 80
NAMES = 400


def mined_names(filters: NDArray[np.uint64], names: Sequence[str]) -> NDArray[np.int64]:
    """By filter the place in the distinct public names, commonest first, of the name it is taken for."""
    matrix = np.unpackbits(np.ascontiguousarray(filters).view(np.uint8), axis=1, bitorder="little").astype(np.float32)
    patterns = _patterns(matrix)
    common = Counter(names)
    listed = [name for name, _ in common.most_common(NAMES)]
    frequencies: Counter[str] = Counter()
    for name, count in common.items():
        frequencies.update(dict.fromkeys(_grams(name), count))
    taken = _taken_for(patterns, frequencies=frequencies)
    if not taken:
        return np.zeros(len(matrix), dtype=np.int64)
    present = np.stack([matrix[:, bits].mean(axis=1) > TOGETHER for bits, _ in taken], axis=1).astype(np.float32)
    known = np.array([[gram in _grams(name) for _, gram in taken] for name in listed], dtype=np.float32)
    prior = np.log([common[name] / len(names) for name in listed])
    fits = present @ known.T * 2 - known.sum(axis=1) - present.sum(axis=1, keepdims=True)
    return np.argmax(fits * 2.0 + prior, axis=1)


def public_names(names: Sequence[str]) -> list[str]:
    """The distinct names in the order `mined_names` numbers them."""
    return [name for name, _ in Counter(names).most_common(NAMES)]


def _patterns(matrix: NDArray[np.float32]) -> list[tuple[NDArray[np.int64], float]]:
    """Groups of bits set in nearly the same rows, with the share of those rows; the commonest first."""
    counts = matrix.sum(axis=0)
    joint = matrix.T @ matrix
    free = counts > 0
    found = []
    for bit in np.argsort(-counts, kind="stable"):
        if not free[bit] or len(found) == PATTERNS:
            continue
        alike = free & (joint[bit] >= TOGETHER * counts[bit]) & (joint[bit] >= TOGETHER * counts)
        group = np.flatnonzero(alike)
        free[group] = False
        if len(group) > 1:
            found.append((group, float(counts[bit] / len(matrix))))
    return found


def _taken_for(
    patterns: Sequence[tuple[NDArray[np.int64], float]], *, frequencies: Counter[str]
) -> list[tuple[NDArray[np.int64], str]]:
    """Patterns and bigrams paired by frequency, each once."""
    listed = [gram for gram, _ in frequencies.most_common(len(patterns))]
    return [(bits, gram) for (bits, _), gram in zip(patterns, listed, strict=False)]


def _grams(name: str) -> frozenset[str]:
    return frozenset(first + second for first, second in itertools.pairwise(f"_{name}_"))
