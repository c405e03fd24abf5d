"""Component purity: with the resolver's key, tokens that must share a part (a year) fall into heaps that are that part.

Inside one names token equal year tags mean one birth year; the records behind them lie in several dob tokens, which so
become one heap. Heaps that are pure and as many as the years are the frequency table of the year, ready to be read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tests.attacker.linkage.figures import Figures

YEAR = 0


@dataclass(frozen=True)
class Purity:
    """Heaps of more than one token; the share of records in heaps of one true value; and in the largest heap."""

    heaps: int
    pure: float
    largest: float


def purity(
    by_token: Figures, by_tag: Figures, *, record_token: NDArray[np.int64], record_tag: NDArray[np.int64],
    value: NDArray[np.int64], field: int = YEAR,
) -> Purity:  # fmt: skip
    """Heaps of the tokens of one view, tied by equal tags in another; `record_*` number the record of each figure."""
    block = np.repeat(np.arange(len(by_token.sizes)), by_token.sizes)
    token_of = np.full(int(max(record_token.max(initial=0), record_tag.max(initial=0))) + 1, -1)
    token_of[record_token] = block
    other = np.repeat(np.arange(len(by_tag.sizes)), by_tag.sizes)
    tag = by_tag.tags[:, field].astype(np.int64)
    use = np.flatnonzero((tag != 0) & (token_of[record_tag] >= 0))
    order = use[np.lexsort((tag[use], other[use]))]
    together = (other[order][1:] == other[order][:-1]) & (tag[order][1:] == tag[order][:-1])
    left, right = token_of[record_tag[order[:-1][together]]], token_of[record_tag[order[1:][together]]]
    size = len(by_token.sizes)
    _, heap = connected_components(coo_matrix((np.ones(len(left)), (left, right)), shape=(size, size)), directed=False)
    return _measured(heap[block], value[record_token])


def _measured(heap: NDArray[np.int64], value: NDArray[np.int64]) -> Purity:
    heaps, number, counts = np.unique(heap, return_inverse=True, return_counts=True)
    pairs, of_pair = np.unique(np.stack([number, value], axis=1), axis=0, return_counts=True)
    commonest = np.zeros(len(heaps), dtype=np.int64)
    np.maximum.at(commonest, pairs[:, 0], of_pair)
    pure = (commonest == counts) & (counts > 1)
    return Purity(
        heaps=int((counts > 1).sum()), pure=float(counts[pure].sum() / counts.sum()),
        largest=float(counts.max() / counts.sum()),
    )  # fmt: skip
